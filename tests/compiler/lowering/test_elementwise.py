"""Elementwise rows on special values: every pair of them, in every type, against NumPy's results.

The table's compiled column has their samples; here are NaN, infinities, zeros of both signs, the
smallest and the largest numbers, ties and integers that run over. All rows of a type are one
program.
"""

from __future__ import annotations

import contextlib
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from adjoint import dtypes
from adjoint.compiler.lowering.scalars import SCALARS, polynomials
from adjoint.compiler.program import Equation, Program, Type, Variable
from adjoint.compiler.runtime.executable import Executable
from adjoint.ops import networks  # noqa: F401 - the families that are loaded when asked for
from adjoint.ops.kinds.row import TABLE
from tests.samples.case import numpy_type

FLOATS = ("float32", "float64", "float16", "bfloat16")
INTEGERS = ("int64", "int32", "int16", "int8", "uint8")
VECTORS = ("float32", "uint8")  # types with full effort: loops over vectors, and what is left over
ADJOINT = {"bool": "bool_"}  # names in ``adjoint.dtypes``
KINDS = (*FLOATS, *INTEGERS, "bool")
# How far functions may be from NumPy's, each of which is an ulp or two from the truth itself.
TOLERANCE = {"float32": 1e-6, "float64": 2e-15, "float16": 1e-3, "bfloat16": 8e-3}
# Of two zeros NumPy takes one or the other, as the size or the type may be.
UNSIGNED = {"fmax", "fmin", "nextafter"}
SUBNORMAL = {"sigmoid", "silu"}  # ours are exact to the last subnormal number, NumPy's are 0 before
# Numbers near each other are subtracted on the way: what is left has fewer digits.
CANCELLING = {"gelu", "logaddexp", "logaddexp2"}
REFUSED = (RuntimeError, NotImplementedError, TypeError, ValueError)

OPTIONS: dict[str, list[tuple[Any, ...]]] = {
    "add_scaled": [(3,), (-2,)],
    "sub_scaled": [(3,), (-2,)],
    "addcmul": [(1,), (-2,)],
    "addcdiv": [(1,), (-2,)],
    "lerp_number": [(0.25,), (0.75,)],
    "clamp": [(-1, 2), (None, 2), (0, None), (2, -1)],
    "clamp_min": [(1,)],
    "clamp_max": [(1,)],
    "elu": [(1.0, 1.0), (1.6732632423543772, 1.0507009873554805)],
    "celu": [(1.5,)],
    "gelu": [("none",), ("tanh",)],
    "softplus": [(1.0, 20.0), (2.0, 5.0), (-0.5, 3.0)],
    "hardtanh": [(-1, 1), (0, 6)],
    "leaky_relu": [(0.01,), (1.5,), (-0.5,)],
    "rrelu_mean": [(0.25,)],
    "threshold": [(1, 3)],
    "hardshrink": [(0.5,)],
    "softshrink": [(0.5,)],
    "logit": [(None,), (0.125,)],
    "round_decimals": [(0,), (2,), (-1,)],
    "nan_to_num": [(0.0, None, None), (2.0, 3.0, -4.0)],
    "isclose": [(1e-5, 1e-8, False), (0.0, 0.0, True), (0.1, 0.5, True)],
    "pow_number": [(2,), (0,), (1,), (3,), (4,), (7,), (-1,), (-2,), (0.5,), (-0.5,), (1.75,)],
    "mvlgamma": [(1,), (3,)],
    "polygamma": [(0,)],
    "number_pow": [(2,), (3,), (0,), (1,), (-1,), (0.5,)],
}
# Rows that are wanted in here only where this holds of what they get.
NO_ZEROS = (
    "div_floor", "floor_divide", "div_trunc", "remainder", "remainder_number",
    "number_remainder", "fmod", "fmod_number",
)  # fmt: skip


def specials(kind: str) -> np.ndarray:
    """Values of a type at which functions do something special."""
    found = numpy_type(kind)
    if found.kind == "b":
        return np.array([False, True])
    if found.kind in "iu":
        limits = np.iinfo(found)
        near = [0, 1, 2, 3, 5, 7, 8, 31, 63, 64, 100, limits.max, limits.max - 1, limits.min]
        if found.kind == "i":
            near += [-1, -2, -3, -7, -8, limits.min + 1]
        return np.array(near, found)
    limits = finfo(found)
    sizes = [
        0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 0.1, 0.01, 1e-5, 4.5, 6.0, 7.25, 20.0, 20.5, 33.0, 100.0,
        np.pi, np.inf, float(limits.max), float(limits.tiny),
        float(limits.smallest_subnormal), 1e10, 1 - float(limits.eps), 1 + float(limits.eps),
    ]  # fmt: skip
    with np.errstate(all="ignore"):
        return np.array([*sizes, *[-each for each in sizes], np.nan]).astype(found)


