"""From rows to nodes. ``lower`` does it for a program; each family of rows has a file of rules."""

from adjoint.compiler.lowering import (
    convolution,
    creation,
    elementwise,
    extremes,
    indexing,
    joining,
    losses,
    losses_elementwise,
    losses_margin,
    masks,
    movement,
    normalisation,
    norms,
    pooling,
    products,
    reductions,
    regions,
    scans,
    scatter,
    searching,
    softmax,
    statistics,
    sums,
)
from adjoint.compiler.lowering.base import Lowering

__all__ = [
    "Lowering",
    "convolution",
    "creation",
    "elementwise",
    "extremes",
    "indexing",
    "joining",
    "losses",
    "losses_elementwise",
    "losses_margin",
    "lower",
    "masks",
    "movement",
    "normalisation",
    "norms",
    "pooling",
    "products",
    "reductions",
    "regions",
    "scans",
    "scatter",
    "searching",
    "softmax",
    "statistics",
    "sums",
]


def lower(program: object) -> Lowering:
    """The nodes of a program, in order."""
    return Lowering(program)  # type: ignore[arg-type]
