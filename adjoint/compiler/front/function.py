"""``compile``: functions and modules that run as machine code."""

from __future__ import annotations

import copy
import functools
import importlib.util
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from adjoint.compiler.front.control import MARK
from adjoint.lazy import LazyModule

if TYPE_CHECKING:
    from adjoint.compiler.front import compiled as making
else:
    making = LazyModule("adjoint.compiler.front.compiled")  # it imports llvmlite

CHECKED = 3  # calls of each program that ``check=True`` compares


def compile(
    fn: Callable[..., Any] | None = None,
    *,
    check: bool | int = False,
    fallback: bool = False,
    name: str | None = None,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: Any = None,
    mode: str | None = None,
    options: Any = None,
    disable: bool = False,
) -> Any:
    """``fn``, a function of tensors or a Module, running as machine code from its second call on.

    The first call with arguments of a new kind (shapes, types, other values) runs ``fn`` once on
    symbols; all that it does to tensors, ``backward()`` and optimizers included, becomes a program.
    Without ``fn`` this is a decorator. ``check=True`` also runs ``fn`` itself at the first three
    calls of each program (or as many as the number says) and raises ``CompileCheckError`` where
    they differ. ``fallback=True`` runs as it is what cannot be compiled, with a warning, instead of
    raising ``UntraceableError``. ``disable=True`` gives ``fn`` back. ``fullgraph``, ``dynamic``,
    ``backend``, ``mode`` and ``options`` are PyTorch's, and change nothing.

    Raises ``ImportError`` where llvmlite is not installed, ``TypeError`` for what cannot be called.

    >>> @torch.compile
    ... def smooth(x):
    ...     return torch.where(x > 1, x, torch.exp(x - 1)).sum()
    >>> x = torch.tensor([0.0, 1.0, 2.0], requires_grad=True)
    >>> smooth(x).backward()
    >>> x.grad
    tensor([0.3679, 1.0000, 1.0000])
    """
    if fn is None:
        return functools.partial(
            compile, check=check, fallback=fallback, name=name, disable=disable
        )
    if not callable(fn):
        raise TypeError(f"compile: a function or a Module is to be given, not {type(fn).__name__}")
    if disable or getattr(fn, MARK, False):
        return fn
    if importlib.util.find_spec("llvmlite") is None:
        raise ImportError(
            "compile: llvmlite, which makes machine code, is not installed; install it with "
            "'pip install llvmlite', or leave compile out: everything else works without",
            name="llvmlite",
        )
    if isinstance(fn, making.CompiledFunction):
        fn = fn.function
    calls = CHECKED if check is True else int(check)
    compiled = making.CompiledFunction(fn, calls, fallback, name)
    module = getattr(sys.modules.get("adjoint.nn.module"), "Module", None)
    if module is not None and isinstance(fn, module):
        return _module(fn, compiled)
    return compiled


class CompiledModule:
    """What is its own in a compiled module; all else is that of the module's class.

    It shares the module's attributes, those that are set later too: the one has what the other has.
    """

    _orig_mod: Any
    compiled: Any

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.compiled(*args, **kwargs)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return _again(copy.deepcopy(self._orig_mod, memo), *self._how)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return _again, (self._orig_mod, *self._how)

    def explain(self) -> Any:
        """A report on the program used last, to print."""
        return self.compiled.explain()

    @property
    def _how(self) -> tuple[int, bool, str]:
        return self.compiled.check, self.compiled.fallback, self.compiled.name


def _module(module: Any, compiled: Any) -> Any:
    """An object of a subclass of the module's class that shares all attributes with it."""
    if isinstance(module, CompiledModule):
        module = compiled.function = module._orig_mod
    kind = type(module)
    own = {
        "_orig_mod": property(lambda _: module),
        "compiled": property(lambda _: compiled),
        "__slots__": (),
        "__doc__": kind.__doc__,
    }
    subclass: Any = type(f"Compiled{kind.__name__}", (CompiledModule, kind), own)
    subclass.__module__ = kind.__module__
    shown = object.__new__(subclass)
    object.__setattr__(shown, "__dict__", module.__dict__)
    return shown


def compile_in_place(module: Any, **options: Any) -> None:
    """Let calls of ``module`` itself run as those of ``compile(module, **options)`` would."""
    twin = object.__new__(type(module))  # what runs and is traced: of the class as it was
    object.__setattr__(twin, "__dict__", module.__dict__)
    shown = compile(twin, **options)
    if shown is not twin:
        object.__setattr__(module, "__class__", type(shown))


def _again(module: Any, check: int, fallback: bool, name: str) -> Any:
    """A copy, or what was pickled, compiled as the first was."""
    return compile(module, check=check, fallback=fallback, name=name)


__all__ = ["CompiledModule", "compile", "compile_in_place"]
