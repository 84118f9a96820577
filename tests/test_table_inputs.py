"""The table on inputs of other layouts and element types."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from adjoint import dtypes
from adjoint.tape.tensor import Tensor
from tests.harness import (
    CASES,
    Call,
    as_array,
    calls,
    dtype_name,
    every_kind,
    forward,
    function_of_moving,
    gradients,
)
from tests.harness_checks import (
    ALL,
    close,
    cotangents_of,
    each_call,
    same_tensors,
)
from tests.references import table as references
from tests.samples.case import numpy_type

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def strided(array: np.ndarray) -> np.ndarray:
    """Every second element of a larger array, along every dimension."""
    room = np.full(tuple(2 * size for size in array.shape), 7).astype(array.dtype)
    view = room[(..., *(slice(None, None, 2) for _ in array.shape))]
    view[...] = array
    return view


def backwards(array: np.ndarray) -> np.ndarray:
    """A view that goes through memory from the end."""
    return np.asarray(np.flip(np.asarray(np.flip(array)).copy()))


LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "strided": strided,
    "Fortran": lambda array: np.array(array, order="F"),
    "backwards": backwards,
    "transposed": lambda array: array.T.copy().T,
}


# Random numbers are drawn in the order of memory, as by PyTorch: there the strides matter.
SEEN = [key for key in ALL if not CASES[key].random]


@pytest.mark.parametrize("key", [key for key in SEEN if CASES[key].layouts])
def test_layouts(key: str) -> None:
    """The strides of the inputs change neither values nor gradients."""

    def check(call: Call) -> None:
        expected = forward(call, call.leaves)
        gs = [as_array(g) for g in derivative(call)]
        for name, change in LAYOUTS.items():
            leaves = [change(leaf) for leaf in call.leaves]
            same_tensors(forward(call, leaves), expected, 1e-12, name)
            found_gs = derivative(replace(call, leaves=leaves))
            for found, wanted in zip(found_gs, gs, strict=True):
                close(as_array(found), wanted, 1e-12, f"{name}, gradient")

    each_call(key, check)


def derivative(call: Call) -> list[Any]:
    """The gradients of a call under its cotangents."""
    if not call.moving:
        return []
    return gradients(function_of_moving(call), call.moved, cotangents_of(call))[0]


ROUNDING = {"float32": 1e-5, "float16": 4e-3, "bfloat16": 3e-2, "complex64": 1e-5}


@pytest.mark.parametrize("key", SEEN)
def test_lower_precision(key: str) -> None:
    """In float32 and halves: double precision's values, rounded; gradients of the input's type."""
    case = CASES[key]

    def check(call: Call) -> None:
        exact = "complex128" if call.dtype == "complex64" else "float64"
        wide = [
            leaf.astype(numpy_type(exact)) if leaf.dtype == numpy_type(call.dtype) else leaf
            for leaf in call.leaves
        ]
        outs, expected = forward(call, call.leaves), forward(call, wide)
        # Halves lose what cancels: they are close to a part of the numbers that went in.
        floor = 0.0 if numpy_type(call.dtype).itemsize > 2 else 0.1
        for out, wanted in zip(outs, expected, strict=True):
            if isinstance(out, Tensor):
                close(as_array(out), as_array(wanted), ROUNDING[call.dtype], "value", floor=floor)
        for g, leaf in zip(derivative(call), call.moved, strict=True):
            assert dtypes.of(g).numpy == leaf.dtype, "the gradient has another type"

    for kind in case.dtypes:
        if kind in ROUNDING:
            each_call(key, check, calls(key, kind))


@pytest.mark.parametrize("key", SEEN)
def test_result_types(key: str) -> None:
    """The element types of the results, for inputs of every type that PyTorch takes."""

    def check(call: Call) -> None:
        expected = references.result_types(call)
        if expected is None:
            return
        try:
            found = [dtype_name(out) for out in forward(call, call.leaves)]
        except NotImplementedError:
            # PyTorch looks for a kernel only where there is something to compute.
            assert any(leaf.size == 0 for leaf in call.leaves)
        else:
            assert found == expected

    each_call(key, check, [call for kind in every_kind(key) for call in calls(key, kind)])
