"""Samples of ``adjoint/ops/creation.py``, ``conversion.py``, ``likes.py`` and ``ranges.py``."""

import numpy as np

from adjoint import dtypes
from tests.samples.case import case, sample, wrong

NO_INPUT = "made of nothing: there is no input to differentiate"
ONES = np.ones(2)
INTEGERS = np.ones(2, np.int64)
INT64, INT32, UINT8 = dtypes.int64, dtypes.int32, dtypes.uint8
FLOAT64, FLOAT16, BOOL, COMPLEX = dtypes.float64, dtypes.float16, dtypes.bool_, dtypes.complex64
INTEGERS_DIFFER = "can require gradients"


def created(function, samples, errors=(), **facts):
    """A case of a function that takes no tensors, or none that has a derivative."""
    case(
        function, rows=facts.pop("rows", ()), samples=lambda make: samples, errors=errors,
        differentiable=False, note=facts.pop("note", NO_INPUT), **facts,
    )  # fmt: skip


# -- of Python's data ---------------------------------------------------------------------------

created(
    "tensor",
    [
        sample(3),
        sample(2.5),
        sample(True),
        sample(1 + 2j),
        sample([]),
        sample([[], []]),
        sample([1, 2, 3]),
        sample([[1, 2], [3, 4.5]]),
        sample(((True, False), [True, True])),
        sample([True, 2]),
        sample([True, 2.5, 3]),
        sample([1, 2j]),
        sample(range(4)),
        sample([range(2), (3, 4)]),
        sample(bytearray(b"ab")),
        sample(np.float64(1.5)),
        sample([np.float32(1.5), 2]),
        sample([np.float64(1.5), 2.5]),
        sample([np.int8(1), np.int8(2)]),
        sample([np.int8(1), 2]),
        sample([np.float16(0.5), 2]),
        sample([1.7, -1.7], dtype=INT64),
        sample([-1, 255], dtype=UINT8),
        sample([0.0, 0.5, float("nan")], dtype=BOOL),
        sample([1e40, -1.0], dtype=dtypes.float32),
        sample([65519.0, 65520.0, 1e9], dtype=FLOAT16),
        sample([1, 2], dtype=float),
        sample([[1, 2]], dtype=COMPLEX, device="cpu"),
        sample(2**63 - 1),
        sample(2**64, dtype=FLOAT64),
    ],
    [
        wrong(ValueError, r"length 2 at dim 1 \(got 1\); pad", [[1, 2], [3]]),
        wrong(ValueError, r"length 2 at dim 2 \(got 3\)", [[[1, 2]], [[1, 2, 3]]]),
        wrong(TypeError, r"length 2 at dim 1 \(got int\)", [[1, 2], 3]),
        wrong(TypeError, "a list where a number was expected", [1, [2, 3]]),
        wrong(TypeError, "data is numbers, but got str 'abc'", "abc"),
        wrong(ValueError, "too many dimensions: 'abc' is text", ["abc"]),
        wrong(RuntimeError, "could not infer a dtype of NoneType", None),
        wrong(RuntimeError, "could not infer a dtype of set", [{1}]),
        wrong(ValueError, "beyond int64", 2**63),
        wrong(RuntimeError, "uint8 without overflow", 300, dtype=UINT8),
        wrong(RuntimeError, "uint8 without overflow", [-256], dtype=UINT8),
        wrong(RuntimeError, "int8' ?without|int8 without", 128, dtype=dtypes.int8),
        wrong(RuntimeError, "int64 without overflow", float("nan"), dtype=INT64),
        wrong(RuntimeError, "int64 without overflow", [1, float("inf")], dtype=INT64),
        wrong(TypeError, "complex numbers do not fit", 1j, dtype=FLOAT64),
        wrong(TypeError, "dtype is an element type", [1], dtype="float32"),
        wrong(RuntimeError, INTEGERS_DIFFER, [1], requires_grad=True),
        wrong(RuntimeError, "unknown device 'fridge'", [1], device="fridge"),
        wrong(TypeError, "unexpected keyword argument 'shape'", [1], shape=2),
    ],
)
created(
    "as_tensor",
    [
        sample(ONES),
        sample(ONES, dtype=FLOAT64),
        sample(ONES, dtype=INT64),
        sample([[1, 2], [3, 4]], dtype=FLOAT16),
        sample(2.5),
    ],
    [
        wrong(ValueError, "pad the shorter lists", [[1], []]),
        wrong(TypeError, "dtype is an element type", [1], dtype="float"),
        wrong(RuntimeError, "could not infer", None),
    ],
)
created(
    "asarray",
    [
        sample(ONES),
        sample(ONES, dtype=INT64),
        sample(ONES, copy=True),
        sample([1, 2.5]),
        sample(3, dtype=FLOAT64),
        sample(np.float64(3)),
        sample(bytearray(b"abcd"), dtype=UINT8),
        sample(b"abcdefgh"),
    ],
    [
        wrong(ValueError, "no memory to share", [1, 2], copy=False),
        wrong(
            ValueError, "cannot become torch.int64 without a copy", ONES, dtype=INT64, copy=False
        ),
        wrong(TypeError, "data is numbers, but got str", "abc"),
        wrong(RuntimeError, INTEGERS_DIFFER, [1], requires_grad=True),
    ],
)
created(
    "scalar_tensor",
    [sample(3), sample(True), sample(2.5, dtype=INT32), sample(2j, dtype=COMPLEX)],
    [
        wrong(TypeError, "s is a number, not list", [1]),
        wrong(RuntimeError, "without overflow", 1j),
        wrong(RuntimeError, "without overflow", 300, dtype=UINT8),
        wrong(RuntimeError, INTEGERS_DIFFER, 3, dtype=INT64, requires_grad=True),
    ],
)

