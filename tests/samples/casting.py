"""Samples of ``adjoint/ops/casting.py``."""

import numpy as np

from adjoint import dtypes
from tests.samples.case import case, sample, wrong
from tests.samples.elementwise import ONES, corners, unary

NAMED = {
    "float": "float32", "double": "float64", "half": "float16", "bfloat16": "bfloat16",
    "int": "int32", "long": "int64", "short": "int16", "char": "int8", "byte": "uint8",
    "bool": "bool_", "cfloat": "complex64", "cdouble": "complex128",
}  # fmt: skip
NO_ARGUMENT = "it takes no argument but the tensor"
ROUNDED = "a step function, or one whose values are rounded: differences have no say"

for name, kind in NAMED.items():
    floating = kind in ("float64", "complex128")
    case(
        f"Tensor.{name}", rows="to_dtype", samples=unary(), errorless=NO_ARGUMENT,
        differentiable=floating, note="" if floating else ROUNDED,
    )  # fmt: skip
case(
    "Tensor.to", rows="to_dtype",
    samples=lambda make: [
        sample(make(2, 3), dtypes.float64),
        sample(make(2, 3), "cpu", dtypes.float64),
        sample(make(), dtype=dtypes.float64, copy=True),
        sample(make(0, 3), make(1)),
        sample(make(2, 3), dtypes.float64, False, True),
    ],
    errors=[
        wrong(RuntimeError, "unknown device", ONES, "nowhere"),
        wrong(TypeError, "unexpected argument", ONES, somewhere=1),
        wrong(TypeError, "at most", ONES, dtypes.float64, False, False, 3, 4),
    ],
)  # fmt: skip
case(
    "Tensor.to", variant="other types", rows="to_dtype", differentiable=False, note=ROUNDED,
    samples=lambda make: [
        sample(corners(make, 1.9, -1.9, 100.0, 0.0), kind)
        for kind in (dtypes.int32, dtypes.int8, dtypes.bool_, dtypes.float16, dtypes.int64)
    ],
    errors=[wrong(TypeError, "", ONES, [])],
)  # fmt: skip
case(
    "Tensor.type_as", rows="to_dtype",
    samples=lambda make: [
        sample(make(2, 3), np.ones(1)), sample(make(), np.ones(2)), sample(make(0, 3), make(2)),
    ],
    errors=[wrong(TypeError, "must be Tensor", ONES, "float")],
)  # fmt: skip
case(
    "Tensor.type", rows="to_dtype",
    samples=lambda make: [
        sample(make(2, 3), dtypes.float64), sample(make(), "torch.DoubleTensor"),
        sample(make(0, 3, dtype="int64")),
    ],
    errors=[wrong(ValueError, "invalid type", ONES, "torch.NumberTensor")],
)  # fmt: skip
QUESTION = {"differentiable": False, "note": "a question about the type", "dtypes": ("float32",)}
for name in ("is_floating_point", "is_complex", "is_signed", "is_conj", "is_neg"):
    case(
        name, rows="", **QUESTION, errors=[wrong(TypeError, "must be Tensor", 2.0)],
        samples=lambda make: [sample(make(2)), sample(make(2, dtype="int64"))],
    )  # fmt: skip
case(
    "result_type", rows="", **QUESTION, errors=[wrong(TypeError, "", "word", 2.0)],
    samples=lambda make: [
        sample(make(2, dtype="float32"), make(2, dtype="int64")),
        sample(make(2, dtype="int64"), 2.5), sample(make(2, dtype="int16"), make(dtype="float64")),
        sample(make(2, dtype="float32"), 1j),
    ],
)  # fmt: skip
case(
    "can_cast", rows="", **QUESTION, errors=[wrong(TypeError, "", dtypes.float32, "word")],
    samples=lambda make: [
        sample(first, second)
        for first in (dtypes.float64, dtypes.int64, dtypes.bool_, dtypes.complex64)
        for second in (dtypes.float32, dtypes.uint8, dtypes.bool_, dtypes.complex128)
    ],
)  # fmt: skip
