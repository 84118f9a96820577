"""Element types, the default dtype, and PyTorch's rules for what a mixture of types becomes.

The rules are those of PyTorch's "Tensor Attributes" page: types promote within a category
(bool, integer, floating, complex), and an operand with dimensions outranks a zero-dimensional
one, which outranks a Python number, unless the lower one's category is higher.
"""

from __future__ import annotations

from typing import Any

import numpy as np

BOOL, INTEGER, FLOATING, COMPLEX = range(4)


class dtype:  # noqa: N801 - PyTorch's name
    """An element type, such as ``adjoint.float32``. Printed as PyTorch prints it."""

    __slots__ = ("_numpy", "category", "itemsize", "name", "rank")

    name: str
    category: int
    itemsize: int
    rank: int

    def __init__(self, name: str, category: int, itemsize: int, rank: int) -> None:
        self.name = name
        self.category = category
        self.itemsize = itemsize
        self.rank = rank
        self._numpy: np.dtype[Any] | None = None

    @property
    def numpy(self) -> np.dtype[Any]:
        """The NumPy type of the same layout; ``bfloat16`` loads ``ml_dtypes`` at first use."""
        if self._numpy is None:
            self._numpy = _load_bfloat16() if self.name == "bfloat16" else np.dtype(self.name)
        return self._numpy

    @property
    def is_floating_point(self) -> bool:
        return self.category == FLOATING

    @property
    def is_complex(self) -> bool:
        return self.category == COMPLEX

    @property
    def is_signed(self) -> bool:
        return self.name not in ("uint8", "bool")

    def to_real(self) -> dtype:
        """The type of the real part: ``complex64`` gives ``float32``."""
        return _TO_REAL.get(self, self)

    def to_complex(self) -> dtype:
        """The complex type of matching precision: ``float64`` gives ``complex128``."""
        return self if self.is_complex else complex128 if self is float64 else complex64

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name


bool_ = dtype("bool", BOOL, 1, 0)
uint8 = dtype("uint8", INTEGER, 1, 1)
int8 = dtype("int8", INTEGER, 1, 1)
int16 = dtype("int16", INTEGER, 2, 2)
int32 = dtype("int32", INTEGER, 4, 3)
int64 = dtype("int64", INTEGER, 8, 4)
float16 = dtype("float16", FLOATING, 2, 1)
bfloat16 = dtype("bfloat16", FLOATING, 2, 1)
float32 = dtype("float32", FLOATING, 4, 2)
float64 = dtype("float64", FLOATING, 8, 3)
complex64 = dtype("complex64", COMPLEX, 8, 2)
complex128 = dtype("complex128", COMPLEX, 16, 3)

half, float_, double = float16, float32, float64
short, int_, long = int16, int32, int64
cfloat, cdouble = complex64, complex128

ALL = (
    bool_, uint8, int8, int16, int32, int64,
    float16, bfloat16, float32, float64, complex64, complex128,
)  # fmt: skip
_TO_REAL = {complex64: float32, complex128: float64}
FROM_NUMPY: dict[np.dtype[Any], dtype] = {each.numpy: each for each in ALL if each is not bfloat16}


def _load_bfloat16() -> np.dtype[Any]:
    import ml_dtypes  # 5 ms, a tenth of NumPy's own import: paid only by those who use the type

    numpy_type: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
    FROM_NUMPY[numpy_type] = bfloat16
    return numpy_type


def __getattr__(name: str) -> dtype:
    """``dtypes.bool`` for unpickling; spelled ``bool_`` inside so as not to hide Python's own."""
    if name == "bool":
        return bool_
    raise AttributeError(name)


def from_numpy(numpy_type: np.dtype[Any]) -> dtype:
    """The element type of a NumPy array; raises ``TypeError`` for one that has none here."""
    found = FROM_NUMPY.get(numpy_type)
    if found is None:
        if numpy_type.name == "bfloat16":
            _load_bfloat16()
            return bfloat16
        native = numpy_type.newbyteorder("=") if numpy_type.kind in "biufc" else numpy_type
        found = FROM_NUMPY.get(native)
        if found is None:
            raise TypeError(
                f"can't convert np.ndarray of type {numpy_type}. The supported types are: "
                + ", ".join(each.name for each in ALL)
            )
    return found


