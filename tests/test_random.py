"""Seeds, states, generators, gradients of random numbers, and what ``vmap`` makes of them.

The numbers themselves are compared with PyTorch's in ``tests/array/test_generator.py``.
"""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import adjoint as torch
from adjoint.func import vmap


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


# -- seeds and states ---------------------------------------------------------------------------


def test_a_seed_says_all():
    first = torch.rand(3).tolist()
    assert torch.manual_seed(0).initial_seed() == torch.initial_seed() == 0
    assert torch.rand(3).tolist() == first
    assert pytest.approx(first, abs=1e-4) == [0.4963, 0.7682, 0.0885]
    assert torch.manual_seed("3").initial_seed() == 3
    assert torch.manual_seed(-1).initial_seed() == 2**64 - 1
    with pytest.raises(ValueError, match="seed"):
        torch.manual_seed(2**64)
    with pytest.raises(TypeError):
        torch.manual_seed(None)


def test_a_seed_by_chance():
    assert torch.seed() == torch.initial_seed()
    assert torch.seed() != torch.seed()


def test_states():
    state = torch.get_rng_state()
    assert (state.dtype, state.shape) == (torch.uint8, (5056,))
    first = torch.randn(5).tolist()
    torch.set_rng_state(state)
    assert torch.randn(5).tolist() == first
    for wrong, error in (
        (3, TypeError), (state.float(), TypeError), (state[:-1], RuntimeError),
        (torch.zeros(5056, dtype=torch.uint8), RuntimeError),
    ):  # fmt: skip
        before = torch.get_rng_state().tolist()
        with pytest.raises(error):
            torch.set_rng_state(wrong)
        assert torch.get_rng_state().tolist() == before


def test_fork_rng():
    with torch.random.fork_rng():
        inside = torch.rand(1).item()
    assert torch.rand(1).item() == inside

    @torch.random.fork_rng()
    def draw():
        return torch.rand(1).item()

    assert draw() == draw()
    before = torch.get_rng_state().tolist()
    with pytest.raises(TypeError), torch.random.fork_rng():
        torch.rand(torch.rand(1))
    assert torch.get_rng_state().tolist() == before
    with torch.random.fork_rng(enabled=False):
        first = torch.rand(1).item()
    assert torch.rand(1).item() != first


def test_generators():
    generator = torch.Generator(device="cpu").manual_seed(0)
    assert isinstance(generator, torch.Generator)
    assert generator.device == torch.device("cpu")
    assert torch.rand(2, generator=generator).tolist() == torch.rand(2).tolist()
    state = generator.get_state()
    assert isinstance(state, torch.Tensor)
    others = [generator.clone_state(), copy.deepcopy(generator), torch.Generator()]
    others[2].set_state(state)
    others.append(pickle.loads(pickle.dumps(generator)))
    expected = torch.randn(3, generator=generator).tolist()
    for other in others:
        assert torch.randn(3, generator=other).tolist() == expected
    assert isinstance(torch.default_generator, torch.Generator)
    assert torch.manual_seed(5) is torch.default_generator
    with pytest.raises(RuntimeError, match="cuda"):
        torch.Generator("cuda")


@pytest.mark.parametrize(
    "draw",
    [
        lambda g: torch.rand(2, generator=g),
        lambda g: torch.randn(2, generator=g),
        lambda g: torch.randint(9, (2,), generator=g),
        lambda g: torch.randperm(5, generator=g),
        lambda g: torch.normal(0.0, 1.0, (2,), generator=g),
        lambda g: torch.normal(torch.zeros(2), 1.0, generator=g),
        lambda g: torch.bernoulli(torch.full((3,), 0.5), generator=g),
        lambda g: torch.multinomial(torch.ones(3), 2, generator=g),
        lambda g: torch.rand_like(torch.zeros(2), generator=g),
        lambda g: torch.zeros(2).uniform_(generator=g),
        lambda g: torch.zeros(2).normal_(generator=g),
        lambda g: torch.zeros(2).random_(generator=g),
        lambda g: torch.zeros(2).exponential_(generator=g),
        lambda g: torch.zeros(2).bernoulli_(generator=g),
    ],
)
def test_a_generator_of_ones_own_leaves_the_default_alone(draw):
    before = torch.get_rng_state().tolist()
    generator = torch.Generator()
    generator.manual_seed(3)
    first = draw(generator).tolist()
    generator.manual_seed(3)
    assert draw(generator).tolist() == first
    assert torch.get_rng_state().tolist() == before


def test_a_call_that_fails_draws_nothing():
    before = torch.get_rng_state().tolist()
    for call in (
        lambda: torch.rand(2, device="cuda"),
        lambda: torch.randint(3, (2,), requires_grad=True),
        lambda: torch.rand(2, out=torch.empty(2), dtype=torch.float64),
        lambda: torch.ones(2, requires_grad=True).uniform_(),
        lambda: torch.zeros(2).normal_(0.0, -1.0),
        lambda: torch.zeros(1).expand(2).uniform_(),
    ):
        with pytest.raises((RuntimeError, AssertionError)):
            call()
    assert torch.get_rng_state().tolist() == before


