"""Random programs of views and writes among arguments and closed-over tensors."""

from __future__ import annotations

import random
import sys
from typing import Any

import pytest

import adjoint as torch
from adjoint.errors import GraphError, UntraceableError
from tests.compiler.front.comparing import _same, outcome
from tests.compiler.front.replaying import Replayed
from tests.compiler.front.test_tracing import numbers

VIEWS = [
    lambda x: x[0],
    lambda x: x[-1:],
    lambda x: x.t() if x.ndim == 2 else x[...],
    lambda x: x.reshape(-1),
    lambda x: x.detach(),
    lambda x: x.data,
    lambda x: x.unsqueeze(0),
    lambda x: x.expand(2, *x.shape),
    lambda x: x[:, 1:] if x.ndim == 2 else x[1:],
    lambda x: x.diagonal() if x.ndim == 2 else x.squeeze(),
    lambda x: x.flatten(),
    lambda x: x.contiguous(),
    lambda x: torch.chunk(x, 2)[0],
]
NEW = [
    lambda x: x * 2,
    lambda x: x.sin(),
    lambda x: x.clone(),
    lambda x: torch.ones(3) + x.sum(),
    lambda x: torch.zeros(2, 3),
    lambda x: x + x,
    lambda x: torch.arange(3.0),
]
WRITES = [
    lambda x, y: x.mul_(0.5),
    lambda x, y: x.add_(1),
    lambda x, y: x.copy_(y.sum()),
    lambda x, y: x.zero_(),
    lambda x, y: x.fill_(2.0),
    lambda x, y: x.add_(y),
    lambda x, y: x.sub_(y.mean()),
    lambda x, y: x.__setitem__(0, 3.0),
    lambda x, y: x.__setitem__(..., y.sum()),
    lambda x, y: x.__setitem__(slice(1, None), y.sum()),
    lambda x, y: x.clamp_(-1, 1),
    lambda x, y: x.masked_fill_(x > 0.5, 0.25),
]


def program(seed: int) -> Any:
    """A function of a few random steps, with what it is called on; the same for the same seed."""
    chance = random.Random(seed)
    wants = chance.random() < 0.4
    outside = [numbers(2, 3, seed=n) for n in range(chance.randrange(1, 3))]
    if wants:
        outside[0].requires_grad_()
    for _ in range(chance.randrange(3)):
        with torch.no_grad() if wants else torch.enable_grad():
            outside.append(chance.choice(VIEWS)(chance.choice(outside)))
    arguments = [(numbers(2, 3, seed=10 + n), numbers(3, seed=20 + n)) for n in range(3)]
    steps = [
        (chance.choice("vvnwwwg"), chance.random(), chance.random(), chance.random())
        for _ in range(chance.randrange(2, 9))
    ]
    quiet = chance.random() < 0.7
    returned = [chance.random() for _ in range(3)]

    def function(x: Any, y: Any) -> Any:
        pool = [*outside, x, y]

        def pick(value: float) -> Any:
            return pool[int(value * len(pool))]

        with torch.no_grad() if quiet else torch.enable_grad():
            for kind, first, second, third in steps:
                if kind == "v":
                    pool.append(VIEWS[int(first * len(VIEWS))](pick(second)))
                elif kind == "n":
                    pool.append(NEW[int(first * len(NEW))](pick(second)))
                elif kind == "w":
                    WRITES[int(first * len(WRITES))](pick(second), pick(third))
                elif wants:
                    with torch.enable_grad():
                        (outside[0] * pick(first).detach().sum()).sum().backward()
        return [pick(value) for value in returned]

    return function, arguments, outside


def verdict(seed: int) -> str:
    """Compare one program; "same", "refused" (by the trace) or "error" (by both)."""
    function, calls, watched = program(seed)
    try:
        expected = outcome(function, calls, watched)
    except Exception as error:  # noqa: BLE001 - whatever eager code says
        function, calls, watched = program(seed)
        # By the use of a view that a write made ambiguous; or a write from what overlaps.
        if not isinstance(error, GraphError) and "some elements of the input" not in str(error):
            with pytest.raises(Exception):  # noqa: B017
                outcome(Replayed(function), calls, watched)
        return f"error {type(error).__name__}"
    function, calls, watched = program(seed)
    try:
        found = outcome(Replayed(function), calls, watched)
    except UntraceableError as error:
        return f"refused: {str(error).split(': ', 2)[2]}"
    assert len(found) == len(expected)
    for number, (here, there) in enumerate(zip(found, expected, strict=True)):
        _same(here, there, 1e-5, f"seed {seed}, value {number}")
    return "same"


@pytest.mark.parametrize("begin", range(0, 120, 30))
def test_random_programs(begin):
    found = [verdict(seed) for seed in range(begin, begin + 30)]
    assert sum(each == "same" for each in found) > 10


if __name__ == "__main__":
    import collections
    import traceback

    counts: Any = collections.Counter()
    for seed in range(int(sys.argv[1]), int(sys.argv[2])):
        try:
            counts[verdict(seed)] += 1
        except BaseException as error:  # noqa: BLE001
            counts["WRONG"] += 1
            print(seed, type(error).__name__, str(error)[:300].replace("\n", " "))  # noqa: T201
            if len(sys.argv) > 3:
                traceback.print_exc()
    for key, count in counts.most_common():
        print(count, key)  # noqa: T201
