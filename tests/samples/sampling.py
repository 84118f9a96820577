"""Samples of ``adjoint/ops/sampling.py`` and ``sampling_inplace.py``."""

import numpy as np

from adjoint import dtypes
from tests.samples.case import case, sample, wrong

NO_DERIVATIVE = "random numbers are constants to PyTorch's tape, or have gradients of zero"
BY_MODE = "; vmap refuses unless its randomness says how to draw"
INT64, UINT8, BOOL, COMPLEX = dtypes.int64, dtypes.uint8, dtypes.bool_, dtypes.complex64
ONES, HALVES = np.ones(2), np.full(2, 0.5)
INTEGERS = np.ones(2, np.int64)
NO_GENERATOR = "generator is a Generator, not int"
NO_GRADIENT = "can require gradients"


def drawn(function, rows, samples, errors, **facts):
    """A case of random numbers."""
    case(
        function, rows=rows, samples=samples, errors=errors, random=True, in_place=False,
        differentiable=False, batched=False, note=NO_DERIVATIVE + BY_MODE, **facts,
    )  # fmt: skip


# -- of a shape ---------------------------------------------------------------------------------


def of_a_shape(make):
    return [
        sample(2, 3),
        sample((4, 5)),
        sample(size=[3]),
        sample(()),
        sample(0, 3),
        sample(3, dtype=dtypes.float64),
        sample(20, dtype=dtypes.float16),
        sample(3, dtype=COMPLEX),
    ]


NO_SIZES = [
    wrong(TypeError, "a size is an int, not float", 2.5),
    wrong(RuntimeError, "not negative, but got", -1),
    wrong(TypeError, "needs a size"),
    wrong(TypeError, NO_GENERATOR, 2, generator=3),
    wrong(RuntimeError, "unknown device", 2, device="fridge"),
]
for name in ("rand", "randn"):
    drawn(
        name, (), of_a_shape,
        [*NO_SIZES, wrong(NotImplementedError, "not int64", 2, dtype=INT64)],
    )  # fmt: skip
drawn(
    "randint", (),
    lambda make: [
        sample(10, (2, 3)),
        sample(3, 10, (4,)),
        sample(-5, 5, [0, 2]),
        sample(low=0, high=3, size=(2,)),
        sample(high=3, size=()),
        sample(10, (5,), dtype=dtypes.float32),
        sample(0, 2, (5,), dtype=BOOL),
        sample(2**40, (3,)),
    ],
    [
        wrong(RuntimeError, "low=10 and high=3", 10, 3, (2,)),
        wrong(RuntimeError, "in bounds for uint8", 0, 300, (2,), dtype=UINT8),
        wrong(TypeError, "high is an int, not float", 3.5, (2,)),
        wrong(TypeError, "size is a tuple of ints, not int", 3, 2),
        wrong(TypeError, "an upper end and a size"),
        wrong(RuntimeError, NO_GRADIENT, 3, (2,), requires_grad=True),
        wrong(TypeError, NO_GENERATOR, 3, (2,), generator=3),
    ],
)  # fmt: skip
drawn(
    "randperm", (),
    lambda make: [
        sample(5),
        sample(0),
        sample(1),
        sample(1500),
        sample(5, dtype=dtypes.float32),
        sample(200, dtype=UINT8),
    ],
    [
        wrong(RuntimeError, "n=-1", -1),
        wrong(RuntimeError, "uint8 counts", 300, dtype=UINT8),
        wrong(TypeError, "n is an int, not float", 2.5),
        wrong(RuntimeError, NO_GRADIENT, 5, requires_grad=True),
    ],
)  # fmt: skip
drawn(
    "normal", (),
    lambda make: [sample(0, 1, (3,)), sample(2.5, 0.5, (4, 5)), sample(0.0, 0.0, size=())],
    [
        wrong(TypeError, "needs a size", 0, 1),
        wrong(TypeError, "size is a tuple of ints, not int", 0, 1, 2),
        wrong(RuntimeError, "std=-1", 0.0, -1.0, (2,)),
        wrong(NotImplementedError, "not int64", 0.0, 1.0, (2,), dtype=INT64),
    ],
    variant="numbers",
)  # fmt: skip

# -- around tensors -----------------------------------------------------------------------------

