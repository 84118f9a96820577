"""The generator against PyTorch itself: each function and mixtures of them, and the states."""

import itertools
import pickle

import ml_dtypes
import numpy as np
import pytest

from adjoint.array import generator as random
from adjoint.array.generator import Generator

torch = pytest.importorskip("torch", reason="the parity suite compares with PyTorch: install torch")

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
TYPES = {
    torch.bool: np.dtype(np.bool_),
    torch.uint8: np.dtype(np.uint8),
    torch.int8: np.dtype(np.int8),
    torch.int16: np.dtype(np.int16),
    torch.int32: np.dtype(np.int32),
    torch.int64: np.dtype(np.int64),
    torch.float16: np.dtype(np.float16),
    torch.bfloat16: BFLOAT16,
    torch.float32: np.dtype(np.float32),
    torch.float64: np.dtype(np.float64),
    torch.complex64: np.dtype(np.complex64),
    torch.complex128: np.dtype(np.complex128),
}
FLOATING = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
INTEGER = [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64]
COMPLEX = [torch.complex64, torch.complex128]
SIZES = [*range(101), 623, 624, 625, 1248, 5000, 100_003]
needs_fused = pytest.mark.skipif(
    not torch.backends.cpu.get_cpu_capability().startswith("AVX"),
    reason="the numbers are those of PyTorch's kernels for AVX2 and later",
)


def to_numpy(tensor):
    if tensor.dtype == torch.bfloat16:
        return tensor.contiguous().view(torch.int16).numpy().view(BFLOAT16).reshape(tensor.shape)
    return tensor.numpy()


def ulps(found, expected):
    """How many representable numbers lie between the two arrays, at most."""
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    if found.dtype.kind == "c":
        found = found.reshape(-1).view(f"f{found.itemsize // 2}")
        expected = expected.reshape(-1).view(found.dtype)
    kind = f"i{found.itemsize}"
    keys = []
    for each in (found, expected):
        assert not np.isnan(each).any()
        bits = np.ascontiguousarray(each).view(kind).astype(object)
        keys.append(np.where(bits < 0, -(bits + 2 ** (8 * found.itemsize - 1)), bits))
    return max(np.abs(keys[0] - keys[1]).reshape(-1), default=0)


class Pair:
    """One generator of each library, kept in step."""

    def __init__(self, seed):
        self.theirs = torch.Generator().manual_seed(seed)
        self.ours = Generator().manual_seed(seed)

    def check_state(self, normals_within=0):
        """The states agree byte for byte, save that a kept normal number may be near."""
        theirs, ours = self.theirs.get_state().numpy(), self.ours.get_state()
        kept = slice(24 + 8 * 624 + 8, 24 + 8 * 624 + 16)
        assert ulps(ours[kept].view("<f8"), theirs[kept].view("<f8")) <= normals_within
        ours[kept] = theirs[kept]
        assert ours.tobytes() == theirs.tobytes()

    def check(self, found, expected, within=0, normals_within=None):
        """The same numbers, to the bit or ``within`` units in the last place, and states."""
        expected = to_numpy(expected)
        assert found.dtype == expected.dtype
        assert found.shape == expected.shape
        if within:
            assert ulps(found, expected) <= within
        else:
            assert found.tobytes() == expected.tobytes()
        self.check_state(within if normals_within is None else normals_within)


@pytest.fixture
def pair():
    return Pair(20260101)


def within(dtype):
    """Units in the last place: in float64 NumPy's sine need not be the C library's."""
    return 2 if dtype in {torch.float64, torch.complex128} else 0


@pytest.mark.parametrize(
    "seed", [0, 1, 5489, 2**31, 2**32 - 1, 2**32, 2**63, 2**64 - 1, -1, -(2**63)]
)
def test_seeds(seed):
    pair = Pair(seed)
    assert pair.ours.initial_seed() == pair.theirs.initial_seed()
    pair.check_state()
    pair.check(random.uniform(pair.ours, (7,), np.float32), torch.rand(7, generator=pair.theirs))


