"""The generator against PyTorch's recorded numbers, and what holds of it without them."""

import base64
import copy
import hashlib
import json
import math
import pickle
import subprocess
import sys
import threading
from fractions import Fraction
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from adjoint.array import generator as random
from adjoint.array.generator import Generator
from adjoint.array.random_exact import multiply_add
from adjoint.array.random_permutation import _inside_out, _swap, _swap_at_once

REFERENCES = Path(__file__).parents[1] / "references" / "random.json"
SEQUENCES = json.loads(REFERENCES.read_text(encoding="utf-8"))
WORDS = 24 + 8 * 624  # the bytes of a state before those of the kept normal number
# Where float64 goes through sine and cosine, NumPy's may be other than the C library's.
TRIGONOMETRIC = {"normal", "log_normal"}


def type_called(name):
    return np.dtype(ml_dtypes.bfloat16) if name == "bfloat16" else np.dtype(name)


def units_apart(found, expected):
    """The distance in units in the last place of what is expected."""
    return np.abs(found - expected).max(initial=0.0) and float(
        (np.abs(found - expected) / np.spacing(np.abs(expected))).max()
    )


def call(generator, function, dtype, shape, arguments):
    """A recorded call; its weights are those of ``make_random.py``."""
    kind, arguments = type_called(dtype), dict(arguments)
    weights = ((7 * np.arange(math.prod(shape)) % 32 + 1) / 64).reshape(shape)
    drawing = getattr(random, function)
    if function == "permutation":
        return drawing(generator, arguments["n"], kind)
    if function in {"bernoulli", "multinomial"}:
        return drawing(generator, weights.astype(kind), **arguments)
    if function == "integers":
        return drawing(generator, shape, arguments["low"], arguments["high"], kind)
    if function == "bernoulli_scalar":
        return drawing(generator, shape, arguments["p"], kind)
    return drawing(generator, tuple(shape), kind, **arguments)


@pytest.mark.parametrize("sequence", SEQUENCES, ids=lambda sequence: sequence["name"])
def test_sequences_are_pytorchs(sequence):
    """Each call's numbers and the state after it: to the bit, or 2 units where that is noted."""
    generator = Generator().manual_seed(sequence["seed"])
    for step in sequence["steps"]:
        function, dtype = step["function"], step["dtype"]
        drawn = call(generator, function, dtype, tuple(step["shape"]), step["arguments"])
        assert drawn.dtype == np.dtype(
            np.int64 if function == "multinomial" else type_called(dtype)
        )
        expected = np.frombuffer(base64.b64decode(step["bytes"]), drawn.dtype).reshape(drawn.shape)
        if function in TRIGONOMETRIC and dtype in {"float64", "complex128"}:
            real = drawn.reshape(-1).view(np.float64), expected.reshape(-1).view(np.float64)
            assert units_apart(*real) <= 2, step
        else:
            assert drawn.tobytes() == expected.tobytes(), step
        state = generator.get_state().tobytes()
        assert hashlib.sha256(state[:WORDS]).hexdigest()[:16] == step["words"], step
        kept = step["normal"]
        assert (generator.next_normal is None) == (kept is None), step
        if kept is not None:
            expected = np.array(float.fromhex(kept))
            assert units_apart(np.array(generator.next_normal), expected) <= 2, step


def test_references_cover_the_functions():
    called = {step["function"] for sequence in SEQUENCES for step in sequence["steps"]}
    draws = {"Generator", "default_generator", "memory_order", "store"}
    assert called | {"random_uint32", "random_uint64"} == set(random.__all__) - draws


def test_first_draws():
    """The words of MT19937 with the seed of its authors' example, in both lengths."""
    generator = Generator().manual_seed(5489)
    assert random.random_uint32(generator, 3).tolist() == [3499211612, 581869302, 3890346734]
    generator.manual_seed(5489)
    assert random.random_uint64(generator, 1).tolist() == [3499211612 << 32 | 581869302]
    generator.manual_seed(5489)
    assert random.random_uint32(generator, 10_000)[-1] == 4123659995


