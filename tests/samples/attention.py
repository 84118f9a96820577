"""Samples of ``adjoint/ops/attention.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

ONES = np.ones
F = "nn.functional."
Q, K = ONES((2, 3, 4)), ONES((2, 5, 4))
SEEN = np.array([[True, False, True, True, False], [True] * 5, [False, True, False, False, True]])
NOWHERE = np.array([[True, False, True, True, False], [False] * 5, [True] * 5])


def triple(make, front, length=3, keys=5, width=4, values=4, **options):
    """Queries, keys and values with the same dimensions in front."""
    return sample(
        make(*front, length, width),
        make(*front, keys, width),
        make(*front, keys, values),
        **options,
    )


case(
    F + "scaled_dot_product_attention",
    rows="scaled_dot_product_attention safe_softmax",
    samples=lambda make: [
        triple(make, ()),
        triple(make, (2,), values=3),
        triple(make, (2, 2)),
        triple(make, (2, 1), scale=0.3),
        triple(make, (2,), is_causal=True),
        triple(make, (2,), length=5, keys=3, is_causal=True),
        triple(make, (2,), attn_mask=SEEN),
        triple(make, (2, 2), attn_mask=SEEN),
        triple(make, (2,), attn_mask=make(3, 5)),
        triple(make, (2, 1), attn_mask=make(2, 1, 1, 5)),
        triple(make, (2,), attn_mask=NOWHERE),
        sample(make(2, 3, 4), make(5, 4), make(5, 4)),
        sample(make(1, 4, 3, 4), make(1, 2, 5, 4), make(1, 2, 5, 4), enable_gqa=True),
    ],
    errors=[
        wrong(RuntimeError, "at least 2 dimensions", ONES(4), ONES(4), ONES(4)),
        wrong(RuntimeError, "cannot be multiplied", Q, ONES((2, 5, 3)), K),
        wrong(RuntimeError, "same dtype", Q, K.astype("float32"), K),
        wrong(RuntimeError, "floating", Q.astype(int), K.astype(int), K.astype(int)),
        wrong(NotImplementedError, "complex128", *(x.astype(complex) for x in (Q, K, K))),
        wrong(RuntimeError, "attn_mask", Q, K, K, attn_mask=ONES((3, 5), int)),
        wrong(RuntimeError, "must match|stretch", Q, K, K, attn_mask=ONES((4, 5))),
        wrong(RuntimeError, "evenly", ONES((4, 1, 4)), ONES((3, 1, 4)), ONES((3, 1, 4)),
              enable_gqa=True),
        wrong(RuntimeError, "between 0 and 1", Q, K, K, dropout_p=1.5),
    ],
)  # fmt: skip
case(
    F + "scaled_dot_product_attention",
    variant="with dropout",
    rows="matmul dropout_noise",
    samples=lambda make: [triple(make, (2,), dropout_p=0.5), triple(make, (2, 2), dropout_p=0.2)],
    random=True,
    batched=False,
    note="vmap refuses unless its randomness says how to draw",
    errorless="the case without variant has them",
)
