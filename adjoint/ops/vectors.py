"""Vectors along a dimension: cross and dot products, distances of all pairs, powers."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.errors import describe_shape
from adjoint.ops.arithmetic import mul
from adjoint.ops.arranging import flip
from adjoint.ops.casting import cast, conj
from adjoint.ops.contraction import matmul_row, require_tensors, swap_last
from adjoint.ops.joining import cat_row
from adjoint.ops.kinds.formulas import zero
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import public
from adjoint.ops.kinds.quick import rename
from adjoint.ops.kinds.row import Row
from adjoint.ops.kinds.rules import Fact
from adjoint.ops.movement import expand_row, reshape_row
from adjoint.ops.norms import vector_norm_row
from adjoint.ops.reducing import quotient_or_zero, shape_of
from adjoint.ops.reduction import sum_row
from adjoint.ops.scan import cumprod
from adjoint.ops.slicing import slice_row
from adjoint.shapes import broadcast_shapes, normalise_dim

LINALG = ("linalg",)


def _same_type(name: str, x: Any, y: Any) -> None:
    if dtypes.of(x) is not dtypes.of(y):
        raise RuntimeError(
            f"{name}: expected tensors of one dtype, but found {dtypes.of(x)!r} and "
            f"{dtypes.of(y)!r}; convert one of them, as in x.to(y.dtype)"
        )


def _expanded(x: Any, shape: tuple[int, ...]) -> Any:
    return x if tuple(x.shape) == shape else expand_row(x, shape)


# -- cross and dot products -----------------------------------------------------------------------


def _cross(x: Any, y: Any, dim: int) -> Any:
    a, b, c = np.moveaxis(x, dim, 0)
    d, e, f = np.moveaxis(y, dim, 0)
    return np.stack((b * f - c * e, c * d - a * f, a * e - b * d), dim)


cross_row: Any = define(
    "cross", "contraction", _cross, inputs="x y", options="dim", jvp="multilinear",
    infer=lambda row, inputs, options: (tuple(inputs[0].shape), dtypes.of(inputs[0])),
    x=lambda g, y, dim: cross_row(y, g, dim), y=lambda g, x, dim: cross_row(g, x, dim),
    node_name="LinalgCrossBackward0",
)  # fmt: skip


@public(namespaces=LINALG, method=False, name="cross", out="exact")
def linalg_cross(input: Any, other: Any, *, dim: int = -1) -> Any:
    """The cross product of vectors of three along ``dim``; other dimensions broadcast.

    Raises ``RuntimeError`` for other sizes, and unless both have as many dimensions and one type.

    >>> torch.linalg.cross(torch.tensor([1.0, 0.0, 0.0]), torch.tensor([0.0, 1.0, 0.0]))
    tensor([0., 0., 1.])
    """
    require_tensors("linalg.cross", input, other)
    x_shape, y_shape = tuple(input.shape), tuple(other.shape)
    if len(x_shape) != len(y_shape):
        raise RuntimeError(
            "linalg.cross: inputs must have the same number of dimensions, but got shapes "
            f"{describe_shape(x_shape)} and {describe_shape(y_shape)}"
        )
    if not x_shape:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    place = normalise_dim(dim, len(x_shape))
    if x_shape[place] != 3 or y_shape[place] != 3:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {x_shape[place]} and "
            f"{y_shape[place]}"
        )
    shape = broadcast_shapes(x_shape, y_shape)
    _same_type("linalg.cross", input, other)
    if dtypes.of(input) is dtypes.bool_:
        raise NotImplementedError("linalg.cross is not implemented for torch.bool")
    return cross_row(_expanded(input, shape), _expanded(other, shape), place)


@public(out="exact")
def cross(input: Any, other: Any, dim: int | None = None) -> Any:
    """As ``linalg.cross``, along the first dimension of size 3 unless ``dim`` is given.

    Raises ``RuntimeError`` where there is none, and as ``linalg.cross``.

    >>> torch.cross(torch.tensor([1.0, 0.0, 0.0]), torch.tensor([0.0, 1.0, 0.0]), dim=0)
    tensor([0., 0., 1.])
    """
    if dim is None:
        shape = shape_of("cross", input)
        if 3 not in shape:
            raise RuntimeError(f"cross: no dimension of size 3 in input of {describe_shape(shape)}")
        dim = shape.index(3)
    return linalg_cross(input, other, dim=dim)


@public(namespaces=LINALG, method=False, out="exact")
def vecdot(x: Any, y: Any, *, dim: int = -1) -> Any:
    """The dot products of vectors along ``dim``, of the conjugated first; dimensions broadcast.

    Raises ``RuntimeError`` for integers and for two types.

    >>> torch.linalg.vecdot(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([1.0, 1.0]))
    tensor([3., 7.])
    """
    require_tensors("linalg.vecdot", x, y)
    if dtypes.of(x).category < dtypes.FLOATING:
        raise RuntimeError(
            f"linalg.vecdot: Expected a floating point or complex tensor, not {dtypes.of(x)!r}"
        )
    _same_type("linalg.vecdot", x, y)
    rank = max(len(x.shape), len(y.shape))
    place = normalise_dim(dim, rank)
    products = mul(conj(x) if dtypes.of(x).is_complex else x, y)
    return sum_row(products, (place,) if rank else (), False)


# -- distances of all pairs -----------------------------------------------------------------------


def _euclidean(x: Any, y: Any) -> Any:
    """Lengths of the differences of rows, by one product of matrices."""
    squares = (x * x).sum(-1)[..., :, None] + (y * y).sum(-1)[..., None, :]
    found: Any = np.sqrt(np.maximum(squares - 2 * np.matmul(x, y.swapaxes(-1, -2)), 0))
    return found


def _infer_pairs(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
    x, y = inputs
    return (*x.shape[:-1], y.shape[-2]), dtypes.of(x)


def _pairs_vjp(g: Any, needs: Any, x: Any, y: Any, out: Any) -> tuple[Any, Any]:
    """Each pair pulls along its difference; what lies at one place does not."""
    pull = quotient_or_zero(g, out)
    back = x * sum_row(pull, (-1,), True) - matmul_row(pull, y) if needs[0] else None
    if not needs[1]:
        return back, None
    pull = swap_last(pull)
    return back, y * sum_row(pull, (-1,), True) - matmul_row(pull, x)


def _pairs_jvp(x_t: Any, y_t: Any, x: Any, y: Any, out: Any) -> Any:
    own = sum_row(x * x_t, (-1,), True) + swap_last(sum_row(y * y_t, (-1,), True))
    across = matmul_row(x_t, swap_last(y)) + matmul_row(x, swap_last(y_t))
    return quotient_or_zero(own - across, out)


euclidean_row: Any = define(
    "euclidean_dist", "contraction", _euclidean, inputs="x y", vjp=_pairs_vjp, jvp=_pairs_jvp,
    infer=_infer_pairs, node_name="ViewBackward0",
)  # fmt: skip
_MODES = (
    "use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist"
)  # fmt: skip


@public(method=False)
def cdist(
    x1: Any,
    x2: Any,
    p: float = 2.0,
    compute_mode: str = "use_mm_for_euclid_dist_if_necessary",
) -> Any:
    """Norms of order ``p`` of the differences of each row of ``x1`` and each of ``x2``.

    (..., P, M) and (..., R, M) to (..., P, R); dimensions in front broadcast. Euclidean distances
    of more than 25 rows go by a product of matrices, which rounds more, unless ``compute_mode``
    says "donot_use_mm_for_euclid_dist". Raises ``RuntimeError`` for other shapes and types and
    for a negative ``p``, ``ValueError`` for another mode.

    >>> torch.cdist(torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0], [0.0, 1.0]]))
    tensor([[5., 1.]])
    """
    require_tensors("cdist", x1, x2)
    _check_pairs(x1, x2, p, compute_mode)
    lead = broadcast_shapes(tuple(x1.shape[:-2]), tuple(x2.shape[:-2]))
    x = _expanded(x1, (*lead, *x1.shape[-2:]))
    y = _expanded(x2, (*lead, *x2.shape[-2:]))
    rows, columns, width = x.shape[-2], y.shape[-2], x.shape[-1]
    many = compute_mode == _MODES[0] and (rows > 25 or columns > 25)
    if p == 2 and (many or compute_mode == _MODES[1]):
        return euclidean_row(x, y)
    if dtypes.of(x).itemsize < 4:
        raise NotImplementedError(f"cdist is not implemented for {dtypes.of(x)!r}")
    apart = reshape_row(x, (*lead, rows, 1, width)) - reshape_row(y, (*lead, 1, columns, width))
    if not width:
        return rename(sum_row(apart, (-1,), False), "CdistBackward0")
    norms = vector_norm_row(apart, float(p), (-1,), False)
    if not p:
        norms = norms + sum_row(zero(apart) * apart, (-1,), False)  # a gradient, though of zeros
    return rename(norms, "CdistBackward0")


def _check_pairs(x: Any, y: Any, p: Any, mode: Any) -> None:
    if mode not in _MODES:
        raise ValueError(f"cdist: {mode} is not a valid value for compute_mode")
    if not isinstance(p, (int, float)):
        raise TypeError(f"cdist(): p is a number, not {type(p).__name__}")
    for name, each in (("x1", x), ("x2", y)):
        if dtypes.of(each).category != dtypes.FLOATING:
            raise RuntimeError(
                f"cdist only supports floating-point dtypes, {name} got: {dtypes.of(each)!r}"
            )
        if len(each.shape) < 2:
            raise RuntimeError(
                f"cdist only supports at least 2D tensors, {name} got: {len(each.shape)}D"
            )
    if x.shape[-1] != y.shape[-1]:
        raise RuntimeError(
            f"cdist: x1 and x2 must have the same number of columns. x1: {x.shape[-1]} "
            f"x2: {y.shape[-1]}"
        )
    if p < 0:
        raise RuntimeError(f"cdist only supports non-negative p values, not {p}")
    _same_type("cdist", x, y)


# -- powers ---------------------------------------------------------------------------------------


def _powers(x: Any, count: int) -> Any:
    """Powers 0, 1, ... of each element, along a new last dimension."""
    shape = tuple(x.shape)
    ones = np.ones((*shape, 1), dtypes.of(x).numpy)
    lines = expand_row(reshape_row(x, (*shape, 1)), (*shape, count - 1))
    return cat_row([expand_row(ones, (*shape, 1)), cumprod(lines, -1)], -1)


@public(method=False)
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """Powers of each element of a vector as rows, the highest first unless ``increasing``.

    ``N`` is how many there are, by default as many as elements. Raises ``RuntimeError`` for other
    shapes and a negative ``N``.

    >>> torch.vander(torch.tensor([1, 2, 3]))
    tensor([[1, 1, 1],
            [4, 2, 1],
            [9, 3, 1]])
    """
    shape = shape_of("vander", x, "x")
    if len(shape) != 1:
        raise RuntimeError(
            f"vander: x must be a one-dimensional tensor, not {describe_shape(shape)}"
        )
    count = shape[0] if N is None else N
    if count < 0:
        raise RuntimeError(f"vander: N must be non-negative, but is {count}")
    if dtypes.of(x).category < dtypes.FLOATING:
        x = cast(x, dtypes.int64)
    if not count:
        return slice_row(reshape_row(x, (shape[0], 1)), -1, 0, 0, 1)
    out = _powers(x, count)
    return out if increasing else flip(out, (-1,))


@public(namespaces=LINALG, method=False, name="vander")
def linalg_vander(x: Any, *, N: int | None = None) -> Any:
    """Powers 0, 1, ... of each element along a new last dimension, ``N`` of them.

    Raises ``RuntimeError`` for a 0-d input without ``N``, fewer than 2 powers, and booleans.

    >>> torch.linalg.vander(torch.tensor([1, 2, 3]))
    tensor([[1, 1, 1],
            [1, 2, 4],
            [1, 3, 9]])
    """
    shape = shape_of("linalg.vander", x, "x")
    if dtypes.of(x) is dtypes.bool_:
        raise RuntimeError("linalg.vander supports numbers, but got torch.bool")
    if dtypes.is_low_precision(dtypes.of(x).numpy):
        raise RuntimeError(f"linalg.vander: Low precision dtypes not supported: {dtypes.of(x)!r}")
    if not shape:
        x, shape = reshape_row(x, (1,)), (1,)
    count = shape[-1] if N is None else N
    if count <= 1:
        raise RuntimeError(f"linalg.vander: N must be greater than 1, but is {count}")
    if dtypes.of(x).category < dtypes.FLOATING:
        x = cast(x, dtypes.int64)
    return _powers(x, count)
