"""Samples of ``adjoint/ops/complex_parts.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong
from tests.samples.elementwise import (
    INTEGERS,
    NO_BOOLEANS,
    NOT_A_TENSOR,
    ONES,
    TYPES,
    unary,
)

COMPLEX = ("complex64", "complex128")


def wide(make):
    """A real type with a complex one to match."""
    return "float32" if make.dtype.name == "float32" else "float64"


def planar(make):
    """Complex numbers whatever the type."""
    kind = "complex64" if make.dtype.itemsize <= 4 else "complex128"
    if make.dtype.kind == "c":
        kind = make.dtype.name
    return [
        sample(make(2, 3, dtype=kind)),
        sample(make(dtype=kind)),
        sample(make(0, 3, dtype=kind)),
        sample(make(4, 3, dtype=kind)[::2]),
    ]


case("real", samples=planar, dtypes=COMPLEX, errors=[wrong(TypeError, "", 2.0)])
case("imag", samples=planar, dtypes=COMPLEX, errors=[wrong(RuntimeError, "non-complex", ONES)])
case("conj", samples=planar, dtypes=COMPLEX, errors=[wrong(TypeError, "", 2.0)])
case("conj_physical", samples=planar, dtypes=COMPLEX, errors=[wrong(TypeError, "", 2.0)])
case("resolve_conj", rows="", samples=unary(), dtypes=TYPES, errors=[wrong(TypeError, "", 2.0)])
case("resolve_neg", rows="", samples=unary(), dtypes=TYPES, errors=[wrong(TypeError, "", 2.0)])
case(
    "view_as_real", dtypes=COMPLEX,
    samples=lambda make: [each for each in planar(make) if each.args[0].size],
    errors=[wrong(RuntimeError, "only supported for complex", ONES)],
)  # fmt: skip
case(
    "view_as_complex", dtypes=("float32", "float64"), layouts=False,
    note="a view needs the two of a pair side by side",
    samples=lambda make: [
        sample(make(3, 2, dtype=wide(make))), sample(make(2, dtype=wide(make))),
        sample(make(2, 3, 2, dtype=wide(make))),
    ],
    errors=[
        wrong(RuntimeError, "last dimension of size 2", ONES),
        wrong(RuntimeError, "only supported for", np.ones(2, np.int64)),
    ],
)  # fmt: skip
case("abs", samples=unary(0.0, -0.0, 1.0), dtypes=TYPES, errors=[NOT_A_TENSOR, NO_BOOLEANS])
case("sgn", samples=unary(0.0, 1.0, -2.0), dtypes=COMPLEX, errors=[NOT_A_TENSOR])
case("angle", samples=unary(1.0, -2.0), dtypes=TYPES, errors=[NOT_A_TENSOR])


def pairs(make):
    kind = wide(make)
    return [
        sample(make(2, 3, low=0.3, dtype=kind), make(2, 3, dtype=kind)),
        sample(make(2, 1, low=0.3, dtype=kind), make(3, dtype=kind)),
        sample(make(low=0.3, dtype=kind), make(2, 2, dtype=kind)),
        sample(make(0, 3, dtype=kind), make(1, 3, dtype=kind)),
    ]


case(
    "complex", samples=pairs, dtypes=("float32", "float64"),
    errors=[
        wrong(RuntimeError, "both inputs have one type", ONES, np.ones(3, np.float32)),
        wrong(RuntimeError, "Float or Double", INTEGERS, INTEGERS),
        wrong(TypeError, "must be Tensor", ONES, 2.0),
    ],
)  # fmt: skip
case(
    "polar", samples=pairs, dtypes=("float32", "float64"),
    errors=[
        wrong(RuntimeError, "both inputs have one type", ONES, np.ones(3, np.float32)),
        wrong(TypeError, "must be Tensor", ONES, 2.0),
    ],
)  # fmt: skip
