"""The comparison of two single values: None, truth values, numbers, tensors."""

from __future__ import annotations

import cmath
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from adjoint import dtypes
from adjoint.ops.conversion import as_tensor
from adjoint.tape.tensor import Tensor
from adjoint.testing.tolerances import default_tolerances

Path = tuple[Any, ...]
NUMBERS = {int: dtypes.int64, float: dtypes.float64, complex: dtypes.complex128}


class Unequal(Exception):  # noqa: N818 - caught by `assert_close`, which raises the error
    """What is wrong, where, and as which error to tell it."""

    def __init__(self, text: str, path: Path = (), kind: type[Exception] = AssertionError) -> None:
        super().__init__(text)
        self.path = path
        self.kind = kind


class Options(NamedTuple):
    """The arguments of ``assert_close``."""

    allow_subclasses: bool
    rtol: float | None
    atol: float | None
    equal_nan: bool
    check_device: bool
    check_dtype: bool
    check_layout: bool
    check_stride: bool

    def tolerances(self, path: Path, *kinds: dtypes.dtype) -> tuple[float, float]:
        """Relative and absolute tolerance: those given, or what the types ask for."""
        if self.rtol is None and self.atol is None:
            return default_tolerances(*kinds)
        if self.rtol is None or self.atol is None:
            raise Unequal(
                "Both 'rtol' and 'atol' must be either specified or omitted, but got no "
                f"{'rtol' if self.rtol is None else 'atol'}",
                path,
                ValueError,
            )
        return self.rtol, self.atol


def comparison_of(actual: Any, expected: Any, path: Path, options: Options) -> Callable[[], None]:
    """How to compare two values; ``Unequal`` (a ``TypeError``) for what has no comparison."""
    if actual is None or expected is None:
        return partial(_compare_none, actual, expected)
    if isinstance(actual, (bool, np.bool_)) and isinstance(expected, (bool, np.bool_)):
        return partial(_compare_booleans, bool(actual), bool(expected))
    if _is_number(actual) and _is_number(expected):
        one, other = _number(actual), _number(expected)
        tolerances = options.tolerances(path, NUMBERS[type(one)], NUMBERS[type(other)])
        return partial(_compare_numbers, one, other, tolerances, options)
    related = isinstance(actual, type(expected)) or isinstance(expected, type(actual))
    if related and (options.allow_subclasses or type(actual) is type(expected)):
        tensors = _as_tensor(actual), _as_tensor(expected)
        if tensors[0] is not None and tensors[1] is not None:
            kinds = (tensors[0].dtype, tensors[1].dtype)
            tolerances = options.tolerances(path, *kinds)
            return partial(_compare_tensors, *tensors, tolerances, options)
    raise Unequal(
        f"No comparison pair was able to handle inputs of type {type(actual)} and "
        f"{type(expected)}: both are to be tensors, or arrays, or numbers",
        path,
        TypeError,
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, complex, np.number)) and not isinstance(value, bool)


def _number(value: Any) -> Any:
    """A Python number of one of the three types themselves."""
    if isinstance(value, np.number):
        value = value.item()
    for kind in (int, float):
        if isinstance(value, kind):
            return kind(value)
    return complex(value)


