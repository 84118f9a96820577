"""Embeddings of bags: the rows that a bag of indices names, as their sum, mean or maximum."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.value import Value
from adjoint.errors import describe_shape
from adjoint.ops.casting import cast
from adjoint.ops.comparison import ne
from adjoint.ops.contraction import require_tensors
from adjoint.ops.embedding import embedding_backward, embedding_renorm_, embedding_row
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import FUNCTIONAL, public
from adjoint.ops.kinds.quick import rename
from adjoint.ops.kinds.row import Row
from adjoint.ops.kinds.rules import Fact
from adjoint.ops.movement import reshape_row
from adjoint.ops.picking import pick_row
from adjoint.ops.selection import clamp_min, keep_where
from adjoint.ops.slicing import slice_row
from adjoint.tape.modes import no_grad
from adjoint.tape.tensor import Tensor

NAME = "embedding_bag"
NODE = "EmbeddingBagBackward0"

# -- which bag each index is in -------------------------------------------------------------------


def _bags(offsets: Any, count: int, last: bool) -> Any:
    """The bag of each of ``count`` places, from where bags begin; and where the last ends."""
    if offsets.size:
        if offsets[0] != 0:
            raise RuntimeError(
                f"{NAME}: offsets[0] has to be 0, as the first bag begins there, but got "
                f"{offsets[0]}"
            )
        if offsets[-1] > count:
            raise RuntimeError(
                f"{NAME}: offsets[-1] can not be greater than input's length {count} but got "
                f"{offsets[-1]}"
            )
        if (offsets[1:] < offsets[:-1]).any():
            raise RuntimeError(f"{NAME}: offsets say where bags begin, and so cannot decrease")
    starts = offsets[:-1] if last else offsets
    return np.searchsorted(starts, np.arange(count), "right") - 1


def _infer_bags(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
    return (options[0],), dtypes.int64


bags_row = define(
    "bags_of", "indexing", _bags, inputs="offsets", options="count last", batch="loop",
    infer=_infer_bags, low_precision=False,
)  # fmt: skip


def _winners(lines: Any, bags: Any, counted: Any, count: int) -> tuple[Any, Any]:
    """Where each bag's greatest element stands in each column, the first of several; if any."""
    order = np.arange(len(bags))
    found = np.zeros((count, lines.shape[-1]), np.int64)
    filled = np.zeros((count, 1), np.bool_)
    for bag in range(count):
        members = order[(bags == bag) & counted]
        if members.size:
            found[bag] = members[lines[members].argmax(0)]
            filled[bag] = True
    return found, filled


