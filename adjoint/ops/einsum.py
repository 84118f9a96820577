"""Sums of products written in subscripts: ``einsum``, and the products that are cases of it.

The row ``einsum`` takes two tensors whose dimensions carry labels. A label occurs at most once
in each, and a label of one is in the other or in the result; then both cotangents are of the same
form. Whatever else users write is brought to it first, by views, sums, and pair after pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from adjoint import dtypes
from adjoint.array.value import Value
from adjoint.errors import describe_shape
from adjoint.ops.arithmetic import mul
from adjoint.ops.contraction import require_tensors
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import public
from adjoint.ops.kinds.row import Row
from adjoint.ops.kinds.rules import Fact
from adjoint.ops.movement import permute_row, reshape_row
from adjoint.ops.reduction import sum_row
from adjoint.ops.strided import diagonal_row
from adjoint.ops.subscripts import Labels, parse, sublists
from adjoint.shapes import product
from adjoint.tape.engine import rows

# -- the row ------------------------------------------------------------------------------------


class Arrangement(NamedTuple):
    """How a labelled product becomes one of (batch, left, summed) and (batch, summed, right)."""

    x_order: tuple[int, ...]
    y_order: tuple[int, ...]
    out_order: tuple[int, ...]
    batch: int  # how many dimensions of each sort
    left: int
    summed: int
    right: int


@lru_cache(maxsize=1024)
def _arrange(x_labels: Labels, y_labels: Labels, out_labels: Labels) -> Arrangement:
    batch = [label for label in x_labels if label in y_labels and label in out_labels]
    summed = [label for label in x_labels if label in y_labels and label not in out_labels]
    left = [label for label in x_labels if label not in y_labels]
    right = [label for label in y_labels if label not in x_labels]
    made = batch + left + right
    return Arrangement(
        tuple(x_labels.index(label) for label in batch + left + summed),
        tuple(y_labels.index(label) for label in batch + summed + right),
        tuple(made.index(label) for label in out_labels),
        len(batch), len(left), len(summed), len(right),
    )  # fmt: skip


def _einsum(x: Any, y: Any, x_labels: Labels, y_labels: Labels, out_labels: Labels) -> Any:
    how = _arrange(x_labels, y_labels, out_labels)
    x, y = x.transpose(how.x_order), y.transpose(how.y_order)
    split = how.batch + how.left
    batch, left, right = (
        x.shape[: how.batch],
        x.shape[how.batch : split],
        y.shape[y.ndim - how.right :],
    )
    summed = x.shape[split:]
    if not summed:
        x = x.reshape((*x.shape, *(1,) * how.right))
        out = x * y.reshape((*batch, *(1,) * how.left, *right))
    elif not batch:
        count = product(summed)
        out = x.reshape(product(left), count).dot(y.reshape(count, product(right)))
    elif not left and not right:
        dims = list(range(x.ndim))
        out = np.einsum(x, dims, y, dims, dims[: how.batch])
    else:
        sizes = product(batch), product(left), product(summed), product(right)
        out = np.matmul(x.reshape(sizes[:3]), y.reshape(sizes[0], *sizes[2:]))
    return out.reshape((*batch, *left, *right)).transpose(how.out_order)


def _batch_einsum(
    row: Row, size: int, values: list[Any], batched: list[bool], options: tuple[Labels, ...]
) -> Any:
    fresh = 1 + max((label for labels in options for label in labels), default=0)
    x_labels, y_labels = (
        (fresh, *labels) if inside else labels
        for labels, inside in zip(options, batched, strict=False)
    )
    return einsum_row(*values, x_labels, y_labels, (fresh, *options[2]))


def _infer_einsum(row: Row, inputs: tuple[Any, ...], options: tuple[Labels, ...]) -> Fact:
    x, y = inputs
    x_labels, y_labels, out_labels = options
    sizes = dict(zip((*x_labels, *y_labels), (*x.shape, *y.shape), strict=True))
    kind = dtypes.promote_types(dtypes.of(x), dtypes.of(y))
    return tuple(sizes[label] for label in out_labels), kind


einsum_row: Any = define(
    "einsum", "contraction", _einsum, inputs="x y", options="x_labels y_labels out_labels",
    x=lambda g, y, x_labels, y_labels, out_labels: einsum_row(
        g, y, out_labels, y_labels, x_labels
    ),
    y=lambda g, x, x_labels, y_labels, out_labels: einsum_row(
        g, x, out_labels, x_labels, y_labels
    ),
    jvp="multilinear", batch=_batch_einsum, infer=_infer_einsum, promote="same",
    node_name="ViewBackward0",
)  # fmt: skip


# -- from any product to that form --------------------------------------------------------------


def _diagonals(x: Any, labels: Labels) -> tuple[Any, Labels]:
    """Keep the diagonal of dimensions that share a label."""
    for label in dict.fromkeys(labels):
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            rank = len(labels)
            x = diagonal_row(x, 0, first - rank, second - rank)
            rest = (labels[place] for place in range(rank) if place not in (first, second))
            labels = (*rest, label)
    return x, labels


def _drop(x: Any, labels: Labels, gone: set[int]) -> tuple[Any, Labels]:
    """Remove dimensions of one element."""
    if not gone:
        return x, labels
    kept = [place for place, label in enumerate(labels) if label not in gone]
    shape = tuple(x.shape[place] for place in kept)
    return reshape_row(x, shape), tuple(labels[place] for place in kept)


def _add_up(x: Any, labels: Labels, needed: set[int]) -> tuple[Any, Labels]:
    """Sum over dimensions whose labels nothing else has."""
    lone = [place for place, label in enumerate(labels) if label not in needed]
    if not lone:
        return x, labels
    x = sum_row(x, tuple(place - len(labels) for place in lone), False)
    return x, tuple(label for label in labels if label in needed)


def contract(operands: Sequence[Any], terms: Sequence[Labels], out: Labels) -> Any:
    """The sum of products over all labels that ``out`` lacks; sizes of 1 broadcast."""
    terms = list(terms)
    sizes: dict[int, int] = {}
    for x, labels in zip(operands, terms, strict=True):
        for size, label in zip(x.shape, labels, strict=True):
            if sizes.get(label, 1) == 1:
                sizes[label] = size
    work: list[tuple[Any, Labels]] = []
    for place, x in enumerate(operands):
        x, labels = _diagonals(x, terms[place])
        single = {
            label
            for label, size in zip(labels, x.shape, strict=True)
            if size == 1 and sizes[label] != 1
        }
        x, terms[place] = _drop(x, labels, single)
        work.append((x, terms[place]))
    if len(work) == 1:
        return _single(*work[0], out)
    for place, (x, labels) in enumerate(work):
        work[place] = _add_up(x, labels, _needed(work, place, place, out))
    while len(work) > 1:
        first, second = _cheapest(work, sizes, out)
        (x, x_labels), (y, y_labels) = work[first], work[second]
        made = tuple(dict.fromkeys((*x_labels, *y_labels)))
        if len(work) > 2:
            needed = _needed(work, first, second, out)
            made = tuple(label for label in made if label in needed)
        else:
            made = tuple(label for label in out if label in made)
        work[second : second + 1] = []
        work[first] = _pair(x, y, x_labels, y_labels, made), made
    x, labels = work[0]
    if labels != out:
        return permute_row(x, tuple(labels.index(label) - len(labels) for label in out))
    # In PyTorch the last step of a sum is a view: of the product of matrices.
    return reshape_row(x, tuple(x.shape)) if sizes.keys() - set(out) else x


def _single(x: Any, labels: Labels, out: Labels) -> Any:
    """One operand: its dimensions in the order of the result, and the others summed."""
    lone = [label for label in labels if label not in out]
    x = permute_row(x, tuple(labels.index(label) - len(labels) for label in (*out, *lone)))
    return sum_row(x, tuple(range(-len(lone), 0)), False) if lone else x


def _pair(x: Any, y: Any, x_labels: Labels, y_labels: Labels, made: Labels) -> Any:
    """The product of two operands: by ``mul`` where nothing is summed, and else by the row."""
    if not set(x_labels) & set(y_labels) - set(made):
        return mul(_lined_up(x, x_labels, made), _lined_up(y, y_labels, made))
    if dtypes.of(x) is not dtypes.of(y):
        raise RuntimeError(
            f"einsum: expected tensors of one dtype, but got {dtypes.of(x).name} and "
            f"{dtypes.of(y).name}; convert one of them, as in x.to(y.dtype)"
        )
    if dtypes.of(x) is dtypes.bool_ and 0 not in x.shape and 0 not in y.shape:
        raise NotImplementedError(
            "einsum is not implemented for bool where products are summed; convert with x.int()"
        )
    return einsum_row(x, y, x_labels, y_labels, made)


def _lined_up(x: Any, labels: Labels, made: Labels) -> Any:
    """Dimensions in the order of ``made``, with sizes of 1 for those that are not there."""
    present = [label for label in made if label in labels]
    if list(labels) != present:
        x = permute_row(x, tuple(labels.index(label) - len(labels) for label in present))
    if len(present) == len(made):
        return x
    sizes = dict(zip(present, x.shape, strict=True))
    return reshape_row(x, tuple(sizes.get(label, 1) for label in made))


def _needed(work: list[tuple[Any, Labels]], first: int, second: int, out: Labels) -> set[int]:
    """The labels that operands other than two, or the result, have."""
    needed = set(out)
    for place, (_, labels) in enumerate(work):
        if place not in (first, second):
            needed.update(labels)
    return needed


def _cheapest(
    work: list[tuple[Any, Labels]], sizes: dict[int, int], out: Labels
) -> tuple[int, int]:
    """The pair whose product takes the fewest multiplications; the first two of few."""
    if len(work) == 2:
        return 0, 1
    pairs = [(first, second) for second in range(len(work)) for first in range(second)]

    def cost(pair: tuple[int, int]) -> tuple[int, int]:
        labels = {*work[pair[0]][1], *work[pair[1]][1]}
        made = labels & _needed(work, *pair, out)
        return product(sizes[label] for label in labels), product(sizes[label] for label in made)

    return min(pairs, key=cost)


# -- what users call ----------------------------------------------------------------------------


@public(method=False)
def einsum(*args: Any) -> Any:
    """Sum of products of tensors' elements, with the dimensions to match and to keep as letters.

    ``einsum("ij,jk->ik", x, y)``, or with numbers: ``einsum(x, [0, 1], y, [1, 2], [0, 2])``.
    Without ``->`` the result has the letters that occur once, in order. ``...`` stands for the
    dimensions that are left, which broadcast. Raises ``RuntimeError`` where the subscripts and
    the shapes do not match.

    >>> import adjoint as torch
    >>> torch.einsum("ij->j", torch.ones(2, 3))
    tensor([2., 2., 2.])
    """
    if len(args) < 2:
        raise ValueError("einsum(): give the equation and at least one tensor")
    if isinstance(args[0], str):
        equation, operands = args[0], args[1:]
        if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
            operands = tuple(operands[0])
    else:
        equation, operands = sublists(args)
    require_tensors("einsum", *operands)
    terms, out = parse(equation, tuple(len(x.shape) for x in operands))
    _check_sizes(operands, terms)
    return contract(operands, terms, out)


def _check_sizes(operands: Sequence[Any], terms: Sequence[Labels]) -> None:
    sizes: dict[int, int] = {}
    for number, (x, labels) in enumerate(zip(operands, terms, strict=True)):
        own: dict[int, int] = {}
        for size, label in zip(x.shape, labels, strict=True):
            name = chr(label) if label > 0 else "..."
            if own.setdefault(label, size) != size:
                raise RuntimeError(
                    f"einsum(): subscript {name} is repeated for operand {number}, but its sizes "
                    f"{own[label]} and {size} differ (shape {describe_shape(x.shape)})"
                )
            if size != 1 and sizes.setdefault(label, size) != size:
                raise RuntimeError(
                    f"einsum(): subscript {name} has size {size} for operand {number}, which does "
                    f"not broadcast with the size {sizes[label]} seen before"
                )


@public(method=False, out="exact")
def tensordot(a: Any, b: Any, dims: Any = 2) -> Any:
    """Sum of products over the last ``dims`` dimensions of ``a`` and the first of ``b``.

    ``dims`` may be two lists of dimensions instead, matched in order. Raises ``RuntimeError``
    where their sizes differ.

    >>> import adjoint as torch
    >>> torch.tensordot(torch.ones(2, 3), torch.ones(3, 2), 1)
    tensor([[3., 3.],
            [3., 3.]])
    """
    require_tensors("tensordot", a, b)
    a_rank, b_rank = len(a.shape), len(b.shape)
    a_dims, b_dims = _summed_dims(dims, a_rank, b_rank)
    for first, second in zip(a_dims, b_dims, strict=True):
        if a.shape[first] != b.shape[second] and 1 not in (a.shape[first], b.shape[second]):
            raise RuntimeError(
                f"tensordot: contracted dimensions need to match, but dim {first} of "
                f"{describe_shape(a.shape)} has size {a.shape[first]} and dim {second} of "
                f"{describe_shape(b.shape)} has size {b.shape[second]}"
            )
    x_labels = tuple(range(1, a_rank + 1))
    pairs = dict(zip((dim % b_rank for dim in b_dims), a_dims, strict=True))
    y_labels = tuple(
        x_labels[pairs[dim]] if dim in pairs else a_rank + dim + 1 for dim in range(b_rank)
    )
    summed = {x_labels[dim] for dim in a_dims}
    out = tuple(label for label in (*x_labels, *y_labels) if label not in summed)
    kind = dtypes.of(a)
    if kind is not dtypes.of(b):
        raise RuntimeError(
            f"tensordot: the tensors must have the same dtype, but got {kind.name} and "
            f"{dtypes.of(b).name}"
        )
    made = contract((a, b), (x_labels, y_labels), out)
    made = made if dtypes.of(made) is kind else rows.to_dtype(made, kind)
    return made if summed else reshape_row(made, tuple(made.shape))


def _summed_dims(dims: Any, a_rank: int, b_rank: int) -> tuple[list[int], list[int]]:
    if isinstance(dims, Value):
        dims = dims.tolist() if dims.shape else dims.item()
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(a_rank, b_rank):
            raise RuntimeError(
                f"tensordot: dims={dims}, but the tensors have {a_rank} and {b_rank} dimensions"
            )
        return list(range(a_rank - dims, a_rank)), list(range(dims))
    first, second = (list(each) for each in dims)
    if len(first) != len(second):
        raise RuntimeError(
            f"tensordot: both lists of dims should have the same length, but got {first} and "
            f"{second}"
        )
    for each, rank in ((first, a_rank), (second, b_rank)):
        for dim in each:
            if not -rank <= dim < rank:
                raise IndexError(f"tensordot: dim {dim} is out of range for {rank} dimensions")
        if len({dim % rank for dim in each}) != len(each):
            raise RuntimeError(f"tensordot: a dim appears multiple times in {each}")
    return first, second
