"""What all functions that make tensors share: sizes, element types, ``out=`` and leaves."""

from __future__ import annotations

from collections.abc import Callable
from operator import index as as_index
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.devices import Placement, check_placement
from adjoint.errors import describe_shape
from adjoint.ops.outputs import check_out, put
from adjoint.shapes import product
from adjoint.tape.tensor import Tensor, set_requires_grad, wrap

Shape = tuple[int, ...]


def element_type(dtype: Any, caller: str) -> dtypes.dtype:
    """The element type asked for; the default one for None."""
    if dtype is None:
        return dtypes.get_default_dtype()
    return dtype if type(dtype) is dtypes.dtype else dtypes.as_dtype(dtype, caller)


def read_size(caller: str, sizes: tuple[Any, ...], size: Any = None) -> Shape:
    """The shape out of ``f(2, 3)``, ``f((2, 3))``, ``f([2, 3])`` and ``f(size=(2, 3))``.

    Raises ``TypeError`` for what are no sizes, and ``RuntimeError`` for negative ones.
    """
    if size is not None:
        if sizes:
            raise TypeError(f"{caller}() got its size twice, by position and by name")
        sizes = tuple(size) if isinstance(size, (tuple, list)) else (size,)
    elif len(sizes) == 1 and isinstance(sizes[0], (tuple, list)):
        sizes = tuple(sizes[0])
    elif not sizes:
        raise TypeError(f"{caller}() needs a size: pass () for a tensor without dimensions")
    for each in sizes:
        if type(each) is not int or each < 0:
            break
    else:
        return sizes
    shape = tuple([_dimension(caller, each) for each in sizes])
    if min(shape) < 0:
        raise RuntimeError(f"{caller}: sizes are not negative, but got {describe_shape(shape)}")
    return shape


def read_shape(caller: str, size: Any) -> Shape:
    """The shape out of a tuple or list of sizes, as ``full`` and ``randint`` want it."""
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"{caller}(): size is a tuple of ints, not {type(size).__name__}")
    return read_size(caller, (size,))


def _dimension(caller: str, size: Any) -> int:
    try:
        if not isinstance(size, bool):
            return as_index(size)
    except TypeError:
        pass
    raise TypeError(f"{caller}(): a size is an int, not {type(size).__name__} ({size!r})")


def read_int(caller: str, name: str, value: Any) -> int:
    """A whole number; ``TypeError`` for what is none."""
    try:
        return as_index(value)
    except TypeError:
        raise TypeError(f"{caller}(): {name} is an int, not {type(value).__name__}") from None


def allocate(
    make: Callable[[Shape, np.dtype[Any]], Any], shape: Shape, kind: dtypes.dtype, caller: str
) -> Any:
    """Memory of a shape and type; ``RuntimeError`` where there is not so much."""
    try:
        return make(shape, kind.numpy)
    except (ValueError, MemoryError) as error:
        raise RuntimeError(
            f"{caller}: a tensor of shape {describe_shape(shape)} and type {kind!r} would take "
            f"{product(shape) * kind.itemsize:,} bytes, which could not be allocated"
        ) from error


def finish(
    caller: str,
    array: Any,
    *,
    out: Any = None,
    requires_grad: bool = False,
    placement: Placement | None = None,
) -> Any:
    """The new tensor over ``array``, a leaf; or ``out``, holding the same numbers."""
    if placement:
        check_placement(caller, placement)
    result = wrap(array) if out is None else write_out(caller, array, out)
    return set_requires_grad(result) if requires_grad else result


def type_for(caller: str, dtype: Any, out: Any, inferred: dtypes.dtype | None = None) -> Any:
    """The type to compute in: that of ``dtype``, else of ``out``, else the inferred or default.

    Raises ``RuntimeError`` where ``dtype`` and ``out`` disagree.
    """
    if out is not None:
        if not isinstance(out, Tensor):
            raise TypeError(f"{caller}(): out is a Tensor, not {type(out).__name__}")
        found = dtypes.of(out)
        if dtype is not None and dtypes.as_dtype(dtype, caller) is not found:
            raise RuntimeError(f"{caller}: dtype is {dtype!r}, but out has {found!r}")
        return found
    if dtype is None and inferred is not None:
        return inferred
    return element_type(dtype, caller)


def write_out(caller: str, array: Any, out: Any) -> Any:
    """Put numbers of its type into ``out``, which takes their shape."""
    value = wrap(array, out._level)
    check_out(caller, out, value)
    put(caller, out, value, warn=False)  # as PyTorch, whose factories say nothing
    return out
