"""THE TABLE: a file a family, a row an operation."""

from adjoint.ops import (
    arithmetic,
    casting,
    contraction,
    creation,
    inplace,
    movement,
    operators,
    reduction,
)

__all__ = [
    "arithmetic",
    "casting",
    "contraction",
    "creation",
    "inplace",
    "movement",
    "operators",
    "reduction",
]
