"""What the samples of elementwise functions have in common: shapes, corners, and wrong inputs."""

import numpy as np

from tests.samples.case import kink, sample, wrong

ONES = np.ones(3)
INTEGERS = np.ones(3, np.int64)
BOOLEANS = np.ones(3, bool)
COMPLEX = np.ones(3, np.complex128)
NAN, INF = float("nan"), float("inf")
LIMITS = (NAN, INF, -INF, 0.0, -0.0, 1.0, -1.0, 2.0)

TYPES = ("float32", "float64", "float16", "bfloat16", "complex64", "complex128")
REAL = ("float32", "float64", "float16", "bfloat16")

NOT_A_TENSOR = wrong(TypeError, "must be Tensor", 2.0)
NO_INTEGERS = wrong(NotImplementedError, "not implemented for int64", INTEGERS)
NO_BOOLEANS = wrong(NotImplementedError, "not implemented for bool", BOOLEANS)
NO_COMPLEX = wrong(NotImplementedError, "not implemented for complex128", COMPLEX)
MISMATCH = wrong(RuntimeError, r"\(3\) must match .*\(2\)", ONES, np.ones(2))
NOT_AN_OPERAND = wrong(TypeError, "must be Tensor", ONES, "word")
NO_NUMBER = wrong(TypeError, "must be Tensor", ONES, 2.0)


def corners(make, *values):
    """Particular values in the type of ``make``; for integers those of them that there are."""
    kind = make.dtype
    if kind.kind in "biu":
        lowest = 0 if kind.kind in "bu" else -128
        values = [value for value in values if lowest <= value < 128]
    return np.asarray(values, kind if kind.kind in "biu" else None).astype(kind)


def unary(*special, low=-2.0, high=2.0):
    """Samples of a function of one tensor: two shapes, 0-d, empty, and corners."""

    def samples(make):
        found = [
            sample(make(2, 3, low=low, high=high)),
            sample(make(low=low, high=high)),
            sample(make(0, 3)),
            sample(make(2, 1, 4, low=low, high=high)),
        ]
        return [*found, kink(corners(make, *special))] if special else found

    return samples


def with_options(*options, low=-2.0, high=2.0, special=(), **named):
    """Samples of a function of one tensor and options, given by position or by name."""

    def samples(make):
        found = [
            sample(make(2, 3, low=low, high=high), *options, **named),
            sample(make(low=low, high=high), *options, **named),
            sample(make(0, 3), *options, **named),
        ]
        return [*found, kink(corners(make, *special), *options, **named)] if special else found

    return samples


def binary(*special, number=None, low=-2.0, high=2.0):
    """Samples of a function of two tensors: one shape, broadcast both ways, 0-d, empty, corners.

    ``special`` are pairs; ``number`` stands in the place of the second tensor.
    """

    def samples(make):
        def some(*shape):
            return make(*shape, low=low, high=high)

        found = [
            sample(some(2, 3), some(2, 3)),
            sample(some(2, 1), some(3)),
            sample(some(), some(2, 2)),
            sample(some(2, 2), some()),
            sample(some(), some()),
            sample(make(0, 3), make(1, 3)),
        ]
        if number is not None:
            found += [sample(some(2, 3), number), sample(some(), number)]
        if special:
            x, y = zip(*special, strict=True)
            found.append(kink(corners(make, *x), corners(make, *y)))
        return found

    return samples


def both(*samplers):
    """The samples of several of these, one after the other."""
    return lambda make: [each for sampler in samplers for each in sampler(make)]
