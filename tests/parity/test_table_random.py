"""The table against PyTorch on random calls: samples with other shapes, types and arguments.

Both libraries give the same values and gradients, or both refuse, with the same type of error.
"""

from __future__ import annotations

import contextlib
import zlib
from typing import Any

import numpy as np
import pytest

import adjoint
from adjoint.tape.tensor import wrap
from tests.harness import CASES, Call, as_array, calls, forward
from tests.harness_checks import ALL, each_call
from tests.harness_random import variation
from tests.harness_torch import (
    RefusedError,
    from_torch,
    lacks_kernel,
    outcome,
    same_gradients,
    same_outcome,
    tape,
    torch,
    torch_forward,
)

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
COUNT = 40  # of each case

# Errors of PyTorch that speak of how it is written, not of the call.
OF_ITS_OWN = (
    "view size is not compatible with",  # a view taken inside where the strides allow none
    "because the unspecified dimension size -1 can be any value",  # the same, of nothing
    "setStorage: sizes",  # it has not looked whether indices into nothing are in range
    "can't be cast to the desired output type",  # it computes in a type that it has not chosen
)
# Where the samples compare gradients, but random calls only values.
_ANGLE = "the angle between vectors of one element does not change: its gradient is all rounding"
_MEMORY = "PyTorch's gradient of a batch of one reads memory that nothing has written"
_EQUAL_KEYS = "the weights of keys that are all equal do not change: the gradient is all rounding"
ONLY_VALUES = {
    "nn.functional.multi_head_attention_forward": _EQUAL_KEYS,
    "cosine_similarity": _ANGLE,
    "nn.functional.cosine_similarity": _ANGLE,
    "nn.functional.batch_norm": _MEMORY,
    "block_diag": "PyTorch's gradient is that of another row after a block of no columns",
}


# Whose samples are regular, where random matrices are singular or have equal values, of which the
# vectors are anyone's choice: `tests/ops/test_matrices.py` and the samples compare these.
REGULAR = frozenset(
    (
        "cholesky", "det", "linalg.cholesky", "linalg.det", "linalg.eigh", "linalg.inv",
        "linalg.pinv", "linalg.qr", "linalg.slogdet", "linalg.solve", "linalg.solve_triangular",
        "linalg.svd", "linalg.svdvals", "linalg.tensorinv", "linalg.tensorsolve", "logdet", "qr",
        "slogdet", "svd",
    )
)  # fmt: skip


def is_compared(key: str) -> bool:
    """Whether random calls of a case mean something in both libraries."""
    case = CASES[key]
    nuclear = case.function == "norm" and "nuclear" in key
    return not (case.random or case.function in REGULAR or nuclear)


@pytest.mark.parametrize("key", list(filter(is_compared, ALL)))
def test_random_calls(key: str) -> None:
    random = np.random.RandomState(zlib.crc32(key.encode()))
    samples = calls(key, "float32")

    def check(call: Call) -> None:
        reseed()
        theirs = outcome(lambda: torch_forward(call, call.leaves))
        ours = outcome(lambda: forward(call, list(map(wrap, call.leaves))))
        if excused(call, ours, theirs):
            return
        same_outcome(ours, theirs, call)
        if call.case.function in ONLY_VALUES:
            return
        if not isinstance(theirs, Exception) and not isinstance(ours, Exception) and call.moving:
            reseed()
            with contextlib.suppress(RefusedError):
                same_gradients(call, *tape(call))

    chosen = [samples[random.randint(0, len(samples))] for _ in range(COUNT)]
    each_call(key, check, [variation(each, random) for each in chosen])


def reseed() -> None:
    """A variation may be one that draws random numbers."""
    adjoint.manual_seed(0)
    torch.manual_seed(0)


def excused(call: Call, ours: Any, theirs: Any) -> bool:
    """Whether PyTorch refuses a good call, or lets a bad one through because there is no work."""
    if isinstance(theirs, AttributeError):  # it has not looked at its arguments
        return isinstance(ours, TypeError)
    if isinstance(theirs, TypeError) and isinstance(ours, AttributeError):
        # Something that is no tensor at all: it is said what it lacks.
        return call.changed == "other argument" and "has no attribute" in str(ours)
    if isinstance(theirs, Exception):
        return lacks_kernel(theirs) or any(words in str(theirs) for words in OF_ITS_OWN)
    if any(getattr(each, "dtype", None) is torch.complex32 for each in theirs):
        return isinstance(ours, RuntimeError)  # a type that Adjoint does not have
    if not isinstance(ours, Exception) and other_of_equals(call, ours, theirs):
        return True
    if "max_unpool" in call.case.function and not isinstance(ours, Exception):
        # Which of several maxima for one place is left there is not said.
        places, rank = call.leaves[1], int(call.case.function[-2])
        lines = places.reshape(int(np.prod(places.shape[:-rank])), -1) if places.size else ()
        return any(np.unique(line).size < line.size for line in lines)
    nothing = any(leaf.size == 0 for leaf in call.leaves)
    unchecked = call.changed in ("other type", "other number")
    return isinstance(ours, Exception) and nothing and unchecked


def other_of_equals(call: Call, ours: Any, theirs: Any) -> bool:
    """Whether values came with indices, and equal values have other indices."""
    if len(theirs) < 2 or all(np.unique(leaf).size == leaf.size for leaf in call.leaves):
        return False
    return any(
        isinstance(b, torch.Tensor)
        and not b.dtype.is_floating_point
        and as_array(a).shape == tuple(b.shape)
        and not np.array_equal(as_array(a), from_torch(b))
        for a, b in zip(ours, theirs, strict=True)
    )
