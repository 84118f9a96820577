"""Rows of a table picked by index: embeddings, and classes as unit vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.accumulate import add_rows
from adjoint.array.value import Value
from adjoint.errors import TransformError, describe_shape
from adjoint.ops.contraction import require_tensors
from adjoint.ops.inplace import check_writable, overwrite
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import FUNCTIONAL, public
from adjoint.ops.kinds.row import Row
from adjoint.ops.kinds.rules import Fact, batch_loop
from adjoint.shapes import product
from adjoint.tape.modes import no_grad
from adjoint.tape.tensor import Tensor, wrap

ndarray = np.ndarray
max_reduce: Any = np.maximum.reduce
UNSIGNED = {np.dtype("int64"): np.uint64, np.dtype("int32"): np.uint32}


# -- on arrays ----------------------------------------------------------------------------------


def _check_index(index: Any, count: int) -> None:
    """Raise ``IndexError`` for an index outside [0, count)."""
    if index.size and max_reduce(index.view(UNSIGNED[index.dtype]), None) >= count:
        wrong = index[(index < 0) | (index >= count)]
        raise IndexError(f"index out of range: {wrong[0]} in a table of {count} rows")


def _embedding(weight: Any, index: Any, padding: int, by_frequency: bool) -> Any:
    _check_index(index, weight.shape[-2])
    return weight.take(index, axis=-2)


def _factors(index: Any, padding: int, by_frequency: bool, kind: Any) -> Any:
    """What each place's gradient is multiplied by; None for 1 everywhere."""
    if not by_frequency:
        if padding < 0 or not (ignored := index == padding).any():
            return None
        return (~ignored).astype(kind)
    counts = np.bincount(index.reshape(-1))
    factors = 1 / counts[index].astype(kind)
    return np.where(index == padding, 0, factors).astype(kind)


def _spread(g: Any, index: Any, count: int, padding: int, by_frequency: bool) -> Any:
    factors = _factors(index, padding, by_frequency, g.dtype)
    if factors is not None:
        g = g * factors[..., None]
    places = index.reshape(-1)
    front, width = g.shape[: g.ndim - index.ndim - 1], g.shape[-1]
    if not front:
        return add_rows(count, places, g.reshape(index.size, width))
    # A batch of tables has one index: their widths side by side.
    tables = product(front)
    lines = np.moveaxis(g.reshape(tables, index.size, width), 0, 1)
    lines = lines.reshape(index.size, tables * width)
    out = add_rows(count, places, lines).reshape(count, tables, width)
    return np.moveaxis(out, 0, 1).reshape(*front, count, width)


def _masked(weight: Any, index: Any, padding: int, by_frequency: bool) -> Any:
    out = weight.take(index, axis=-2)
    factors = _factors(index, padding, by_frequency, out.dtype)
    return out if factors is None else out * factors[..., None]


# -- rows ---------------------------------------------------------------------------------------