def test_seeds():
    assert Generator().initial_seed() == 67280421310721
    for seed, kept in ((0, 0), (2**64 - 1, 2**64 - 1), (-1, 2**64 - 1), (-(2**63), 2**63)):
        generator = Generator()
        assert generator.manual_seed(seed) is generator
        assert generator.initial_seed() == kept
    assert Generator().manual_seed(np.int64(7)).initial_seed() == 7
    # Only the low 32 bits set the engine, as in PyTorch.
    low, high = (Generator().manual_seed(seed) for seed in (3, 2**32 + 3))
    assert (random.random_uint32(low, 5) == random.random_uint32(high, 5)).all()


def test_seed_from_the_system():
    first, second = Generator(), Generator()
    assert first.seed() == first.initial_seed() != second.seed()


@pytest.mark.parametrize("seed", [1.5, "1", None, True, np.True_])
def test_a_seed_is_an_integer(seed):
    with pytest.raises(
        RuntimeError, match=f"a seed is an integer, but got a .*{type(seed).__name__}"
    ):
        Generator().manual_seed(seed)


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1])
def test_a_seed_has_64_bits(seed):
    with pytest.raises(ValueError, match=f"but got {seed}"):
        Generator().manual_seed(seed)


def test_seeding_forgets_what_was_drawn():
    generator = Generator().manual_seed(1)
    random.normal(generator, (3,), np.float32)
    random.uniform(generator, (1000,), np.float32)
    generator.manual_seed(1)
    assert generator.get_state().tobytes() == Generator().manual_seed(1).get_state().tobytes()


def test_device():
    assert Generator().device == Generator("cpu").device == "cpu"
    with pytest.raises(RuntimeError, match="'cuda'"):
        Generator("cuda")


@pytest.mark.parametrize("drawn", [0, 1, 5, 600, 623, 624, 625, 1247, 1248, 1249, 100_000])
def test_a_state_goes_on_where_it_was_taken(drawn):
    generator = Generator().manual_seed(7)
    random.random_uint32(generator, drawn)
    random.normal(generator, (3,), np.float32)
    state = generator.get_state()
    assert state.dtype == np.uint8
    assert state.shape == (5056,)
    pickled, set_anew = pickle.loads(pickle.dumps(generator)), Generator()
    set_anew.set_state(state)
    followers = [generator.clone_state(), copy.deepcopy(generator), pickled, set_anew]
    expected_normals = random.normal(generator, (4,), np.float64)
    expected = random.random_uint32(generator, 1300)
    for follower in followers:
        assert follower is not generator
        assert follower.initial_seed() == 7
        assert follower.get_state().tobytes() == state.tobytes()
        assert (random.normal(follower, (4,), np.float64) == expected_normals).all()
        assert (random.random_uint32(follower, 1300) == expected).all()


def test_drawing_by_pieces_is_drawing_at_once():
    sizes = [0, 1, 600, 22, 1, 1, 623, 625, 624, 1248, 3, 50_000, 7]
    by_pieces, at_once = Generator().manual_seed(3), Generator().manual_seed(3)
    pieces = [random.random_uint32(by_pieces, size) for size in sizes]
    assert (np.concatenate(pieces) == random.random_uint32(at_once, sum(sizes))).all()
    assert by_pieces.get_state().tobytes() == at_once.get_state().tobytes()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda state: state[:5000], RuntimeError, "5056 bytes, but got 5000"),
        (lambda state: state.astype(np.int64), TypeError, "int64"),
        (bytes, TypeError, "bytes"),
        (lambda state: replaced(state, 8, "<i4", 0), RuntimeError, "0 words are left"),
        (lambda state: replaced(state, 8, "<i4", 625), RuntimeError, "625 words are left"),
        (lambda state: replaced(state, 12, "<i4", 0), RuntimeError, "seeded is 0"),
        (lambda state: replaced(state, 16, "<u8", 625), RuntimeError, "number 625"),
        (lambda state: replaced(state, 16, "<u8", 3), RuntimeError, "number 3"),
    ],
)
def test_what_is_no_state_changes_nothing(change, error, message):
    generator = Generator().manual_seed(7)
    random.random_uint32(generator, 100)
    before = generator.get_state()
    with pytest.raises(error, match=message):
        generator.set_state(change(before))
    assert generator.get_state().tobytes() == before.tobytes()


