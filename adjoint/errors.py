"""Exceptions that are Adjoint's own, and small helpers that word the others.

Most errors are the built-in types that PyTorch raises (``RuntimeError``, ``IndexError``,
``TypeError``, ``ValueError``), so that code which catches them keeps working.
"""

from collections.abc import Iterable


class AdjointError(RuntimeError):
    """Base of the errors that only Adjoint raises; a ``RuntimeError``, as PyTorch's are."""


class GraphError(AdjointError):
    """Something is wrong with the recorded graph: freed, spoiled, cut or not recorded at all."""


class LinAlgError(RuntimeError):
    """A matrix has no inverse, or is not positive definite; ``linalg.LinAlgError``."""


class TransformError(AdjointError):
    """A value met ``vmap``, ``jvp`` or tracing in a way that has no meaning there."""


class UntraceableError(TransformError):
    """What ``compile`` cannot make a program of: a branch on a value, ``.item()``, a NumPy call."""

    where: str | None = None  # file and line of the user's code


class CompileCheckError(AdjointError):
    """``compile(..., check=True)`` has found that a program and the function itself differ."""


def describe_shape(shape: Iterable[int]) -> str:
    """Spell a shape as PyTorch's users read it: ``[2, 3]``."""
    return "[" + ", ".join(str(size) for size in shape) + "]"