def _infer_winners(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> list[Fact]:
    (count,) = options
    return [((count, inputs[0].shape[-1]), dtypes.int64), ((count, 1), dtypes.bool_)]


winners_row = define(
    "bag_winners", "indexing", _winners, inputs="x bags counted", options="count",
    outputs="places filled", batch="loop", infer=_infer_winners,
)  # fmt: skip

# -- checks ---------------------------------------------------------------------------------------


def _promoted(input: Any, offsets: Any) -> Any:
    """Indices in a line, in the type that they and the offsets have in common."""
    require_tensors(NAME, input)
    if len(input.shape) != 1 or not isinstance(offsets, (Tensor, Value, np.ndarray)):
        return input
    kind = dtypes.promote_types(dtypes.of(input), dtypes.of(offsets))
    return input if kind is dtypes.of(input) else cast(input, kind)


def _check(input: Any, weight: Any, mode: str, by_frequency: bool) -> None:
    require_tensors(NAME, input, weight)
    if len(weight.shape) != 2:
        raise ValueError(
            f"{NAME}: weight has to be a 2D Tensor, but its shape is {describe_shape(weight.shape)}"
        )
    if mode not in ("sum", "mean", "max"):
        raise ValueError(f"{NAME}: mode has to be one of sum, mean or max, not {mode!r}")
    if mode == "max" and by_frequency:
        raise ValueError(f"{NAME}: max mode does not support scaling the gradient by the frequency")
    kind = dtypes.of(input)
    if kind is not dtypes.int64 and kind is not dtypes.int32:
        raise RuntimeError(f"{NAME}: expected indices of type Long or Int, but got {kind!r}")
    if dtypes.of(weight).category != dtypes.FLOATING:
        raise RuntimeError(f"{NAME}: expected a floating weight, but got {dtypes.of(weight)!r}")


def _check_weights(weights: Any, input: Any, weight: Any, mode: str) -> None:
    if tuple(weights.shape) != tuple(input.shape):
        raise ValueError(
            f"{NAME}: per_sample_weights of shape {describe_shape(weights.shape)} must have that "
            f"of the input, {describe_shape(input.shape)}"
        )
    if mode != "sum":
        raise NotImplementedError(
            f"{NAME}: per_sample_weights is only supported for mode='sum' (got mode={mode!r})"
        )
    if dtypes.of(weights) is not dtypes.of(weight):
        raise RuntimeError(
            f"{NAME}: per_sample_weights are {dtypes.of(weights)!r}, but the weight is "
            f"{dtypes.of(weight)!r}"
        )


def _read_bags(input: Any, offsets: Any, last: bool) -> tuple[Any, Any, int]:
    """All indices in one line, the bag of each, and how many bags there are."""
    shape = tuple(input.shape)
    if len(shape) == 2:
        if offsets is not None:
            raise ValueError(
                f"{NAME}: if input is 2D, its rows are the bags, and offsets has to be None"
            )
        if not shape[1]:
            raise RuntimeError(f"{NAME}: bags of no indices have no length, in {list(shape)}")
        bags = np.repeat(np.arange(shape[0]), shape[1])
        return reshape_row(input, (shape[0] * shape[1],)), bags, shape[0]
    if len(shape) != 1:
        raise ValueError(
            f"{NAME}: input has to be 1D or 2D Tensor, but its shape is {describe_shape(shape)}"
        )
    if offsets is None:
        raise ValueError(f"{NAME}: offsets has to be a 1D Tensor but got None")
    if len(offsets.shape) != 1:
        raise ValueError(
            f"{NAME}: offsets has to be a 1D Tensor, but its shape is "
            f"{describe_shape(offsets.shape)}"
        )
    return input, bags_row(offsets, shape[0], last), offsets.shape[0] - (1 if last else 0)


def _check_range(index: Any, count: int) -> None:
    array = index._array if isinstance(index, Tensor) else index
    if not isinstance(array, Value) and array.size:
        wrong = array[(array < 0) | (array >= count)]
        if wrong.size:
            raise RuntimeError(f"{NAME}: index {wrong[0]} is out of range for {count} rows")


def _padding(padding_idx: int | None, count: int) -> int:
    if padding_idx is None:
        return -1
    if not -count <= padding_idx < count:
        raise RuntimeError(
            f"{NAME}: padding_idx must be within the number of embeddings, -{count} through "
            f"{count - 1}, but got {padding_idx}"
        )
    return padding_idx % count


# -- what users call ------------------------------------------------------------------------------


@public(namespaces=FUNCTIONAL, method=False)
def embedding_bag(
    input: Any,
    weight: Any,
    offsets: Any = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Any:
    """The sum, mean or maximum of the rows of ``weight`` that each bag of indices names.

    ``input`` (B, N) holds B bags; of (N), ``offsets`` (B) say where they begin, and with
    ``include_last_offset`` one more says where the last ends. An empty bag gives zeros.
    ``per_sample_weights`` multiply the rows of a sum. ``padding_idx`` names a row that does not
    count; the other options are those of ``embedding``. Raises ``ValueError`` and
    ``RuntimeError`` for other shapes and types, and for an index that is out of range.

    >>> table = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> torch.nn.functional.embedding_bag(torch.tensor([[0, 1], [1, 1]]), table)
    tensor([[2., 3.],
            [3., 4.]])
    """
    input = _promoted(input, offsets)
    _check(input, weight, mode, scale_grad_by_freq)
    if per_sample_weights is not None:
        _check_weights(per_sample_weights, input, weight, mode)
    index, bags, count = _read_bags(input, offsets, include_last_offset)
    _check_range(index, weight.shape[0])
    padding = _padding(padding_idx, weight.shape[0])
    if max_norm is not None:
        with no_grad():
            embedding_renorm_(weight, index, max_norm, norm_type)
    lines = embedding_row(weight, index, padding, bool(scale_grad_by_freq))
    counted = None if padding < 0 else ne(index, padding)
    if mode == "max":
        return rename(_greatest(lines, bags, counted, count), NODE)
    if per_sample_weights is not None:
        lines = lines * reshape_row(per_sample_weights, (index.shape[0], 1))
    return rename(_added(lines, bags, counted, count, mode), NODE)


def _added(lines: Any, bags: Any, counted: Any, count: int, mode: str) -> Any:
    """Sums over bags, or their means over what counts."""
    size = lines.shape[-2]
    ones = np.ones((size, 1), dtypes.of(lines).numpy)
    if counted is not None:
        counted = reshape_row(counted, (size, 1))
        lines, ones = keep_where(counted, lines), keep_where(counted, ones)
    sums = _by_bag(lines, bags, count)
    return sums if mode == "sum" else sums / clamp_min(_by_bag(ones, bags, count), 1)


def _by_bag(lines: Any, bags: Any, count: int) -> Any:
    if not count:  # no bags, whatever there is to put into them
        return slice_row(lines, -2, 0, 0, 1)
    return embedding_backward(lines, bags, count, -1, False)


def _greatest(lines: Any, bags: Any, counted: Any, count: int) -> Any:
    size = lines.shape[-2]
    if not size or not count:
        return _added(lines, bags, None, count, "sum")
    if counted is None:
        counted = np.ones(size, np.bool_)
    places, filled = winners_row(lines, bags, counted, count)
    return keep_where(filled, pick_row(lines, places, -2))
