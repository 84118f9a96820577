"""From rows to nodes. ``lower`` does it for a program; each family of rows has a file of rules."""

from adjoint.compiler.lowering import elementwise, indexing, losses, movement, products, reductions
from adjoint.compiler.lowering.base import Lowering

__all__ = [
    "Lowering",
    "elementwise",
    "indexing",
    "losses",
    "lower",
    "movement",
    "products",
    "reductions",
]


def lower(program: object) -> Lowering:
    """The nodes of a program, in order."""
    return Lowering(program)  # type: ignore[arg-type]
