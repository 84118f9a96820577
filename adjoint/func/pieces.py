"""Results that come in pieces, each written into the memory of the whole as soon as it is there."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.func.levels import outside
from adjoint.ops.joining import cat
from adjoint.tape.tensor import Tensor


class Pieces:
    """The parts of one result along ``dim``, in order; with a dim of None, any one of them.

    Plain memory is written in place, so that a piece can go at once; what has a history or belongs
    to a transform is kept until the end and joined.
    """

    def __init__(self, size: int, dim: int | None) -> None:
        self.size = size
        self.dim = dim
        self.memory: Any = None
        self.kept: list[Any] = []
        self.filled = 0

    def add(self, piece: Any) -> None:
        """Take the next piece, an array."""
        array = piece._array if isinstance(piece, Tensor) and piece._node is None else piece
        if self.dim is None or type(array) is not np.ndarray or self.kept:
            self.kept.append(piece)
            return
        dim = self.dim % array.ndim
        if self.memory is None:
            shape = (*array.shape[:dim], self.size, *array.shape[dim + 1 :])
            self.memory = np.empty(shape, array.dtype)
        stop = self.filled + array.shape[dim]
        self.memory[(slice(None),) * dim + (slice(self.filled, stop),)] = array
        self.filled = stop

    def whole(self, shape: tuple[int, ...] | None = None, like: Any = None) -> Any:
        """The result as a Tensor, of another shape if one is given; ``like`` has its type."""
        if self.dim is None:
            return outside(self.kept[0])
        if self.kept:
            parts = [outside(piece) for piece in self.kept]
            if self.filled:
                parts.insert(0, outside(self.memory).narrow(self.dim, 0, self.filled))
            joined = cat(parts, self.dim) if len(parts) > 1 else parts[0]
            return joined if shape is None else joined.reshape(shape)
        if self.memory is None:
            return outside(np.zeros(shape or (0,), dtypes.of(like).numpy))
        return outside(self.memory if shape is None else self.memory.reshape(shape))
