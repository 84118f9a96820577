"""Products added to a tensor: ``addmm`` and its kin, ``beta * input + alpha * (x @ y)``."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.errors import describe_shape
from adjoint.ops.arithmetic import add
from adjoint.ops.contraction import (
    bmm_row,
    matmul_row,
    mismatch,
    mm_row,
    mv_row,
    outer_of,
    require_ranks,
    require_same_type,
    require_tensors,
    swap_last,
    times,
)
from adjoint.ops.einsum import einsum_row
from adjoint.ops.kinds.elementwise import NUMBERS
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import public
from adjoint.ops.kinds.row import Row
from adjoint.ops.kinds.rules import Fact, batch_elementwise, stretch
from adjoint.shapes import broadcast_shapes
from adjoint.tape.engine import fit, rows

ndarray = np.ndarray
Shape = tuple[int, ...]


# -- rows ---------------------------------------------------------------------------------------


def _scaled(value: Any, number: Any) -> Any:
    return value if number == 1 else value * number


def _in_type_of(input: Any, out: Any) -> Any:
    """A result in the type that it has together with ``input``, which is not added to it."""
    kind = dtypes.promote_types(dtypes.of(input), dtypes.of(out))
    return out if dtypes.of(out) is kind else rows.to_dtype(out, kind)


def _tangent(
    factor: Any, labels: tuple[Any, ...], primals: Any, tangents: Any, beta: Any, alpha: Any
) -> Any:
    """The sum of what the inputs' movements, where they have one, make of the result."""
    _, x, y = primals
    input_t, x_t, y_t = tangents
    parts = []
    if x_t is not None:
        parts.append(_scaled(factor(x_t, y, *labels), alpha))
    if y_t is not None:
        parts.append(_scaled(factor(x, y_t, *labels), alpha))
    if input_t is not None:
        parts.append(input_t * beta)
    moved = parts[0]
    for part in parts[1:]:
        moved = moved + part
    return moved