def test_default_seed():
    assert Generator().initial_seed() == torch.Generator().initial_seed()
    assert Generator().get_state().tobytes() == torch.Generator().get_state().numpy().tobytes()


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1, 1.5, "1", None, True])
def test_bad_seeds(seed):
    with pytest.raises(Exception) as theirs:
        torch.Generator().manual_seed(seed)
    with pytest.raises(theirs.type):
        Generator().manual_seed(seed)


def test_states_go_both_ways(pair):
    """Whatever was drawn before, at and across the ends of blocks."""
    for count in [0, 1, 3, 5, 600, 14, 1, 624, 1, 1247, 3, 12]:
        torch.empty(count).uniform_(generator=pair.theirs)
        torch.empty(count % 4).normal_(generator=pair.theirs)
        pair.ours.set_state(pair.theirs.get_state().numpy())
        pair.check_state()
        back = torch.Generator()
        back.set_state(torch.from_numpy(pair.ours.get_state()))
        for follower in (pair.ours.clone_state(), pickle.loads(pickle.dumps(pair.ours))):
            follower_pair = Pair(0)
            follower_pair.ours, follower_pair.theirs = follower, back.clone_state()
            follower_pair.check(
                random.uniform(follower, (700,), np.float32),
                torch.rand(700, generator=follower_pair.theirs),
            )
            follower_pair.check(
                random.normal(follower, (3,), np.float32),
                torch.randn(3, generator=follower_pair.theirs),
            )


@pytest.mark.parametrize(
    ("at", "kind", "value"),
    [(8, "<i4", 0), (8, "<i4", 625), (8, "<i4", -1), (12, "<i4", 0), (16, "<u8", 625)],
)
def test_bad_states(pair, at, kind, value):
    before = pair.ours.get_state()
    state = before.copy()
    state[at : at + np.dtype(kind).itemsize].view(kind)[0] = value
    with pytest.raises(RuntimeError):
        pair.theirs.set_state(torch.from_numpy(state))
    with pytest.raises(RuntimeError):
        pair.ours.set_state(state)
    assert pair.ours.get_state().tobytes() == before.tobytes()


def test_states_of_another_form(pair):
    for state in (np.zeros(10, np.uint8), np.zeros(5056, np.float32), [1], None):
        tensor = torch.from_numpy(state) if isinstance(state, np.ndarray) else state
        with pytest.raises(Exception) as theirs:
            pair.theirs.set_state(tensor)
        with pytest.raises(theirs.type):
            pair.ours.set_state(state)


@pytest.mark.parametrize("dtype", FLOATING + COMPLEX)
def test_uniform(pair, dtype):
    for size in SIZES:
        pair.check(
            random.uniform(pair.ours, (size,), TYPES[dtype]),
            torch.rand(size, dtype=dtype, generator=pair.theirs),
        )
    pair.check(
        random.uniform(pair.ours, (3, 0, 2), TYPES[dtype]),
        torch.rand(3, 0, 2, dtype=dtype, generator=pair.theirs),
    )
    pair.check(
        random.uniform(pair.ours, (), TYPES[dtype]),
        torch.rand((), dtype=dtype, generator=pair.theirs),
    )


BOUNDS = [
    (-1.0, 1.0), (0.1, 0.7), (-0.3333, 5.123), (0.0, 3.3), (1000.1, 1000.2), (2.0, 2.0),
    (-6e4, 1e-3), (1e-7, 2e-7), (-1 / 7, 1 / 7), (5, 9),
]  # fmt: skip


@needs_fused
@pytest.mark.parametrize("dtype", [*FLOATING, torch.complex64])
@pytest.mark.parametrize("bounds", BOUNDS)
def test_uniform_between(pair, dtype, bounds):
    for size in (1, 13, 20_000):
        pair.check(
            random.uniform(pair.ours, (size,), TYPES[dtype], *bounds),
            torch.empty(size, dtype=dtype).uniform_(*bounds, generator=pair.theirs),
        )


@needs_fused
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_uniform_between_many(pair, dtype):
    """Enough numbers to meet sums that rounding twice would spoil."""
    chosen = np.random.default_rng(5)
    for _ in range(20):
        low, high = sorted(chosen.normal(size=2) * 10.0 ** chosen.integers(-3, 4, 2))
        pair.check(
            random.uniform(pair.ours, (200_000,), TYPES[dtype], low, high),
            torch.empty(200_000, dtype=dtype).uniform_(low, high, generator=pair.theirs),
        )


