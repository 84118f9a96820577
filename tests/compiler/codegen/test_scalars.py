"""Instructions: conversions as NumPy's, halves, integers, products without fused ones."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from adjoint.compiler.codegen.scalars import has_code
from adjoint.compiler.expressions import Expression, function, where
from adjoint.compiler.functions.formats import exact_fma
from adjoint.compiler.nodes import Scalar
from tests.compiler.codegen.compiled import PLAIN, compiled
from tests.compiler.codegen.references import bits_of, special

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
INTEGERS = ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]
HALVES = {"float16": np.dtype("f2"), "bfloat16": np.dtype(ml_dtypes.bfloat16)}
FUSED = pytest.mark.parametrize("target", [None, PLAIN], ids=["host", "plain"])


def _to(kind):
    def formula(x):
        return x.to(kind)

    return formula


CASTS = {kind: _to(np.dtype(kind)) for kind in [*INTEGERS, "f4", "f8", "?"]}
CASTS |= {name: _to(kind) for name, kind in HALVES.items()}


@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_numbers_to_integers(kind):
    rng = np.random.default_rng(0)
    wide = bits_of(kind, 8192, rng)
    near = rng.uniform(-300, 300, 4096).astype(kind)
    for target in ("i4", "i8", "?"):
        x = np.concatenate([wide, near, special(kind)])
        np.testing.assert_array_equal(compiled(CASTS[target], (kind,))(x), x.astype(target))
    for target in ("i1", "i2", "u1", "u2", "u4", "u8"):
        # What fits is defined; of what does not, the same as by way of 32 bits, or of 64.
        least, most = np.iinfo(target).min, np.iinfo(target).max
        fits = near[(near > least) & (near < most)]
        np.testing.assert_array_equal(compiled(CASTS[target], (kind,))(fits), fits.astype(target))
        way = "i8" if target in ("u4", "u8") else "i4"
        rest = wide[np.abs(wide) < 2.0**62 if way == "i8" else np.abs(wide) < 2.0**30]
        found = compiled(CASTS[target], (kind,))(rest)
        np.testing.assert_array_equal(found, rest.astype(way).astype(target))


def test_numbers_to_the_upper_half_of_64_bits():
    x = np.array([0.0, 1.5, 2.0**62, 2.0**63, 2.0**63 * 1.5, 2.0**64 * (1 - 2.0**-53)])
    np.testing.assert_array_equal(compiled(CASTS["u8"], ("f8",))(x), x.astype("u8"))


@pytest.mark.parametrize("kind", [*INTEGERS, "?"])
def test_integers_to_others(kind):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (500, 8), dtype=np.uint8)
    x = (x[:, 0] & 1).astype("?") if kind == "?" else x.view(kind).ravel()
    for target in [*INTEGERS, "f4", "f8", "?"]:
        if target != kind:
            np.testing.assert_array_equal(compiled(CASTS[target], (kind,))(x), x.astype(target))


@FUSED
@pytest.mark.parametrize("name", HALVES)
def test_every_half_is_widened(name, target):
    kind = HALVES[name]
    x = np.arange(2**16, dtype=np.uint16).view(kind)
    found = compiled(CASTS["f4"], (kind,), target)(x)
    np.testing.assert_array_equal(found, x.astype("f4"))
    np.testing.assert_array_equal(np.signbit(found), np.signbit(x.astype("f4")))


@FUSED
@pytest.mark.parametrize("name", HALVES)
@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_numbers_are_rounded_to_halves_once(name, kind, target):
    rng = np.random.default_rng(0)
    halves = np.arange(2**16, dtype=np.uint16).view(HALVES[name]).astype(kind)
    halves = np.sort(halves[np.isfinite(halves)])
    ties = (halves[1:] + halves[:-1]) / 2
    beside = [np.nextafter(ties, side) for side in np.array([-np.inf, np.inf], kind)]
    x = np.concatenate([halves, ties, *beside, bits_of(kind, 2**16, rng), special(kind)])
    found = compiled(CASTS[name], (kind,), target)(x)
    if name == "bfloat16" and kind == "f8":  # ml_dtypes goes by float32, and rounds twice
        single = x.astype("f4")
        exact = single.astype("f8") == x
        x, found = x[exact], found[exact]
    true = x.astype(HALVES[name])
    np.testing.assert_array_equal(found.astype("f4"), true.astype("f4"))
    there = ~np.isnan(x)
    np.testing.assert_array_equal(np.signbit(found[there]), np.signbit(true[there]))


def test_float64_does_not_become_bfloat16_by_way_of_a_tie():
    x = np.array([1 + 2.0**-8 + 2.0**-40, 1 + 2.0**-8, 1 + 3 * 2.0**-8 - 2.0**-40])
    found = compiled(CASTS["bfloat16"], ("f8",))(x)
    np.testing.assert_array_equal(found.astype("f8"), [1 + 2.0**-7, 1.0, 1 + 2.0**-7])


def test_halves_are_chosen_but_not_computed_with():
    half = Scalar("load", "f2")
    assert has_code(Scalar("where", "f2", (Scalar("load", "?"), half, half)))
    assert not has_code(Scalar("add", "f2", (half, half)))
    assert not has_code(Scalar("lt", "?", (half, half)))


def _exact(x, y, z):
    return exact_fma(x, y, z)


@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_what_a_product_loses_is_found_without_fused_products(kind):
    rng = np.random.default_rng(0)
    x, y = (np.exp2(rng.uniform(-30, 30, 20_000)).astype(kind) for _ in range(2))
    lost = [compiled(_exact, (kind,) * 3, each)(x, y, -(x * y)) for each in (None, PLAIN)]
    if kind == "f4":
        wide = x.astype("f8") * y.astype("f8") - (x * y).astype("f8")
        np.testing.assert_array_equal(lost[1], wide.astype("f4"))
    np.testing.assert_array_equal(lost[0], lost[1])


OPERATIONS = {
    "lt": lambda x, y: x < y,
    "ge": lambda x, y: x >= y,
    "max": function("max"),
    "min": function("min"),
    "xor": lambda x, y: x ^ y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
}


@pytest.mark.parametrize("kind", INTEGERS)
def test_integers_wrap_and_compare_by_their_sign(kind):
    info = np.iinfo(kind)
    values = np.array([info.min, info.min + 1, 0, 1, 2, 77, info.max - 1, info.max], kind)
    x, y = (each.ravel() for each in np.meshgrid(values, values))
    references = {
        "lt": np.less, "ge": np.greater_equal, "max": np.maximum, "min": np.minimum,
        "xor": np.bitwise_xor, "sub": np.subtract, "mul": np.multiply,
    }  # fmt: skip
    for name, formula in OPERATIONS.items():
        true = references[name](x, y)
        np.testing.assert_array_equal(compiled(formula, (kind, kind))(x, y), true)


def _difference_of_squares(x, y):
    return x * x - y * y


@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_products_and_sums_are_rounded_one_by_one(kind):
    """Or the root of x^2 - y^2 could be no number where x is y."""
    x = np.random.default_rng(0).normal(size=1000).astype(kind)
    assert not compiled(_difference_of_squares, (kind, kind))(x, x).any()


def _greatest(x, y):
    return function("max")(x, y)


def test_a_nan_wins():
    x = np.array([np.nan, 1.0, np.nan, 2.0])
    y = np.array([1.0, np.nan, np.nan, 3.0])
    np.testing.assert_array_equal(compiled(_greatest, ("f8", "f8"))(x, y), np.maximum(x, y))


def _truth(x: Expression) -> Expression:
    return where(x, 1, 0, np.dtype("i4"))


def test_truth_values_are_bytes_in_memory():
    x = np.array([True, False, True])
    np.testing.assert_array_equal(compiled(_truth, ("?",))(x), [1, 0, 1])
    back = compiled(CASTS["?"], ("f4",))(np.array([0.0, -0.0, 0.5, np.nan], "f4"))
    np.testing.assert_array_equal(back, [False, False, True, True])
