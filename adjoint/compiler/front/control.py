"""What programs ask of the compiler besides compiling: whether it runs, to leave out, to forget."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

from adjoint.array.symbol import running
from adjoint.compiler.front.equations import untraceable

MARK = "_runs_as_it_is"


def is_compiling() -> bool:
    """Whether the function that asks is being traced, to be compiled.

    >>> torch.compiler.is_compiling()
    False
    """
    return running.capture is not None


def disable(
    fn: Callable[..., Any] | None = None, recursive: bool = True, reason: Any = None
) -> Any:
    """``fn`` as a function that is never compiled; without ``fn``, a decorator.

    ``compile`` gives it back as it is. A compiled function that calls it raises
    ``UntraceableError``, with the ``reason``, or runs as it is with ``fallback=True``.
    ``recursive`` is PyTorch's, and changes nothing.

    >>> double = torch.compiler.disable(lambda x: x.item() * 2)
    >>> torch.compile(double)(torch.tensor(3.0))
    6.0
    """
    if fn is None:
        return functools.partial(disable, recursive=recursive, reason=reason)

    @functools.wraps(fn)
    def run(*args: Any, **kwargs: Any) -> Any:
        if is_compiling():
            name = getattr(fn, "__qualname__", type(fn).__name__)
            because = "" if reason is None else f" ({reason})"
            raise untraceable(f"{name} is not to be compiled{because}")
        return fn(*args, **kwargs)

    setattr(run, MARK, True)
    return run


def reset() -> None:
    """Let all compiled functions forget their programs; what is kept on disk stays.

    >>> torch.compiler.reset()
    """
    compiled = sys.modules.get("adjoint.compiler.front.compiled")
    if compiled is not None:
        for each in list(compiled.ALL):
            each.clear()