# -- of nothing ---------------------------------------------------------------------------------

SHAPES = [
    sample(2, 3),
    sample((2, 3)),
    sample([2, 3]),
    sample(size=(2,)),
    sample(()),
    sample(0, 3),
    sample(4, dtype=INT64),
    sample(4, dtype=bool),
    sample(2, dtype=COMPLEX, device="cpu", pin_memory=False),
    sample(np.int64(3)),
]
NO_SIZES = [
    wrong(TypeError, "needs a size"),
    wrong(TypeError, "a size is an int, not float", 2.5),
    wrong(TypeError, "a size is an int, not str", 2, "a"),
    wrong(TypeError, "a size is an int, not bool", True),
    wrong(TypeError, "a size is an int, not tuple", (2,), (3,)),
    wrong(RuntimeError, r"not negative, but got \[2, -3\]", 2, -3),
    wrong(RuntimeError, INTEGERS_DIFFER, 2, dtype=INT64, requires_grad=True),
    wrong(RuntimeError, "could not be allocated", 2**31, 2**31, 2**31),
    wrong(TypeError, "unexpected keyword argument 'color'", 2, color="red"),
    wrong(TypeError, "out is a Tensor, not int", 2, out=3),
]
created("zeros", SHAPES, NO_SIZES)
created("ones", SHAPES, NO_SIZES)
created("empty", [sample(0), sample((2, 0), dtype=INT64)], NO_SIZES, random=True)
created(
    "full",
    [
        sample((2, 3), 7),
        sample((2, 3), 0.5),
        sample([2], True),
        sample((2,), 2j),
        sample((), 3),
        sample((0, 2), 1.0),
        sample((2,), np.float64(2.5)),
        sample((2,), -1.5, dtype=INT64),
        sample((2,), -1, dtype=UINT8),
        sample((2,), float("inf"), dtype=FLOAT16),
        sample(size=(2,), fill_value=3),
    ],
    [
        wrong(TypeError, "size is a tuple of ints, not int", 2, 3),
        wrong(TypeError, "fill_value is a number, not list", (2,), [1, 2]),
        wrong(TypeError, "fill_value is a number, not str", (2,), "a"),
        wrong(RuntimeError, "without overflow", (2,), 300, dtype=UINT8),
        wrong(RuntimeError, "without overflow", (2,), 1e40, dtype=dtypes.float32),
        wrong(RuntimeError, "without overflow", (2,), 1j, dtype=FLOAT64),
        wrong(RuntimeError, "without overflow", (2,), float("nan"), dtype=INT64),
        wrong(TypeError, "fill_value is a number, or a tensor that has no dim", (2,), ONES),
        wrong(RuntimeError, INTEGERS_DIFFER, (2,), 3, requires_grad=True),
    ],
)
created(
    "eye",
    [
        sample(3),
        sample(2, 4),
        sample(4, 2),
        sample(0),
        sample(0, 3),
        sample(3, 0),
        sample(2, dtype=BOOL),
        sample(2, dtype=COMPLEX),
    ],
    [
        wrong(RuntimeError, "n=-1", -1),
        wrong(RuntimeError, "m=-2", 3, -2),
        wrong(TypeError, "n is an int, not float", 2.5),
        wrong(RuntimeError, INTEGERS_DIFFER, 2, dtype=INT64, requires_grad=True),
    ],
)
TRIANGLES = [
    sample(3, 3),
    sample(3, 4, 1),
    sample(4, 3, -1),
    sample(3, 3, 5),
    sample(3, 4, offset=-5),
    sample(0, 4),
    sample(4, 0),
    sample(2, 2, dtype=INT32),
]
NO_TRIANGLES = [
    wrong(RuntimeError, "row=-1", -1, 4),
    wrong(RuntimeError, "col=-4", 1, -4),
    wrong(TypeError, "row is an int, not float", 2.5, 3),
    wrong(NotImplementedError, "indices are int64 or int32", 3, 3, dtype=dtypes.float32),
]
created("tril_indices", TRIANGLES, NO_TRIANGLES)
created("triu_indices", TRIANGLES, NO_TRIANGLES)