def replaced(state, at, kind, value):
    changed = state.copy()
    changed[at : at + np.dtype(kind).itemsize].view(kind)[0] = value
    return changed


def test_threads_share_a_generator():
    """Each call gets words that follow one another, and none is given twice or lost."""
    shared, drawn = Generator().manual_seed(9), []

    def work():
        drawn.extend([random.random_uint32(shared, 77) for _ in range(50)])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = random.random_uint32(Generator().manual_seed(9), 4 * 50 * 77).reshape(-1, 77)
    assert sorted(each.tolist() for each in drawn) == sorted(expected.tolist())


def test_a_fresh_process_draws_other_numbers_and_imports_no_engine():
    """``numpy.random`` takes a quarter of NumPy's own import: it waits for the first draw."""
    program = (
        "import sys\n"
        "from adjoint.array.generator import default_generator\n"
        "assert 'numpy.random' not in sys.modules\n"
        "print(default_generator.initial_seed())\n"
    )
    command = [sys.executable, "-c", program]
    root = Path(__file__).parents[2]
    seeds = {subprocess.check_output(command, cwd=root, text=True) for _ in range(2)}
    assert len(seeds) == 2


FLOATING = ["float16", "bfloat16", "float32", "float64"]


@pytest.mark.parametrize("dtype", FLOATING)
@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-3.0, 7.0), (0.1, 0.1078125)])
def test_uniform_stays_below_its_upper_end(dtype, low, high):
    kind = type_called(dtype)
    drawn = random.uniform(Generator(), (50_000,), kind, low, high)
    assert (drawn >= kind.type(low)).all()
    assert (drawn < kind.type(high)).all()


def test_uniform_between_equal_bounds():
    assert (random.uniform(Generator(), (5,), np.float32, 2.0, 2.0) == 2.0).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_multiply_add_rounds_once(dtype):
    """Against exact fractions, halfway cases of float32 among them."""
    chosen = np.random.default_rng(3)
    x = chosen.uniform(-1, 1, 400).astype(dtype)
    # 1 + 2**-24 + 2**-60 lies just above halfway between two floats, and rounds to it in float64.
    x = np.append(x, [2.0**-12, 2.0**-12 + 2.0**-35, 0.0]).astype(dtype)
    for factor, offset in [
        (0.1, 0.7), (3.7, -1.1), (2.0**-12, 1.0), (1 / 3, 1e-6), (1e5, 3.0), (-2.5, 2.5),
        (2.0**-12 + 2.0**-35, 1.0), (1e-3, -1e3),
    ]:  # fmt: skip
        factor, offset = float(dtype(factor)), float(dtype(offset))
        found = multiply_add(x, factor, offset)
        exact = [Fraction(float(each)) * Fraction(factor) + Fraction(offset) for each in x]
        assert found.dtype == dtype
        assert found.tolist() == [nearest(each, dtype) for each in exact]


def nearest(exact, dtype):
    """The number of the type nearest to a fraction, of two the even one."""
    guess = dtype(float(exact))
    around = [guess, np.nextafter(guess, dtype(-np.inf)), np.nextafter(guess, dtype(np.inf))]
    bits = f"u{guess.itemsize}"
    return float(
        min(around, key=lambda each: (abs(Fraction(float(each)) - exact), each.view(bits) & 1))
    )