def _added(name: str, factor: Any, labels: tuple[Any, ...] = (), **facts: Any) -> Any:
    """A row that adds to the product ``factor(x, y, *labels)``; the rest are facts of the row."""
    row_of_factor: Row = factor.row

    def compute(input: Any, x: Any, y: Any, beta: Any, alpha: Any) -> Any:
        out = row_of_factor.compute(x, y, *labels)
        if alpha != 1:
            out *= out.dtype.type(alpha)
        if beta != 0:  # NaNs in what is not wanted do not count
            out += input if beta == 1 else input * out.dtype.type(beta)
        return out

    def decompose(input: Any, x: Any, y: Any, beta: Any, alpha: Any) -> Any:
        out = _scaled(factor(x, y, *labels), alpha)
        return _in_type_of(input, out) if beta == 0 else _scaled(input, beta) + out

    def infer(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
        shape, kind = row_of_factor.infer(row_of_factor, inputs[1:], labels)  # type: ignore[misc]
        return shape, dtypes.promote_types(kind, dtypes.of(inputs[0]))

    def jvp(
        row: Row, primals: tuple[Any, ...], tangents: tuple[Any, ...], out: Any, options: Any
    ) -> Any:
        moved = _tangent(factor, labels, primals, tangents, *options)
        return fit(moved, tuple(out.shape), out.dtype)

    def batch(
        row: Row, size: int, values: list[Any], batched: list[bool], options: tuple[Any, ...]
    ) -> Any:
        input, x, y = values
        beta, alpha = options
        inside = batched[1] or batched[2]
        if inside:
            out = row_of_factor.batch(  # type: ignore[misc]
                row_of_factor, size, [x, y], batched[1:], labels
            )
        else:
            out = factor(x, y, *labels)
        out = _scaled(out, alpha)
        if beta == 0:
            return stretch(_in_type_of(input, out), size, inside)
        terms = [_scaled(input, beta), out]
        return batch_elementwise(
            add.row,  # type: ignore[attr-defined]
            size, terms, [batched[0], inside], (),
        )  # fmt: skip

    operation: Any = define(
        name, "contraction", compute, inputs="input x y", options="beta alpha",
        input=lambda g, beta: _scaled(g, beta),
        batch=batch, infer=infer, decompose=decompose, **facts,
    )  # fmt: skip
    operation.row.jvp = jvp
    return operation


addmm_row = _added(
    "addmm", mm_row, saved="x=mat1 y=mat2",
    x=lambda g, y, alpha: _scaled(times(g, swap_last(y)), alpha),
    y=lambda g, x, alpha: _scaled(times(swap_last(x), g), alpha),
)  # fmt: skip
addmv_row = _added(
    "addmv", mv_row, saved="x=mat y=vec",
    x=lambda g, y, alpha: _scaled(outer_of(g, y), alpha),
    y=lambda g, x, alpha: _scaled(times(g, x), alpha),
)  # fmt: skip
addr_row = _added(
    "addr", einsum_row, ((1,), (2,), (1, 2)), promote="same",
    saved="x=vec1 y=vec2",
    x=lambda g, y, alpha: _scaled(times(g, y), alpha),
    y=lambda g, x, alpha: _scaled(times(x, g), alpha),
)  # fmt: skip
baddbmm_row = _added(
    "baddbmm", bmm_row, saved="x=batch1 y=batch2",
    x=lambda g, y, alpha: _scaled(bmm_row(g, swap_last(y)), alpha),
    y=lambda g, x, alpha: _scaled(bmm_row(swap_last(x), g), alpha),
)  # fmt: skip
addbmm_row = _added(
    "addbmm", einsum_row, ((1, 2, 3), (1, 3, 4), (2, 4)), saved="x=batch1 y=batch2",
    x=lambda g, y, alpha: _scaled(matmul_row(g, swap_last(y)), alpha),
    y=lambda g, x, alpha: _scaled(matmul_row(swap_last(x), g), alpha),
)  # fmt: skip


# -- what users call ----------------------------------------------------------------------------


def _apply(operation: Any, input: Any, x: Any, y: Any, shape: Shape, beta: Any, alpha: Any) -> Any:
    name = operation.__name__
    if operation is not addr_row:
        require_same_type(name, input, x, y)
    kind = dtypes.result_type((input, x, y))
    if kind is dtypes.bool_ and operation not in (addr_row, addmv_row):
        raise RuntimeError(f"{name}(): booleans cannot be added up; convert with x.int()")
    beta, alpha = _number(name, "beta", beta, kind), _number(name, "alpha", alpha, kind)
    if broadcast_shapes(tuple(input.shape), shape) != shape:
        raise RuntimeError(
            f"{name}: an input of shape {describe_shape(input.shape)} does not stretch to the "
            f"product's {describe_shape(shape)}"
        )
    return operation(input, x, y, beta, alpha)


def _number(name: str, what: str, value: Any, kind: dtypes.dtype) -> Any:
    """A factor for tensors of a type: for integers cut off, as PyTorch does, or refused."""
    if not isinstance(value, NUMBERS):
        raise TypeError(f"{name}(): {what} must be a number, not {type(value).__name__}")
    if kind.category >= dtypes.FLOATING or isinstance(value, int):
        return value
    if name == "addr" or isinstance(value, complex):
        raise RuntimeError(f"{name}(): for integers {what} must be one too, but got {value}")
    whole = int(value)
    if whole < 0 and not kind.is_signed:
        raise RuntimeError(f"{name}(): {what}={value} cannot be converted to {kind!r}")
    return whole


@public(in_place=True, out="exact")
def addmm(input: Any, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """``beta * input + alpha * (mat1 @ mat2)`` of matrices; the input stretches.

    With a ``beta`` of 0 the input does not count at all. Raises ``RuntimeError`` where shapes or
    types do not match.

    >>> torch.addmm(torch.ones(1, 1), torch.ones(1, 2), torch.ones(2, 1), alpha=2)
    tensor([[5.]])
    """
    require_ranks("addmm", "two matrices", (2, 2), mat1, mat2)
    if mat1.shape[1] != mat2.shape[0]:
        raise mismatch("addmm", mat1, mat2)
    shape = (mat1.shape[0], mat2.shape[1])
    return _apply(addmm_row, input, mat1, mat2, shape, beta, alpha)


@public(in_place=True, out="exact")
def addmv(input: Any, mat: Any, vec: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """``beta * input + alpha * (mat @ vec)`` of a matrix and a vector; the input stretches.

    Raises ``RuntimeError`` where shapes or types do not match.

    >>> torch.addmv(torch.ones(1), torch.ones(1, 2), torch.ones(2))
    tensor([3.])
    """
    require_ranks("addmv", "a matrix and a vector", (2, 1), mat, vec)
    if mat.shape[1] != vec.shape[0]:
        raise mismatch("addmv", mat, vec)
    return _apply(addmv_row, input, mat, vec, (mat.shape[0],), beta, alpha)


@public(in_place=True, out="cast")
def addr(input: Any, vec1: Any, vec2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """``beta * input + alpha * outer(vec1, vec2)`` of two vectors; the input stretches.

    Raises ``RuntimeError`` where shapes do not match.

    >>> torch.addr(torch.ones(1, 2), torch.ones(1), torch.ones(2))
    tensor([[2., 2.]])
    """
    require_ranks("addr", "two vectors", (1, 1), vec1, vec2)
    return _apply(addr_row, input, vec1, vec2, (vec1.shape[0], vec2.shape[0]), beta, alpha)


@public(in_place=True, out="exact")
def baddbmm(input: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """``beta * input + alpha * bmm(batch1, batch2)`` of stacks of matrices; the input stretches.

    Raises ``RuntimeError`` where shapes or types do not match.

    >>> torch.baddbmm(torch.ones(1), torch.ones(1, 1, 2), torch.ones(1, 2, 1))
    tensor([[[3.]]])
    """
    shape = _stack_shape("baddbmm", batch1, batch2)
    return _apply(baddbmm_row, input, batch1, batch2, shape, beta, alpha)


@public(in_place=True, out="exact")
def addbmm(input: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """``beta * input + alpha * bmm(batch1, batch2).sum(0)``; the input stretches.

    Raises ``RuntimeError`` where shapes or types do not match.

    >>> torch.addbmm(torch.ones(1), torch.ones(2, 1, 2), torch.ones(2, 2, 1))
    tensor([[5.]])
    """
    shape = _stack_shape("addbmm", batch1, batch2)[1:]
    return _apply(addbmm_row, input, batch1, batch2, shape, beta, alpha)


def _stack_shape(name: str, batch1: Any, batch2: Any) -> Shape:
    require_tensors(name, batch1, batch2)
    if len(batch1.shape) < 2 or len(batch2.shape) < 3:
        raise IndexError(
            f"{name}: expected two stacks of matrices, but got shapes "
            f"{describe_shape(batch1.shape)} and {describe_shape(batch2.shape)}"
        )
    require_ranks(name, "two stacks of matrices", (3, 3), batch1, batch2)
    if batch1.shape[0] != batch2.shape[0] or batch1.shape[2] != batch2.shape[1]:
        raise mismatch(name, batch1, batch2)
    return batch1.shape[0], batch1.shape[1], batch2.shape[2]
