"""Finding: places in a sorted sequence, and membership."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.value import Value, apply
from adjoint.errors import describe_shape
from adjoint.ops.comparison import eq, logical_not
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import public
from adjoint.ops.kinds.row import Row
from adjoint.ops.kinds.rules import Fact, stretch
from adjoint.ops.picking import pick_row
from adjoint.ops.reducing import Dims, refuse_dtype, reshape, shape_of
from adjoint.ops.reduction import any_row
from adjoint.shapes import product
from adjoint.tape.tensor import Tensor

# -- searchsorted, bucketize ----------------------------------------------------------------------


def _search(x: Any, values: Any, right: bool, kind: np.dtype[Any]) -> Any:
    side: Any = "right" if right else "left"
    if x.ndim == 1:
        return np.searchsorted(x, values, side).astype(kind)
    out = np.empty(values.shape, kind)
    for place in np.ndindex(x.shape[:-1]):
        out[place] = np.searchsorted(x[place], values[place], side)
    return out


def _search_batch(row: Row, size: int, values: list[Any], batched: list[bool], options: Any) -> Any:
    sequence, wanted = values
    if not batched[0] and len(sequence.shape) == 1:
        return apply(row, (sequence, wanted), options)
    sequence, wanted = (stretch(x, size, inside) for x, inside in zip(values, batched, strict=True))
    if len(sequence.shape) > 2:
        return apply(row, (sequence, wanted), options)
    # One vector for each of the batch, and values of any shape.
    flat = reshape(wanted, (size, product(wanted.shape[1:])))
    return reshape(apply(row, (sequence, flat), options), tuple(wanted.shape))


def _infer_search(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
    return tuple(inputs[1].shape), dtypes.from_numpy(options[1])


searchsorted_row = define(
    "searchsorted", "searching", _search,
    inputs="x values", options="right kind",
    batch=_search_batch, infer=_infer_search,
)  # fmt: skip
KINDS = {False: np.dtype(np.int64), True: np.dtype(np.int32)}


def _number_or_tensor(name: str, value: Any, argument: str) -> Any:
    if isinstance(value, (Value, np.ndarray)):
        return value
    if isinstance(value, (bool, int, float)):
        return np.asarray(value)
    raise TypeError(
        f"{name}(): argument '{argument}' must be Tensor or a number, not {type(value).__name__}"
    )


def _wants_right(right: bool, side: str | None) -> bool:
    if side not in (None, "left", "right"):
        raise RuntimeError(f"searchsorted(): side can only be 'left' or 'right', not {side!r}")
    if side == "left" and right:
        raise RuntimeError("searchsorted(): side='left' and right=True are opposites")
    return right or side == "right"


def _sorted_by(sequence: Any, sorter: Any) -> Any:
    if tuple(shape_of("searchsorted", sorter, "sorter")) != tuple(sequence.shape):
        raise RuntimeError(
            "searchsorted(): sorter must have the sequence's shape "
            f"{describe_shape(sequence.shape)}, but has {describe_shape(sorter.shape)}"
        )
    if dtypes.of(sorter) is not dtypes.int64:
        raise RuntimeError(f"searchsorted(): sorter must be int64, but it is {dtypes.of(sorter)!r}")
    places = sorter._array if isinstance(sorter, Tensor) else sorter
    size = sequence.shape[-1]
    if isinstance(places, np.ndarray) and ((places < 0) | (places >= size)).any():
        raise RuntimeError(f"searchsorted(): sorter index out of range for {size} elements")
    return pick_row(sequence, sorter, -1)


@public(method=False, out="exact")
def searchsorted(
    sorted_sequence: Any, input: Any, *, out_int32: bool = False, right: bool = False,
    side: str | None = None, sorter: Any = None,
) -> Any:  # fmt: skip
    """Where ``input`` would go in a sorted sequence: before equal elements, after with ``right``.

    The sequence is a vector, or sorted along its last dim with the other dims of ``input``.
    Raises ``RuntimeError`` for shapes and a ``sorter`` that do not fit, ``NotImplementedError``
    for complex numbers.

    >>> import adjoint as torch
    >>> torch.searchsorted(torch.tensor([1.0, 3.0, 5.0]), torch.tensor([3.0, 6.0]))
    tensor([1, 3])
    """
    name = "searchsorted"
    shape: Dims = tuple(shape_of(name, sorted_sequence, "sorted_sequence"))
    values = _number_or_tensor(name, input, "input")
    after = _wants_right(right, side)
    for each in (sorted_sequence, values):
        refuse_dtype(name, each, (dtypes.COMPLEX,), NotImplementedError)
    if not shape:
        raise RuntimeError("searchsorted(): the sequence has no dimensions; give it at least one")
    if len(shape) > 1 and tuple(values.shape[:-1]) != shape[:-1]:
        raise RuntimeError(
            f"searchsorted(): a sequence of shape {describe_shape(shape)} needs an input with the "
            f"same sizes but for the last, not {describe_shape(values.shape)}"
        )
    if len(shape) > 1 and not values.shape:
        raise RuntimeError(
            f"searchsorted(): a number is looked for in a vector, not in {describe_shape(shape)}"
        )
    if sorter is not None:
        sorted_sequence = _sorted_by(sorted_sequence, sorter)
    return searchsorted_row(sorted_sequence, values, after, KINDS[bool(out_int32)])


@public(method=False, out="exact")
def bucketize(input: Any, boundaries: Any, *, out_int32: bool = False, right: bool = False) -> Any:
    """Which of the buckets between sorted ``boundaries`` each element falls into.

    A bucket includes its upper boundary, or the lower with ``right``. Raises ``RuntimeError``
    unless the boundaries are a vector.

    >>> import adjoint as torch
    >>> torch.bucketize(torch.tensor([0.0, 3.0, 9.0]), torch.tensor([1.0, 3.0, 5.0]))
    tensor([0, 1, 3])
    """
    values = _number_or_tensor("bucketize", input, "input")
    shape = shape_of("bucketize", boundaries, "boundaries")
    if len(shape) != 1:
        raise RuntimeError(
            f"bucketize(): boundaries must be a vector, but have shape {describe_shape(shape)}"
        )
    for each in (values, boundaries):
        refuse_dtype("bucketize", each, (dtypes.COMPLEX,), NotImplementedError)
    return searchsorted_row(boundaries, values, bool(right), KINDS[bool(out_int32)])


# -- isin -----------------------------------------------------------------------------------------


def _isin_batch(row: Row, size: int, values: list[Any], batched: list[bool], options: Any) -> Any:
    elements, tests = values
    if not batched[1]:
        return apply(row, (elements, tests), options)
    # Compare each with each: a dim more, and no loop.
    elements = stretch(elements, size, batched[0])
    tests = reshape(tests, (size, *(1,) * (len(elements.shape) - 1), product(tests.shape[1:])))
    elements = reshape(elements, (*elements.shape, 1))
    found = any_row(eq(elements, tests), (-1,), False)
    return logical_not(found) if options[0] else found


def _infer_isin(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
    return tuple(inputs[0].shape), dtypes.bool_


isin_row = define(
    "isin", "searching",
    lambda x, tests, invert: np.isin(x, tests, invert=invert),
    inputs="x tests", options="invert", batch=_isin_batch, infer=_infer_isin,
)  # fmt: skip


@public(method=False, out="exact")
def isin(
    elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False
) -> Any:
    """Whether each of ``elements`` is among ``test_elements``, or with ``invert`` is not.

    Either may be a number, not both. ``assume_unique`` changes nothing. Raises ``RuntimeError`` for
    booleans and complex numbers.

    >>> import adjoint as torch
    >>> torch.isin(torch.tensor([1, 2, 3]), torch.tensor([3, 1]))
    tensor([ True, False,  True])
    """
    if not any(isinstance(each, (Value, np.ndarray)) for each in (elements, test_elements)):
        raise TypeError("isin(): at least one of the arguments must be a Tensor")
    first = _number_or_tensor("isin", elements, "elements")
    second = _number_or_tensor("isin", test_elements, "test_elements")
    for each in (first, second):
        refuse_dtype("isin", each, (dtypes.BOOL, dtypes.COMPLEX), RuntimeError)
    return isin_row(first, second, bool(invert))
