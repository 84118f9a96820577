"""What a compiled function has found in the world around it, and whether it is still there.

A ``Point`` is one place where the function finds a value: a cell of its closure, a global, an
attribute, the elements of a list. All points together are checked before each call, by identity;
only where something else is found are values compared. Points of modules are checked only when
some module has changed at all: ``adjoint.tape.changes`` counts that.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from operator import is_
from types import MethodType
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.tape.tensor import Tensor

PLAIN = (int, float, complex, str, bytes, type(None), range, dtypes.dtype)
MISSING = type("Missing", (), {"__repr__": lambda _: "nothing"})()


def same_value(old: Any, new: Any) -> bool:
    """Whether two values are one to a function: 1, 1.0 and True are three; NaN is itself."""
    if old is new:
        return True
    kind = type(old)
    if kind is not type(new):
        return False
    if kind is float or kind is complex:
        return repr(old) == repr(new)  # tells zeros apart, and no NaN from another
    if kind is tuple or kind is list:
        return len(old) == len(new) and all(map(same_value, old, new))
    if isinstance(old, (*PLAIN, MethodType)):
        return bool(old == new)
    if kind is slice:
        return same_value((old.start, old.stop, old.step), (new.start, new.stop, new.step))
    if kind is frozenset:
        return bool(old == new) and {*map(type, old)} == {*map(type, new)}
    return False


class Point:
    """One place where a value is found: ``holder`` at ``key``, in the way of its class."""

    __slots__ = ("holder", "key", "module", "name", "value")

    def __init__(self, holder: Any, key: Any, name: str, module: bool = False) -> None:
        self.holder = holder
        self.key = key
        self.name = name  # for messages
        self.module = module  # whether it belongs to a module, whose changes are counted
        self.value = self.now()

    def now(self) -> Any:
        """What is there, ``MISSING`` for nothing."""
        raise NotImplementedError

    def put(self, value: Any) -> None:
        """Put a value back."""
        raise NotImplementedError

    def check(self, holder: str, value: str) -> str:
        """The quick check, as an expression."""
        raise NotImplementedError

    def same(self, now: Any) -> bool:
        """Whether that is what was there, by identity."""
        return now is self.value

    def pairs(self, now: Any) -> Iterator[tuple[Any, Any]]:
        """Old and new values, those that differ; raises ``ValueError`` if they do not match up."""
        if now is not self.value:
            yield self.value, now

    def __repr__(self) -> str:
        return f"{self.name} = {self.value!r}"


class Cell(Point):
    """The content of a cell of a closure."""

    __slots__ = ()

    def now(self) -> Any:
        try:
            return self.holder.cell_contents
        except ValueError:  # not bound yet, or not any more
            return MISSING

    def put(self, value: Any) -> None:
        if value is MISSING:
            del self.holder.cell_contents
        else:
            self.holder.cell_contents = value

    def check(self, holder: str, value: str) -> str:
        return f"{holder}.cell_contents is {value}"


class Item(Point):
    """What a dictionary has at a key: globals, and attributes of an object."""

    __slots__ = ()

    def now(self) -> Any:
        return self.holder.get(self.key, MISSING)

    def put(self, value: Any) -> None:
        if value is MISSING:
            self.holder.pop(self.key, None)
        else:
            self.holder[self.key] = value

    def check(self, holder: str, value: str) -> str:
        if self.value is MISSING:
            return f"{self.key!r} not in {holder}"
        return f"{holder}[{self.key!r}] is {value}"


class Attribute(Point):
    """An attribute, found as Python finds it: in the object, or in its class."""

    __slots__ = ()

    def now(self) -> Any:
        return getattr(self.holder, self.key, MISSING)

    def put(self, value: Any) -> None:
        if value is not MISSING:
            setattr(self.holder, self.key, value)

    def check(self, holder: str, value: str) -> str:
        return f"{holder}.{self.key} is {value}"


class Elements(Point):
    """What is in a list or a deque, in order, or in a set."""

    __slots__ = ()

    def now(self) -> Any:
        return tuple(self.holder)

    def put(self, value: Any) -> None:
        if isinstance(self.holder, set):
            self.holder.clear()
            self.holder.update(value)
        else:
            self.holder.clear()
            self.holder.extend(value)

    def check(self, holder: str, value: str) -> str:
        return f"len({holder}) == {len(self.value)} and all(map(is_, {holder}, {value}))"

    def same(self, now: Any) -> bool:
        return len(now) == len(self.value) and all(map(is_, now, self.value))

    def pairs(self, now: Any) -> Iterator[tuple[Any, Any]]:
        if len(now) != len(self.value):
            raise ValueError("another length")
        for old, new in zip(self.value, now, strict=True):
            if old is not new:
                yield old, new


class Entries(Elements):
    """What is in a dictionary: its keys and then its values."""

    __slots__ = ()

    def now(self) -> Any:
        return (*self.holder, *self.holder.values())

    def put(self, value: Any) -> None:
        count = len(value) // 2
        self.holder.clear()
        self.holder.update(zip(value[:count], value[count:], strict=True))

    def check(self, holder: str, value: str) -> str:
        pairs = f"(*{holder}, *{holder}.values())"
        return f"len({holder}) == {len(self.value) // 2} and all(map(is_, {pairs}, {value}))"


class Numbers(Point):
    """What is in an array of NumPy's, which a trace takes for constants."""

    __slots__ = ()

    def now(self) -> Any:
        return self.holder.tobytes()

    def put(self, value: Any) -> None:
        self.holder[...] = np.frombuffer(value, self.holder.dtype).reshape(self.holder.shape)

    def check(self, holder: str, value: str) -> str:
        return f"{holder}.tobytes() == {value}"

    def same(self, now: Any) -> bool:
        return bool(now == self.value)

    def pairs(self, now: Any) -> Iterator[tuple[Any, Any]]:
        if now != self.value:
            yield "some numbers", "other numbers"


