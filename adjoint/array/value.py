"""What an operation applies to when it is not plain memory.

A value is one of

* a NumPy array or a Python number: plain memory, below every transform;
* a ``Tensor``: a tape over an array (``adjoint.tape``);
* a ``Batch`` inside ``vmap``, a ``Dual`` inside ``jvp``, a ``Symbol`` inside a trace.

Every transform that is entered takes the next two levels: the odd one for its own kind of array,
the even one above it for the Tensors that the user's function sees. Level 0 is the ordinary tape.
An operation goes to the value of the highest level among its inputs, which treats the inputs of
lower levels as constants. Transforms therefore nest in any order and cannot be confused.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

# Plain memory and numbers; None stands for an optional input that is absent.
PLAIN = (np.ndarray, float, int, complex, np.generic, type(None))


class Value:
    """Base of everything but plain memory that operations understand."""

    __slots__ = ()
    # Above numpy.ndarray's, so that `array * value` asks the value first.
    __array_priority__: ClassVar[float] = 1000.0

    _level: int

    if TYPE_CHECKING:  # operators and methods are put on by the layers above

        def __getattr__(self, name: str) -> Any: ...
        def __add__(self, other: Any) -> Any: ...

    def _apply(
        self, row: Any, level: int, inputs: tuple[Any, ...], options: tuple[Any, ...]
    ) -> Any:
        """Carry out ``row`` on inputs of which this value's ``level`` is the highest."""
        raise NotImplementedError


class _Depth(threading.local):
    depth = 0


_current = _Depth()


def tensor_level() -> int:
    """The level of the Tensors that are made here: 0 outside all transforms."""
    return 2 * _current.depth


class transform_level:  # noqa: N801 - used as a phrase: `with transform_level() as level`
    """Enter a transform; gives the level of its arrays (that of its Tensors is one more)."""

    __slots__ = ()

    def __enter__(self) -> int:
        _current.depth += 1
        return 2 * _current.depth - 1

    def __exit__(self, *_: object) -> None:
        _current.depth -= 1


class levels_above:  # noqa: N801 - as `transform_level`
    """Inside ``with``, new transforms take levels above this one, though its own may have ended."""

    __slots__ = ("before", "level")

    def __init__(self, level: int) -> None:
        self.level = level

    def __enter__(self) -> None:
        self.before = _current.depth
        _current.depth = max(self.before, self.level // 2)

    def __exit__(self, *_: object) -> None:
        _current.depth = self.before


def apply(row: Any, inputs: tuple[Any, ...], options: tuple[Any, ...] = ()) -> Any:
    """Carry out one row of the table on values of any kind: the general path of every operation."""
    level, top = -1, None
    for value in inputs:
        if isinstance(value, Value):
            if value._level > level:
                level, top = value._level, value
        elif not isinstance(value, PLAIN) or (value is None and row.kind == "elementwise"):
            raise TypeError(
                f"{row.name}(): argument must be a Tensor or a number, not {type(value).__name__}"
            )
    if top is None:
        return row.evaluate(inputs, options)
    return top._apply(row, level, inputs, options)