# -- at even steps ------------------------------------------------------------------------------

created(
    "arange",
    [
        sample(5),
        sample(0),
        sample(5.0),
        sample(2.5),
        sample(1, 5),
        sample(1, 5, 2),
        sample(0, 1, 0.1),
        sample(1.0, 1.0),
        sample(5, 1, -1),
        sample(5.5, 1, -1.5),
        sample(True),
        sample(np.float64(3)),
        sample(start=1, end=4),
        sample(0, end=4, step=2),
        sample(0, 3, dtype=FLOAT16),
        sample(0.5, 3.5, dtype=INT64),
        sample(0.5, 3.5, dtype=INT32),
        sample(300, dtype=UINT8),
        sample(2**40, 2**40 + 3),
    ],
    [
        wrong(TypeError, "needs an end"),
        wrong(TypeError, "end is a number, not str", "a"),
        wrong(RuntimeError, "does not lead from 5 to 1", 5, 1),
        wrong(RuntimeError, "does not lead from 1.5 to 5", 1.5, 5, -1),
        wrong(RuntimeError, "step", 0, 5, 0),
        wrong(RuntimeError, "step", 0, 5, 0.0),
        wrong(ValueError, "step is 0 as an integer", 0, 3, 0.5, dtype=INT64),
        wrong(RuntimeError, "is finite, but got nan", 0, float("nan")),
        wrong(RuntimeError, "is finite, but got inf", 0, float("inf")),
        wrong(NotImplementedError, "does not count in torch.bool", 3, dtype=BOOL),
        wrong(NotImplementedError, "does not count in torch.complex64", 3, dtype=COMPLEX),
        wrong(RuntimeError, "without overflow", 1j),
        wrong(RuntimeError, INTEGERS_DIFFER, 3, requires_grad=True),
    ],
)
created(
    "range",
    [
        sample(0, 3),
        sample(1, 4, 0.5),
        sample(4, 1, -1),
        sample(0, 3, dtype=INT64),
        sample(1, 1),
        sample(0.5, 3),
    ],
    [
        wrong(TypeError, "a start and an end", 5),
        wrong(RuntimeError, "does not lead from 4 to 1", 4, 1),
        wrong(RuntimeError, "the step is not 0", 0, 5, 0),
        wrong(RuntimeError, "is finite", 0, float("inf")),
    ],
)
created(
    "linspace",
    [
        sample(0, 1, 5),
        sample(0, 1, 1),
        sample(0, 1, 0),
        sample(-3, 10, 6),
        sample(1.5, -2, 7),
        sample(-3, 10, 6, dtype=INT32),
        sample(0, 10, 4, dtype=INT64),
        sample(0, 1, 5, dtype=FLOAT16),
        sample(0, 1, 4, dtype=FLOAT64),
        sample(0, 1, 5, dtype=COMPLEX),
        sample(0, 1j, 5),
        sample(start=0, end=1, steps=3),
        sample(0, 1, 100),
    ],
    [
        wrong(RuntimeError, "not negative, but got -1", 0, 1, -1),
        wrong(TypeError, "steps is an int, not float", 0, 1, 2.5),
        wrong(TypeError, "start is a number, not str", "a", 1, 3),
        wrong(RuntimeError, r"start is a number or .* shape \[2\]", ONES, np.array(1.0), 3),
        wrong(NotImplementedError, "does not count in torch.bool", 0, 1, 5, dtype=BOOL),
        wrong(RuntimeError, INTEGERS_DIFFER, 0, 1, 5, dtype=INT64, requires_grad=True),
    ],
)
created(
    "logspace",
    [
        sample(0, 2, 3),
        sample(0, 2, 3, 2),
        sample(-1, 1, 4, base=2.5),
        sample(0, 2, 0),
        sample(1, 2, 1),
        sample(0, 2, 4, base=-2),
        sample(0, 2, 3, dtype=INT64),
        sample(0, 2, 4, dtype=COMPLEX),
        sample(0, 2, 5, dtype=FLOAT64),
    ],
    [
        wrong(RuntimeError, "not negative, but got -1", 0, 2, -1),
        wrong(TypeError, "steps is an int, not float", 0, 2, 2.5),
        wrong(TypeError, "end is a number, not str", 0, "a", 3),
    ],
)

