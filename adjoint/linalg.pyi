"""The functions of ``adjoint.linalg``.

Written by tools/generate_stubs.py; not by hand.
"""

from builtins import bool as _bool
from builtins import complex as _complex
from builtins import dict as _dict
from builtins import float as _float
from builtins import int as _int
from builtins import list as _list
from builtins import object as _object
from builtins import str as _str
from builtins import tuple as _tuple
from builtins import type as _type
from collections.abc import Callable as _Callable
from collections.abc import Iterable as _Iterable
from collections.abc import Iterator as _Iterator
from collections.abc import Sequence as _Sequence
from typing import Any as _Any

from adjoint.array.generator import Generator as _Generator
from adjoint.devices import device as _device
from adjoint.devices import layout as _layout
from adjoint.devices import memory_format as _memory_format
from adjoint.dtypes import dtype as _dtype
from adjoint.face.size import Size as _Size
from adjoint.tape.tensor import Tensor as _Tensor


def multi_dot(tensors: _Sequence[_Any], *, out: _Tensor | None = None) -> _Tensor: ...
def vector_norm(x: _Any, ord: _float = 2, dim: _Any = None, keepdim: _bool = False, *, dtype: _dtype | None = None, out: _Tensor | None = None, **named: _Any) -> _Tensor: ...
