"""The table against PyTorch on random calls: samples with other shapes, types and arguments.

Both libraries give the same values and gradients, or both refuse, with the same type of error.
"""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from adjoint.tape.tensor import wrap
from tests.harness import CASES, Call, calls, forward
from tests.harness_checks import ALL, each_call
from tests.harness_random import variation
from tests.harness_torch import (
    lacks_kernel,
    outcome,
    same_gradients,
    same_outcome,
    tape,
    torch_forward,
)

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
COUNT = 40  # of each case


@pytest.mark.parametrize("key", [key for key in ALL if not CASES[key].random])
def test_random_calls(key: str) -> None:
    random = np.random.RandomState(zlib.crc32(key.encode()))
    samples = calls(key, "float32")

    def check(call: Call) -> None:
        theirs = outcome(lambda: torch_forward(call, call.leaves))
        if isinstance(theirs, Exception) and lacks_kernel(theirs):
            return
        ours = outcome(lambda: forward(call, list(map(wrap, call.leaves))))
        same_outcome(ours, theirs, call)
        if not isinstance(theirs, Exception) and call.moving:
            same_gradients(call, *tape(call))

    chosen = [samples[random.randint(0, len(samples))] for _ in range(COUNT)]
    each_call(key, check, [variation(each, random) for each in chosen])
