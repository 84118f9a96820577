"""THE TABLE: a file a family, a row an operation."""

from adjoint.ops import (
    arithmetic,
    casting,
    contraction,
    convolution,
    convolution_transposed,
    creation,
    einsum,
    indexing,
    inplace,
    joining,
    linear,
    movement,
    operators,
    products,
    reduction,
    slicing,
)

__all__ = [
    "arithmetic",
    "casting",
    "contraction",
    "convolution",
    "convolution_transposed",
    "creation",
    "einsum",
    "indexing",
    "inplace",
    "joining",
    "linear",
    "movement",
    "operators",
    "products",
    "reduction",
    "slicing",
]