def finfo(kind: np.dtype) -> Any:
    """The limits of a floating type."""
    return ml_dtypes.finfo(kind) if kind.kind == "V" else np.finfo(kind)


def inputs_of(row: Any, kind: str) -> list[np.ndarray]:
    """Arrays that broadcast to every combination of special values."""
    values, count = specials(kind), len(row.inputs)
    if count == 3:
        values = values[::3].copy()
    arrays = [values.reshape(-1, *[1] * (count - place - 1)) for place in range(count)]
    if row.name in NO_ZEROS and values.dtype.kind in "iu":
        arrays[1] = arrays[1][arrays[1] != 0]
    return arrays


class Whole:
    """Equations of many rows as one program, and what NumPy gives for each."""

    def __init__(self) -> None:
        self.inputs: list[Variable] = []
        self.arrays: list[np.ndarray] = []
        self.equations: list[Equation] = []
        self.outputs: list[Variable] = []
        self.expected: list[tuple[str, np.ndarray]] = []

    def variable(self, array: np.ndarray) -> Variable:
        return Variable(f"v{len(self.inputs) + len(self.outputs)}", Type(array.shape, array.dtype))

    def add(self, row: Any, arrays: list[Any], options: tuple[Any, ...] = ()) -> None:
        with np.errstate(all="ignore"):
            out = np.asarray(row.evaluate(tuple(arrays), options))
        atoms: list[Any] = []
        for each in arrays:
            if isinstance(each, np.ndarray):
                atoms.append(self.variable(each))
                self.inputs.append(atoms[-1])
                self.arrays.append(each)
            else:
                atoms.append(each)
        made = self.variable(out)
        self.outputs.append(made)
        self.equations.append(Equation(row, tuple(atoms), options, (made,)))
        self.expected.append((f"{row.name}{list(options)} of {arrays[0].dtype}", out))

    def run(self, effort: int = 1) -> tuple[Executable, list[Any]]:
        program = Program(self.inputs, self.equations, self.outputs).check()
        executable = Executable(program, effort)
        return executable, executable(*self.arrays)


def compare(
    what: str, found: np.ndarray, expected: np.ndarray, tolerance: float, floor: float
) -> list[str]:
    """What differs, a line for a result."""
    if found.dtype != expected.dtype or found.shape != expected.shape:
        return [f"{what}: {found.dtype}{found.shape}, not {expected.dtype}{expected.shape}"]
    if expected.dtype.kind not in "fV":
        right = found == expected
    else:
        least = float(finfo(expected.dtype).tiny)
        if expected.dtype.itemsize == 2:
            found, expected = found.astype(np.float32), expected.astype(np.float32)
        with np.errstate(all="ignore"):
            right = (found == expected) | (np.isnan(found) & np.isnan(expected))
            right |= (
                np.abs(found - expected) <= tolerance * np.abs(expected) + least * tolerance + floor
            )
            if what.split("[", maxsplit=1)[0] not in UNSIGNED:
                right &= (
                    (np.signbit(found) == np.signbit(expected)) | (expected != 0) | (found != 0)
                )
    if right.all():
        return []
    at = tuple(int(each[0]) for each in np.nonzero(~right))
    return [f"{what}: {found[at]!r}, not {expected[at]!r} at {at} ({(~right).sum()} differ)"]


@pytest.mark.parametrize("kind", KINDS)
def test_special_values(kind: str) -> None:
    whole = Whole()
    for name in (*sorted(SCALARS.keys() - polynomials.SCALARS.keys()), "nan_to_num", "nextafter"):
        row = TABLE[name]
        for options in OPTIONS.get(name, [()]):
            assert len(options) == len(row.options), f"{name} needs options"
            try:
                whole.add(row, inputs_of(row, kind), options)
            except REFUSED:  # the row does not take the type, or the option in the type
                continue
    _, found = whole.run(3 if kind in VECTORS else 1)
    wrong = []
    for (what, expected), array in zip(whole.expected, found, strict=True):
        tolerance = TOLERANCE.get(expected.dtype.name, 0)
        name = what.split("[")[0]
        floor = 10 * tolerance if name in CANCELLING else 0.0
        if name in SUBNORMAL:
            floor = 100 * float(finfo(expected.dtype).tiny)
        wrong += compare(what, array, expected, tolerance, floor)
    assert not wrong, "\n".join(wrong)


# -- conversions, and what is refused --------------------------------------------------------------


@pytest.mark.parametrize("old", KINDS)
def test_conversions(old: str) -> None:
    whole = Whole()
    for new in KINDS:
        whole.add(TABLE["to_dtype"], [specials(old)], (getattr(dtypes, ADJOINT.get(new, new)),))
    executable, found = whole.run()
    assert not executable.code.calls
    for (what, expected), array in zip(whole.expected, found, strict=True):
        assert array.dtype == expected.dtype, what
        if expected.dtype.kind == "V":  # in which NumPy does not know NaN
            array, expected = array.astype(np.float32), expected.astype(np.float32)
        np.testing.assert_array_equal(array, expected, what)


