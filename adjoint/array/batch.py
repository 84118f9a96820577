"""A batch: the array that ``vmap`` puts in the place of many."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.array.value import Value


class Batch(Value):
    """Many arrays of one shape in one: the first dimension of ``value`` numbers them.

    ``shape`` is that of a single one, so code inside ``vmap`` never sees the batch.
    """

    __slots__ = ("_level", "value")

    def __init__(self, level: int, value: Any) -> None:
        self._level = level
        self.value = value

    @property
    def size(self) -> int:
        """How many arrays the batch holds."""
        return int(self.value.shape[0])

    @property
    def shape(self) -> tuple[int, ...]:
        shape = self.value.shape
        return shape[1:] if type(shape) is tuple else tuple(shape[1:])

    @property
    def ndim(self) -> int:
        return len(self.value.shape) - 1

    @property
    def dtype(self) -> Any:
        """That of the value: NumPy's over plain memory, as nodes keep it. ``dtypes.of`` tells."""
        return self.value.dtype

    def _apply(
        self, row: Any, level: int, inputs: tuple[Any, ...], options: tuple[Any, ...]
    ) -> Any:
        prefixed = row.batch_prefixed
        if prefixed is not None and type(self.value) is np.ndarray:
            # The row itself, in front of whose dimensions the batch axis stands.
            if prefixed:
                size = self.value.shape[0]
                options = tuple(
                    [(size, *each) if n in prefixed else each for n, each in enumerate(options)]
                )
            return Batch(level, row.evaluate((self.value,), options))
        values: list[Any] = []
        batched: list[bool] = []
        for each in inputs:
            inside = isinstance(each, Batch) and each._level == level
            batched.append(inside)
            values.append(each.value if inside else each)
        out = row.batch(row, self.size, values, batched, options)
        if row.many_outputs:
            return tuple(Batch(level, each) for each in out)
        return Batch(level, out)