drawn(
    "normal", "normal_of_mean normal_of_std normal_of_both",
    lambda make: [
        sample(make(3)),
        sample(make(2, 3), 2.0),
        sample(0.5, make(4, low=0.0)),
        sample(make(3), make(3, low=0.0)),
        sample(make(2, 1), make(3, low=0.0)),
        sample(make(4, 5), make(4, 5, low=0.0)),
        sample(make(), 1.0),
        sample(make(0, 2), make(2, low=0.0)),
    ],
    [
        wrong(RuntimeError, "std=-1", ONES, -1.0),
        wrong(RuntimeError, "one in std is", ONES, -ONES),
        wrong(NotImplementedError, "not int64", INTEGERS, 1.0),
        wrong(RuntimeError, "must match the size", ONES, np.ones(3)),
        wrong(TypeError, "std is a number, not str", ONES, "wide"),
    ],
)  # fmt: skip
drawn(
    "bernoulli", "bernoulli bernoulli_scalar",
    lambda make: [
        sample(make(3, low=0.0, high=1.0)),
        sample(make(4, 5, low=0.0, high=1.0)),
        sample(make(low=0.0, high=1.0)),
        sample(make(0, 2, low=0.0, high=1.0)),
        sample(make(4), 0.3),
        sample(make(3, dtype="int64"), p=0.5),
    ],
    [
        wrong(RuntimeError, r"lies in \[0, 1\]", 2 * ONES),
        wrong(RuntimeError, "p=1.5", ONES, 1.5),
        wrong(NotImplementedError, "not int64", INTEGERS),
        wrong(TypeError, "input is a Tensor, not float", 0.5),
    ],
)  # fmt: skip
drawn(
    "multinomial", "multinomial",
    lambda make: [
        sample(make(4, low=0.0), 2),
        sample(make(3, 4, low=0.0), 3),
        sample(make(4, low=0.0), 7, True),
        sample(make(2, 4, low=0.0), num_samples=5, replacement=True),
        sample(make(1, low=0.5), 1),
        sample(make(0, 4, low=0.0), 2),
    ],
    [
        wrong(RuntimeError, "5 samples of 2 categories", ONES, 5),
        wrong(RuntimeError, "at least 1 sample", ONES, 0),
        wrong(RuntimeError, "all 0", np.zeros(2), 1),
        wrong(RuntimeError, "negative", -ONES, 1),
        wrong(RuntimeError, "1 or 2 dimensions", np.ones((2, 2, 2)), 1),
        wrong(RuntimeError, "but got int64", INTEGERS, 1),
        wrong(TypeError, "num_samples is an int, not float", ONES, 1.5),
    ],
)  # fmt: skip

# -- like another -------------------------------------------------------------------------------


def like(make):
    return [
        sample(make(2, 3)),
        sample(make(4, 5)),
        sample(make()),
        sample(make(0, 2)),
        sample(make(3, dtype="int64"), dtype=dtypes.float64),
    ]


LIKE_ERRORS = [
    wrong(TypeError, "input is a Tensor, not list", [1]),
    wrong(NotImplementedError, "not int64", INTEGERS),
    wrong(TypeError, NO_GENERATOR, ONES, generator=3),
]
drawn("rand_like", "rand_like", like, LIKE_ERRORS)
drawn("randn_like", "randn_like", like, LIKE_ERRORS)
drawn(
    "randint_like", "randint_like",
    lambda make: [
        sample(make(2, 3), 10),
        sample(make(4), 3, 10),
        sample(make(), low=0, high=10),
        sample(make(0, 2, dtype="int64"), 5),
        sample(make(3), 10, dtype=INT64),
    ],
    [
        wrong(RuntimeError, "low=10 and high=3", ONES, 10, 3),
        wrong(TypeError, "an upper end", ONES),
        wrong(TypeError, "high is an int, not float", ONES, 2.5),
    ],
)  # fmt: skip

# -- in place -----------------------------------------------------------------------------------


def filled(function, row, arguments, errors, kinds=()):
    """A case of a method that writes random numbers; ``kinds`` are further element types."""

    def samples(make):
        found = [sample(make(2, 3), *args, **kwargs) for args, kwargs in arguments]
        found += [sample(make(*shape), *arguments[0][0]) for shape in ((4, 5), (), (0, 2))]
        return found + [sample(make(3, dtype=kind), *arguments[0][0]) for kind in kinds]

    drawn(f"Tensor.{function}", row, samples, errors)


