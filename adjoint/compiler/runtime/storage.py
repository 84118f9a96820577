"""Bytes kept on disk from process to process.

A file holds a checksum and contents; what is damaged or cannot be read counts as absent, and is
replaced. Files are written beside their place and moved there in one step, so that processes never
see half a file.

``ADJOINT_CACHE_DIR`` says where (the default is ``adjoint`` in the user's directory for caches),
and ``ADJOINT_CACHE_SIZE`` how many MiB at most (the default is 512; 0 for none at all): the files
not used for longest are removed first.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import sys
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import llvmlite
import numpy as np

from adjoint.compiler.runtime.native import machine_name
from adjoint.version import __version__

SUFFIX = ".code"
MIB = 1 << 20
CHECKSUM = 32  # bytes


def path_for(description: bytes) -> Path | None:
    """The file of what this describes, with this machine and these versions; None for none."""
    folder = directory()
    if folder is None:
        return None
    return folder / (hashlib.sha256(versions() + description).hexdigest() + SUFFIX)


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


@cache
def versions() -> bytes:
    """The machine and all programs that take part in compilation."""
    parts = (
        __version__, _sources(), platform.python_version(), machine_name(), llvmlite.__version__,
        np.__version__,
    )  # fmt: skip
    return " ".join(parts).encode()


def _sources() -> str:
    """A sign of the compiler's own files, which change where it is being worked on."""
    folder = Path(__file__).parent.parent
    stamps = [
        f"{each.relative_to(folder)} {each.stat().st_mtime_ns} {each.stat().st_size}"
        for each in sorted(folder.rglob("*.py"))
    ]
    return hashlib.sha256("\n".join(stamps).encode()).hexdigest()


def read(path: Path) -> bytes | None:
    """The contents of a file; None if there is none, or it is damaged."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if hashlib.sha256(data[CHECKSUM:]).digest() != data[:CHECKSUM]:
        return None
    with contextlib.suppress(OSError):
        os.utime(path)
    return data[CHECKSUM:]


def write(path: Path, data: bytes) -> None:
    """Keep contents in a file, if that can be done; it is no error if not."""
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
