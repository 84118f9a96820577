"""Differences of neighbours, and integrals by the trapezoid rule."""

from __future__ import annotations

from operator import index as as_index
from typing import Any

from adjoint import dtypes
from adjoint.array.value import Value
from adjoint.errors import describe_shape
from adjoint.ops.arithmetic import add, div, mul, sub
from adjoint.ops.comparison import logical_xor
from adjoint.ops.joining import cat
from adjoint.ops.kinds.public import public
from adjoint.ops.kinds.quick import rename
from adjoint.ops.movement import clone
from adjoint.ops.reducing import Dims, numpy_spelling, refuse_dtype, reshape, shape_of
from adjoint.ops.reduction import sum_row
from adjoint.ops.scan import cumsum_row
from adjoint.ops.slicing import slice_row
from adjoint.shapes import normalise_dim

# -- diff -----------------------------------------------------------------------------------------


def _neighbours(x: Any, dim: int) -> tuple[Any, Any]:
    """All but the last along ``dim``, and all but the first; both empty where there is one."""
    size = x.shape[dim]
    last = max(size - 1, 0)
    return slice_row(x, dim, 0, last, 1), slice_row(x, dim, min(size, 1), size, 1)


def _diff_once(x: Any, dim: int) -> Any:
    before, after = _neighbours(x, dim)
    if dtypes.of(x) is dtypes.bool_:
        return logical_xor(after, before)
    return sub(after, before)


def _fits(shape: Dims, part: Any, dim: int, name: str) -> Any:
    if not isinstance(part, Value) and not hasattr(part, "shape"):
        raise TypeError(f"diff(): argument '{name}' must be Tensor, not {type(part).__name__}")
    other = tuple(part.shape)
    if len(other) != len(shape):
        raise RuntimeError(
            f"diff(): {name} must have as many dimensions as the input, but has shape "
            f"{describe_shape(other)} for an input of shape {describe_shape(shape)}"
        )
    for place, (size, wanted) in enumerate(zip(other, shape, strict=True)):
        if size != wanted and place != dim + len(shape):
            raise RuntimeError(
                f"diff(): {name} must have the input's sizes but along dim {dim + len(shape)}: its "
                f"shape {describe_shape(other)} has {size} and not {wanted} in dim {place}"
            )
    return part


@public(out="cast")
def diff(
    input: Any, n: int = 1, dim: Any = -1, prepend: Any = None, append: Any = None,
    **numpy_names: Any,
) -> Any:  # fmt: skip
    """Each element along ``dim`` less the one before, ``n`` times over; of booleans, if it differs.

    ``prepend`` and ``append`` are put around the input first. Raises ``RuntimeError`` for a
    zero-dimensional input, a negative ``n`` and shapes that do not fit, ``IndexError`` for a dim
    that is not there.

    >>> import adjoint as torch
    >>> torch.diff(torch.tensor([1, 4, 9, 16]))
    tensor([3, 5, 7])
    """
    if numpy_names:
        dim, _ = numpy_spelling("diff", numpy_names, None if dim == -1 else dim)
    shape = shape_of("diff", input)
    if not shape:
        raise RuntimeError("diff(): the input has no dimensions, so no element has a neighbour")
    dim, n = normalise_dim(dim, len(shape)), as_index(n)
    if n < 0:
        raise RuntimeError(f"diff(): the order must be non-negative, but got n={n}")
    parts = [
        part if name == "input" else _fits(shape, part, dim, name)
        for name, part in (("prepend", prepend), ("input", input), ("append", append))
        if part is not None
    ]
    out = parts[0] if len(parts) == 1 else cat(parts, dim)
    if n == 0:
        return rename(clone(out), "CopyBackwards")
    for _ in range(min(n, out.shape[dim])):
        out = _diff_once(out, dim)
    return out


# -- trapezoid ------------------------------------------------------------------------------------


