"""What a function reaches: the cells, globals, attributes and containers where it finds values.

Found by reading code, not by running it: globals by name, and of objects those attributes whose
names occur in code that is reached. Functions of the user's are followed, those of installed
packages are not, but for the functions that they wrap.
"""

from __future__ import annotations

import dis
import functools
import random
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from adjoint.compiler.front.equations import STANDARD
from adjoint.compiler.front.guards import (
    PLAIN,
    Attribute,
    Cell,
    Draws,
    Elements,
    Entries,
    Guards,
    Item,
    Numbers,
    Point,
)
from adjoint.tape.tensor import Tensor

INSTALLED = ("site-packages", "dist-packages", "<frozen ")
# What Python or Adjoint calls by itself, without the name in any code.
CALLED = frozenset(("forward", "backward", "jvp", "setup_context", "vmap", "__call__"))
HOOKS = ("forward", "forward_pre", "backward", "backward_pre")  # the kinds a call asks for
# The tables of a module.
TABLES = ("_parameters", "_buffers", "_modules")


def guards_of(function: Callable[..., Any], others: Iterable[Any] = ()) -> Guards:
    """Points for everything that ``function`` (and values that it is given) reaches."""
    reach = _Reach()
    for each in (function, *others):
        reach.visit(each, "the function" if each is function else "an argument")
    reach.hooks_of_all()
    reach.finish()
    return Guards(list(reach.points.values()), [*reach.passive.values(), *_generators()])


def _generators() -> Iterator[Point]:
    """The states of Python's and NumPy's own random numbers, which no program draws."""
    for name, ways in (
        ("Python's random numbers", (random.getstate, random.setstate)),
        ("NumPy's random numbers", (np.random.get_state, np.random.set_state)),
    ):
        yield Draws(None, ways, f"the state of {name}")


def is_library(module: Any, file: str = "") -> bool:
    """Whether code of a module, by name, is Adjoint's, Python's or an installed package's."""
    root = str(module or "").partition(".")[0]
    if root == "adjoint" or (not file and root in sys.stdlib_module_names and root != "__main__"):
        return True
    return file.startswith(STANDARD) or any(each in file for each in INSTALLED)


def _is_library_class(kind: type) -> bool:
    home = sys.modules.get(kind.__module__)
    file = getattr(home, "__file__", None) or ""
    return kind.__module__ == "builtins" or is_library(kind.__module__, file)


@functools.cache
def _names_of(code: CodeType) -> tuple[set[str], set[str], set[str]]:
    """Globals that code and the functions in it use, attributes, and those that may be missing.

    An attribute that it sets may be missing before, and one that ``getattr`` or ``hasattr`` asks
    for.
    """
    found: set[str] = set()
    attributes: set[str] = set()
    stored: set[str] = set()
    for instruction in dis.get_instructions(code):
        name = instruction.opname
        if name in ("LOAD_GLOBAL", "LOAD_NAME", "STORE_GLOBAL"):
            found.add(instruction.argval)
        elif name in ("LOAD_ATTR", "LOAD_METHOD", "LOAD_SUPER_ATTR"):
            attributes.add(instruction.argval)
        elif name == "STORE_ATTR":
            stored.add(instruction.argval)
    for each in code.co_consts:
        if isinstance(each, CodeType):
            for mine, theirs in zip((found, attributes, stored), _names_of(each), strict=True):
                mine |= theirs
        elif isinstance(each, str) and each.isidentifier():
            attributes.add(each)  # for getattr(x, "name")
            if not found.isdisjoint(("getattr", "hasattr")):
                stored.add(each)
    return found, attributes, stored


