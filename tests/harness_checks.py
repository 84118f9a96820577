"""Checks that the table's tests share: each sample of a case, comparisons, what can be checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.tape.tensor import Tensor
from tests.harness import CASES, Call, as_array, calls, exact_kinds, forward, is_floating, is_moving

ALL = sorted(CASES)
DIFFERENTIABLE = [key for key in ALL if CASES[key].differentiable]


def each_call(key: str, check: Callable[[Call], None], found: Iterable[Call] | None = None) -> None:
    """Check every sample of a case, in float64 and where declared in complex128; fail for all."""
    failures = []
    if found is None:
        found = [call for kind in exact_kinds(key) for call in calls(key, kind)]
    for call in found:
        try:
            check(call)
        except Exception as error:  # noqa: BLE001 - reported below with the sample's arguments
            error.add_note(f"{call} in {call.dtype}")
            failures.append(error)
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise ExceptionGroup(f"{key}: {len(failures)} samples fail", failures)


def widen(array: np.ndarray) -> np.ndarray:
    """In double precision."""
    return array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)


def close(found: Any, expected: Any, tolerance: float, what: str, *, floor: float = 0.0) -> None:
    """Compare arrays: shapes, and values to a part of each and of the largest, or of ``floor``."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape, f"{what}: shape {found.shape}, not {expected.shape}"
    if found.dtype.kind not in "fcV":
        np.testing.assert_array_equal(found, expected, err_msg=what)
        return
    found, expected = widen(found), widen(expected)
    finite = np.abs(expected[np.isfinite(expected)])
    scale = max(float(finite.max()), floor) if finite.size else floor
    np.testing.assert_allclose(
        found, expected, rtol=tolerance, atol=tolerance * scale, err_msg=what
    )


def near(found: float, expected: float, what: str) -> None:
    """Compare a directional derivative with that by differences."""
    assert np.isfinite(expected), f"{what}: the differences are {expected}; is it a kink?"
    assert abs(found - expected) <= 1e-6 * max(1.0, abs(expected)), (
        f"{what}: {found!r}, but {expected!r} by differences"
    )


def same_tensors(found: Any, expected: Any, tolerance: float, what: str) -> None:
    """Compare lists of results: how many, element types, values."""
    assert len(found) == len(expected), f"{what}: {len(found)} results, not {len(expected)}"
    for number, (a, b) in enumerate(zip(found, expected, strict=True)):
        label = f"{what}, result {number}" if len(found) > 1 else what
        if isinstance(b, (Tensor, np.ndarray)):
            assert dtypes.of(a) is dtypes.of(b), f"{label}: {dtypes.of(a)}, not {dtypes.of(b)}"
        close(as_array(a), as_array(b), tolerance, label)


def cotangents_of(call: Call) -> list[np.ndarray]:
    """A random cotangent for each floating result, the same ones that the references have."""
    outs = [as_array(out) for out in forward(call, call.leaves) if is_floating(out)]
    return call.directions(outs, "cotangent")


def is_finite(call: Call) -> bool:
    """Whether the function has a value to differentiate: no mean of nothing, no infinity."""
    outs = [as_array(out) for out in forward(call, call.leaves) if is_floating(out)]
    return all(bool(np.isfinite(widen(each)).all()) for each in outs)


def precise(call: Call) -> bool:
    """Whether differences can check this sample: smooth, finite, and in double precision."""
    if not call.smooth or not call.moving or not is_finite(call):
        return False
    outs = [as_array(out) for out in forward(call, call.leaves) if is_floating(out)]
    return all(is_moving(each, precise=True) for each in [*call.moved, *outs])