def _checked(name: str, y: Any, x: Any, dx: Any, dim: Any, names: dict[str, Any]) -> int:
    if names:
        dim, _ = numpy_spelling(name, names, None if dim == -1 else dim)
    shape = shape_of(name, y, "y")
    if not shape:
        raise IndexError(f"{name}(): dim {dim} of a tensor that has no dimensions")
    if x is None:
        raise TypeError(f"{name}(): argument 'x' must be Tensor, not None; leave it out for dx")
    if x is not ... and dx is not None:
        raise TypeError(f"{name}() got both x and dx; dx is for points that are evenly spaced")
    if isinstance(dx, (bool, complex)):
        raise RuntimeError(f"{name}(): dx must be a real number, not {dx!r}")
    refuse_dtype(name, y, (dtypes.BOOL,), RuntimeError)
    if x is not ...:
        refuse_dtype(name, x, (dtypes.BOOL,), RuntimeError)
    return normalise_dim(dim, len(shape))


def _gaps(name: str, y: Any, x: Any, dim: int) -> Any:
    """Differences of the sample points, in a shape that broadcasts with ``y``'s neighbours."""
    rank, points = len(y.shape), len(shape_of(name, x, "x"))
    if points == 0:
        return slice_row(reshape(x, (1,)), -1, 0, 0, 1)
    if points == 1 < rank:
        if x.shape[0] != y.shape[dim]:
            raise RuntimeError(
                f"{name}(): there must be one x for each of the {y.shape[dim]} points along dim "
                f"{dim + rank} of y, but x has shape {describe_shape(x.shape)}"
            )
        x = reshape(x, (x.shape[0], *(1,) * (-dim - 1)))
        return _diff_once(x, dim)
    if points < rank:
        x = reshape(x, (*(1,) * (rank - points), *x.shape))
    if points == rank == 1 and x.shape[0] != y.shape[0]:
        raise RuntimeError(
            f"{name}(): there must be one x for each of the {y.shape[0]} points of y, but x has "
            f"shape {describe_shape(x.shape)}"
        )
    # Dims are counted from the front where x has more of them, as in PyTorch.
    return _diff_once(x, dim + rank - max(points, rank))


def _sums_of_neighbours(y: Any, dim: int) -> Any:
    return add(*_neighbours(y, dim))


@public(aliases=("trapz",), method=False)
def trapezoid(y: Any, x: Any = ..., *, dx: Any = None, dim: Any = -1, **numpy_names: Any) -> Any:
    """Integral along ``dim`` by the trapezoid rule, of samples at ``x`` or ``dx`` (1) apart.

    Integers give the default floating type. Raises ``RuntimeError`` for booleans and for an ``x``
    that does not fit, ``IndexError`` for a dim that is not there.

    >>> import adjoint as torch
    >>> torch.trapezoid(torch.tensor([1.0, 2.0, 4.0]), dx=0.5)
    tensor(2.2500)
    """
    dim = _checked("trapezoid", y, x, dx, dim, numpy_names)
    if x is not ...:
        areas = mul(_gaps("trapezoid", y, x, dim), _sums_of_neighbours(y, dim))
        place = dim + len(y.shape) - len(areas.shape)
        return rename(div(sum_row(areas, (place,), False), 2), "DivBackward1")
    total = mul(sum_row(_sums_of_neighbours(y, dim), (dim,), False), 0.5)
    return rename(mul(total, 1 if dx is None else dx), "MulBackward1")


@public(method=False)
def cumulative_trapezoid(
    y: Any, x: Any = ..., *, dx: Any = None, dim: Any = -1, **numpy_names: Any
) -> Any:
    """Running integral along ``dim`` by the trapezoid rule, one element shorter than ``y``.

    Integers give the default floating type. Raises ``RuntimeError`` for booleans and for an ``x``
    that does not fit, ``IndexError`` for a dim that is not there.

    >>> import adjoint as torch
    >>> torch.cumulative_trapezoid(torch.tensor([1.0, 2.0, 4.0]))
    tensor([1.5000, 4.5000])
    """
    dim = _checked("cumulative_trapezoid", y, x, dx, dim, numpy_names)
    sums = _sums_of_neighbours(y, dim)
    if x is not ...:
        areas = mul(_gaps("cumulative_trapezoid", y, x, dim), sums)
        place = dim + len(y.shape) - len(areas.shape)
        return rename(div(cumsum_row(areas, place, False), 2), "DivBackward1")
    return cumsum_row(mul(sums, (1 if dx is None else dx) / 2), dim, False)
