"""Modules that are loaded at their first use: those that many programs never need.

Only where loading at once would be felt: what ``import adjoint`` costs is measured, and each module
takes 0.1 milliseconds of it. A module that is used lazily says so at its head::

    if TYPE_CHECKING:
        from adjoint import printing
    else:
        printing = LazyModule("adjoint.printing")
"""

from __future__ import annotations

import importlib
from typing import Any


class LazyModule:
    """Stands for a module, and loads it when one of its attributes is first asked for.

    >>> LazyModule("math").sqrt(4.0)
    2.0
    """

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __getattr__(self, name: str) -> Any:
        value = getattr(importlib.import_module(self.__name__), name)
        self.__dict__[name] = value  # the next time this method is not asked
        return value

    def __repr__(self) -> str:
        return f"<lazy module {self.__name__!r}>"