@needs_fused
@pytest.mark.parametrize("dtype", FLOATING + COMPLEX)
def test_normal(pair, dtype):
    for size in [*SIZES, *range(17)]:
        pair.check(
            random.normal(pair.ours, (size,), TYPES[dtype]),
            torch.randn(size, dtype=dtype, generator=pair.theirs),
            within(dtype),
        )


@needs_fused
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.complex64])
@pytest.mark.parametrize(("mean", "std"), [(0.0, 0.3), (2.5, 0.7), (-1e-3, 10.0), (3.0, 0.0)])
def test_normal_scaled(pair, dtype, mean, std):
    for size in (1, 3, 15, 16, 17, 40, 20_000):
        pair.check(
            random.normal(pair.ours, (size,), TYPES[dtype], mean, std),
            torch.empty(size, dtype=dtype).normal_(mean, std, generator=pair.theirs),
        )


@needs_fused
@pytest.mark.parametrize(("mean", "std"), [(0.0, 0.3), (2.5, 0.7), (-1e-3, 10.0), (3.0, 0.0)])
def test_normal_scaled_in_double(pair, mean, std):
    """To the bit below 16; beyond within 2 units of the last place of the spread."""
    for size in (1, 3, 15):
        pair.check(
            random.normal(pair.ours, (size,), np.float64, mean, std),
            torch.empty(size, dtype=torch.float64).normal_(mean, std, generator=pair.theirs),
        )
    for size in (16, 17, 40, 20_000):
        found = random.normal(pair.ours, (size,), np.float64, mean, std)
        expected = torch.empty(size, dtype=torch.float64).normal_(mean, std, generator=pair.theirs)
        scale = np.abs(found - mean) + np.abs(mean) + std
        assert (np.abs(found - expected.numpy()) <= 2 * np.spacing(scale)).all()
        pair.check_state()


def views(dtype):
    """Memory that is not contiguous, as pairs of PyTorch's view of it and ours."""
    for make in (
        lambda x: x[:, ::2],
        lambda x: x[..., 1],
        lambda x: x.T,
        lambda x: x[3:, 1:7],
        lambda x: (
            x.reshape(4, 6, 8, 2).transpose(0, 2)
            if isinstance(x, torch.Tensor)
            else x.reshape(4, 6, 8, 2).swapaxes(0, 2)
        ),
    ):
        yield make(torch.zeros(24, 16, dtype=dtype)), make(np.zeros((24, 16), TYPES[dtype]))


@needs_fused
@pytest.mark.parametrize("dtype", FLOATING)
def test_fill_memory_that_is_not_contiguous(pair, dtype):
    for theirs, ours in views(dtype):
        for mean, std in ((0.0, 1.0), (2.0, 3.0)):
            theirs.normal_(mean, std, generator=pair.theirs)
            values = random.normal(pair.ours, (ours.size,), ours.dtype, mean, std, contiguous=False)
            random.store(ours, values)
            if dtype == torch.float64:
                scale = np.abs(ours - mean) + mean + std
                assert (np.abs(ours - theirs.numpy()) <= 2 * np.spacing(scale)).all()
                pair.check_state(normals_within=2)
            else:
                pair.check(np.ascontiguousarray(ours), theirs.contiguous(), normals_within=2)
        theirs.uniform_(generator=pair.theirs)
        random.store(ours, random.uniform(pair.ours, (ours.size,), ours.dtype))
        pair.check(np.ascontiguousarray(ours), theirs.contiguous(), normals_within=2)


def test_order_of_memory(pair):
    for order in itertools.permutations(range(4)):
        theirs = torch.zeros(2, 3, 1, 4).permute(order)
        ours = np.zeros((2, 3, 1, 4), np.float32).transpose(order)
        theirs.random_(generator=pair.theirs)
        drawn = random.random_(pair.ours, (24,), np.float32)
        random.store(ours, drawn)
        pair.check(np.ascontiguousarray(ours), theirs.contiguous())


