"""Distances and angles between vectors, vectors of length one, and the losses made of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adjoint import dtypes
from adjoint.errors import describe_shape
from adjoint.ops.contraction import require_tensors
from adjoint.ops.kinds.public import FUNCTIONAL, public
from adjoint.ops.kinds.quick import rename
from adjoint.ops.losses_composed import raised_row
from adjoint.ops.lossy import reduced, reduction_of
from adjoint.ops.movement import expand_row
from adjoint.ops.norms import norm, vector_norm_row
from adjoint.ops.reduction import sum_row
from adjoint.ops.selection import clamp_min, minimum
from adjoint.shapes import broadcast_shapes, normalise_dim
from adjoint.tape.engine import rows

PLACES = ("", "nn.functional")


@public(namespaces=PLACES, method=False)
def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """Cosine of the angle between vectors along ``dim``, whose lengths count as ``eps`` at least.

    Raises ``RuntimeError`` for types that are not real and floating or shapes that do not
    broadcast, ``IndexError`` for a dim out of range.

    >>> x, y = torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 1.0]])
    >>> torch.cosine_similarity(x, y)
    tensor([0.7071])
    """
    require_tensors("cosine_similarity", x1, x2)
    kind = dtypes.promote_types(dtypes.of(x1), dtypes.of(x2))
    if kind.category != dtypes.FLOATING:
        raise RuntimeError(f"cosine_similarity: expected a floating type, but got {kind!r}")
    if eps < 0:
        raise RuntimeError(f"cosine_similarity: eps is a length, not negative, but got {eps}")
    shape = broadcast_shapes(tuple(x1.shape), tuple(x2.shape))
    place = normalise_dim(dim, len(shape))
    dims = (place,) if shape else ()
    units = []
    for x in (x1, x2):
        if dtypes.of(x) is not kind:
            x = rows.to_dtype(x, kind)
        if tuple(x.shape) != shape:
            x = expand_row(x, shape)
        units.append(x / raised_row(vector_norm_row(x, 2.0, dims, True), eps, ""))
    return sum_row(units[0] * units[1], dims, False)


@public(namespaces=PLACES, method=False)
def pairwise_distance(
    x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Any:
    """Norm of order ``p`` of ``x1 - x2 + eps`` along the last dimension.

    Raises ``RuntimeError`` where the shapes do not broadcast.

    >>> torch.pairwise_distance(torch.tensor([[3.0, 4.0]]), torch.zeros(1, 2), eps=0.0)
    tensor([5.])
    """
    require_tensors("pairwise_distance", x1, x2)
    if not isinstance(p, (int, float)):
        raise TypeError(f"pairwise_distance(): p is a number, not {type(p).__name__}")
    apart = x1 - x2 + eps
    return rename(norm(apart, p, -1, keepdim), "NormBackward1")


@public(namespaces=FUNCTIONAL, method=False, out="cast")
def normalize(input: Any, p: float = 2.0, dim: Any = 1, eps: float = 1e-12) -> Any:
    """Vectors along ``dim`` over their norm of order ``p``, or over ``eps`` where that is more.

    Raises ``RuntimeError`` for integers, ``IndexError`` for a dim out of range.

    >>> torch.nn.functional.normalize(torch.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """
    require_tensors("normalize", input)
    lengths = clamp_min(norm(input, p, dim, True), eps)
    return input / expand_row(lengths, tuple(input.shape))


# -- triplets -----------------------------------------------------------------------------------


@public(namespaces=PLACES, method=False)
def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """How much nearer, less ``margin``, ``negative`` is to ``anchor`` than ``positive`` is.

    Distances are those of ``pairwise_distance``. With ``swap`` the negative may be nearer to the
    positive instead. Raises ``RuntimeError`` unless all have as many dimensions, ``ValueError`` for
    a margin that is not positive.

    >>> anchor, positive = torch.tensor([[0.0]]), torch.tensor([[1.0]])
    >>> torch.triplet_margin_loss(anchor, positive, torch.tensor([[0.5]]), eps=0.0)
    tensor(1.5000)
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")

    def distance(x: Any, y: Any) -> Any:
        return pairwise_distance(x, y, p, eps)

    return _triplet("triplet_margin_loss", anchor, positive, negative, distance, margin, swap,
                    reduction)  # fmt: skip


@public(namespaces=FUNCTIONAL, method=False)
def triplet_margin_with_distance_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Callable[[Any, Any], Any] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Any:
    """``triplet_margin_loss`` with a distance of one's own, ``pairwise_distance`` by default.

    >>> anchor, positive = torch.tensor([[0.0]]), torch.tensor([[1.0]])
    >>> torch.nn.functional.triplet_margin_with_distance_loss(
    ...     anchor, positive, torch.tensor([[0.5]]), distance_function=lambda x, y: (x - y).abs()
    ... )
    tensor(1.5000)
    """
    reduction = reduction_of(reduction)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    distance = pairwise_distance if distance_function is None else distance_function
    return _triplet("triplet_margin_with_distance_loss", anchor, positive, negative, distance,
                    margin, swap, reduction)  # fmt: skip


def _triplet(
    name: str,
    anchor: Any,
    positive: Any,
    negative: Any,
    distance: Callable[[Any, Any], Any],
    margin: float,
    swap: bool,
    reduction: str,
) -> Any:
    values = (anchor, positive, negative)
    require_tensors(name, *values)
    if len({len(value.shape) for value in values}) > 1:
        raise RuntimeError(
            f"{name}: anchor, positive and negative should have the same number of dimensions, "
            "but got shapes " + " and ".join(describe_shape(value.shape) for value in values)
        )
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = minimum(far, distance(positive, negative))
    return reduced(clamp_min(margin + near - far, 0), reduction)
