"""A dual: an array and its tangent, carried together in forward mode."""

from __future__ import annotations

from typing import Any

from adjoint.array.value import Value, apply


class Dual(Value):
    """A primal value and the direction it moves in; None stands for no movement."""

    __slots__ = ("_level", "primal", "tangent")

    def __init__(self, level: int, primal: Any, tangent: Any) -> None:
        self._level = level
        self.primal = primal
        self.tangent = tangent

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.primal.shape)

    @property
    def ndim(self) -> int:
        return len(self.primal.shape)

    @property
    def dtype(self) -> Any:
        """That of the primal: NumPy's over plain memory, as nodes keep it. ``dtypes.of`` tells."""
        return self.primal.dtype

    def _apply(
        self, row: Any, level: int, inputs: tuple[Any, ...], options: tuple[Any, ...]
    ) -> Any:
        primals: list[Any] = []
        tangents: list[Any] = []
        for each in inputs:
            inside = isinstance(each, Dual) and each._level == level
            primals.append(each.primal if inside else each)
            tangents.append(each.tangent if inside else None)
        out = apply(row, tuple(primals), options)
        if not row.is_differentiable or all(each is None for each in tangents):
            moved: Any = (None,) * len(out) if row.many_outputs else None
        else:
            moved = row.jvp(row, tuple(primals), tuple(tangents), out, options)
        if not row.many_outputs:
            return Dual(level, out, moved)
        moved = tuple(moved) + (None,) * (len(out) - len(moved))
        return tuple(Dual(level, each, t) for each, t in zip(out, moved, strict=True))
