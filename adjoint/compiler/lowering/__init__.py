"""From rows to nodes. ``lower`` does it for a program; each family of rows has a file of rules."""

from adjoint.compiler.lowering import (
    elementwise,
    extremes,
    indexing,
    losses,
    losses_elementwise,
    movement,
    norms,
    products,
    reductions,
    softmax,
    statistics,
)
from adjoint.compiler.lowering.base import Lowering

__all__ = [
    "Lowering",
    "elementwise",
    "extremes",
    "indexing",
    "losses",
    "losses_elementwise",
    "lower",
    "movement",
    "norms",
    "products",
    "reductions",
    "softmax",
    "statistics",
]


def lower(program: object) -> Lowering:
    """The nodes of a program, in order."""
    return Lowering(program)  # type: ignore[arg-type]