def _as_tensor(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value
    try:
        return as_tensor(value)
    except (TypeError, ValueError, RuntimeError):
        return None


def _compare_none(actual: Any, expected: Any) -> None:
    if actual is not expected:
        raise Unequal(f"None mismatch: {actual} is not {expected}")


def _compare_booleans(actual: bool, expected: bool) -> None:
    if actual is not expected:
        raise Unequal(f"Booleans mismatch: {actual} is not {expected}")


def _compare_numbers(
    actual: Any, expected: Any, tolerances: tuple[float, float], options: Options
) -> None:
    if options.check_dtype and type(actual) is not type(expected):
        raise Unequal(f"The (d)types do not match: {type(actual)} != {type(expected)}.")
    if actual == expected:
        return
    if options.equal_nan and cmath.isnan(actual) and cmath.isnan(expected):
        return
    rtol, atol = tolerances
    difference = abs(actual - expected)
    if cmath.isfinite(difference) and difference <= atol + rtol * abs(expected):
        return
    raise Unequal(_scalar_message(actual, expected, rtol, atol))


def _scalar_message(actual: Any, expected: Any, rtol: float, atol: float) -> str:
    difference = abs(actual - expected)
    relative = float("inf") if expected == 0 else difference / abs(expected)
    exactly = rtol == 0 and atol == 0
    lines = [
        f"Scalars are not {'equal' if exactly else 'close'}!",
        "",
        f"Expected {expected} but got {actual}.",
        f"Absolute difference: {difference}{_allowed(atol, exactly)}",
        f"Relative difference: {relative}{_allowed(rtol, exactly)}",
    ]
    return "\n".join(lines)


def _allowed(tolerance: float, exactly: bool) -> str:
    return "" if exactly else f" (up to {tolerance} allowed)"


def _compare_tensors(
    actual: Any, expected: Any, tolerances: tuple[float, float], options: Options
) -> None:
    _compare_attributes(actual, expected, options)
    if actual.device.type == "meta" or expected.device.type == "meta":
        return
    actual, expected = actual.detach(), expected.detach()
    if actual.dtype != expected.dtype:
        common = dtypes.promote_types(_signed(actual.dtype), _signed(expected.dtype))
        actual, expected = actual.to(common), expected.to(common)
    rtol, atol = tolerances
    matches = actual.isclose(expected, rtol=rtol, atol=atol, equal_nan=options.equal_nan)
    if matches.all():
        return
    if actual.dim() == 0:
        raise Unequal(_scalar_message(actual.item(), expected.item(), rtol, atol))
    raise Unequal(_tensor_message(actual, expected, matches, rtol, atol))


def _signed(kind: dtypes.dtype) -> dtypes.dtype:
    """Wide unsigned types have no common type with others: they are compared as int64."""
    return dtypes.int64 if kind.name in {"uint16", "uint32", "uint64"} else kind


def _compare_attributes(actual: Any, expected: Any, options: Options) -> None:
    for name, checked, one, other in (
        ("shape", True, actual.shape, expected.shape),
        ("layout", options.check_layout, actual.layout, expected.layout),
        ("stride()", options.check_stride, actual.stride(), expected.stride()),
        ("device", options.check_device, actual.device, expected.device),
        ("dtype", options.check_dtype, actual.dtype, expected.dtype),
    ):
        if checked and one != other:
            raise Unequal(f"The values for attribute '{name}' do not match: {one} != {other}.")


def _tensor_message(actual: Any, expected: Any, matches: Any, rtol: float, atol: float) -> str:
    """How many elements differ, and where the most."""
    wrong = ~matches.numpy()
    a, b = _computable(actual), _computable(expected)
    with np.errstate(all="ignore"):
        absolute = np.where(wrong, np.abs(a - b), 0)
        relative = np.where(wrong, absolute / np.abs(b), 0)
    exactly = rtol == 0 and atol == 0
    count = int(wrong.sum())
    lines = [
        f"Tensor-likes are not {'equal' if exactly else 'close'}!",
        "",
        f"Mismatched elements: {count} / {wrong.size} ({count / wrong.size:.1%})",
    ]
    for name, each, tolerance in (("absolute", absolute, atol), ("relative", relative, rtol)):
        index = tuple(int(place) for place in np.unravel_index(int(each.argmax()), each.shape))
        lines.append(
            f"Greatest {name} difference: {each[index].item()} at index {index}"
            f"{_allowed(tolerance, exactly)}"
        )
    return "\n".join(lines)


def _computable(tensor: Any) -> Any:
    """Values that NumPy can subtract: truth values and integers as int64, halves as they are."""
    array = tensor._array
    return array if array.dtype.kind in "fcV" else array.astype(np.int64)
