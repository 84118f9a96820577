"""Samples of ``adjoint/ops/padding.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

VECTOR = np.ones(3)
MATRIX = np.ones((2, 3))
ODD = wrong(RuntimeError, "Padding length must be divisible by 2", MATRIX, (1,))
LONG = wrong(RuntimeError, "two times the input dimension", VECTOR, (1, 1, 1, 1))
CUT = wrong(RuntimeError, "cuts off more than there is in dimension 0", VECTOR, (-2, -2))
NOT_INTS = wrong(TypeError, "integer", MATRIX, (1.0, 1))


def constants(make):
    return [
        sample(make(3), (1, 2)),
        sample(make(2, 3), (1, 0, 0, 2), value=3.0),
        sample(make(2, 3), (-1, 1)),
        sample(make(4), (-1, -2)),
        sample(make(2, 3), ()),
        sample(make(0, 3), (1, 1, 1, 0)),
        sample(make(2, 3, 2), [0, 0, 1, 1]),
    ]


case(
    "nn.functional.pad", rows="constant_pad_nd",
    samples=lambda make: [*constants(make), sample(make(3), (1, 1), "constant", 2)],
    errors=[
        ODD, LONG, CUT, NOT_INTS,
        wrong(NotImplementedError, "Unrecognised padding mode bad", MATRIX, (1, 1), "bad"),
        wrong(TypeError, "must be float, not complex", MATRIX, (1, 1), value=1j),
        wrong(TypeError, "must be tuple of ints, not int", MATRIX, 1),
    ],
    dtypes=("float32", "float64", "complex128", "int64", "bool"),
)  # fmt: skip
case(
    "constant_pad_nd",
    samples=lambda make: [*constants(make), sample(make(3), (1, 1), 2)],
    errors=[ODD, LONG, CUT, NOT_INTS],
)  # fmt: skip


def own(mode, *more):
    def samples(make):
        return [
            sample(make(2, 4), (1, 2), mode),
            sample(make(2, 3, 4), (3, 0), mode=mode),
            sample(make(2, 3, 4), (1, 1, 2, 0), mode),
            sample(make(1, 2, 3, 4), (0, 2, 1, 1), mode),
            sample(make(2, 3, 4, 3), (1, 1, 1, 0, 2, 1), mode),
            sample(make(2, 5), (-1, 1), mode),
            sample(make(0, 2, 3), (1, 1), mode),
            *(sample(make(*shape), pads, mode) for shape, pads in more),
        ]

    return samples


DIMS = r"1 dimensions with mode '{}' is for tensors of 2 or 3 dimensions, not of shape \[3\]"

for _mode, _kind, _more, _limit in (
    ("reflect", "reflection", (), "Padding size should be less than"),
    ("replicate", "replication", (((1, 2), (5, 4)),), "only the batch may be empty"),
    ("circular", "circular", (((2, 3), (3, 3)),), "wrapping around more than once"),
):
    case(
        "nn.functional.pad", variant=_mode,
        rows=f"{_kind}_pad1d {_kind}_pad2d {_kind}_pad3d pad_backward", samples=own(_mode, *_more),
        errors=[
            wrong(NotImplementedError, DIMS.format(_mode), VECTOR, (1, 1), _mode),
            wrong(RuntimeError, "doesn't take in value argument", MATRIX, (1, 1), _mode, 2.0),
            wrong(RuntimeError, _limit, np.ones((2, 3 * (_mode != "replicate"))), (4, 4), _mode),
        ],
    )  # fmt: skip
