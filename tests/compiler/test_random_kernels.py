"""Random programs of maps, sums, views and products, whose kernels differ in every way there is.

``python -m tests.compiler.test_random_kernels 100 1000`` tries seeds from 100 to 999.
"""

from __future__ import annotations

import random
import sys
from typing import Any

import numpy as np
import pytest

import adjoint as torch
from adjoint.compiler.runtime.executable import Executable
from tests.compiler.programs import program_of

SIZES = (1, 2, 3, 5, 8, 16, 17, 40, 64, 130)


class Maker:
    """Grows a program from a seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.rng = random.Random(seed)
        rank = self.rng.choice((1, 2, 2, 3, 3, 4))
        sizes = [self.rng.choice(SIZES) for _ in range(rank)]
        while np.prod(sizes) > 60_000:
            sizes[sizes.index(max(sizes))] = self.rng.choice(SIZES[:5])
        self.shape = tuple(sizes)
        self.steps = self.rng.randint(3, 14)

    def inputs(self) -> list[Any]:
        """Whole, of the last axis, with ones in between."""
        rng = np.random.default_rng(self.rng.randrange(10**6))
        thin = tuple(1 if self.rng.random() < 0.5 else size for size in self.shape)
        shapes = (self.shape, self.shape, self.shape[-1:], thin)
        return [rng.uniform(-2, 2, each).astype(np.float32) for each in shapes]

    def function(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The same program each time it is called."""
        rng = random.Random(self.seed)
        known, results = list(inputs), []
        for _ in range(self.steps):
            x = rng.choice(known[-5:])
            made = self.one(rng, x, known)
            known.append(made)
            if rng.random() < 0.3:
                results.append(made)
        return (*results, known[-1], known[-1].mean())

    def one(self, rng: random.Random, x: torch.Tensor, known: list[torch.Tensor]) -> torch.Tensor:
        """One more value."""
        dims = [dim for dim in range(x.ndim) if rng.random() < 0.5] or list(range(x.ndim))
        choice = rng.randrange(11)
        if choice < 3:
            other = rng.choice(known)
            try:
                shape = np.broadcast_shapes(tuple(x.shape), tuple(other.shape))
            except ValueError:
                return x * 0.5 + 1
            if np.prod(shape) > 100_000:
                return x.tanh()
            return rng.choice((torch.add, torch.mul, torch.maximum))(x, other * 0.5)
        if choice == 3:
            return rng.choice((torch.tanh, torch.sigmoid, torch.abs))(x)
        if choice == 4 and x.ndim:
            return x.mean(dims, keepdim=True)
        if choice == 5 and x.ndim:
            return x.mean(dims)
        if choice == 6 and x.ndim:
            return x.amax(dims, keepdim=rng.random() < 0.7)
        if choice == 7 and x.ndim:
            return x.softmax(rng.randrange(x.ndim))
        if choice == 8 and x.ndim > 1:
            return x.transpose(-1, rng.randrange(x.ndim - 1))
        if choice == 9 and x.ndim:
            return x.flip(rng.randrange(x.ndim)) if rng.random() < 0.5 else x.reshape(-1)
        if choice == 10 and x.ndim and x.shape[-1] > 2:
            return x[..., 1:] - x[..., :-1]
        return x - x.mean()


def differs(seed: int, effort: int = 1) -> str | None:
    """What is wrong with the program of a seed."""
    maker = Maker(seed)
    arrays = maker.inputs()
    program = program_of(maker.function, *map(torch.tensor, arrays))
    found = Executable(program, effort)(*arrays)
    for number, (one, other) in enumerate(zip(found, program.evaluate(arrays), strict=True)):
        if (one.shape, one.dtype) != (other.shape, other.dtype):
            return f"seed {seed}, output {number}: {one.shape}, not {other.shape}"
        scale = max(float(np.abs(other).max(initial=0)), 0.5)  # sums may cancel
        worst = float(np.abs(one - other).max(initial=0))
        if not worst <= 2e-5 * scale:
            return f"seed {seed}, output {number}: {worst} off, of {scale}\n{program}"
    return None


@pytest.mark.parametrize("block", range(4))
def test_random_kernels(block):
    for seed in range(block * 12, block * 12 + 12):
        found = differs(seed)
        assert found is None, found


if __name__ == "__main__":
    first, last = (0, *map(int, sys.argv[1:]))[-2:]
    for each in range(first, last):
        sys.stdout.write(f"{differs(each) or each}\n")