@needs_fused
@pytest.mark.parametrize("dtype", FLOATING)
def test_normal_of_tensors(pair, dtype):
    chosen = np.random.default_rng(7)

    def both(*shape):
        theirs = torch.tensor(chosen.uniform(0.5, 2.0, shape), dtype=dtype)
        return theirs, to_numpy(theirs)

    for shape in ((3,), (4, 5), (16,), ()):
        (their_mean, mean), (their_std, std) = both(*shape), both(*shape)
        for theirs, ours in (
            ((their_mean, their_std), (mean, std)),
            ((their_mean, 1.5), (mean, 1.5)),
            ((0.25, their_std), (0.25, std)),
            ((their_mean, their_std.reshape(1, *shape)), (mean, std.reshape(1, *shape))),
        ):
            found = random.normal(pair.ours, None, TYPES[dtype], *ours)
            expected = torch.normal(*theirs, generator=pair.theirs)
            pair.check(found, expected, within(dtype))


RANGES = [
    (0, 1), (0, 2), (0, 10), (-5, 7), (0, 256), (-128, 128), (0, 1000), (0, 2**28 - 1), (0, 2**28),
    (0, 2**28 + 1), (0, 2**31), (-(2**31), 2**31), (0, 2**32), (5, 2**32 + 4), (0, 2**40 + 3),
    (-(2**63), 2**63 - 1), (0, 2**63 - 1), (-(2**62), -(2**61)),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*(out of bounds|not evenly spread).*:UserWarning")
@pytest.mark.parametrize("dtype", [torch.bool, *INTEGER, *FLOATING, torch.complex64])
@pytest.mark.parametrize("bounds", RANGES)
def test_integers(pair, dtype, bounds):
    for shape in ((0,), (1,), (2, 3), (3000,)):
        try:
            expected = torch.randint(*bounds, shape, dtype=dtype, generator=pair.theirs)
        except RuntimeError:
            with pytest.raises(RuntimeError):
                random.integers(pair.ours, shape, *bounds, TYPES[dtype])
            pair.check_state()
        else:
            pair.check(random.integers(pair.ours, shape, *bounds, TYPES[dtype]), expected)


@pytest.mark.filterwarnings("ignore:.*(out of bounds|not evenly spread).*:UserWarning")
@pytest.mark.parametrize("dtype", FLOATING)
def test_integers_at_the_edges_of_floating_types(pair, dtype):
    """Where a bound, or the number before it, is not of the type."""
    chosen = np.random.default_rng(11)
    for _ in range(300):
        low = int(chosen.normal() * 2.0 ** chosen.integers(1, 56))
        high = low + int(2.0 ** chosen.uniform(0, 56))
        try:
            expected = torch.empty(5, dtype=dtype).random_(low, high, generator=pair.theirs)
        except RuntimeError:
            with pytest.raises(RuntimeError):
                random.integers(pair.ours, (5,), low, high, TYPES[dtype])
        else:
            pair.check(random.integers(pair.ours, (5,), low, high, TYPES[dtype]), expected)


@pytest.mark.filterwarnings("ignore:.*(out of bounds|not evenly spread).*:UserWarning")
@pytest.mark.parametrize("dtype", [torch.bool, *INTEGER, *FLOATING])
def test_random_(pair, dtype):
    for size in (0, 1, 5, 3000):
        pair.check(
            random.random_(pair.ours, (size,), TYPES[dtype]),
            torch.empty(size, dtype=dtype).random_(generator=pair.theirs),
        )
    for low in (0, 1, 3, -1, 100, -(2**40), 2**40, -(2**63)):
        try:
            expected = torch.empty(50, dtype=dtype).random_(low, None, generator=pair.theirs)
        except RuntimeError:
            with pytest.raises(RuntimeError):
                random.random_(pair.ours, (50,), TYPES[dtype], low)
        else:
            pair.check(random.random_(pair.ours, (50,), TYPES[dtype], low), expected)
    pair.check(
        random.random_(pair.ours, (50,), TYPES[dtype], None, 2),
        torch.empty(50, dtype=dtype).random_(2, generator=pair.theirs),
    )


PERMUTED = [*INTEGER, *FLOATING]


@pytest.mark.parametrize("dtype", PERMUTED)
def test_permutation(pair, dtype):
    for n in [*range(30), 100, 127]:
        pair.check(
            random.permutation(pair.ours, n, TYPES[dtype]),
            torch.randperm(n, dtype=dtype, generator=pair.theirs),
        )


@pytest.mark.parametrize("dtype", [torch.bool, *PERMUTED, torch.complex64])
@pytest.mark.parametrize("n", [-1, 128, 129, 256, 257, 300, 2049, 2050, 32768, 32769])
def test_permutation_as_far_as_the_type_counts(pair, dtype, n):
    try:
        expected = torch.randperm(n, dtype=dtype, generator=pair.theirs)
    except RuntimeError as error:  # NotImplementedError is one too
        with pytest.raises(type(error)):
            random.permutation(pair.ours, n, TYPES[dtype])
        pair.check_state()
    else:
        pair.check(random.permutation(pair.ours, n, TYPES[dtype]), expected)


@pytest.mark.parametrize("n", [998, 999, 1000, 1001, 1500, 10_000, 60_000, 300_001])
def test_long_permutation(pair, n):
    for _ in range(3):
        pair.check(
            random.permutation(pair.ours, n, np.int64),
            torch.randperm(n, generator=pair.theirs),
        )


def by_chance(shape):
    return torch.from_numpy(np.asarray(np.random.default_rng(13).random(shape)))


@pytest.mark.parametrize("dtype", FLOATING)
def test_bernoulli(pair, dtype):
    for shape in ((0,), (), (7,), (30, 40)):
        chances = by_chance(shape).to(dtype)
        ours = to_numpy(chances)
        pair.check(
            random.bernoulli(pair.ours, ours),
            torch.bernoulli(chances, generator=pair.theirs),
        )
        pair.check(
            random.bernoulli(pair.ours, ours, np.int32),
            torch.empty(shape, dtype=torch.int32).bernoulli_(chances, generator=pair.theirs),
        )
        pair.check(
            random.bernoulli(pair.ours, ours.T),
            torch.bernoulli(
                chances.permute(tuple(reversed(range(chances.ndim)))), generator=pair.theirs
            ),
        )


@pytest.mark.parametrize("dtype", [torch.bool, *INTEGER, *FLOATING])
@pytest.mark.parametrize("p", [0.0, 1e-9, 0.1, 0.5, 0.9, 1.0])
def test_bernoulli_scalar(pair, dtype, p):
    for shape in ((0,), (), (9,), (50, 40)):
        pair.check(
            random.bernoulli_scalar(pair.ours, shape, p, TYPES[dtype]),
            torch.empty(shape, dtype=dtype).bernoulli_(p, generator=pair.theirs),
        )


@needs_fused
@pytest.mark.parametrize("dtype", FLOATING)
def test_continuous(pair, dtype):
    for size in (0, 1, 2, 3, 15, 16, 31, 32, 33, 2001):
        empty = torch.empty(size, dtype=dtype)
        where = (pair.ours, (size,), TYPES[dtype])
        pair.check(
            random.exponential(*where),
            empty.exponential_(generator=pair.theirs),
            within(dtype),
        )
        pair.check(
            random.exponential(*where, 0.3),
            empty.exponential_(0.3, generator=pair.theirs),
            within(dtype),
        )
        pair.check(random.cauchy(*where), empty.cauchy_(generator=pair.theirs), within(dtype))
        pair.check(random.geometric(*where, 0.2), empty.geometric_(0.2, generator=pair.theirs))


@needs_fused
@pytest.mark.parametrize("dtype", FLOATING)
def test_log_normal(pair, dtype):
    for size in (0, 1, 2, 3, 15, 16, 31, 32, 33, 2001):
        pair.check(
            random.log_normal(pair.ours, (size,), TYPES[dtype]),
            torch.empty(size, dtype=dtype).log_normal_(generator=pair.theirs),
            within(dtype),
            normals_within=2,
        )


@pytest.mark.parametrize("dtype", [*INTEGER, *FLOATING])
def test_geometric(pair, dtype):
    for p in (0.9, 0.5, 0.25):
        pair.check(
            random.geometric(pair.ours, (2000,), TYPES[dtype], p),
            torch.empty(2000, dtype=dtype).geometric_(p, generator=pair.theirs),
        )


@pytest.mark.parametrize("dtype", FLOATING)
@pytest.mark.parametrize("shape", [(1,), (5,), (40,), (1000,), (3, 1), (6, 20), (0, 3)])
def test_multinomial(pair, dtype, shape):
    calls = [(1, False), (1, True), (25, True)]
    if dtype in {torch.float32, torch.float64}:
        # Numbers of 16 bits are often equal, and PyTorch's sorting puts equals in any order.
        calls.append((min(20, shape[-1]), False))
    for transposed in (False, True):
        weights = (by_chance(shape) * 10).to(dtype) + 0.125
        ours = to_numpy(weights)
        if transposed and weights.numel() and len(shape) == 2:
            weights, ours = weights.T.contiguous().T, np.asfortranarray(ours)
        for samples, replacement in calls:
            pair.check(
                random.multinomial(pair.ours, ours, samples, replacement),
                torch.multinomial(weights, samples, replacement, generator=pair.theirs),
            )


WEIGHTS = {
    "integers": [1, 2],
    "negative": [1.0, -2.0],
    "zeros": [0.0, 0.0],
    "a row of zeros": [[1.0, 2.0], [0.0, 0.0]],
    "infinite": [1.0, np.inf],
    "not a number": [1.0, np.nan],
    "no dimension": 1.0,
    "three dimensions": [[[1.0]]],
    "none": np.ones(0),
    "empty rows": np.ones((3, 0)),
}


@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize("weights", WEIGHTS.values(), ids=WEIGHTS)
def test_bad_weights(pair, weights, replacement):
    ours = np.asarray(weights)
    with pytest.raises(RuntimeError):
        torch.multinomial(torch.from_numpy(ours), 1, replacement, generator=pair.theirs)
    with pytest.raises(RuntimeError):
        random.multinomial(pair.ours, ours, 1, replacement)
    pair.check_state()


F32, I64 = torch.float32, torch.int64
NAN = float("nan")
# PyTorch's call on three elements of a type, ours, and the type.
BAD_CALLS = [
    (lambda x: x.uniform_(), random.uniform, I64, ()),
    (lambda x: x.uniform_(2, 1), random.uniform, F32, (2, 1)),
    (lambda x: x.uniform_(-3e38, 3e38), random.uniform, F32, (-3e38, 3e38)),
    (lambda x: x.uniform_(-1e39, 3), random.uniform, F32, (-1e39, 3)),
    (lambda x: x.uniform_(-7e4, 3), random.uniform, torch.float16, (-7e4, 3)),
    (lambda x: x.uniform_(0, 3.4e38), random.uniform, torch.bfloat16, (0, 3.4e38)),
    (lambda x: x.uniform_(NAN, 3), random.uniform, F32, (NAN, 3)),
    (lambda x: x.normal_(), random.normal, I64, ()),
    (lambda x: x.normal_(0, -1), random.normal, F32, (0, -1)),
    (lambda x: x.normal_(0, NAN), random.normal, F32, (0, NAN)),
    (lambda x: x.cauchy_(), random.cauchy, I64, ()),
    (lambda x: x.cauchy_(0, 0), random.cauchy, F32, (0, 0)),
    (lambda x: x.exponential_(), random.exponential, I64, ()),
    (lambda x: x.exponential_(0), random.exponential, F32, (0,)),
    (lambda x: x.log_normal_(), random.log_normal, I64, ()),
    (lambda x: x.log_normal_(0, 0), random.log_normal, F32, (0, 0)),
    (lambda x: x.geometric_(0.5), random.geometric, torch.bool, (0.5,)),
    (lambda x: x.geometric_(0.5), random.geometric, torch.complex64, (0.5,)),
    (lambda x: x.geometric_(0), random.geometric, F32, (0,)),
    (lambda x: x.geometric_(1), random.geometric, F32, (1,)),
    (lambda x: x.random_(), random.random_, torch.complex64, ()),
]


@pytest.mark.parametrize(("theirs", "ours", "dtype", "arguments"), BAD_CALLS)
def test_bad_calls(pair, theirs, ours, dtype, arguments):
    """PyTorch's type of error, and the generator as it was."""
    with pytest.raises(Exception) as expected:
        theirs(torch.empty(3, dtype=dtype))
    with pytest.raises(expected.type) as found:
        ours(pair.ours, (3,), TYPES[dtype], *arguments)
    assert found.type is expected.type
    pair.check_state()


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (lambda: torch.randint(3, 3, (2,)), lambda g: random.integers(g, (2,), 3, 3, np.int64)),
        (lambda: torch.randint(3, 2, (0,)), lambda g: random.integers(g, (0,), 3, 2, np.int64)),
        (
            lambda: torch.randint(0, 2**63, (2,)),
            lambda g: random.integers(g, (2,), 0, 2**63, np.int64),
        ),
        (
            lambda: torch.empty(3).bernoulli_(1.5),
            lambda g: random.bernoulli_scalar(g, (3,), 1.5, np.float32),
        ),
        (
            lambda: torch.empty(3, dtype=torch.complex64).bernoulli_(0.5),
            lambda g: random.bernoulli_scalar(g, (3,), 0.5, np.complex64),
        ),
        (
            lambda: torch.bernoulli(torch.tensor([0.5, 1.5])),
            lambda g: random.bernoulli(g, np.array([0.5, 1.5])),
        ),
        (
            lambda: torch.bernoulli(torch.tensor([NAN])),
            lambda g: random.bernoulli(g, np.array([NAN])),
        ),
        (
            lambda: torch.bernoulli(torch.tensor([1, 0])),
            lambda g: random.bernoulli(g, np.array([1, 0])),
        ),
        (
            lambda: torch.normal(torch.zeros(3), -torch.ones(3)),
            lambda g: random.normal(g, (3,), np.float32, np.zeros(3), -np.ones(3)),
        ),
        (
            lambda: torch.multinomial(torch.ones(3), 0),
            lambda g: random.multinomial(g, np.ones(3), 0),
        ),
        (
            lambda: torch.multinomial(torch.ones(3), 4),
            lambda g: random.multinomial(g, np.ones(3), 4),
        ),
        (lambda: torch.Generator(device="cuda"), lambda g: Generator(device="cuda")),
    ],
)
def test_bad_calls_of_other_forms(pair, theirs, ours):
    with pytest.raises(Exception) as expected:
        theirs()
    with pytest.raises(expected.type) as found:
        ours(pair.ours)
    assert found.type is expected.type
    pair.check_state()


