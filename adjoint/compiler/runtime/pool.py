"""Worker threads of compiled programs: native, started when a region first wants them.

They sleep when there is nothing to do, end before the interpreter does, and a forked child starts
its own. ``codegen/pool.py`` says how they share work.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import threading
from typing import Any

import llvmlite.binding as llvm

from adjoint.array import threads
from adjoint.compiler.codegen import pool as code
from adjoint.compiler.runtime import storage
from adjoint.compiler.runtime.native import load, object_code

REGION = "region"  # the name, in a module's table, of the function that computes a region


class _Pool:
    """The loaded module."""

    def __init__(self) -> None:
        self.engine = load(_machine_code())
        # Workers run this code until they are joined, which may be after all modules are gone.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self.engine))
        self.region: int = self.engine.get_function_address("region")
        self.reset = self._function("reset")
        self.stop = self._function("stop")
        self.set_threads = self._function("set_threads", ctypes.c_int64)
        self.reset()
        self.set_threads(threads.count())

    def _function(self, name: str, *types: Any) -> Any:
        return ctypes.CFUNCTYPE(None, *types)(self.engine.get_function_address(name))


def _machine_code() -> bytes:
    """The module as an object file, made once on this machine."""
    text = code.text(triple=llvm.get_default_triple())
    path = storage.path_for(text.encode())
    made = None if path is None else storage.read(path)
    if made is None:
        made = object_code(text, effort=1)
        if path is not None:
            storage.write(path, made)
    return made


_pool: _Pool | None = None
_making = threading.Lock()


def region_address() -> int:
    """Where ``region(task, arguments, chunks)`` is; ``task(arguments, chunk)`` is a chunk."""
    global _pool
    with _making:
        if _pool is None:
            _pool = pool = _Pool()
            threads.listen(pool.set_threads)
            atexit.register(pool.stop)
            if hasattr(os, "register_at_fork"):
                os.register_at_fork(after_in_child=pool.reset)
    return _pool.region