# -- where the numbers go -----------------------------------------------------------------------


def test_out():
    out = torch.empty(0)
    assert torch.rand(2, 3, out=out) is out
    torch.manual_seed(0)
    assert out.tolist() == torch.rand(2, 3).tolist()
    kept = torch.empty(4, dtype=torch.int64)
    address = kept.data_ptr()
    torch.randperm(4, out=kept)
    assert sorted(kept.tolist()) == [0, 1, 2, 3]
    assert kept.data_ptr() == address


def test_memory_is_filled_in_its_order():
    base = torch.zeros(3, 2)
    base.T.uniform_()
    torch.manual_seed(0)
    assert base.tolist() == torch.rand(3, 2).tolist()
    torch.manual_seed(0)
    assert torch.rand_like(base.T).T.tolist() == base.tolist()
    torch.manual_seed(0)
    chances = torch.full((3, 2), 0.5)
    drawn = torch.bernoulli(chances.T)
    torch.manual_seed(0)
    assert drawn.T.tolist() == torch.bernoulli(chances).tolist()
    assert drawn.stride() == (1, 2)


def test_a_part_is_filled_alone():
    whole = torch.zeros(4)
    whole[1:3].uniform_(1, 2)
    assert whole[0].item() == whole[3].item() == 0.0
    assert bool((whole[1:3] >= 1).all())
    assert whole._version == 1


# -- gradients ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("draw", "name"),
    [
        (lambda x: x.uniform_(), "UniformBackward0"),
        (lambda x: x.normal_(), "NormalBackward0"),
        (lambda x: x.random_(10), "RandomBackward0"),
        (lambda x: x.exponential_(), "ExponentialBackward0"),
        (lambda x: x.cauchy_(), "CauchyBackward0"),
        (lambda x: x.geometric_(0.5), "GeometricBackward0"),
        (lambda x: x.log_normal_(), "LogNormalBackward0"),
        (lambda x: x.bernoulli_(0.5), "BernoulliBackward2"),
        (lambda x: x.bernoulli_(torch.full((2,), 0.5)), "BernoulliBackward1"),
        (lambda x: torch.bernoulli(torch.sigmoid(x)), "BernoulliBackward0"),
        (lambda x: torch.normal(x, 1.0), "NormalBackward1"),
        (lambda x: torch.normal(0.0, x.abs()), "NormalBackward2"),
        (lambda x: torch.normal(x, x.abs()), "NormalBackward3"),
    ],
)
def test_gradients_are_zero(draw, name):
    leaf = torch.ones(2, requires_grad=True)
    drawn = draw(leaf * 1)
    assert drawn.grad_fn.name() == name
    (gradient,) = torch.autograd.grad(drawn.sum(), leaf, create_graph=True)
    assert gradient.tolist() == [0.0, 0.0]
    out, moved = torch.func.jvp(lambda x: draw(x * 1), (leaf.detach(),), (torch.ones(2),))
    assert moved.tolist() == [0.0, 0.0]
    assert out.shape == (2,)


def test_leaves_may_be_asked_for():
    assert torch.randn(2, requires_grad=True).is_leaf
    assert torch.rand_like(torch.ones(2), requires_grad=True).requires_grad
    assert not torch.rand_like(torch.ones(2, requires_grad=True)).requires_grad
    with pytest.raises(RuntimeError, match="can require gradients"):
        torch.randint_like(torch.ones(2, dtype=torch.int64), 3, requires_grad=True)


# -- vmap ---------------------------------------------------------------------------------------

EXAMPLES = torch.zeros(3, 2)
HALVES = torch.full((3, 2), 0.5)
OF_NOTHING = {
    "rand": lambda: torch.rand(2),
    "randn": lambda: torch.randn(2),
    "randint": lambda: torch.randint(100, (2,)),
    "normal": lambda: torch.normal(1.0, 2.0, (2,)),
}
OF_A_BATCH = {
    "rand_like": (torch.rand_like, EXAMPLES),
    "randn_like": (torch.randn_like, EXAMPLES),
    "uniform_": (lambda x: x.clone().uniform_(), EXAMPLES),
    "normal_": (lambda x: x.clone().normal_(), EXAMPLES),
    "random_": (lambda x: x.clone().random_(), EXAMPLES),
}
DISTRIBUTED = {
    "bernoulli": (torch.bernoulli, HALVES),
    "normal": (lambda x: torch.normal(x, 1.0), EXAMPLES),
    "normal of both": (lambda x: torch.normal(torch.zeros(2), x), HALVES),
    "multinomial": (lambda x: torch.multinomial(x, 2), torch.ones(3, 4)),
    "bernoulli_": (lambda x: torch.zeros(2).copy_(x).bernoulli_(x), HALVES),
}


