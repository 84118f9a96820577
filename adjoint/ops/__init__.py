"""THE TABLE: a file a family, a row an operation."""

from adjoint.ops import (
    arithmetic,
    casting,
    contraction,
    creation,
    indexing,
    inplace,
    joining,
    movement,
    operators,
    reduction,
    slicing,
)

__all__ = [
    "arithmetic",
    "casting",
    "contraction",
    "creation",
    "indexing",
    "inplace",
    "joining",
    "movement",
    "operators",
    "reduction",
    "slicing",
]