filled(
    "uniform_", "uniform", [((), {}), ((2, 3), {}), ((), {"to": 3.0}), ((-1.0,), {"to": 2})],
    [
        wrong(RuntimeError, "low=3.0 is above high=2.0", ONES, 3, 2),
        wrong(RuntimeError, "out of bounds", ONES, 0.0, float("inf")),
        wrong(TypeError, "unexpected keyword argument 'low'", ONES, low=2),
        wrong(NotImplementedError, "not int64", INTEGERS),
        wrong(TypeError, NO_GENERATOR, ONES, generator=3),
    ],
)  # fmt: skip
filled(
    "normal_", "normal", [((), {}), ((2, 3), {}), ((), {"mean": 2.0, "std": 0.5})],
    [
        wrong(RuntimeError, "std=-3", ONES, 2, -3),
        wrong(NotImplementedError, "not int64", INTEGERS),
        wrong(TypeError, "mean is a number, not str", ONES, "high"),
    ],
)  # fmt: skip
filled(
    "random_", "random",
    [((), {}), ((10,), {}), ((5, 10), {}), ((5, None), {}), ((), {"to": 7})],
    [
        wrong(RuntimeError, "low=10 and high=5", ONES, 10, 5),
        wrong(RuntimeError, "in bounds for uint8", np.ones(2, np.uint8), 300),
        wrong(TypeError, "unexpected keyword argument 'low'", ONES, low=2),
        wrong(TypeError, "up to two ends", ONES, 1, 2, 3),
    ],
    kinds=("int64", "uint8", "bool"),
)  # fmt: skip
filled(
    "exponential_", "exponential", [((), {}), ((2.0,), {}), ((), {"lambd": 0.5})],
    [
        wrong(RuntimeError, "positive rate", ONES, 0.0),
        wrong(RuntimeError, "but got int64", INTEGERS),
    ],
)  # fmt: skip
filled(
    "cauchy_", "cauchy", [((), {}), ((1.0, 2.0), {}), ((), {"sigma": 0.5})],
    [
        wrong(RuntimeError, "positive sigma", ONES, 1.0, -2.0),
        wrong(RuntimeError, "but got int64", INTEGERS),
    ],
)  # fmt: skip
filled(
    "geometric_", "geometric", [((0.3,), {}), ((), {"p": 0.9})],
    [
        wrong(RuntimeError, r"p in \(0, 1\), but p=1", ONES, 1.0),
        wrong(TypeError, "missing 1 required positional argument: 'p'", ONES),
        wrong(NotImplementedError, "not bool", np.ones(2, bool), 0.5),
    ],
    kinds=("int64",),
)  # fmt: skip
filled(
    "log_normal_", "log_normal", [((), {}), ((0.5, 0.25), {}), ((), {"mean": 0.0})],
    [
        wrong(RuntimeError, "positive std", ONES, 1.0, -2.0),
        wrong(NotImplementedError, "not int64", INTEGERS),
    ],
)  # fmt: skip
filled(
    "bernoulli_", "bernoulli_scalar", [((), {}), ((0.3,), {}), ((), {"p": 1.0})],
    [
        wrong(RuntimeError, "p=1.5", ONES, 1.5),
        wrong(NotImplementedError, "not complex128", np.ones(2, complex), 0.5),
    ],
    kinds=("int64", "bool"),
)  # fmt: skip
drawn(
    "Tensor.bernoulli_", "bernoulli_tensor",
    lambda make: [
        sample(make(3), make(3, low=0.0, high=1.0)),
        sample(make(2, 3), make(3, low=0.0, high=1.0)),
        sample(make(2, 3, dtype="int64"), make(2, 3, low=0.0, high=1.0)),
        sample(make(), make(low=0.0, high=1.0)),
        sample(make(0, 2), make(2, low=0.0, high=1.0)),
    ],
    [
        wrong(RuntimeError, r"\(4\) must match the size of tensor b \(2\)", np.ones(4), HALVES),
        wrong(RuntimeError, "do not expand", HALVES, np.full((2, 2), 0.5)),
        wrong(RuntimeError, r"lies in \[0, 1\]", ONES, 2 * ONES),
    ],
    variant="tensors",
)  # fmt: skip