class _Reach:
    """The search. Objects wait until all code is read, as that says which attributes matter."""

    def __init__(self) -> None:
        self.points: dict[Any, Point] = {}
        self.passive: dict[Any, Point] = {}
        self.names: set[str] = set(CALLED)  # of attributes that code reads
        self.stored: set[str] = set()  # and of those that it sets
        self.seen: set[int] = set()
        self.kept: list[Any] = []  # so that no id is used again
        self.objects: list[tuple[Any, str, bool]] = []

    def point(self, kind: type[Point], holder: Any, key: Any, name: str, module: bool) -> None:
        """Watch a place, and go on from what is there."""
        mark = (id(holder), key)
        if mark not in self.points:
            point = self.points[mark] = kind(holder, key, name, module)
            for each in point.value if isinstance(point, Elements) else (point.value,):
                self.visit(each, name, module)

    def note(self, kind: type[Point], holder: Any, key: Any, name: str) -> None:
        """See to it that a trace does not change a place."""
        self.passive.setdefault(
            (id(holder), key if isinstance(key, str) else 0), kind(holder, key, name)
        )

    def finish(self) -> None:
        """Look at objects until nothing new turns up."""
        done = -1
        while done != (done := sum(map(len, (self.names, self.stored, self.objects, self.points)))):
            for each, name, module in list(self.objects):
                self._object(each, name, module)

    def visit(self, value: Any, name: str, module: bool = False) -> None:
        """Follow one value."""
        if isinstance(value, (*PLAIN, Tensor)) or id(value) in self.seen:
            return
        self.seen.add(id(value))
        self.kept.append(value)
        if isinstance(value, FunctionType):
            self._function(value)
        elif isinstance(value, MethodType):
            self.visit(value.__func__, name, module)
            self.visit(value.__self__, name, module)
        elif isinstance(value, functools.partial):
            for each in (value.func, *value.args, *value.keywords.values()):
                self.visit(each, name, module)
        elif isinstance(value, tuple):
            for each in value:
                self.visit(each, name, module)
        elif isinstance(value, (staticmethod, classmethod)):
            self.visit(value.__func__, name, module)
        elif isinstance(value, property):
            self.visit(value.fget, name, module)
        elif not self._container(value, name, module):
            self.objects.append((value, name, module))

    def _container(self, value: Any, name: str, module: bool) -> bool:
        """Watch what is in a container that can change; whether it is one."""
        if isinstance(value, (list, set, deque)):
            self.point(Elements, value, "elements", name, module)
        elif isinstance(value, dict):
            self.point(Entries, value, "entries", name, module)
        elif isinstance(value, np.ndarray) and not value.dtype.hasobject:
            self.point(Numbers, value, "numbers", name, module)
        elif isinstance(value, random.Random):
            self.note(Draws, value, (value.getstate, value.setstate), name)
        elif isinstance(value, np.random.Generator):
            bits = value.bit_generator
            ways = (lambda: bits.state, lambda state: setattr(bits, "state", state))
            self.note(Draws, value, ways, name)
        else:
            return False
        return True

    # -- functions ----------------------------------------------------------------------------

    def _function(self, function: FunctionType) -> None:
        code, around = function.__code__, function.__globals__
        wrapped = getattr(function, "__wrapped__", None)
        if wrapped is not None:
            self.visit(wrapped, function.__name__)
        if is_library(around.get("__name__"), code.co_filename):
            for cell in function.__closure__ or ():
                content = _content(cell)
                if callable(content):
                    self.visit(content, function.__name__)
            return
        names, attributes, stored = _names_of(code)
        self.names |= attributes
        self.stored |= stored
        self.point(Attribute, function, "__code__", f"the code of {function.__name__}", False)
        for key in ("__defaults__", "__kwdefaults__"):
            if getattr(function, key) is not None:
                self.point(Attribute, function, key, f"defaults of {function.__name__}", False)
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            self.point(Cell, cell, "content", name, False)
        for name in sorted(names):
            if name in around:
                self.point(Item, around, name, f"global {name}", False)

    # -- objects ------------------------------------------------------------------------------

    def _object(self, value: Any, name: str, module: bool) -> None:
        if isinstance(value, ModuleType):
            if not is_library(value.__name__, getattr(value, "__file__", None) or ""):
                for key in sorted(self.names & vars(value).keys()):
                    self.point(Item, vars(value), key, f"{value.__name__}.{key}", False)
        elif isinstance(value, type):
            if not _is_library_class(value):
                self._class(value, name)
        elif isinstance(getattr(value, "__dict__", None), dict):
            self._instance(value, name, module)
        elif not _is_library_class(type(value)):
            for key in sorted((self.names | self.stored) & set(_slots_of(type(value)))):
                self.point(Attribute, value, key, f"{name}.{key}", module)

    def _class(self, kind: type, name: str, but: Iterable[str] = ()) -> list[str]:
        """Watch what is read of a class, ``but`` for some names; which ones are."""
        watched = []
        for key in sorted(self.names.difference(but)):
            for home in kind.__mro__:
                if key in vars(home):
                    found = vars(home)[key]
                    if _is_library_class(home):
                        break
                    if isinstance(found, PLAIN):
                        self.point(Attribute, home, key, f"{home.__name__}.{key}", False)
                        watched.append(key)
                    self.visit(found, f"{name}.{key}")  # methods are followed, but not watched
                    break
        return watched

    def _instance(self, value: Any, name: str, module: bool) -> None:
        own = value.__dict__
        library = _is_library_class(type(value))
        keys = (self.names | self.stored) & own.keys()
        if all(isinstance(own.get(each), dict) for each in TABLES):
            self._module(value, name)
            keys = ({"training", "_hooks"} | (own.keys() if library else keys)) - {*TABLES}
            module = True
        elif type(value).__module__.partition(".")[0] == "adjoint":
            self._of_adjoint(value, name)
            return
        for key in sorted(keys & own.keys()):
            self.point(Item, own, key, f"{name}.{key}", module)
        missing = set(self.stored)
        if not library:
            missing.update(self._class(type(value), type(value).__name__, own))
            if not module and hasattr(type(value), "__getattr__"):  # what it gives may be set later
                missing |= {each for each in self.names if not hasattr(type(value), each)}
        for key in sorted(missing - own.keys()):
            self.point(Item, own, key, f"{name}.{key}", module)  # it may be set later

    def _of_adjoint(self, value: Any, name: str) -> None:
        """Note what no trace may change of an optimizer and of a schedule."""
        own = value.__dict__
        for number, group in enumerate(own.get("param_groups", ())):
            self.note(Entries, group, "entries", f"{name}.param_groups[{number}]")
        for key in ("_optimizer_step_pre_hooks", "_optimizer_step_post_hooks"):
            if key in own:
                self.point(Entries, own[key], "entries", f"{name}'s hooks", True)
        if type(value).__module__.startswith("adjoint.optim.lr_scheduler"):
            for key, item in own.items():
                if isinstance(item, PLAIN):
                    self.note(Item, own, key, f"{name}.{key}")
            self.visit(own.get("optimizer"), f"{name}.optimizer")

    def _module(self, value: Any, name: str) -> None:
        """Watch the tables of a module and its hooks, and visit the modules below it."""
        own = value.__dict__
        for key, child in own["_modules"].items():
            self.visit(child, f"{name}.{key}", True)
        for table in TABLES:
            self.point(Entries, own[table], "entries", f"{name}.{table}", True)
        self._hooks(own.get("_hooks"), f"{name}'s hooks")

    def _hooks(self, hooks: Any, name: str) -> None:
        for key in () if hooks is None else HOOKS:
            self.point(Entries, getattr(hooks, key), "entries", name, True)

    def hooks_of_all(self) -> None:
        """Watch the hooks of all modules, and those of all optimizers."""
        everywhere = getattr(sys.modules.get("adjoint.nn.hooks"), "__dict__", None)
        if everywhere is not None:
            self.point(Item, everywhere, "everywhere", "hooks of all modules", True)
            self._hooks(everywhere["everywhere"], "hooks of all modules")
        steps = sys.modules.get("adjoint.optim.hooks")
        for key in () if steps is None else ("_before_any_step", "_after_any_step"):
            self.point(Entries, getattr(steps, key), "entries", "hooks of all optimizers", True)


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _slots_of(kind: type) -> Iterator[str]:
    for home in kind.__mro__:
        slots = vars(home).get("__slots__", ())
        yield from (slots,) if isinstance(slots, str) else slots
