"""What all reductions share: how dims are spelled, shapes given back, sums kept accurate, rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from adjoint import dtypes
from adjoint.errors import describe_shape
from adjoint.ops.casting import conj
from adjoint.ops.comparison import eq
from adjoint.ops.complex_parts import real
from adjoint.ops.kinds.row import Row
from adjoint.ops.kinds.rules import Fact, stand_in
from adjoint.ops.movement import expand_row, reshape_row
from adjoint.ops.selection import zero_where
from adjoint.shapes import normalise_dim, product, reduced_shape
from adjoint.tape.tensor import Tensor

ndarray = np.ndarray
Dims = tuple[int, ...]
PLAIN: Any = (np.ndarray, np.generic)
# Bound once: a lookup less at each call, and NumPy's overloads do not know a keepdims that varies.
add_reduce: Any = np.add.reduce
multiply_reduce: Any = np.multiply.reduce

# -- arguments ----------------------------------------------------------------------------------


def shape_of(name: str, input: Any, argument: str = "input") -> Dims:
    """The shape of a value; ``TypeError`` for what has none."""
    try:
        # A Tensor's own shape is made anew each time: 0.4 µs.
        shape: Dims = input._array.shape if isinstance(input, Tensor) else input.shape
    except AttributeError:
        raise TypeError(
            f"{name}(): argument '{argument}' must be Tensor, not {type(input).__name__}"
        ) from None
    return shape


def numpy_spelling(name: str, given: dict[str, Any], dim: Any, keepdim: Any = False) -> Any:
    """``dim`` and ``keepdim`` from NumPy's names for them, ``axis`` and ``keepdims``.

    ``given`` is what a function received beyond its own parameters; ``TypeError`` for any other.
    """
    if "axis" in given:
        if dim is not None and dim is not ...:
            raise TypeError(f"{name}() got both dim and axis, which mean the same")
        dim = given.pop("axis")
    keepdim = given.pop("keepdims", keepdim)
    if given:
        raise TypeError(f"{name}() got an unexpected keyword argument {next(iter(given))!r}")
    return dim, keepdim


def flag(name: str, value: Any, argument: str = "keepdim") -> bool:
    """A truth value as it must be: ``x.sum(0, 1)`` is an error and no way to name two dims."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    hint = "; several dims are given as a tuple" if argument == "keepdim" else ""
    raise TypeError(
        f"{name}(): argument '{argument}' must be bool, not {type(value).__name__}{hint}"
    )


def one_dim(name: str, dim: Any, shape: Dims) -> int:
    """A dim that must be given (Ellipsis stands for none), counted from the end."""
    if dim is ...:
        raise TypeError(f"{name}() missing 1 required argument: 'dim'")
    return normalise_dim(dim, len(shape))


def dim_or_none(name: str, dim: Any, shape: Dims) -> int | None:
    """As ``one_dim``; None for a zero-dimensional input, which has no dim though it accepts one."""
    found = one_dim(name, dim, shape)
    return found if shape else None


def on_scalars(compute: Callable[..., Any], inputs: int = 1) -> Callable[..., Any]:
    """``compute(x, dim, ...)`` made to take zero-dimensional inputs with a ``dim`` of None.

    They get a dim of size 1 for the while. (A dim of -1 would be the batch axis inside ``vmap``.)
    """

    def run(*args: Any) -> Any:
        if args[inputs] is not None:
            return compute(*args)
        arrays = [each[..., None] for each in args[:inputs]]
        out = compute(*arrays, -1, *args[inputs + 1 :])
        return tuple(each[..., 0] for each in out) if isinstance(out, tuple) else out[..., 0]

    return run


def size_of(shape: Dims, dim: int | None) -> int:
    """Size of a dim; 1 for None."""
    return 1 if dim is None else shape[dim]


def no_such_dims(name: str, shape: Dims, dim: int | None) -> NoReturn:
    """Refuse to take the largest (or first, or middle) of nothing."""
    what = f"{name}(): the input of shape {describe_shape(shape)} has no elements to choose from"
    if dim is None:
        raise RuntimeError(f"{what}; name a dim of non-zero size with the 'dim' argument")
    raise IndexError(f"{what}: expected reduction dim {dim} to have non-zero size")


