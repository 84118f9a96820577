"""Samples of ``adjoint/ops/losses_composed.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

ONES = np.ones
F = "nn.functional."
NO_REDUCTION = wrong(ValueError, "not a valid value", ONES(3), ONES(3), reduction="means")
MISMATCH = wrong(RuntimeError, "must match", ONES(3), ONES(2))


def each_reduction(make, call):
    """A call with each reduction."""
    return [call(reduction=reduction) for reduction in ("mean", "sum", "none")]


def signs(make, *shape, dtype="int64"):
    """Targets of 1 and -1."""
    return np.asarray(make(*shape, low=0, high=1, dtype=dtype) * 2 - 1)


case(
    F + "kl_div",
    rows="xlogy mul sub",
    samples=lambda make: [
        *each_reduction(make, lambda **k: sample(make(2, 3), make(2, 3, low=0.1), **k)),
        *each_reduction(make, lambda **k: sample(make(2, 3), make(2, 3), log_target=True, **k)),
        sample(make(2, 3), make(2, 3, low=0.1), reduction="batchmean"),
        sample(make(), make(low=0.1), reduction="batchmean"),
        sample(make(2, 3), make(3, low=0.1), reduction="sum"),
        sample(make(0, 3), make(0, 3, low=0.1), reduction="sum"),
    ],
    errors=[
        NO_REDUCTION,
        MISMATCH,
        wrong(RuntimeError, "torch.int64", ONES(3, int), ONES(3, int)),
        wrong(RuntimeError, "torch.complex128", ONES(3), ONES(3, complex)),
    ],
)
case(
    F + "poisson_nll_loss",
    rows="exp mul sub",
    samples=lambda make: [
        *each_reduction(make, lambda **k: sample(make(2, 3), make(2, 3), **k)),
        sample(make(2, 3), make(2, 3, low=1.5, high=5), full=True),
        sample(make(2, 3), make(2, 3, low=0.5, high=5), full=True, reduction="none"),
        sample(make(2, 3, low=0.5), make(2, 3), log_input=False),
        sample(make(3, low=0.5), make(2, 3), log_input=False, eps=0.1, reduction="none"),
        sample(make(0), make(0), reduction="sum"),
    ],
    errors=[NO_REDUCTION, MISMATCH],
)
case(
    F + "gaussian_nll_loss",
    rows="log div raised",
    samples=lambda make: [
        *each_reduction(make, lambda **k: sample(make(2, 3), make(2, 3), make(2, 3, low=0.5), **k)),
        sample(make(2, 3), make(2, 3), make(2, low=0.5), full=True),
        sample(make(2, 3), make(2, 3), make(2, 1, low=0.5), full=True, reduction="none"),
        sample(make(2, 3), make(2, 3), 2.0),
        sample(make(), make(), make(low=0.5)),
    ],
    errors=[
        wrong(ValueError, "negative", ONES(3), ONES(3), -ONES(3)),
        wrong(ValueError, "negative", ONES(3), ONES(3), -2.0),
        wrong(ValueError, "incorrect size", ONES((2, 3)), ONES((2, 3)), ONES(3)),
        wrong(ValueError, "not valid", ONES(3), ONES(3), ONES(3), reduction="means"),
        wrong(NotImplementedError, "variance is real", ONES(3), ONES(3), ONES(3, complex)),
    ],
)
case(
    F + "hinge_embedding_loss",
    rows="clamp_min where add",
    samples=lambda make: [
        *each_reduction(make, lambda **k: sample(make(2, 3), signs(make, 2, 3), **k)),
        sample(make(2, 3), signs(make, 2, 3), margin=0.3),
        sample(make(2, 3), np.array([1, 0, -1]), reduction="none"),
        sample(make(), signs(make)),
    ],
    errors=[NO_REDUCTION, MISMATCH],
)
case(
    F + "margin_ranking_loss",
    rows="clamp_min mul sub",
    samples=lambda make: [
        *each_reduction(make, lambda **k: sample(make(4), make(4), signs(make, 4), **k)),
        sample(make(2, 3), make(2, 3), signs(make, 2, 3), margin=0.7),
        sample(make(2, 3), make(1, 3), signs(make, 2, 1), 0.7, reduction="none"),
    ],
    errors=[
        wrong(RuntimeError, r"\[3, 3\]", ONES(3), ONES(3), ONES((3, 3))),
        wrong(ValueError, "not a valid value", ONES(3), ONES(3), ONES(3), reduction="means"),
    ],
)
case(
    F + "cosine_embedding_loss",
    rows="mul sum_dims sqrt div",
    samples=lambda make: [
        *each_reduction(make, lambda **k: sample(make(4, 3), make(4, 3), signs(make, 4), **k)),
        sample(make(4, 3), make(4, 3), signs(make, 4), margin=-0.5),
        sample(make(3), make(3), np.array(1)),
        sample(make(3), make(3), np.array(-1), margin=-0.9, reduction="none"),
    ],
    errors=[
        wrong(RuntimeError, "1D target", ONES((2, 3, 3)), ONES((2, 3, 3)), np.array([1, -1])),
        wrong(RuntimeError, "must match", ONES((2, 3)), ONES((2, 3)), np.array([1, -1, 1])),
        wrong(
            ValueError, "not a valid", ONES((1, 3)), ONES((1, 3)), np.array([1]), reduction="means"
        ),
    ],
)
