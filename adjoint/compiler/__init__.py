"""Programs made into machine code: traced, lowered to loops, emitted by LLVM.

``adjoint.compile`` is what makes them; ``adjoint.compiler.explain`` says what has become of one.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "CompileCheckError": "adjoint.errors",
    "UntraceableError": "adjoint.errors",
    "compile": "adjoint.compiler.front.function",
    "disable": "adjoint.compiler.front.control",
    "explain": "adjoint.compiler.front.explaining",
    "is_compiling": "adjoint.compiler.front.control",
    "reset": "adjoint.compiler.front.control",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        found = getattr(importlib.import_module(_HOMES[name]), name)
        globals()[name] = found
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
