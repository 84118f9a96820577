"""Tensors out of nothing: from Python numbers, NumPy arrays, or filled."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.ops.kinds.public import public
from adjoint.shapes import flatten_ints
from adjoint.tape.tensor import set_requires_grad, wrap


@public(method=False)
def tensor(data: Any, *, dtype: dtypes.dtype | None = None, requires_grad: bool = False) -> Any:
    """A leaf tensor with a copy of ``data``: numbers, nested lists, an array."""
    array = np.array(data)
    if dtype is None and array.dtype == np.float64 and not isinstance(data, np.ndarray):
        dtype = dtypes.get_default_dtype()
    out = wrap(array if dtype is None else array.astype(dtype.numpy))
    return set_requires_grad(out) if requires_grad else out


@public(method=False)
def ones(*size: Any, dtype: dtypes.dtype | None = None, requires_grad: bool = False) -> Any:
    """Ones of a shape."""
    kind = dtypes.get_default_dtype() if dtype is None else dtype
    out = wrap(np.ones(flatten_ints(size), kind.numpy))
    return set_requires_grad(out) if requires_grad else out


@public(method=False)
def zeros(*size: Any, dtype: dtypes.dtype | None = None, requires_grad: bool = False) -> Any:
    """Zeros of a shape."""
    kind = dtypes.get_default_dtype() if dtype is None else dtype
    out = wrap(np.zeros(flatten_ints(size), kind.numpy))
    return set_requires_grad(out) if requires_grad else out