def a_call(pair, chosen):
    """One of several calls with a size and a type by chance: what each library drew."""
    size = int(chosen.choice([0, 1, 2, 5, 15, 16, 17, 31, 33, 100, 700, 3000]))
    dtype = FLOATING[chosen.integers(len(FLOATING))]
    ours, theirs = pair.ours, pair.theirs
    shape, kind, empty = (size,), TYPES[dtype], torch.empty(size, dtype=dtype)
    which = chosen.integers(6)
    if which == 0:
        return random.normal(ours, shape, kind), empty.normal_(generator=theirs)
    if which == 1:
        return random.uniform(ours, shape, kind), empty.uniform_(generator=theirs)
    if which == 2:
        drawn = random.bernoulli_scalar(ours, shape, 0.3, kind)
        return drawn, empty.bernoulli_(0.3, generator=theirs)
    if which == 3:
        drawn = random.integers(ours, shape, 0, 10, np.int64)
        return drawn, torch.randint(10, shape, generator=theirs)
    if which == 4:
        return random.permutation(ours, size, np.int64), torch.randperm(size, generator=theirs)
    return random.exponential(ours, shape, kind), empty.exponential_(generator=theirs)


@needs_fused
@pytest.mark.parametrize("seed", range(8))
def test_mixed_calls_stay_in_step(seed):
    pair = Pair(seed)
    chosen = np.random.default_rng(seed)
    for _ in range(150):
        found, expected = a_call(pair, chosen)
        # A kept normal number may come from NumPy's sine.
        close = 2 if found.dtype == np.float64 else 0
        pair.check(found, expected, close, normals_within=2)
