"""SciPy's special functions, loaded when the first is called: SciPy takes longer than NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def scipy_special(name: str) -> Callable[..., Any]:
    """The function ``name`` of ``scipy.special``, on arrays of any shape."""
    found: Any = None

    def compute(*arrays: Any) -> Any:
        nonlocal found
        if found is None:
            import scipy.special

            found = getattr(scipy.special, name)
        return found(*arrays)

    return compute