@pytest.mark.parametrize("name", NO_ZEROS)
@pytest.mark.parametrize("kind", ["int64", "int8", "uint8"])
def test_integers_are_not_divided_by_zero(name: str, kind: str) -> None:
    row, x = TABLE[name], np.array([1, 2, 3], kind)
    whole = Whole()
    whole.add(row, [x, np.array([1, 2, 2], kind)])
    executable, found = whole.run()
    np.testing.assert_array_equal(found[0], whole.expected[0][1])
    with pytest.raises(RuntimeError, match="divided by zero"):
        executable(x, np.array([1, 0, 2], kind))


def test_numbers_take_the_type_of_tensors() -> None:
    """Python numbers among the inputs, and tensors without dimensions, promote as ever."""
    whole = Whole()
    ten, one = np.arange(10, dtype=np.float32), np.array(3.0)
    for x in (ten, ten.astype(np.int64), ten.astype(np.uint8), one, ten > 4):
        for y in (2, 2.5, True, one, np.array(7)):
            for name in ("add", "mul", "div", "gt", "remainder"):
                with contextlib.suppress(*REFUSED):
                    whole.add(TABLE[name], [x, y])
    _, found = whole.run()
    for (what, expected), array in zip(whole.expected, found, strict=True):
        assert array.dtype == expected.dtype, what
        np.testing.assert_allclose(array, expected, 1e-6, err_msg=what)


@pytest.mark.parametrize("kind", FLOATS)
def test_polynomials_of_constant_degree(kind: str) -> None:
    whole, x = Whole(), np.linspace(-1.25, 2.5, 9).astype(numpy_type(kind))
    for name in polynomials.SCALARS:
        for degree in (-2, -0.5, 0, 1, 2, 3.7, 9):
            whole.add(TABLE[name], [x, degree])
    executable, found = whole.run()
    assert not executable.code.calls
    tolerance = 10 * TOLERANCE[kind]
    for (what, expected), array in zip(whole.expected, found, strict=True):
        size = float(np.abs(expected.astype(np.float64)).max())  # near the roots digits cancel
        assert not compare(what, array, expected, tolerance, tolerance * size)


@pytest.mark.parametrize("kind", FLOATS)
def test_mantissa_and_exponent(kind: str) -> None:
    x = specials(kind)
    a, b = np.frexp(x.astype(np.float32) if numpy_type(kind).itemsize == 2 else x)
    argument = Variable("x", Type(x.shape, x.dtype))
    outputs = (Variable("m", argument.type), Variable("e", Type(x.shape, np.dtype(np.int32))))
    program = Program([argument], [Equation(TABLE["frexp"], (argument,), (), outputs)], outputs)
    executable = Executable(program, effort=1)
    assert not executable.code.calls
    found = executable(x)
    np.testing.assert_array_equal(found[0].astype(a.dtype), a)
    np.testing.assert_array_equal(found[1], b)


# -- places --------------------------------------------------------------------------------------


@pytest.mark.parametrize("effort", [1, 3])
def test_inputs_may_be_views(effort: int) -> None:
    """Turned over, with gaps, broadcast, backwards: loops go where the views look."""
    row = TABLE["addcmul"]
    x = Variable("x", Type((6, 40), np.dtype(np.float32)))
    views = {
        "transpose": (0, 1), "slice": (1, 0, 40, 2), "select": (0, 3), "expand": ((5, 6, 40),),
        "flip": ((1,),), "unsqueeze": (1,),
    }  # fmt: skip
    equations, seen = [], []
    array = np.arange(240, dtype=np.float32).reshape(6, 40)
    for name, options in views.items():
        out = TABLE[name].evaluate((array,), options)
        seen.append(Variable(name, Type(out.shape, out.dtype)))
        equations.append(Equation(TABLE[name], (x,), options, (seen[-1],)))
    outputs = []
    for first in seen:
        for second in seen:
            try:
                shape = np.broadcast_shapes(first.shape, second.shape)
            except ValueError:
                continue
            made = Variable(f"{first.name} {second.name}", Type(shape, x.kind))
            equations.append(Equation(row, (first, second, second), (2,), (made,)))
            outputs.append(made)
    program = Program([x], equations, outputs).check()
    executable = Executable(program, effort)
    assert not executable.code.calls
    assert len(outputs) > 12
    for variable, found, wanted in zip(
        outputs, executable(array), program.evaluate([array]), strict=True
    ):
        np.testing.assert_array_equal(found, wanted, variable.name)