class Draws(Point):
    """The state of a generator that is not Adjoint's: ``key`` has how to get it, how to set it."""

    __slots__ = ()

    def now(self) -> Any:
        return pickle.dumps(self.key[0]())

    def put(self, value: Any) -> None:
        self.key[1](pickle.loads(value))

    def same(self, now: Any) -> bool:
        return bool(now == self.value)


class Change(Exception):  # noqa: N818 - says what has changed; nobody but the caller sees it
    """Raised by ``Guards.renew`` for what is not as it was, in words."""


class Guards:
    """All points of one program.

    Those that are ``passive`` may change between calls; a trace must not have changed them.
    """

    def __init__(self, points: list[Point], passive: Iterable[Point] = ()) -> None:
        self.points = points
        self.passive = list(passive)
        self.quick = [each for each in points if not each.module]
        self.slow = [each for each in points if each.module]

    def holds(self) -> bool:
        """Whether everything is what it was, by identity."""
        return all(each.same(each.now()) for each in self.points)

    def renew(self) -> list[tuple[Any, Any]]:
        """Look at all points anew: pairs of tensors of which the second stands where the first did.

        Raises ``Change``, and alters nothing, if there is more than that to a change.
        """
        found: dict[int, tuple[Any, Any]] = {}
        renewed: list[tuple[Point, Any]] = []
        for point in self.points:
            now = point.now()
            try:
                pairs = list(point.pairs(now))
            except ValueError:
                raise Change(f"{point.name}: {_spell(point.value)}, {_spell(now)}") from None
            for old, new in pairs:
                if isinstance(old, Tensor) and type(old) is type(new):
                    if found.setdefault(id(old), (old, new))[1] is not new:
                        raise Change(f"{point.name}: another tensor than elsewhere")
                elif not same_value(old, new):
                    raise Change(f"{point.name}: {_spell(old)}, {_spell(new)}")
            if pairs:
                renewed.append((point, now))
        if found:
            self._require_everywhere(found)
        for point, now in renewed:
            point.value = now
        return list(found.values())

    def _require_everywhere(self, found: dict[int, tuple[Any, Any]]) -> None:
        """A tensor must have been replaced at all points that had it."""
        for point in self.points:
            for value in point.value if isinstance(point, Elements) else (point.value,):
                old, new = found.get(id(value), (None, None))
                if old is not None and not any(each is new for each in _values(point)):
                    raise Change(f"{point.name}: one tensor in some places, another in others")

    def restore(self) -> list[str]:
        """Put back what is not as it was; the names of these points."""
        changed = []
        for point in (*self.points, *self.passive):
            if not point.same(point.now()):
                changed.append(point.name)
                point.put(point.value)
        return changed

    def expression(self, constants: dict[str, Any]) -> str:
        """The quick check of all points but those of modules; its names go into ``constants``."""
        parts = []
        for number, point in enumerate(self.quick):
            holder, value = f"holder{number}", f"found{number}"
            constants[holder], constants[value] = point.holder, point.value
            parts.append(point.check(holder, value))
        constants["is_"] = is_
        return "\n        and ".join(parts)


def _values(point: Point) -> tuple[Any, ...]:
    now = point.now()
    return now if isinstance(point, Elements) else (now,)


def _spell(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"a tensor of shape {list(value.shape)}"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