def _infer_embedding(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
    return (*inputs[1].shape, inputs[0].shape[-1]), dtypes.of(inputs[0])


def _infer_spread(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
    return (options[0], inputs[0].shape[-1]), dtypes.of(inputs[0])


def _batch_embedding(
    row: Row, size: int, values: list[Any], batched: list[bool], options: tuple[Any, ...]
) -> Any:
    if all(batched):
        return batch_loop(row, size, values, batched, options)
    return row(values, options)


def _batch_spread(
    row: Row, size: int, values: list[Any], batched: list[bool], options: tuple[Any, ...]
) -> Any:
    if batched[1]:
        return batch_loop(row, size, values, batched, options)
    return row(values, options)


embedding_row: Any = define(
    "embedding", "indexing", _embedding, inputs="weight index", options="padding by_frequency",
    weight=lambda g, index, weight_shape, padding, by_frequency: embedding_backward(
        g, index, weight_shape[-2], padding, by_frequency
    ),
    # The same as its transpose makes of it: without the row of padding.
    jvp=lambda weight_t, index, padding, by_frequency: embedding_masked(
        weight_t, index, padding, by_frequency
    ),
    batch=_batch_embedding, infer=_infer_embedding, low_precision=False,
    saved="index=indices padding=padding_idx by_frequency=scale_grad_by_freq weight_shape=",
)  # fmt: skip
# The transpose, which leaves out the row of padding; and the transpose of that.
embedding_backward: Any = define(
    "embedding_backward", "indexing", _spread, inputs="g index",
    options="count padding by_frequency",
    g=lambda g, index, padding, by_frequency: embedding_masked(g, index, padding, by_frequency),
    jvp="linear", batch=_batch_spread, infer=_infer_spread,
)  # fmt: skip
embedding_masked: Any = define(
    "embedding_masked", "indexing", _masked, inputs="weight index", options="padding by_frequency",
    weight=lambda g, index, weight_shape, padding, by_frequency: embedding_backward(
        g, index, weight_shape[-2], padding, by_frequency
    ),
    jvp="linear", batch=_batch_embedding, infer=_infer_embedding,
)  # fmt: skip


@public(namespaces=FUNCTIONAL, method=False)
def embedding(
    input: Any,
    weight: Any,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    """The rows of ``weight`` (count, width) that ``input`` names: (...) to (..., width).

    The row ``padding_idx`` gets no gradient. With ``max_norm``, rows that are longer are first
    shortened in place; with ``scale_grad_by_freq``, gradients are divided by how often an index
    occurs. The gradient is dense, whatever ``sparse`` says. Raises ``IndexError`` for an index
    that is out of range, ``RuntimeError`` for other types and shapes.

    >>> table = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> torch.nn.functional.embedding(torch.tensor([1, 1]), table)
    tensor([[3., 4.],
            [3., 4.]])
    """
    require_tensors("embedding", input, weight)
    kind = dtypes.of(input)
    if kind is not dtypes.int64 and kind is not dtypes.int32:
        raise RuntimeError(f"embedding: expected indices of type Long or Int, but got {kind!r}")
    if len(weight.shape) != 2:
        raise RuntimeError(
            f"embedding: 'weight' must be 2-D, but its shape is {describe_shape(weight.shape)}"
        )
    count = weight.shape[0]
    if not count and 0 not in input.shape:
        raise RuntimeError("embedding: the table has no rows to pick")
    if padding_idx is None:
        padding_idx = -1
    elif padding_idx and not -count <= padding_idx < count:
        raise AssertionError(
            f"Padding_idx must be within num_embeddings: got {padding_idx} for {count} rows"
        )
    elif padding_idx < 0:
        padding_idx += count
    if max_norm is not None:
        with no_grad():
            embedding_renorm_(weight, input, max_norm, norm_type)
    return embedding_row(weight, input, padding_idx, bool(scale_grad_by_freq))


@public(method=False)
def embedding_renorm_(input: Any, indices: Any, max_norm: float, norm_type: float) -> Any:
    """Scale the rows that ``indices`` names down to a norm of at most ``max_norm``; in place.

    Raises ``RuntimeError`` for a leaf that requires grad, outside ``no_grad``, and for other types
    and shapes; ``IndexError`` for an index out of range.

    >>> import adjoint as torch
    >>> torch.embedding_renorm_(torch.tensor([[3.0, 4.0], [6.0, 8.0]]), torch.tensor([0]), 1.0, 2.0)
    tensor([[0.6000, 0.8000],
            [6.0000, 8.0000]])
    """
    table = input._array if isinstance(input, Tensor) else input
    places = indices._array if isinstance(indices, Tensor) else indices
    if isinstance(table, Value) or isinstance(places, Value):
        raise TransformError("embedding: max_norm changes the weight in place, outside transforms")
    if dtypes.of(table).category < dtypes.FLOATING:
        raise RuntimeError(
            f"embedding_renorm_: rows of floating or complex numbers have norms, not "
            f"{dtypes.of(table)!r}"
        )
    if table.ndim != 2:
        raise RuntimeError(
            f"embedding_renorm_: Expected 2-dimensional tensor, but got {table.ndim}-dimensional"
        )
    if places.dtype not in UNSIGNED:
        raise RuntimeError(
            f"embedding_renorm_: expected indices of type Long or Int, but got {places.dtype}"
        )
    check_writable(input)
    _check_index(places, len(table))
    used = np.unique(places)
    lines = table[used]
    norms = np.linalg.norm(lines, norm_type, axis=-1, keepdims=True)
    changed = table.copy()
    changed[used] = np.where(norms > max_norm, lines * (max_norm / (norms + 1e-7)), lines)
    with no_grad():
        overwrite(input, wrap(changed))
    return input


# -- one hot ------------------------------------------------------------------------------------


def _one_hot(x: Any, count: int) -> Any:
    if x.size and not (x >= 0).all():
        raise RuntimeError("one_hot: class values must be non-negative")
    if x.size and not (x < count).all():
        raise RuntimeError(f"one_hot: class values must be smaller than num_classes, {count}")
    return (x[..., None] == np.arange(count)).astype(np.int64)


one_hot_row: Any = define(
    "one_hot", "indexing", _one_hot, options="count",
    infer=lambda row, inputs, options: ((*inputs[0].shape, options[0]), dtypes.int64),
)  # fmt: skip


@public(namespaces=FUNCTIONAL, method=False)
def one_hot(tensor: Any, num_classes: int = -1) -> Any:
    """A unit vector for each class number: (...) to (..., num_classes), int64.

    Without ``num_classes``, one more than the largest. Raises ``RuntimeError`` for other types, and
    numbers that are negative or too large.

    >>> torch.nn.functional.one_hot(torch.tensor([0, 2]))
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    require_tensors("one_hot", tensor)
    if dtypes.of(tensor) is not dtypes.int64:
        raise RuntimeError(
            f"one_hot is only applicable to index tensor of type LongTensor, not "
            f"{dtypes.of(tensor)!r}"
        )
    if 0 in tensor.shape and num_classes <= 0:
        raise RuntimeError("Can not infer total number of classes from empty tensor.")
    if num_classes == -1:
        array = tensor._array if isinstance(tensor, Tensor) else tensor
        if isinstance(array, Value):
            raise TransformError(
                "one_hot: the number of classes depends on values; pass num_classes"
            )
        num_classes = int(array.max()) + 1
    return one_hot_row(tensor, num_classes)
