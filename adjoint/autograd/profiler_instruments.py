"""Timing put into the public operations while a profile runs, and taken out again.

An operation is one function that stands under many names: in namespaces, on the Tensor class, in
modules that imported it. So it is not exchanged but its code is, for a shim that calls the wrapper;
whoever holds the function then calls that. With no profile running nothing of it is left, so that
operations cost what they cost.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from functools import cache
from types import CodeType, FunctionType
from typing import Any

from adjoint.ops.kinds.public import PUBLIC, as_found
from adjoint.ops.kinds.row import TABLE
from adjoint.tape.tensor import Tensor

Call = Callable[..., Any]
Around = Callable[[Call, str, tuple[Any, ...], dict[str, Any]], Any]

_PLACE = "where the wrapper goes"
# What asks something of a tensor and computes nothing.
_QUESTIONS = frozenset(
    (
        "dim", "element_size", "get_device", "nelement", "numel", "result_type", "can_cast", "size",
        "promote_types", "broadcast_shapes", "storage_offset", "stride", "names", "data_ptr",
    )
)  # fmt: skip
# What operators are called, where that is not their own name between the underscores.
_NAMES = {
    "and": "bitwise_and", "floordiv": "floor_divide", "getitem": "index", "invert": "bitwise_not",
    "lshift": "bitwise_left_shift", "mod": "remainder", "or": "bitwise_or", "radd": "add",
    "rand": "bitwise_and", "rdiv": "div", "rfloordiv": "floor_divide", "rmatmul": "matmul",
    "rmod": "remainder", "rmul": "mul", "ror": "bitwise_or", "rpow": "pow",
    "rshift": "bitwise_right_shift", "rtruediv": "div", "rxor": "bitwise_xor",
    "setitem": "index_put_", "truediv": "div", "xor": "bitwise_xor",
}  # fmt: skip
_FACE = frozenset(("detach", "detach_", "item", "resize_", "resize_as_", "set_"))


@cache
def _template(cells: int) -> CodeType:
    """Code that calls a constant, of a function that has as many cells.

    Compiled with them, and not only given their names: a debugger that looks at the locals of its
    frame finds the cells there.
    """
    names = [f"cell_{number}" for number in range(cells)]
    lines = [
        "def make():",
        *[f"    {name} = None" for name in names],
        "    def shim(*args, **kwargs):",
        *([f"        if False: {', '.join(names)}"] if names else []),
        f"        wrapper = {_PLACE!r}",
        "        return wrapper(*args, **kwargs)",
        "    return shim",
    ]
    made: dict[str, Any] = {}
    exec("\n".join(lines), made)
    code: CodeType = made["make"]().__code__
    return code


def operations() -> dict[FunctionType, str]:
    """Every public operation's function, with the name that its events get."""
    importlib.import_module("adjoint.ops.networks")  # a family that is loaded late
    found: dict[FunctionType, str] = {}
    for each in PUBLIC:
        # What users find may be a copy, which has its code from when it is made: so it is made now.
        for function in (each.function, as_found(each)):
            if isinstance(function, FunctionType):
                found.setdefault(function, _name(each.function.__name__, each.name))
    for name, value in [pair for part in Tensor.__mro__[:-1] for pair in vars(part).items()]:
        if isinstance(value, FunctionType) and (
            value.__module__.startswith("adjoint.ops") or name in _FACE
        ):
            found.setdefault(value, _name(value.__name__, name))
    # Rows read the code of their formulas: what is one keeps it.
    for row in TABLE.values():
        for formula in (*row.formulas.values(), row.vjp, row.jvp, row.compute):
            found.pop(formula, None)  # type: ignore[call-overload]
    return {
        function: "aten::" + name
        for function, name in found.items()
        if not name.startswith(("is_", "_")) and name not in _QUESTIONS
    }


def _name(own: str, public: str) -> str:
    """What an operation is called: its function's name, or what an operator does."""
    if own.endswith("_") and not own.endswith("__"):
        return own
    name = next((each for each in (public, own) if each.startswith("__")), own)
    bare = name.strip("_").removesuffix("_number")
    return _NAMES.get(bare, bare) if name.startswith("__") else name


class Instruments:
    """The shims in place, for as long as anybody wants them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._codes: dict[FunctionType, CodeType] = {}

    def put_in(self, around: Around) -> None:
        """From now on calls go through ``around(function, name, args, kwargs)``."""
        with self._lock:
            self._users += 1
            if self._users > 1:
                return
            for function, name in operations().items():
                self._codes[function] = function.__code__
                function.__code__ = _shimmed(function, name, around)

    def take_out(self) -> None:
        """One user less; after the last one everything is as it was."""
        with self._lock:
            self._users -= 1
            if self._users:
                return
            for function, code in self._codes.items():
                function.__code__ = code
            self._codes.clear()


def _shimmed(function: FunctionType, name: str, around: Around) -> CodeType:
    """Code for ``function`` that calls ``around`` with a twin that has the code of now."""
    code = function.__code__
    twin = FunctionType(
        code, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    twin.__kwdefaults__ = function.__kwdefaults__

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return around(twin, name, args, kwargs)

    shim = _template(len(code.co_freevars))  # a code has as many as its function has cells
    return shim.replace(
        co_consts=tuple(wrapper if each == _PLACE else each for each in shim.co_consts),
        co_freevars=code.co_freevars,
        co_name=code.co_name,
        co_qualname=code.co_qualname,
        co_filename=code.co_filename,
    )


instruments = Instruments()
