"""The limits of element types: ``finfo`` of floating ones, ``iinfo`` of integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes

_ATTRIBUTES = ("resolution", "min", "max", "eps", "smallest_normal", "tiny")
# bfloat16 has the exponents of float32 and 7 bits of fraction; asking ml_dtypes would load it.
_BFLOAT16 = (0.01, -(2.0 - 2.0**-7) * 2.0**127, (2.0 - 2.0**-7) * 2.0**127, 2.0**-7, 2.0**-126)


class finfo:  # noqa: N801 - PyTorch's name
    """Limits of a floating or complex type, the default one if none is given.

    ``bits``, ``eps``, ``min``, ``max``, ``smallest_normal`` (also ``tiny``) and ``resolution``;
    of a complex type, those of its parts. Raises ``TypeError`` for other types.

    >>> finfo(dtypes.float16).max
    65504.0
    """

    __slots__ = ("bits", "dtype", "eps", "max", "min", "resolution", "smallest_normal", "tiny")

    def __init__(self, type: dtypes.dtype | None = None) -> None:
        kind = dtypes.get_default_dtype() if type is None else _element_type("finfo", type)
        if kind.category < dtypes.FLOATING:
            raise TypeError(f"finfo() describes floating types, and {kind!r} is none; use iinfo()")
        kind = kind.to_real()
        self.bits = 8 * kind.itemsize
        self.dtype = kind.name
        if kind is dtypes.bfloat16:
            facts = _BFLOAT16
        else:
            found = np.finfo(kind.numpy)
            digits = {16: 3, 32: 6, 64: 15}[self.bits]
            facts = (
                10.0**-digits, float(found.min), float(found.max), float(found.eps),
                float(found.smallest_normal),
            )  # fmt: skip
        self.resolution, self.min, self.max, self.eps, self.smallest_normal = facts
        self.tiny = self.smallest_normal

    def __repr__(self) -> str:
        facts = ", ".join(f"{name}={getattr(self, name):g}" for name in _ATTRIBUTES)
        return f"finfo({facts}, dtype={self.dtype})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, finfo) and self.dtype == other.dtype

    __hash__ = None  # type: ignore[assignment]  # as in PyTorch


class iinfo:  # noqa: N801 - PyTorch's name
    """Limits of an integer type: ``bits``, ``min``, ``max``. Raises ``TypeError`` for others.

    >>> iinfo(dtypes.int8)
    iinfo(min=-128, max=127, dtype=int8)
    """

    __slots__ = ("bits", "dtype", "max", "min")

    def __init__(self, type: dtypes.dtype) -> None:
        kind = _element_type("iinfo", type)
        if kind.category != dtypes.INTEGER:
            advice = "; use finfo()" if kind.category >= dtypes.FLOATING else ""
            raise TypeError(f"iinfo() describes integer types, and {kind!r} is none{advice}")
        self.bits = 8 * kind.itemsize
        self.dtype = kind.name
        self.min = -(2 ** (self.bits - 1)) if kind.is_signed else 0
        self.max = 2 ** (self.bits - kind.is_signed) - 1

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, iinfo) and self.dtype == other.dtype

    __hash__ = None  # type: ignore[assignment]  # as in PyTorch


def _element_type(caller: str, given: Any) -> dtypes.dtype:
    if not isinstance(given, dtypes.dtype):
        raise TypeError(f"{caller}() takes a dtype such as float32, not {type(given).__name__}")
    return given
