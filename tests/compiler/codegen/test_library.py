"""Every function of the library, over its whole range, within two units in the last place."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from adjoint.compiler.expressions import function
from adjoint.compiler.functions import FORMULAS
from tests.compiler.codegen.compiled import PLAIN, compiled
from tests.compiler.codegen.references import (
    CASES,
    HAS_WIDE,
    arguments,
    errors,
    exact_values,
    special,
    true_values,
)

# Overflow is among what is looked at.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

FUNCTIONS = {name: function(name) for name in FORMULAS}
MOST = 2.0  # units in the last place
EXACT = 400  # points for mpmath
KINDS = pytest.mark.parametrize("kind", ["f4", "f8"])
FUSED = pytest.mark.parametrize("target", [None, PLAIN], ids=["host", "plain"])


def _assert_near(name, kind, target, args, *true):
    found = compiled(FUNCTIONS[name], (kind,) * len(args), target)(*args)
    away = errors(found, *true)
    worst = int(np.argmax(away))
    at = [each[worst] for each in args]
    assert away[worst] <= MOST, f"{name}({at}) is {found[worst]!r}, {away[worst]} units off"


def test_every_formula_is_looked_at():
    others = {"rem", "modulo", "floor_divide", "floor", "ceil", "trunc", "rint"}
    assert set(FORMULAS) == set(CASES) | others


@FUSED
@KINDS
@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.numpy])
def test_over_all_exponents(name, kind, target):
    if kind == "f8" and not HAS_WIDE:
        pytest.skip("long double is no wider than float64 here; mpmath's points remain")
    args = arguments(name, kind, 200_000 if target is None else 50_000)
    _assert_near(name, kind, target, args, true_values(name, *args))


@KINDS
@pytest.mark.parametrize("name", list(CASES))
def test_against_mpmath(name, kind):
    low, high = CASES[name].domain
    args = arguments(name, kind, 4096)
    with np.errstate(all="ignore"):
        inside = np.logical_and.reduce([np.isfinite(each) for each in args])
        inside &= (args[0] > low) & (args[0] < high) & (args[0] != 0)
    chosen = np.random.default_rng(1).permutation(np.flatnonzero(inside))[:EXACT]
    args = tuple(each[chosen] for each in args)
    true = exact_values(name, *args)
    for target in (None, PLAIN):
        _assert_near(name, kind, target, args, *true)


@pytest.mark.parametrize("name", ["erf", "erfc"])
def test_error_functions_over_all_exponents(name):
    import scipy.special

    args = arguments(name, "f4", 100_000)
    _assert_near(name, "f4", None, args, getattr(scipy.special, name)(args[0].astype("f8")))


@KINDS
@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_angles_near_multiples(name, kind):
    """The nearest that a float64 comes to a multiple of pi/2, and the nearest of every exponent."""
    near = [6381956970095103.0 * 2.0**797, 6381956970095103.0 * 2.0**798]
    with mpmath.workprec(1300):
        near += [float(mpmath.pi / 2 * 2**each * (1 + 2**-20)) for each in range(1, 1000, 8)]
        near += [
            float(mpmath.pi / 2 * each) for each in (*range(1, 60), 2**15, 2**20, 2**29, 2**31)
        ]
        x = np.array(near).astype(kind)
        x = x[np.isfinite(x)]
        true = exact_values(name, x)
    for target in (None, PLAIN):
        _assert_near(name, kind, target, (x,), *true)


@KINDS
def test_special_values_are_numpys(kind):
    x = special(kind)
    first, second = (each.ravel() for each in np.meshgrid(x, x))
    for name, case in CASES.items():
        if case.numpy is not None:
            args = (x,) if case.count == 1 else (first, second)
            with np.errstate(all="ignore"):
                true = case.numpy(*args)
            for target in (None, PLAIN):
                found = compiled(FUNCTIONS[name], (kind,) * len(args), target)(*args)
                same = np.isnan(true) == np.isnan(found)
                same &= (np.isinf(true) == np.isinf(found)) | (name == "sinh") | (name == "cosh")
                same &= np.isnan(true) | (np.signbit(true) == np.signbit(found))
                assert same.all(), (name, [each[~same] for each in args])


@KINDS
def test_special_values_are_scipys(kind):
    import scipy.special

    x = special(kind)
    for name in [name for name, case in CASES.items() if case.numpy is None]:
        true = getattr(scipy.special, name)(x.astype("f8")).astype(kind)
        for target in (None, PLAIN):
            found = compiled(FUNCTIONS[name], (kind,), target)(x)
            same = (np.isnan(true) == np.isnan(found)) & (np.isinf(true) == np.isinf(found))
            same &= np.isnan(true) | (np.signbit(true) == np.signbit(found))
            assert same.all(), (name, x[~same], true[~same], found[~same])


@FUSED
@KINDS
def test_remainders_are_exact(kind, target):
    rng = np.random.default_rng(3)
    x, y = arguments("atan2", kind, 20_000)
    close = np.exp2(rng.uniform(-20, 20, 40_000)).astype(kind) * rng.choice([-1, 1], 40_000)
    x, y = np.concatenate([x, close]).astype(kind), np.concatenate([y, rng.permutation(close)])
    y = y.astype(kind)
    with np.errstate(all="ignore"):
        cases = {"rem": np.fmod, "modulo": np.remainder, "floor_divide": np.floor_divide}
        for name, reference in cases.items():
            true = reference(x, y)
            found = compiled(FUNCTIONS[name], (kind, kind), target)(x, y)
            same = (found == true) | (np.isnan(found) & np.isnan(true))
            same &= np.isnan(true) | (np.signbit(found) == np.signbit(true))
            assert same.all(), (name, x[~same][:4], y[~same][:4], found[~same][:4], true[~same][:4])


@FUSED
@KINDS
def test_rounding_to_integers(kind, target):
    x = np.concatenate([*arguments("exp", kind, 20_000), np.arange(-9, 9, 0.25).astype(kind)])
    for name in ("floor", "ceil", "trunc", "rint"):
        found = compiled(FUNCTIONS[name], (kind,), target)(x)
        np.testing.assert_array_equal(found, getattr(np, name)(x))
        there = ~np.isnan(x)
        np.testing.assert_array_equal(np.signbit(found[there]), np.signbit(x[there]))
