"""Samples of ``adjoint/ops/attention_heads.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

ONES = np.ones
X, W = ONES((3, 1, 4)), ONES((12, 4))
LAST = (None, None, None, False, 0.0, ONES((4, 4)), None)
NOT = np.array([[False, True, False], [True, False, False]])


def call(*shapes, bias=True, more=(), **options):
    """The arguments of a call: a query and a key of two shapes, of width 4 in 2 heads."""

    def made(make):
        query, key = (make(*shape) for shape in shapes)
        biases = [make(12) if bias else None, *[make(1, 1, 4) if more else None for _ in range(2)]]
        return sample(
            query, key, make(*shapes[1]), 4, 2, make(12, 4), *biases, "zero" in more, 0.0,
            make(4, 4), make(4) if bias else None, **options,
        )  # fmt: skip

    return made


CALLS = [
    call((2, 3, 4), (3, 3, 4)),
    call((2, 4), (3, 4), bias=False),
    call((2, 3, 4), (3, 3, 4), average_attn_weights=False),
    call((2, 3, 4), (3, 3, 4), more=("bias", "zero"), attn_mask=NOT),
    call((2, 2, 4), (3, 2, 4), key_padding_mask=NOT, training=False),
]


def separate(make):
    options = {
        "use_separate_proj_weight": True,
        "q_proj_weight": make(4, 4), "k_proj_weight": make(4, 5), "v_proj_weight": make(4, 6),
    }  # fmt: skip
    return sample(
        make(2, 1, 4), make(3, 1, 5), make(3, 1, 6), 4, 2, None, None, None, None, False, 0.0,
        make(4, 4), None, **options,
    )  # fmt: skip


case(
    "nn.functional.multi_head_attention_forward",
    rows="linear bmm baddbmm softmax",
    samples=lambda make: [*[each(make) for each in CALLS], separate(make)],
    constants=("key_padding_mask", "attn_mask"),
    note="masks that are boolean have no derivative",
    tolerance=1e-9,
    errors=[
        wrong(AssertionError, "dimension of 5", X, X, X, 5, 1, W, *LAST),
        wrong(AssertionError, "not divisible by num_heads 3", X, X, X, 4, 3, W, *LAST),
        wrong(AssertionError, "does not match value", X, X, X[:2], 4, 2, W, *LAST),
        wrong(AssertionError, "received 1-D", X[0, 0], X, X, 4, 2, W, *LAST),
        wrong(AssertionError, "key to be 3-D", X, X[0], X, 4, 2, W, *LAST),
        wrong(RuntimeError, "Need attn_mask", X, X, X, 4, 2, W, *LAST, is_causal=True),
        wrong(RuntimeError, r"\(2, 3\), but should", X, X, X, 4, 2, W, *LAST, attn_mask=NOT),
        wrong(
            AssertionError, "key_padding_mask shape", X, X, X, 4, 2, W, *LAST, key_padding_mask=NOT
        ),
    ],
)