@pytest.mark.parametrize("dtype", [*FLOATING, "complex64", "complex128"])
@pytest.mark.parametrize("contiguous", [True, False])
def test_normal_is_normal(dtype, contiguous):
    """Mean, spread and tails; half of the variance in each part of a complex number."""
    kind = type_called(dtype)
    drawn = random.normal(
        Generator().manual_seed(0), (300, 200), kind, 3.0, 2.0, contiguous=contiguous
    )
    assert drawn.dtype == kind
    assert drawn.shape == (300, 200)
    parts = (drawn.real, drawn.imag) if kind.kind == "c" else (drawn,)
    for part in parts:
        values = part.astype(np.float64)
        spread = 2.0 / math.sqrt(len(parts))
        mean = 3.0 if kind.kind != "c" else values.mean()
        assert abs(values.mean() - mean) < 0.03
        assert abs(values.std() - spread) < 0.02
        assert abs((np.abs(values - mean) < spread).mean() - 0.6827) < 0.006


def test_normal_of_arrays():
    mean, std = np.array([[1.0], [-2.0]], np.float32), np.array([0.0, 0.5, 2.0], np.float32)
    standard = random.normal(Generator().manual_seed(4), (2, 3), np.float32)
    drawn = random.normal(Generator().manual_seed(4), None, np.float32, mean, std)
    assert drawn.dtype == np.float32
    assert (drawn == standard * std + mean).all()
    shifted = random.normal(Generator().manual_seed(4), (2, 3), np.float32, mean, 1.0)
    assert (shifted == standard + mean).all()


def test_permutations():
    for n in [*range(10), 999, 1000, 1001, 20_000]:
        order = random.permutation(Generator().manual_seed(n), n, np.int64)
        assert (np.sort(order) == np.arange(n)).all()


def test_swaps_at_once():
    """Few places and many collisions: the outcome is that of one swap after the other."""
    chosen = np.random.default_rng(8)
    for n in [2, 3, 4, 5, 10, 100, 1500]:
        for spread in (1, 3, n):
            places = np.arange(n - 1)
            partner = np.minimum(places + chosen.integers(0, spread, n - 1), n - 1)
            assert _swap_at_once(partner).tolist() == _swap(partner.tolist())
    stay, last = np.arange(9), np.full(9, 9)
    assert _swap_at_once(stay).tolist() == list(range(10))
    assert _swap_at_once(last).tolist() == _swap(last.tolist())


def test_long_permutations_go_from_the_inside_out():
    """What PyTorch does from 214,748,364 elements on; compared with it once, at that length."""
    words = random.random_uint64(Generator().manual_seed(2), 500).tolist()
    expected = []
    for step, word in enumerate(words):
        expected.append(step)
        place = word % (step + 1)
        expected[step], expected[place] = expected[place], step
    assert _inside_out(Generator().manual_seed(2), 500).tolist() == expected


def test_multinomial_without_replacement():
    weights = np.array([[0.0, 1.0, 5.0, 0.0, 2.0], [3.0, 0.0, 0.0, 0.0, 1.0]])
    drawn = random.multinomial(Generator().manual_seed(1), weights, 5)
    assert drawn.shape == (2, 5)
    assert set(drawn[0, :3]) == {1, 2, 4}
    assert drawn[0, 3:].tolist() == [0, 3]
    assert set(drawn[1, :2]) == {0, 4}
    assert drawn[1, 2:].tolist() == [1, 2, 3]


@pytest.mark.parametrize("replacement", [False, True])
def test_multinomial_follows_the_weights(replacement):
    weights = np.tile(np.array([1.0, 0.0, 6.0, 3.0], np.float32), (20_000, 1))
    drawn = random.multinomial(Generator().manual_seed(1), weights, 2, replacement)[:, 0]
    shares = np.bincount(drawn, minlength=4) / drawn.size
    assert np.abs(shares - [0.1, 0.0, 0.6, 0.3]).max() < 0.015
    assert shares[1] == 0


def test_multinomial_of_no_rows():
    assert random.multinomial(Generator(), np.ones((0, 3)), 2).shape == (0, 2)


def test_store_follows_memory():
    out = np.zeros((2, 3, 4)).transpose(2, 0, 1)
    random.store(out, np.arange(24))
    assert (out.transpose(1, 2, 0).ravel() == np.arange(24)).all()
    every_other = np.zeros((3, 4))[:, ::2]
    random.store(every_other, np.arange(6))
    assert every_other.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert random.memory_order(out) == (1, 2, 0)


