"""Samples of ``adjoint/ops/embedding.py``."""

import numpy as np

from tests.samples.case import case, kink, sample, wrong

ONES = np.ones
F = "nn.functional."
TABLE = ONES((3, 2))


def places(make, *shape, dtype="int64"):
    """Indices into a table of three rows."""
    return make(*shape, low=0, high=2, dtype=dtype)


case(
    F + "embedding",
    rows="embedding embedding_backward embedding_masked",
    samples=lambda make: [
        sample(places(make, 4), make(3, 2)),
        kink(places(make, 2, 4), make(3, 2), padding_idx=1),
        kink(places(make, 4), make(3, 2), -1),
        sample(places(make), make(3, 2)),
        sample(places(make, 4, dtype="int32"), make(3, 5)),
        sample(places(make, 4), make(3, 1)),
    ],
    errors=[
        wrong(IndexError, "out of range: 3", np.array([0, 3]), TABLE),
        wrong(IndexError, "out of range: -1", np.array([0, -1]), TABLE),
        wrong(RuntimeError, "Long or Int", ONES(2), TABLE),
        wrong(RuntimeError, "Long or Int", ONES(2, np.uint8), TABLE),
        wrong(RuntimeError, "2-D", np.array([0]), ONES(3)),
        wrong(AssertionError, "within num_embeddings", np.array([0]), TABLE, padding_idx=3),
    ],
)
case(
    F + "embedding",
    variant="by frequency",
    samples=lambda make: [
        sample(places(make, 4), make(3, 1), scale_grad_by_freq=True),
        sample(places(make, 6), make(3, 2), 0, scale_grad_by_freq=True),
        sample(places(make, 2, 0), make(3, 2)),
    ],
    differentiable=False,
    note="PyTorch's second derivative forgets the frequencies, and fails for no indices",
    errorless="the case without variant has them",
)
case(
    F + "one_hot",
    samples=lambda make: [
        sample(places(make, 4), 3),
        sample(places(make, 2, 3), num_classes=5),
        sample(places(make), 3),
        sample(places(make, 0), 3),
    ],
    dtypes=("int64",),
    differentiable=False,
    note="classes are integers",
    errors=[
        wrong(RuntimeError, "smaller than num_classes", np.array([0, 2]), 2),
        wrong(RuntimeError, "non-negative", np.array([0, -1]), 3),
        wrong(RuntimeError, "LongTensor", ONES(2), 3),
        wrong(RuntimeError, "LongTensor", np.array([0], np.int32), 3),
        wrong(RuntimeError, "empty", np.array([], np.int64)),
    ],
)
case(
    F + "one_hot",
    variant="as many as there are",
    rows=(),
    samples=lambda make: [sample(places(make, 4)), sample(places(make, 2, 3), -1)],
    dtypes=("int64",),
    differentiable=False,
    traced=False,
    batched=False,
    note="the number of classes depends on values",
    errorless="the case without variant has them",
)
case(
    "embedding_renorm_",
    rows=(),
    samples=lambda make: [
        sample(make(3, 2), np.array([0, 2, 0]), 1.0, 2.0),
        sample(make(3, 2), np.array([1]), 0.5, 1.0),
    ],
    differentiable=False,
    batched=False,
    traced=False,
    note="it writes values, without a history",
    errors=[
        wrong(IndexError, "out of range", np.ones((2, 2)), np.array([2]), 1.0, 2.0),
        wrong(RuntimeError, "int64", np.ones((2, 2), np.int64), np.array([1]), 1.0, 2.0),
    ],
)
