"""What the losses share: reductions, inside a row and out of rows, and checks of arguments."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.blas_sums import total
from adjoint.errors import describe_shape
from adjoint.ops.kinds.row import FLOAT32, FLOAT64, Row
from adjoint.ops.kinds.rules import Fact
from adjoint.ops.movement import expand_row
from adjoint.ops.reducing import add_reduce, reshape
from adjoint.ops.reduction import mean_all, sum_all, sum_row
from adjoint.shapes import broadcast_shapes, product
from adjoint.tape.tensor import Tensor

ndarray = np.ndarray
REDUCTIONS = ("mean", "sum", "none")
# Numbers as arrays: a ufunc takes them in 0.17 µs, and a Python number in 0.43.
ZERO = {kind: np.zeros((), kind) for kind in (FLOAT32, FLOAT64)}
ONE = {kind: np.ones((), kind) for kind in (FLOAT32, FLOAT64)}


# -- arguments ----------------------------------------------------------------------------------


def reduction_of(reduction: Any, size_average: Any = None, reduce: Any = None) -> str:
    """The reduction, also from its two older spellings; ``ValueError`` for one there is not."""
    if size_average is not None or reduce is not None:
        average = size_average is None or size_average
        reduction = "none" if reduce is False else "mean" if average else "sum"
        warnings.warn(
            "size_average and reduce args will be deprecated, please use "
            f"reduction='{reduction}' instead.",
            stacklevel=3,
        )
    if reduction not in REDUCTIONS:
        raise ValueError(
            f"{reduction} is not a valid value for reduction: it is one of 'mean', 'sum', 'none'"
        )
    return str(reduction)


def refuse_gradient(name: str, **values: Any) -> None:
    """Raise ``RuntimeError`` for inputs that require a gradient but have no derivative here."""
    for argument, value in values.items():
        if isinstance(value, Tensor) and value._node is not None:
            raise RuntimeError(
                f"{name} is not differentiable with respect to {argument!r}, which requires grad; "
                f"pass {argument}.detach()"
            )


def require_floating(name: str, *values: Any) -> None:
    """Raise ``NotImplementedError`` unless the tensors together have a real floating type."""
    kind = dtypes.result_type(values)
    if kind.category != dtypes.FLOATING:
        raise NotImplementedError(f"{name} is not implemented for {kind!r}; convert with .float()")


def plain_pair(x: Any, y: Any) -> bool:
    """Whether two inputs are Tensors on memory, of one level, shape and full-precision type."""
    if isinstance(x, Tensor) and isinstance(y, Tensor):
        a, b = x._array, y._array
        if type(a) is ndarray and type(b) is ndarray and x._level == y._level:
            kind = a.dtype
            return kind is b.dtype and (kind is FLOAT32 or kind is FLOAT64) and a.shape == b.shape
    return False


def broadcast_pair(name: str, input: Any, target: Any) -> tuple[Any, Any]:
    """Both of one shape, with a warning where they were not; ``RuntimeError`` if none fits both."""
    x_shape, y_shape = tuple(input.shape), tuple(target.shape)
    if x_shape == y_shape:
        return input, target
    warnings.warn(
        f"Using a target size ({describe_shape(y_shape)}) that is different to the input size "
        f"({describe_shape(x_shape)}). This will likely lead to incorrect results due to "
        "broadcasting. Please ensure they have the same size.",
        stacklevel=4,
    )
    shape = broadcast_shapes(x_shape, y_shape)
    return stretched(input, shape), stretched(target, shape)


def stretched(value: Any, shape: tuple[int, ...]) -> Any:
    """A value of a shape that broadcasts to ``shape``."""
    return value if tuple(value.shape) == shape else expand_row(value, shape)


# -- reductions ---------------------------------------------------------------------------------


def reduce_array(values: Any, reduction: str, rank: int) -> Any:
    """Reduce the last ``rank`` dimensions of an array; those in front are a batch's."""
    if reduction == "none":
        return values
    if values.ndim == rank:
        whole = total(values)
        return whole / values.size if reduction == "mean" else whole
    whole = add_reduce(values, tuple(range(-rank, 0)))
    return whole / product(values.shape[values.ndim - rank :]) if reduction == "mean" else whole


def reduce_value(values: Any, reduction: str, rank: int) -> Any:
    """The same for values of any kind, out of rows."""
    if reduction == "none":
        return values
    whole = sum_row(values, tuple(range(-rank, 0)), False) if rank else values
    if reduction == "sum":
        return whole
    return whole / product(values.shape[len(values.shape) - rank :])


def scale(g: Any, reduction: str, rank: int, shape: tuple[int, ...]) -> Any:
    """The cotangent of each element's loss, ready to broadcast, from that of the reduced one."""
    if reduction == "none":
        return g
    if g.shape:
        g = reshape(g, (*g.shape, *(1,) * rank))
    if reduction == "sum":
        return g
    count = product(shape[len(shape) - rank :]) or 1
    if type(g) is ndarray and not g.shape:
        return np.array(g.item() / count, g.dtype)  # 0.3 µs where the division takes 0.5
    return g / count


def reduced(values: Any, reduction: str) -> Any:
    """The reduction as a step of its own, for losses made of other operations."""
    if reduction == "none":
        return values
    return mean_all(values) if reduction == "mean" else sum_all(values)


def infer_loss(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
    """The input's shape without the reduced dims; the type that the first two have together."""
    reduction, rank = options[-2:]
    shape = tuple(inputs[0].shape)
    kind = dtypes.promote_types(dtypes.of(inputs[0]), dtypes.of(inputs[1]))
    return shape if reduction == "none" else shape[: len(shape) - rank], kind
