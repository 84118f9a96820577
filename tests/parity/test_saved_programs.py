"""Random programs inside the context managers that look after saved tensors, against PyTorch."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.parity.programs.comparing import difference
from tests.parity.programs.growing import STEP, grow
from tests.parity.programs.running import Program

HOOKS = "saved_tensors_hooks"
CONTEXTS = {
    "copies": f"{HOOKS}(lambda t: t.detach().clone(), lambda t: t)",
    "arrays": f"{HOOKS}(lambda t: t.detach().numpy().copy(), torch.from_numpy)",
    "writes": "allow_mutation_on_saved_tensors()",
}
# PyTorch has no hooks for saved tensors in transforms, and no versions of inference tensors.
LEFT_OUT = ("torch.func.", "vmap", "forward_ad", "inference_mode")
COUNT = 80


def programs(first: int) -> Iterator[Program]:
    """Programs that do the same in both libraries outside of the contexts."""
    seed, found = first, 0
    while found < COUNT:
        draw = random.Random(seed)
        seed += 1
        steps = [
            tuple(draw.randrange(256) for _ in range(STEP)) for _ in range(draw.randint(3, 16))
        ]
        try:
            program = grow(steps)
        except RuntimeError:  # PyTorch cannot look at what it has made
            continue
        text = str(program)
        if not any(word in text for word in LEFT_OUT) and difference(program) is None:
            found += 1
            yield program


@pytest.mark.parametrize("name", CONTEXTS)
def test_programs(name: str) -> None:
    begin = f"context = torch.autograd.graph.{CONTEXTS[name]}\n_ = context.__enter__()"
    end = "context.__exit__(None, None, None)"
    for program in programs(1000 * list(CONTEXTS).index(name)):
        inside = program._replace(statements=(begin, *program.statements, end))
        found = difference(inside)
        assert found is None, f"\n{found}"