def refuse_dtype(
    name: str, input: Any, categories: tuple[int, ...], error: type[Exception]
) -> None:
    """Raise ``error`` where the element type is of one of these categories."""
    kind = dtypes.of(input)
    if kind.category in categories:
        raise error(f"{name}() is not implemented for {kind!r}; convert the input first")


# -- shapes -------------------------------------------------------------------------------------


def keep_dims(g: Any, shape: Dims, dims: Dims, keepdim: bool) -> Any:
    """Put the dims back, with size 1, that a reduction of ``shape`` took away."""
    if keepdim or not dims:
        return g
    return reshape(g, reduced_shape(tuple(shape), dims, True))


def reshape(x: Any, shape: Dims) -> Any:
    """``reshape`` in a formula: the row, or 2 µs less on memory."""
    return x.reshape(shape) if type(x) is ndarray else reshape_row(x, shape)


def spread(g: Any, shape: Dims, dims: Dims | None = None, keepdim: bool = True) -> Any:
    """Undo a reduction's change of shape: put size-1 dims back, then stretch to ``shape``."""
    if dims is not None and not keepdim and dims and g.shape != ():
        g = keep_dims(g, shape, dims, keepdim)
    if isinstance(g, PLAIN):
        if product(shape) > 16384:
            return np.broadcast_to(g, shape)
        # Filling is 1.5 µs less than a view of one element, and a leaf takes it without a copy.
        out = np.empty(shape, g.dtype)
        out[...] = g
        return out
    return expand_row(g, shape)


def quotient_or_zero(x: Any, y: Any) -> Any:
    """``x / y``, and 0 where ``y`` is: where PyTorch gives a corner at zero no slope."""
    if isinstance(x, PLAIN) and isinstance(y, PLAIN) and np.count_nonzero(y) == y.size:
        return x / y
    return zero_where(eq(y, 0), x / y)


def inner(x: Any, y: Any) -> Any:
    """Products of elements as those of real vectors: the real part of ``conj(x) * y``."""
    return real(conj(x) * y) if dtypes.of(x).is_complex else x * y


# -- rules --------------------------------------------------------------------------------------


def result_kinds(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> list[dtypes.dtype]:
    """Types of a row's results, found by computing on a single element."""
    ones = tuple(stand_in(x, (1,) * len(x.shape)) if hasattr(x, "shape") else x for x in inputs)
    with np.errstate(all="ignore"):
        out = row.evaluate(ones, options)
    return [dtypes.of(each) for each in (out if row.many_outputs else (out,))]


def infer_reduced(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Any:
    """Shape rule of rows with ``dims`` (or ``dim``) and ``keepdim``, or with neither: a scalar."""
    given = dict(zip(row.options, options, strict=True))
    shape = tuple(inputs[0].shape)
    dims = given["dims"] if "dims" in given else (given["dim"],) if "dim" in given else None
    if dims is None:
        dims = tuple(range(-len(shape), 0))
    elif dims == (None,):
        dims = ()
    reduced = reduced_shape(shape, dims, given.get("keepdim", False))
    facts = [(reduced, kind) for kind in result_kinds(row, inputs, options)]
    return facts if row.many_outputs else facts[0]


def infer_same_shape(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Any:
    """Shape rule of rows whose results all have the first input's shape."""
    shape = tuple(inputs[0].shape)
    facts: list[Fact] = [(shape, kind) for kind in result_kinds(row, inputs, options)]
    return facts if row.many_outputs else facts[0]


def batch_whole(operation: Callable[..., Any], *options: Any) -> Callable[..., Any]:
    """Batching of a reduction of everything: ``operation`` over all dims but the first.

    ``operation`` takes the value, its dims and whether to keep them, then ``options``.
    """

    def rule(row: Row, size: int, values: list[Any], batched: list[bool], given: Any) -> Any:
        value = values[0]
        return operation(value, tuple(range(1 - len(value.shape), 0)), False, *options)

    return rule
