"""``debug_unwrap``, and ``functionalize``, which here changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from adjoint.array.batch import Batch
from adjoint.array.dual import Dual
from adjoint.func.levels import outside
from adjoint.tape.tensor import Tensor

REMOVE = ("mutations", "mutations_and_views")


def debug_unwrap(tensor: Any, *, recurse: bool = True) -> Any:
    """The Tensor under one that a transform has made, to look at while debugging.

    With ``recurse`` all the way down to plain memory, else one transform. Any other Tensor is
    given back itself. What is done with the result is hidden from the transforms.

    >>> import adjoint as torch
    >>> seen = []
    >>> _ = torch.vmap(lambda x: (seen.append(torch.func.debug_unwrap(x)), x)[1])(torch.ones(2))
    >>> seen
    [tensor([1., 1.])]
    """
    if not isinstance(tensor, Tensor) or not tensor._level:
        return tensor
    array = tensor._array
    if type(array) is Batch:
        array = array.value
    elif type(array) is Dual:
        array = array.primal
    found = outside(array.view() if type(array) is np.ndarray else array)
    return debug_unwrap(found) if recurse else found


def functionalize(func: Callable[..., Any], *, remove: str = "mutations") -> Callable[..., Any]:
    """``func`` itself, whose writes in place every transform here understands as they are.

    In PyTorch it prepares functions for tracers that do not. Raises ``RuntimeError`` for another
    ``remove`` than "mutations" and "mutations_and_views".

    >>> import adjoint as torch
    >>> torch.func.functionalize(lambda x: x.clone().mul_(2))(torch.ones(2))
    tensor([2., 2.])
    """
    if remove not in REMOVE:
        raise RuntimeError(f"functionalize: remove is one of {REMOVE}, not {remove!r}")

    @wraps(func)
    def functional(*args: Any, **kwargs: Any) -> Any:
        return func(*args, **kwargs)

    return functional