def test_integers_beyond_what_a_type_holds_exactly():
    with pytest.warns(
        UserWarning, match="float16 holds every whole number only from -2048 to 2048"
    ):
        drawn = random.integers(Generator(), (1000,), 0, 60_000, np.float16)
    assert (drawn >= 0).all()
    assert (drawn < 60_000).all()


NAN = float("nan")
BAD = {
    "uniform of integers": (
        lambda g: random.uniform(g, (3,), np.int64), NotImplementedError, "int64",
    ),
    "uniform reversed": (
        lambda g: random.uniform(g, (3,), np.float32, 2, 1), RuntimeError, "low=2",
    ),
    "uniform too wide": (
        lambda g: random.uniform(g, (3,), np.float32, -3e38, 3e38), RuntimeError, "high - low",
    ),
    "uniform too high": (
        lambda g: random.uniform(g, (3,), np.float16, 0, 7e4), RuntimeError, "high is 70000",
    ),
    "uniform from nan": (lambda g: random.uniform(g, (3,), np.float32, NAN), RuntimeError, "nan"),
    "normal of integers": (
        lambda g: random.normal(g, (3,), np.int64), NotImplementedError, "int64",
    ),
    "normal, std < 0": (
        lambda g: random.normal(g, (3,), np.float32, 0, -1), RuntimeError, "std=-1",
    ),
    "normal, one std < 0": (
        lambda g: random.normal(g, None, np.float32, 0.0, np.array([1.0, -1.0])),
        RuntimeError, "one in std",
    ),
    "normal, complex std": (
        lambda g: random.normal(g, None, np.complex64, 0.0, np.array([1j])),
        RuntimeError, "complex",
    ),
    "log-normal of integers": (
        lambda g: random.log_normal(g, (3,), np.int64), NotImplementedError, "int64",
    ),
    "log-normal, std 0": (
        lambda g: random.log_normal(g, (3,), np.float32, 0, 0), RuntimeError, "std=0",
    ),
    "cauchy of integers": (lambda g: random.cauchy(g, (3,), np.int64), RuntimeError, "int64"),
    "cauchy, sigma 0": (
        lambda g: random.cauchy(g, (3,), np.float32, 0, 0), RuntimeError, "sigma=0",
    ),
    "exponential of integers": (
        lambda g: random.exponential(g, (3,), np.int64), RuntimeError, "int64",
    ),
    "exponential, rate 0": (
        lambda g: random.exponential(g, (3,), np.float32, 0), RuntimeError, "rate=0",
    ),
    "geometric of bools": (
        lambda g: random.geometric(g, (3,), np.bool_, 0.5), NotImplementedError, "bool",
    ),
    "geometric, p 0": (lambda g: random.geometric(g, (3,), np.float32, 0), RuntimeError, "p=0"),
    "geometric, p 1": (lambda g: random.geometric(g, (3,), np.float32, 1), RuntimeError, "p=1"),
    "bernoulli, p 1.5": (
        lambda g: random.bernoulli_scalar(g, (3,), 1.5, np.float32), RuntimeError, "p=1.5",
    ),
    "bernoulli, complex": (
        lambda g: random.bernoulli_scalar(g, (3,), 0.5, np.complex64),
        NotImplementedError, "complex64",
    ),
    "bernoulli of 1.5": (
        lambda g: random.bernoulli(g, np.array([0.5, 1.5])), RuntimeError, r"\[0, 1\]",
    ),
    "bernoulli of integers": (
        lambda g: random.bernoulli(g, np.array([0, 1])), NotImplementedError, "int64",
    ),
    "integers from nothing": (
        lambda g: random.integers(g, (3,), 3, 3, np.int64), RuntimeError, "low=3 and high=3",
    ),
    "integers too high": (
        lambda g: random.integers(g, (3,), 0, 300, np.uint8), RuntimeError, "0 to 299 .* uint8",
    ),
    "integers too low": (
        lambda g: random.integers(g, (3,), -1, 3, np.uint8), RuntimeError, "-1 to 2 .* uint8",
    ),
    "integers of 65 bits": (
        lambda g: random.integers(g, (3,), 0, 2**63, np.int64), ValueError, "64-bit",
    ),
    "integers, complex": (
        lambda g: random.integers(g, (3,), 0, 3, np.complex64), RuntimeError, "complex64",
    ),
    "integers between numbers": (
        lambda g: random.integers(g, (3,), 4097, 4098, np.float16), RuntimeError, "no number",
    ),
    "random_, complex": (
        lambda g: random.random_(g, (3,), np.complex64), NotImplementedError, "complex64",
    ),
    "random_ from above": (
        lambda g: random.random_(g, (3,), np.uint8, 256), RuntimeError, "low=256 .* 255",
    ),
    "random_ in 64 bits": (
        lambda g: random.random_(g, (3,), np.int32, -(2**63)), RuntimeError, "int32",
    ),
    "permutation of -1": (lambda g: random.permutation(g, -1, np.int64), RuntimeError, "n=-1"),
    "permutation of bools": (
        lambda g: random.permutation(g, 2, np.bool_), NotImplementedError, "bool",
    ),
    "permutation too long": (
        lambda g: random.permutation(g, 257, np.uint8), RuntimeError, "n=257",
    ),
    "multinomial of integers": (
        lambda g: random.multinomial(g, np.ones(3, int), 1), RuntimeError, "int64",
    ),
    "multinomial of 3 dimensions": (
        lambda g: random.multinomial(g, np.ones((1, 1, 3)), 1), RuntimeError, "have 3",
    ),
    "multinomial, no sample": (
        lambda g: random.multinomial(g, np.ones(3), 0), RuntimeError, "num_samples=0",
    ),
    "multinomial, too many": (
        lambda g: random.multinomial(g, np.ones(3), 4), RuntimeError, "4 samples of 3",
    ),
    "multinomial of nothing": (
        lambda g: random.multinomial(g, np.ones((3, 0)), 1, True), RuntimeError, "empty",
    ),
    "multinomial, negative": (
        lambda g: random.multinomial(g, np.array([1.0, -1.0]), 1), RuntimeError, "negative",
    ),
    "multinomial, infinite": (
        lambda g: random.multinomial(g, np.array([1.0, np.inf]), 2, True), RuntimeError, "infinite",
    ),
    "multinomial of zeros": (
        lambda g: random.multinomial(g, np.array([[1.0], [0.0]]), 1), RuntimeError, "all 0",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("wrong", "error", "message"), BAD.values(), ids=BAD)
def test_a_call_that_fails_draws_nothing(wrong, error, message):
    generator = Generator().manual_seed(1)
    with pytest.raises(RuntimeError if error is RuntimeError else error, match=message) as found:
        wrong(generator)
    assert found.type is error
    assert not generator.lock.locked()
    assert generator.get_state().tobytes() == Generator().manual_seed(1).get_state().tobytes()


@pytest.mark.parametrize("seed", range(20))
def test_a_snapshot_is_the_whole_state(seed):
    """Whatever happens between: draws within a block and over many, other seeds, states."""
    draw = np.random.RandomState(seed)
    generator, kept = Generator(), []
    for _ in range(40):
        action = draw.randint(6)
        if action == 0:
            generator.manual_seed(int(draw.randint(5)))
        elif action == 1:
            kept.append((generator.snapshot(), generator.get_state().tobytes()))
        elif action == 2 and kept:
            snapshot, state = kept[draw.randint(len(kept))]
            generator.restore(snapshot)
            assert generator.get_state().tobytes() == state
        elif action == 3 and kept:
            generator.set_state(np.frombuffer(kept[-1][1], np.uint8))
        elif action == 4:
            generator.next_normal = float(draw.randint(9))
        else:
            with generator.lock:
                generator.draw(int(draw.choice([1, 7, 600, 2000])))
    for snapshot, state in kept:
        generator.restore(snapshot)
        with generator.lock:
            words = generator.draw(1500).tolist()
        other = Generator()
        other.set_state(np.frombuffer(state, np.uint8))
        with other.lock:
            assert other.draw(1500).tolist() == words
