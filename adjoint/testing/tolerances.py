"""How close values of each type have to be where nobody says."""

from __future__ import annotations

from adjoint import dtypes

# type: relative, absolute. Integers and truth values have to be equal.
TOLERANCES = {
    dtypes.float16: (1e-3, 1e-5),
    dtypes.bfloat16: (1.6e-2, 1e-5),
    dtypes.float32: (1.3e-6, 1e-5),
    dtypes.float64: (1e-7, 1e-7),
    dtypes.complex64: (1.3e-6, 1e-5),
    dtypes.complex128: (1e-7, 1e-7),
}


def default_tolerances(
    *kinds: dtypes.dtype, table: dict[dtypes.dtype, tuple[float, float]] | None = None
) -> tuple[float, float]:
    """The loosest relative and the loosest absolute tolerance of these types.

    >>> default_tolerances(dtypes.float32, dtypes.int64)
    (1.3e-06, 1e-05)
    """
    found = [(table or TOLERANCES).get(kind, (0.0, 0.0)) for kind in kinds]
    return max(relative for relative, _ in found), max(absolute for _, absolute in found)