@pytest.mark.parametrize("name", OF_NOTHING)
def test_different_numbers_are_those_of_a_larger_tensor(name):
    draw = OF_NOTHING[name]
    found = vmap(lambda x: draw() + x, randomness="different")(EXAMPLES)
    torch.manual_seed(0)
    sizes = {"rand": torch.rand, "randn": torch.randn}
    if name in sizes:
        assert found.tolist() == sizes[name](3, 2).tolist()
    assert len({tuple(row) for row in found.tolist()}) == 3


@pytest.mark.parametrize("name", [*OF_NOTHING, *OF_A_BATCH])
def test_the_same_numbers_for_all(name):
    if name in OF_NOTHING:
        found = vmap(lambda x: OF_NOTHING[name]() + x, randomness="same")(EXAMPLES)
    else:
        function, examples = OF_A_BATCH[name]
        found = vmap(function, randomness="same")(examples)
    first, second, third = found.tolist()
    assert first == second == third
    torch.manual_seed(0)
    alone = OF_NOTHING[name]() if name in OF_NOTHING else function(examples[0])
    assert alone.tolist() == first


@pytest.mark.parametrize("name", [*OF_A_BATCH, *DISTRIBUTED])
def test_different_numbers_of_batches(name):
    function, examples = (OF_A_BATCH | DISTRIBUTED)[name]
    found = vmap(function, randomness="different")(examples)
    assert found.shape[0] == 3
    if name != "bernoulli_" and not name.startswith("normal of"):
        torch.manual_seed(0)
        assert found.tolist() == function(examples).tolist()


@pytest.mark.parametrize("name", DISTRIBUTED)
def test_the_same_numbers_of_different_distributions_are_refused(name):
    function, examples = DISTRIBUTED[name]
    with pytest.raises(RuntimeError, match="use randomness='different'"):
        vmap(function, randomness="same")(examples)


@pytest.mark.parametrize("name", [*OF_NOTHING, *OF_A_BATCH, *DISTRIBUTED])
def test_numbers_are_refused_unless_a_mode_is_given(name):
    if name in OF_NOTHING:
        function, examples = (lambda x: OF_NOTHING[name]()), EXAMPLES
    else:
        function, examples = (OF_A_BATCH | DISTRIBUTED)[name]
    before = torch.get_rng_state().tolist()
    with pytest.raises(RuntimeError, match="pass randomness='different' to vmap"):
        vmap(function)(examples)
    assert torch.get_rng_state().tolist() == before
    assert OF_NOTHING["rand"]().shape == (2,)


def test_a_mode_there_is_not():
    with pytest.raises(RuntimeError, match="'error', 'different' or 'same', but got 'some'"):
        vmap(torch.sin, randomness="some")


def test_a_constant_probability_is_drawn_for_each_example():
    chances = torch.full((20,), 0.5)
    rows = vmap(lambda x: torch.bernoulli(chances) + x, randomness="different")(torch.zeros(3))
    assert len({tuple(row) for row in rows.tolist()}) == 3
    same = vmap(lambda x: torch.bernoulli(chances) + x, randomness="same")(torch.zeros(3))
    assert len({tuple(row) for row in same.tolist()}) == 1


def test_a_shared_tensor_cannot_hold_different_numbers():
    with pytest.raises(RuntimeError, match="writes them into a tensor that all share"):
        vmap(lambda x: torch.zeros(2).uniform_() + x, randomness="different")(EXAMPLES)


def test_permutations_differ():
    rows = vmap(lambda x: torch.randperm(6), randomness="different")(EXAMPLES).tolist()
    assert all(sorted(row) == list(range(6)) for row in rows)
    assert len({tuple(row) for row in rows}) > 1


@pytest.mark.parametrize("outer", ["different", "same"])
@pytest.mark.parametrize("inner", ["different", "same"])
def test_modes_nest(outer, inner):
    def row(x):
        return vmap(lambda y: torch.rand(2) + y, randomness=inner)(x)

    found = vmap(row, randomness=outer)(torch.zeros(3, 4)).numpy()
    torch.manual_seed(0)
    sizes = (3 if outer == "different" else 1, 4 if inner == "different" else 1, 2)
    assert found.tolist() == np.broadcast_to(torch.rand(sizes).numpy(), (3, 4, 2)).tolist()
    with pytest.raises(RuntimeError, match="random numbers were asked for"):
        vmap(row)(torch.zeros(3, 4))


def test_modes_under_derivatives():
    def loss(x):
        return (x * torch.rand(2)).sum()

    gradients = vmap(torch.func.grad(loss), randomness="different")(EXAMPLES)
    torch.manual_seed(0)
    assert gradients.tolist() == torch.rand(3, 2).tolist()
    torch.manual_seed(0)
    whole = torch.func.grad(lambda x: vmap(loss, randomness="different")(x).sum())(EXAMPLES)
    assert whole.tolist() == gradients.tolist()