def is_low_precision(numpy_type: np.dtype[Any]) -> bool:
    """Whether arithmetic in this type is done in float32 and rounded once (float16, bfloat16)."""
    return numpy_type.itemsize == 2 and numpy_type.kind not in "iu"


_default = float32


def get_default_dtype() -> dtype:
    """The floating type that new tensors take from Python numbers; ``float32`` to begin with."""
    return _default


def set_default_dtype(d: dtype) -> None:
    """Set the default floating type; raises ``TypeError`` unless ``d`` is a floating type."""
    global _default
    if not isinstance(d, dtype) or d.category != FLOATING:
        raise TypeError(
            f"only floating-point types are supported as the default type, but got {d!r}"
        )
    _default = d


def promote_types(first: dtype, second: dtype) -> dtype:
    """The smallest type that both convert to, by category and then by size.

    Raises ``TypeError`` for what are no element types.

    >>> promote_types(int64, float16)
    torch.float16
    """
    if first is second:
        return first
    for each in (first, second):
        if not isinstance(each, dtype):
            raise TypeError(f"promote_types() takes element types, not {type(each).__name__}")
    if first.category != second.category:
        low, high = sorted((first, second), key=lambda each: each.category)
        if high.category == COMPLEX and low is float64:
            return complex128
        return high
    if first.rank == second.rank:  # uint8 with int8, float16 with bfloat16: next size up
        return int16 if first.category == INTEGER else float32
    return first if first.rank > second.rank else second


PYTHON_TYPES: dict[Any, dtype] = {bool: bool_, int: int64, float: float64, complex: complex128}


def as_dtype(given: Any, caller: str) -> dtype:
    """``given`` if it is an element type; Python's ``float`` means ``float64``, and so on.

    Raises ``TypeError`` for anything else.
    """
    if isinstance(given, dtype):
        return given
    found = PYTHON_TYPES.get(given) if isinstance(given, type) else None
    if found is None:
        raise TypeError(
            f"{caller}: dtype is an element type such as float32, but got {given!r}, "
            f"a {type(given).__name__}"
        )
    return found


def of_number(value: bool | int | float | complex) -> dtype:
    """The type a Python number has when it meets tensors of a lower category."""
    if isinstance(value, bool):
        return bool_
    if isinstance(value, int):
        return int64
    if isinstance(value, float):
        return _default
    return _default.to_complex()


def _combine(higher: dtype | None, lower: dtype | None) -> dtype | None:
    """Let ``higher`` decide unless the category of ``lower`` is above its own."""
    if higher is None or lower is None:
        return higher or lower
    if higher.category == COMPLEX:
        return higher
    if higher.category == FLOATING:
        return higher.to_complex() if lower.category == COMPLEX else higher
    if higher.category == BOOL or lower.category >= FLOATING:
        return promote_types(higher, lower)
    return higher


def result_type(operands: tuple[Any, ...]) -> dtype:
    """What operands of mixed types become together: arrays, then 0-d arrays, then numbers."""
    ranked: list[dtype | None] = [None, None, None]
    for operand in operands:
        if operand is None:
            continue
        if isinstance(operand, (bool, int, float, complex)) and not isinstance(operand, np.generic):
            place, found = 2, of_number(operand)
        else:
            try:
                found = operand.dtype
            except AttributeError:
                raise TypeError(
                    f"tensors and numbers have an element type, a {type(operand).__name__} has none"
                ) from None
            if not isinstance(found, dtype):
                found = from_numpy(found)
            place = 0 if len(operand.shape) else 1
        present = ranked[place]
        ranked[place] = found if present is None else promote_types(present, found)
    combined = _combine(ranked[0], _combine(ranked[1], ranked[2]))
    assert combined is not None, "result_type needs at least one operand"
    return combined


def of(value: Any) -> dtype:
    """The element type of an array, a scalar of NumPy, or a Tensor; ``TypeError`` for the rest."""
    try:
        found = value.dtype
    except AttributeError:
        raise TypeError(f"expected a Tensor, but got {type(value).__name__}") from None
    return found if isinstance(found, dtype) else from_numpy(found)
