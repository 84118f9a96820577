"""Samples of ``adjoint/ops/dropout.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

ONES = np.ones
F = "nn.functional."
ROWS = "dropout_noise mul"


def elements(make):
    """One element, and several."""
    return [
        sample(make(3, 4), 0.5, True),
        sample(make(20), 0.1, True),
        sample(make(), 0.3, True),
    ]


def channels(make):
    """Matrices, sequences and images."""
    return [
        sample(make(3, 4), 0.5, True),
        sample(make(2, 6, 2), 0.3, True),
        sample(make(2, 3, 2, 2), 0.3, True),
    ]


def quiet(make):
    """Nothing to draw: never, always, not now, of nothing."""
    return [
        sample(make(2, 3), 0.0, True),
        sample(make(2, 3), 1.0, True),
        sample(make(2, 3), 0.5, False),
        sample(make(0, 2), 0.5, True),
    ]


def sizes(make, *ranks):
    """Images of these numbers of dimensions."""
    return [sample(make(2, 3, 2, 2, 2)[(0,) * (5 - rank)], 0.5) for rank in ranks]


def refused(error, *inputs):
    """Probabilities out of range, and what else is wrong."""
    return [
        wrong(error, "between 0 and 1", ONES((2, 3)), 1.5, True),
        wrong(error, "between 0 and 1", ONES((2, 3)), -0.1, True),
        *inputs,
    ]


INTEGERS = wrong(RuntimeError, "torch.int64", ONES((2, 3), int), 0.5, True)
VECTOR = wrong(RuntimeError, "at least 2 dimensions", ONES(3), 0.5, True)


def drawn(function, samples, errors):
    """A case of random numbers, and one of those that draw none."""
    case(
        function,
        rows=ROWS,
        samples=samples,
        errors=errors,
        random=True,
        batched=False,
        note="vmap refuses unless its randomness says how to draw",
    )
    case(
        function,
        variant="without a draw",
        rows="mul",
        samples=quiet,
        errorless="the case without variant has them",
    )


for place, error in (("", RuntimeError), (F, ValueError)):
    drawn(place + "dropout", elements, refused(error, INTEGERS))
    drawn(place + "alpha_dropout", elements, refused(error, INTEGERS))
    drawn(place + "feature_alpha_dropout", channels, refused(error, INTEGERS, VECTOR))
for name in ("dropout_", "alpha_dropout_"):
    drawn(name, elements, refused(RuntimeError, INTEGERS))
for name in ("feature_dropout", "feature_dropout_", "feature_alpha_dropout_"):
    drawn(name, channels, refused(RuntimeError, INTEGERS, VECTOR))

VECTOR_1D = wrong(RuntimeError, r"got shape \[3\]", ONES(3))
drawn(F + "dropout1d", lambda make: sizes(make, 2, 3), refused(ValueError, VECTOR_1D))
drawn(F + "dropout2d", lambda make: sizes(make, 3, 4), refused(ValueError))
drawn(F + "dropout3d", lambda make: sizes(make, 4, 5), refused(ValueError))
