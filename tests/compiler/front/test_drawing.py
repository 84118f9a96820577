"""Random numbers in traced functions are those of eager ones, drawn anew at each call."""

from __future__ import annotations

from typing import Any

import pytest

import adjoint as torch
from adjoint.errors import UntraceableError
from adjoint.utils.checkpoint import checkpoint
from tests.compiler.front.comparing import assert_same
from tests.compiler.front.replaying import Replayed
from tests.compiler.front.test_tracing import numbers

F = torch.nn.functional
source = torch.Generator().manual_seed(3)


def drawing() -> dict[str, Any]:
    def made(x):
        return (
            torch.rand(3), torch.randn(2, 2), torch.randint(10, (4,)), torch.randperm(5),
            torch.normal(0.0, 2.0, (3,)),
        )  # fmt: skip

    def from_tensors(x):
        p = x.sigmoid()
        return (
            torch.bernoulli(p), torch.normal(x, p), torch.normal(x, 1.0), torch.poisson(p * 5),
            torch.multinomial(p, 2), torch.rand_like(x), torch.randn_like(x.t()),
        )  # fmt: skip

    def from_constants(x):
        return (
            torch.bernoulli(torch.full((3,), 0.5)), torch.empty(3).normal_(),
            torch.empty(2).uniform_(1, 2), torch.zeros(3).exponential_(),
            torch.rand_like(torch.ones(2)), torch.ones(3).bernoulli_(0.3),
            torch.multinomial(torch.ones(4), 2), torch.empty(4).random_(7),
        )  # fmt: skip

    def dropped(x):
        return F.dropout(x, 0.5), F.alpha_dropout(x, 0.3), F.dropout1d(x[None], 0.5)

    def unused(x):
        torch.rand(3)
        F.dropout(x)
        return torch.rand(2)

    def states(x):
        state = torch.get_rng_state()
        first = torch.rand(2)
        torch.set_rng_state(state)
        torch.rand(1)
        second = torch.rand(2)
        torch.manual_seed(7)
        return first, second, torch.rand(2)

    def forked(x):
        with torch.random.fork_rng():
            first = torch.rand(2)
        return first, torch.rand(2)

    def other_generator(x):
        return torch.rand(2, generator=source), x.clone().normal_(generator=source)

    def mapped(x):
        def draw(row):
            return row * torch.rand(3), F.dropout(row), torch.rand_like(row)

        return (
            torch.func.vmap(draw, randomness="different")(x),
            torch.func.vmap(draw, randomness="same")(x),
        )

    def recomputed(x):
        x = x.clone().requires_grad_()
        y = checkpoint(lambda x: F.dropout(x.exp()) * torch.rand(3), x, use_reentrant=False)
        return torch.autograd.grad(y.sum(), x)[0], y.detach()

    return dict(locals())


@pytest.mark.parametrize("name", drawing())
def test_the_same_numbers(name):
    def build():
        source.manual_seed(5)
        return drawing()[name], [(numbers(2, 3, seed=n),) for n in range(3)], ()

    assert_same(build, programs=1)


def test_a_module_made_inside_is_made_of_new_numbers():
    def build():
        def function(x):
            layer = torch.nn.Linear(3, 2)
            return layer(x).detach(), layer.weight.detach() * 1

        return function, [(numbers(2, 3, seed=n),) for n in range(2)], ()

    assert_same(build, programs=1)


def test_a_failing_trace_draws_nothing():
    torch.manual_seed(0)
    before = torch.get_rng_state()

    def function(x):
        return torch.rand(3) if F.dropout(x).sum() > 0 else x

    with pytest.raises(UntraceableError):
        Replayed(function)(numbers(3))
    assert torch.equal(torch.get_rng_state(), before)


def test_seeding_by_chance_is_refused():
    with pytest.raises(UntraceableError, match="while tracing"):
        Replayed(torch.seed)()


def test_numbers_go_along_the_memory_of_what_was_given():
    def build():
        def function(x):
            y = x.t()
            return (
                torch.rand_like(y), torch.bernoulli(y.sigmoid()), F.dropout(y),
                torch.normal(y, 1.0), y.clone().normal_(), torch.multinomial(y.exp(), 2),
            )  # fmt: skip

        return function, [(numbers(4, 3, seed=n),) for n in range(2)], ()

    traced = assert_same(build, programs=1)
    assert "drawn_along" in str(traced.program)


@pytest.mark.parametrize("wrap", [Replayed, torch.compile])
def test_results_lie_in_memory_as_eager_ones(wrap):
    def build():
        def function(x):
            y = x.t()
            made = (
                y.softmax(-1), y.cumsum(0), y @ x, torch.cat([y, y]), y.sort()[0], y[[0, 1]],
                y[None].permute(2, 0, 1).sum(1, keepdim=True), torch.where(y > 0, y, 0.0),
                F.layer_norm(y, (4,)), F.linear(y, torch.ones(5, 4)), F.gelu(y), y.roll(1, 0),
                torch.einsum("ij,kj->ki", x, x), torch.stack([y, y], 1), y.flip(0), y.double(),
                F.conv1d(x[None].transpose(1, 2), torch.ones(2, 3, 2)), F.pad(y, (1, 1)),
            )  # fmt: skip
            copies = [each.contiguous() for each in made]
            for each in copies:
                each.add_(1)
            return [torch.rand_like(each) for each in made], made, copies

        return function, [(numbers(4, 3, seed=n),) for n in range(2)], ()

    assert_same(build, wrap=wrap, tolerance=1e-5)
