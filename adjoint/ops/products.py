"""Products made of others: outer, inner and Kronecker products, and chains of matrices."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from adjoint.errors import describe_shape
from adjoint.ops.arithmetic import mul
from adjoint.ops.contraction import matmul, mismatch, require_same_type, require_tensors
from adjoint.ops.einsum import contract
from adjoint.ops.kinds.public import public
from adjoint.ops.kinds.quick import rename
from adjoint.ops.movement import reshape_row


@public(aliases=("ger",), out="cast")
def outer(input: Any, vec2: Any) -> Any:
    """Each element of one vector times each of another, (n) and (m) to (n, m).

    Raises ``RuntimeError`` for what is not a vector.

    >>> import adjoint as torch
    >>> torch.outer(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0]))
    tensor([[3., 4.],
            [6., 8.]])
    """
    require_tensors("outer", input, vec2)
    for value in (input, vec2):
        if len(value.shape) != 1:
            raise RuntimeError(
                f"outer: expected two vectors, but got a shape {describe_shape(value.shape)}"
            )
    return mul(reshape_row(input, (input.shape[0], 1)), vec2)


@public(out="exact")
def inner(input: Any, other: Any) -> Any:
    """Sum of products over the last dimension of both; a 0-d tensor multiplies the other.

    Raises ``RuntimeError`` where the last sizes differ.

    >>> import adjoint as torch
    >>> torch.inner(torch.ones(2, 3), torch.ones(3))
    tensor([3., 3.])
    """
    require_tensors("inner", input, other)
    if not len(input.shape) or not len(other.shape):
        return mul(input, other)
    require_same_type("inner", input, other)
    if input.shape[-1] != other.shape[-1]:
        raise RuntimeError(
            "inner: the last dimension must match on both tensors, but got shapes "
            f"{describe_shape(input.shape)} and {describe_shape(other.shape)}"
        )
    if len(input.shape) == len(other.shape) == 1:
        return reshape_row(matmul(input, other), ())
    rank = len(input.shape)
    x_labels = (*range(2, rank + 1), 1)
    y_labels = (*range(rank + 1, rank + len(other.shape)), 1)
    return contract((input, other), (x_labels, y_labels), (*x_labels[:-1], *y_labels[:-1]))


@public(out="cast")
def kron(input: Any, other: Any) -> Any:
    """Kronecker product: a copy of ``other`` times each element of ``input``, in its place.

    >>> import adjoint as torch
    >>> torch.kron(torch.tensor([1.0, 2.0]), torch.ones(2))
    tensor([1., 1., 2., 2.])
    """
    require_tensors("kron", input, other)
    rank = max(len(input.shape), len(other.shape))
    x_sizes = (1,) * (rank - len(input.shape)) + tuple(input.shape)
    y_sizes = (1,) * (rank - len(other.shape)) + tuple(other.shape)
    x = reshape_row(input, tuple(size for each in x_sizes for size in (each, 1)))
    y = reshape_row(other, tuple(size for each in y_sizes for size in (1, each)))
    sizes = tuple(a * b for a, b in zip(x_sizes, y_sizes, strict=True))
    return rename(reshape_row(mul(x, y), sizes), "UnsafeViewBackward0")


@public(namespaces=("linalg",), method=False, out="exact")
def multi_dot(tensors: Sequence[Any]) -> Any:
    """Product of a chain of matrices, in the order that takes the fewest multiplications.

    The first and the last may be vectors. Raises ``RuntimeError`` for fewer than two tensors, or
    shapes that do not follow on each other.

    >>> import adjoint as torch
    >>> torch.linalg.multi_dot([torch.ones(1, 2), torch.ones(2, 3), torch.ones(3)])
    tensor([6.])
    """
    values = list(tensors)
    if len(values) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(values)}")
    require_same_type("multi_dot", *values)
    for place, value in enumerate(values):
        ends = place in (0, len(values) - 1)
        if len(value.shape) != 2 and not (ends and len(value.shape) == 1):
            raise RuntimeError(
                f"multi_dot(): tensor {place} must be 2D{' or 1D' if ends else ''}, but its shape "
                f"is {describe_shape(value.shape)}"
            )
    shape: tuple[int, ...] = ()
    if len(values[0].shape) == 1:
        values[0] = reshape_row(values[0], (1, *values[0].shape))
    else:
        shape = (values[0].shape[0],)
    if len(values[-1].shape) == 1:
        values[-1] = reshape_row(values[-1], (*values[-1].shape, 1))
    else:
        shape = (*shape, values[-1].shape[1])
    return reshape_row(_chain(values), shape)


@public(method=False, out="exact")
def chain_matmul(*matrices: Any) -> Any:
    """Product of a chain of matrices; ``linalg.multi_dot`` is its name of today.

    >>> import adjoint as torch
    >>> torch.chain_matmul(torch.ones(1, 2), torch.ones(2, 3), torch.ones(3, 1))
    tensor([[6.]])
    """
    if len(matrices) == 1 and isinstance(matrices[0], (list, tuple)):
        matrices = tuple(matrices[0])
    require_same_type("chain_matmul", *matrices)
    for matrix in matrices:
        if len(matrix.shape) != 2:
            raise RuntimeError(
                f"chain_matmul: expected matrices, but got a shape {describe_shape(matrix.shape)}"
            )
    out = _chain(list(matrices))
    return reshape_row(out, tuple(out.shape))


def _chain(matrices: list[Any]) -> Any:
    """Multiply in the best order: the classic dynamic program over where to split the chain."""
    for first, second in pairwise(matrices):
        if first.shape[1] != second.shape[0]:
            raise mismatch("multi_dot", first, second)
    sizes = [matrix.shape[0] for matrix in matrices] + [matrices[-1].shape[1]]
    count = len(matrices)
    cost = {(place, place): 0 for place in range(count)}
    split: dict[tuple[int, int], int] = {}
    for length in range(1, count):
        for first in range(count - length):
            last = first + length
            cost[first, last], split[first, last] = min(
                (
                    cost[first, at]
                    + cost[at + 1, last]
                    + sizes[first] * sizes[at + 1] * sizes[last + 1],
                    at,
                )
                for at in range(first, last)
            )

    def multiply(first: int, last: int) -> Any:
        if first == last:
            return matrices[first]
        at = split[first, last]
        return matmul(multiply(first, at), multiply(at + 1, last))

    return multiply(0, count - 1)
