"""Compiled code on disk, so that a second process need not compile again.

A file is named after what it was made from: the program, the machine, the effort, and the versions
of all that took part. It holds a checksum and a pickle; what is damaged or cannot be read counts as
absent, and is replaced. Files are written beside their place and moved there in one step, so that
processes never see half a file.

``ADJOINT_CACHE_DIR`` says where (the default is ``adjoint`` in the user's directory for caches),
and ``ADJOINT_CACHE_SIZE`` how many MiB at most (the default is 512; 0 for none at all): the files
not used for longest are removed first.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import pickle
import platform
import sys
import tempfile
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from adjoint.array.random_engine import default_generator
from adjoint.compiler.program import Literal, Program, Variable
from adjoint.compiler.runtime.building import build
from adjoint.compiler.runtime.code import Code
from adjoint.compiler.runtime.native import machine_name
from adjoint.ops.kinds.row import TABLE, Row
from adjoint.version import __version__

SUFFIX = ".code"
MIB = 1 << 20


def recall(program: Program, effort: int = 3) -> tuple[Code, bool]:
    """The code of a program, and whether it was found on disk; else it is made, and left there."""
    path = path_of(program, effort)
    if path is not None:
        found = read(path)
        if found is not None:
            return found, True
    code = build(program, effort)
    if path is not None:
        write(path, code)
    return code, False


def directory() -> Path | None:
    """Where code is kept, None if it is not to be."""
    if _limit() <= 0:
        return None
    told = os.environ.get("ADJOINT_CACHE_DIR")
    if told:
        return Path(told)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
    elif sys.platform == "darwin":
        base = "~/Library/Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    try:
        return Path(base).expanduser() / "adjoint" if base else None
    except RuntimeError:  # there is no home
        return None


def _limit() -> float:
    try:
        return float(os.environ.get("ADJOINT_CACHE_SIZE", "512")) * MIB
    except ValueError:
        return 512 * MIB


# -- names ----------------------------------------------------------------------------------------


def path_of(program: Program, effort: int) -> Path | None:
    """The file of a program's code; None if it has what no other process can know again."""
    folder = directory()
    if folder is None:
        return None
    try:
        described = pickled(_description(program), fast=True)
    except (pickle.PicklingError, TypeError, AttributeError, ValueError, RecursionError):
        return None
    name = hashlib.sha256(f"{versions()} {effort} ".encode() + described).hexdigest()
    return folder / (name + SUFFIX)


def _description(program: Program) -> Any:
    """A program by value: two that do the same things in the same order have the same."""
    numbers: dict[Variable, int] = {}

    def atom(each: Any) -> Any:
        if isinstance(each, Variable):
            return ("v", numbers[each])
        if isinstance(each, Literal):
            small = each.value if each.number is None else each.value[(0,) * each.value.ndim]
            return ("l", each.shape, each.kind.str, each.kind.name, small.tobytes())
        return (type(each).__name__, each)

    def made(each: Variable) -> Any:
        numbers[each] = len(numbers)
        return each.shape, each.kind.str, each.kind.name

    inputs = [made(each) for each in program.inputs]
    equations = [
        (
            each.operation,
            [atom(value) for value in each.inputs],
            each.options,
            [made(value) for value in each.outputs],
        )
        for each in program.equations
    ]
    outputs = [atom(each) for each in program.outputs]
    return inputs, equations, outputs, sorted(program.writes.items())


@cache
def versions() -> str:
    """The machine and all programs that take part in compilation."""
    named = [f"{name} {metadata.version(name)}" for name in ("llvmlite", "numpy", "scipy")]
    return " ".join([__version__, _sources(), platform.python_version(), machine_name(), *named])


def _sources() -> str:
    """A sign of the compiler's own files, which change where it is being worked on."""
    folder = Path(__file__).parent.parent
    stamps = [
        f"{each.relative_to(folder)} {each.stat().st_mtime_ns} {each.stat().st_size}"
        for each in sorted(folder.rglob("*.py"))
    ]
    return hashlib.sha256("\n".join(stamps).encode()).hexdigest()


# -- contents -------------------------------------------------------------------------------------


class _Pickler(pickle.Pickler):
    """Rows of the table and the default generator go by name."""

    def persistent_id(self, value: Any) -> Any:
        if isinstance(value, Row):
            if TABLE.get(value.name) is not value:
                raise pickle.PicklingError(f"row {value.name} is not in the table")
            return ("row", value.name)
        if value is default_generator:
            return ("generator",)
        if isinstance(value, type(default_generator)):
            raise pickle.PicklingError("a generator of the user's")
        return None


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, name: Any) -> Any:
        return TABLE[name[1]] if name[0] == "row" else default_generator


def pickled(value: Any, fast: bool = False) -> bytes:
    """A pickle; with ``fast``, equal values have equal ones, whoever holds which object twice."""
    stream = io.BytesIO()
    pickler = _Pickler(stream, protocol=5)
    pickler.fast = fast
    pickler.dump(value)
    return stream.getvalue()


def read(path: Path) -> Code | None:
    """The code in a file; None if there is none, or it is damaged."""
    try:
        data = path.read_bytes()
        if hashlib.sha256(data[32:]).digest() != data[:32]:
            return None
        found = _Unpickler(io.BytesIO(data[32:])).load()
        with contextlib.suppress(OSError):
            os.utime(path)
    except Exception:  # noqa: BLE001 - whatever is wrong with it, the code is made anew
        return None
    return found if isinstance(found, Code) else None


def write(path: Path, code: Code) -> None:
    """Keep code in a file, if that can be done; it is no error if not."""
    try:
        data = pickled(code)
    except (pickle.PicklingError, TypeError, AttributeError, ValueError, RecursionError):
        return
    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(hashlib.sha256(data).digest() + data)
        Path(file.name).replace(path)
        _remove_oldest(path.parent.glob("*" + SUFFIX))


def _remove_oldest(paths: Iterable[Path]) -> None:
    """Remove files until those that remain fit the limit."""
    known = []
    for path in paths:
        with contextlib.suppress(OSError):  # another process has removed it
            known.append((path.stat(), path))
    total, limit = sum(each.st_size for each, _ in known), _limit()
    for state, path in sorted(known, key=lambda each: each[0].st_mtime):
        if total <= limit:
            return
        with contextlib.suppress(OSError):
            path.unlink()
        total -= state.st_size
