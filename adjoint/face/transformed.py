"""The text of a Tensor inside transforms: which ones, and the numbers below them."""

from __future__ import annotations

from textwrap import indent
from typing import Any

from adjoint.array.batch import Batch
from adjoint.array.dual import Dual
from adjoint.array.value import Value
from adjoint.tape.tensor import Tensor, wrap


def spell_transformed(tensor: Any) -> str:
    """The transforms around a value, the innermost first, as PyTorch prints them.

    A batch is always along the first dimension here. A symbol has no numbers to show.
    """
    array, depth = tensor._array, tensor._level // 2
    own = isinstance(array, Value) and array._level == tensor._level - 1
    if own and type(array) is Batch:
        head, array = f"BatchedTensor(lvl={depth}, bdim=0, value=", array.value
    elif own and type(array) is Dual:
        head, array = f"GradTrackingTensor(lvl={depth}, value=", array.primal
    elif own or not depth:
        return f"tensor(<{type(array).__name__} of {array.dtype.name}{list(array.shape)}>)"
    else:
        head = f"GradTrackingTensor(lvl={depth}, value="
    if isinstance(array, Tensor):
        below = array
    else:
        below = wrap(array, int(array._level + 1) if isinstance(array, Value) else 0)
    return f"{head}\n{indent(repr(below), '    ')}\n)"