# -- like another -------------------------------------------------------------------------------

NOT_A_TENSOR = wrong(TypeError, "input is a Tensor, not list", [1])
LIKE_ERRORS = [
    NOT_A_TENSOR,
    wrong(RuntimeError, INTEGERS_DIFFER, INTEGERS, requires_grad=True),
    wrong(TypeError, "dtype is an element type", ONES, dtype="float32"),
    wrong(RuntimeError, "unknown device", ONES, device="fridge"),
    wrong(TypeError, "memory_format is a memory format", ONES, memory_format="sideways"),
]


def likes(*more):
    """Every shape, and another type."""

    def samples(make):
        return [
            sample(make(2, 3), *more),
            sample(make(), *more),
            sample(make(0, 2), *more),
            sample(make(2, 3).T, *more),
            sample(make(3), *more, dtype=INT64),
        ]

    return samples


NO_DERIVATIVE = "the values of the input do not matter, and PyTorch records nothing"
for name in ("zeros_like", "ones_like"):
    case(
        name, rows="full_like", samples=likes(), errors=LIKE_ERRORS,
        differentiable=False, note=NO_DERIVATIVE,
    )  # fmt: skip
case(
    "full_like", rows="full_like", samples=likes(2.5),
    errors=[wrong(TypeError, "input is a Tensor, not list", [1], 2)],
    differentiable=False, note=NO_DERIVATIVE,
)  # fmt: skip
case(
    "empty_like", rows="full_like", random=True,
    samples=lambda make: [sample(make(0)), sample(make(2, 0))],
    errors=LIKE_ERRORS, differentiable=False, note=NO_DERIVATIVE,
)  # fmt: skip
case(
    "full_like", rows="full_like", variant="numbers",
    samples=lambda make: [
        sample(make(2), True),
        sample(make(2, dtype="int64"), -1.5),
        sample(make(2, dtype="uint8"), -1),
        sample(make(2), 2j, dtype=COMPLEX),
    ],
    errors=[
        wrong(RuntimeError, "without overflow", np.ones(2, np.uint8), 300),
        wrong(RuntimeError, "without overflow", ONES, 1j),
        wrong(TypeError, "fill_value is a number, not str", ONES, "a"),
    ],
    differentiable=False, note=NO_DERIVATIVE,
)  # fmt: skip
NEW_ERRORS = [
    wrong(TypeError, "needs a size", ONES),
    wrong(TypeError, "a size is an int, not float", ONES, 2.5),
    wrong(RuntimeError, "not negative", ONES, -1),
    wrong(RuntimeError, INTEGERS_DIFFER, INTEGERS, 2, requires_grad=True),
]


def news(make):
    return [
        sample(make(2), 2, 3),
        sample(make(2, 3), (2, 3)),
        sample(make(), ()),
        sample(make(2), [0]),
        sample(make(2), 3, dtype=INT64),
    ]


for name in ("new_zeros", "new_ones"):
    case(
        f"Tensor.{name}", rows="full_like", samples=news, errors=NEW_ERRORS,
        differentiable=False, note=NO_DERIVATIVE,
    )  # fmt: skip
case(
    "Tensor.new_empty", rows="full_like", random=True, samples=lambda make: [sample(make(2), 0, 3)],
    errors=NEW_ERRORS, differentiable=False, note=NO_DERIVATIVE,
)  # fmt: skip
case(
    "Tensor.new_full", rows="full_like",
    samples=lambda make: [
        sample(make(2), (2, 3), 1.5),
        sample(make(2, 3), (2, 3), True),
        sample(make(2, dtype="int64"), (), -1.5),
        sample(make(2), (3,), 7, dtype=INT64),
    ],
    errors=[
        wrong(TypeError, "size is a tuple of ints, not int", ONES, 2, 3),
        wrong(RuntimeError, "without overflow", np.ones(2, np.uint8), (2,), 300),
    ],
    differentiable=False, note=NO_DERIVATIVE,
)  # fmt: skip
case(
    "Tensor.new_tensor", rows=(),
    samples=lambda make: [
        sample(make(2), [1, 2]),
        sample(make(2, dtype="int32"), [1.5, 2]),
        sample(make(2), [[1], [2]], dtype=INT64),
        sample(make(2), 3),
    ],
    errors=[wrong(ValueError, "pad the shorter lists", ONES, [[1], []])],
    differentiable=False, note=NO_DERIVATIVE,
)  # fmt: skip
