"""Samples of ``adjoint/ops/unpooling.py``."""

import math

import numpy as np

from tests.samples.case import case, sample, wrong

ONES = np.ones
F = "nn.functional."
PLANES = {1: (), 2: (1,), 3: (1, 1)}


def places(make, shape, plane):
    """Indices into flattened planes, no two the same."""
    lead, count = shape[: len(shape) - len(plane)], math.prod(shape[len(shape) - len(plane) :])
    found = [make.random.permutation(math.prod(plane))[:count] for _ in range(math.prod(lead))]
    return np.array(found, np.int64).reshape(shape)


def unpooled(rank, node):
    def samples(make):
        small, plane = (2,) * rank, (4,) * rank
        odd = (5,) * rank
        return [
            sample(make(2, 3, *small), places(make, (2, 3, *small), plane), 2),
            sample(make(3, *small), places(make, (3, *small), plane), 2),
            sample(make(1, 1, *small), places(make, (1, 1, *small), odd), 2, output_size=odd),
            sample(make(1, *small), places(make, (1, *small), odd), 3, stride=2),
            sample(make(1, *small), places(make, (1, *small), (3,) * rank), (3,) * rank, 2, 1),
            sample(make(0, 2, *small), np.ones((0, 2, *small), np.int64), 2),
        ]

    x, at = ONES((1, *(2,) * rank)), np.zeros((1, *(2,) * rank), np.int64)
    case(
        F + f"max_unpool{rank}d",
        rows=node,
        samples=samples,
        errors=[
            wrong(RuntimeError, "invalid max index: 99", x, at + 99, 2),
            wrong(RuntimeError, "invalid max index: -1", x, at - 1, 2),
            wrong(RuntimeError, "type int64", x, at.astype(np.int32), 2),
            wrong(RuntimeError, "same as that of the input", x, at[..., :1], 2),
            wrong(RuntimeError, "dimensions", x[None, None], at[None, None], 2),
            wrong(ValueError, "must be between", x, at, 2, output_size=(9,) * rank),
            wrong(ValueError, "has a length of 9", x, at, 2, output_size=(4,) * 9),
            wrong(NotImplementedError, "torch.int64", x.astype(np.int64), at, 2),
        ],
    )


for dimensions in (1, 2, 3):
    unpooled(dimensions, "put_back")


def powers(rank):
    def samples(make):
        shape = (2, 3, *PLANES[rank], 6)
        width = 2 if rank == 1 else (*PLANES[rank], 2)
        return [
            sample(make(*shape, low=0.5), 2, width),
            sample(make(*shape), 2.0, width, 1),
            sample(make(*shape, low=0.5), 3, width, ceil_mode=True),
            sample(make(*shape[1:], low=0.5), 1, width),
            sample(make.distinct(*shape), math.inf, width),
        ]

    case(
        F + f"lp_pool{rank}d",
        rows=f"avg_pool{max(rank, 2)}d pow_number max_pool{max(rank, 2)}d_with_indices",
        samples=samples,
        tolerance=1e-9,
        errors=[
            wrong(RuntimeError, "too small", ONES((1, *(2,) * rank)), 2, 3),
            wrong(ZeroDivisionError, "division", ONES((1, *(2,) * rank)), 0, 2),
            wrong(TypeError, "", ONES((1, *(2,) * rank)), "a", 2),
        ],
    )


for dimensions in (1, 2, 3):
    powers(dimensions)
