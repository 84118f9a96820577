"""``compile``: a function that is traced, compiled and kept for each kind of arguments."""

from __future__ import annotations

import copy
import functools
import sys
import threading
import time
import warnings
import weakref
from collections.abc import Callable
from types import MethodType
from typing import Any

from adjoint.array.symbol import running
from adjoint.compiler.front.calling import MISS, Compiled
from adjoint.compiler.front.checking import checked
from adjoint.compiler.front.explaining import Explanation
from adjoint.compiler.front.keys import (
    Arguments,
    is_ordinary,
    key_of,
    spell_difference,
    take_apart,
)
from adjoint.compiler.front.quick import Call, quick_call
from adjoint.compiler.front.reaching import guards_of
from adjoint.compiler.front.tracing import Traced, trace
from adjoint.errors import UntraceableError
from adjoint.tape.node import user_frame

MANY = 8  # programs of one function, after which a warning says what keeps changing
MOST = 64  # programs that are kept
QUICK = 4  # programs that are tried first, without a key
TRIES = 2  # traces in a row that have changed Python's objects, before that is an error


ALL: weakref.WeakSet[CompiledFunction] = weakref.WeakSet()


class CompiledFunction:
    """What ``compile`` gives: to be called as the function itself.

    ``function`` is that function, ``programs`` the programs that were made of it, ``program`` the
    one that was used last; ``clear()`` forgets them, and ``explain()`` says what they do.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        check: int = 0,
        fallback: bool = False,
        name: str | None = None,
    ) -> None:
        functools.update_wrapper(self, function, updated=())
        self.function = function
        self.check = check
        self.fallback = fallback
        self.name = str(name or getattr(function, "__qualname__", type(function).__name__))
        self._lock = threading.RLock()
        ALL.add(self)
        self._warned = False
        self.clear()

    def clear(self) -> None:
        """Forget all programs: the next call traces again."""
        with self._lock:
            self._programs: dict[Any, list[Compiled]] = {}
            self._all: list[Compiled] = []
            self._refused: dict[Any, str] = {}  # keys of calls that run as they are, and why
            self._changing = 0  # traces in a row that have changed Python's objects
            self._last: Compiled | None = None
            self._quick: tuple[Call, ...] = ()  # ways to call programs, see ``quick``
            self._quickly: tuple[Compiled, ...] = ()  # these programs

    # -- calling ------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        for quick in self._quick:
            out = quick(args, kwargs)
            if out is not MISS:
                return out
        return self._call(args, kwargs)

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The general way, for calls that no quick one was written for."""
        given = take_apart(args, kwargs)
        if not is_ordinary(given.tensors) or running.capture is not None:
            return self.function(*args, **kwargs)
        key = key_of(given)
        for each in tuple(self._programs.get(key, ())):
            if each.fits(given.tensors):
                out = self._run(each, given)
                if out is not MISS:
                    return out
        if key in self._refused:
            return self.function(*args, **kwargs)
        made = self._make(key, given, args, kwargs)
        if made is None:
            return self._as_it_is(key, args, kwargs)
        if not made.fits(given.tensors):
            raise RuntimeError(f"compile: {self.name} has changed while it ran: {made.reason}")
        return self._run(made, given)

    def _as_it_is(self, key: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run the function: the first time after a trace, an error of its own is of this call."""
        try:
            out = self.function(*args, **kwargs)
        except BaseException:
            self._refused.pop(key, None)
            raise
        reason = self._refused.get(key, "")
        if reason.startswith("its trace raised"):
            self._warn(f"compile: {self.name} runs without being compiled: {reason}")
        return out

    def _run(self, compiled: Compiled, given: Arguments) -> Any:
        self._last = compiled
        if compiled.unchecked:
            compiled.unchecked -= 1
            return checked(self.function, compiled, given)
        out = compiled(given.tensors)
        quick = quick_call(compiled, given)
        if quick is not None:
            known = {id(each): way for way, each in zip(self._quick, self._quickly, strict=True)}
            known.pop(id(compiled), None)
            others = [each for each in self._quickly if id(each) in known][: QUICK - 1]
            self._quick = (quick, *[known[id(each)] for each in others])
            self._quickly = (compiled, *others)
        return out

    def prepare(self, *args: Any, **kwargs: Any) -> Compiled:
        """The program for these arguments, made if there is none yet; nothing is run."""
        given = take_apart(args, kwargs)
        key = key_of(given)
        for each in self._programs.get(key, ()):
            if each.fits(given.tensors):
                return each
        made = self._make(key, given, args, kwargs)
        if made is None:
            raise UntraceableError(
                self._refused.get(key)
                or f"compile: the first call of {self.name} makes something that later calls use: "
                "call it once before"
            )
        return made

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __deepcopy__(self, memo: dict[int, Any]) -> CompiledFunction:
        function = copy.deepcopy(self.function, memo)
        return CompiledFunction(function, self.check, self.fallback, self.name)

    def __reduce_ex__(self, protocol: Any) -> Any:
        home: Any = sys.modules.get(str(getattr(self, "__module__", None)))
        name = str(getattr(self, "__qualname__", ""))
        for part in name.split("."):
            home = getattr(home, part, None)
        if home is self:  # what a decorator has put in a function's place is known by its name
            return name
        return CompiledFunction, (self.function, self.check, self.fallback, self.name)

    # -- making programs ----------------------------------------------------------------------

    def _make(
        self, key: Any, given: Arguments, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Compiled | None:
        """A new program; None if this call is to run as it is."""
        with self._lock:
            for each in self._programs.get(key, ()):
                if each.fits(given.tensors):  # another thread has made it meanwhile
                    return each
            values = [
                each for each, place in zip(given.leaves, given.places, strict=True) if place < 0
            ]
            start = time.perf_counter()
            traced = self._traced(key, values, args, kwargs)
            if traced is None:
                return None
            seconds = time.perf_counter() - start
            compiled = Compiled(traced, guards_of(self.function, values), key)
            compiled.unchecked = self.check
            compiled.tracing = seconds
            self._keep(compiled)
            return compiled

    def _traced(
        self, key: Any, values: list[Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Traced | None:
        """What a trace has found; None, and all as it was, if this call is to run as it is."""
        guards = guards_of(self.function, values)
        try:
            traced = trace(self.function, args, kwargs)
        except UntraceableError as error:
            guards.restore()
            if not self.fallback:
                raise
            self._refuse(key, str(error))
            return None
        except Exception as error:  # noqa: BLE001 - the function's own, which it will raise again
            guards.restore()
            self._refuse(key, f"its trace raised {type(error).__name__}: {error}", quietly=True)
            return None
        changed = guards.restore()
        held = traced.leaks.find()
        if changed or held:
            self._again(key, changed or held)
            return None
        self._changing = 0
        return traced

    def _again(self, key: Any, changed: list[str]) -> None:
        """A trace has changed Python's objects: this call runs as it is, as it may be the first."""
        self._changing += 1
        if self._changing < TRIES:
            return
        error = UntraceableError(
            f"compile: whenever {self.name} is called it changes {', '.join(changed)}, and a "
            "program cannot: keep what changes in a tensor that is written in place, return it, "
            "or let such functions run as they are: compile(..., fallback=True)"
        )
        self._changing = TRIES - 1  # the next such call is refused too
        if not self.fallback:
            raise error
        self._refuse(key, str(error))

    def _refuse(self, key: Any, reason: str, quietly: bool = False) -> None:
        """Let calls with this key run as they are from now on."""
        self._refused[key] = reason
        if not quietly:
            self._warn(f"compile: {self.name} runs without being compiled: {reason}")

    def _keep(self, compiled: Compiled) -> None:
        self._programs.setdefault(compiled.key, []).append(compiled)
        self._all.append(compiled)
        if len(self._all) > MANY and not self._warned:
            self._warned = True
            self._warn(
                f"compile: {self.name} has {len(self._all)} programs, and every new one takes time "
                f"to make. What changed: {self._changes()}"
            )
        if len(self._all) > MOST:
            oldest = self._all.pop(0)
            self._programs[oldest.key].remove(oldest)

    def _changes(self) -> str:
        """What made the last programs necessary."""
        reasons: list[str] = []
        for one, other in zip(self._all, self._all[1:], strict=False):
            if one.key != other.key:
                reasons.append(spell_difference(one.key, other.key))
            elif one.reason:
                reasons.append(one.reason)
        return "; ".join(dict.fromkeys(reasons[-4:])) or "nothing that is known"

    def _warn(self, text: str) -> None:
        level, frame = 1, sys._getframe(0)
        outside = user_frame(frame)
        while frame is not outside and frame.f_back is not None:
            level, frame = level + 1, frame.f_back
        warnings.warn(text, UserWarning, stacklevel=level)

    # -- looking ------------------------------------------------------------------------------

    @property
    def programs(self) -> list[Any]:
        """All programs, the oldest first."""
        return [each.traced.program for each in self._all]

    @property
    def program(self) -> Any:
        """The program used last; None before the first call."""
        return None if self._last is None else self._last.traced.program

    def explain(self) -> Explanation:
        """A report on the program used last, to print; ``RuntimeError`` before the first call."""
        if self._last is None:
            raise RuntimeError(
                f"compile: {self.name} has not been called yet, so it has no program"
            )
        return Explanation(self.name, self._last)

    def __repr__(self) -> str:
        count = len(self._all)
        return f"<compiled {self.name}: {count} program{'' if count == 1 else 's'}>"
