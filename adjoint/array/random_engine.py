"""The generator of random numbers: PyTorch's Mersenne Twister, its state and its raw draws.

PyTorch's CPU generator is MT19937 seeded by ``init_genrand`` with the low 32 bits of the seed,
which is what NumPy's ``RandomState`` has been frozen to be. NumPy's engine turns out words in
bulk; here they are taken one block of 624 at a time, so that the position within the block, and
with it PyTorch's saved state, is always known.
"""

from __future__ import annotations

import os
import struct
import sys
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:  # 1 ms, and for nothing
    from numpy.typing import NDArray

BLOCK = 624
DEFAULT_SEED = 67280421310721
# Words fetched from NumPy at once: 64 blocks of 8-byte words stay in the second-level cache.
_BULK = 64 * BLOCK
# Arrays without dimensions meet arrays twice as quickly as scalars do.
_HALF_WORD = np.array(32, np.uint64)
_NOTHING = np.zeros(BLOCK, np.uint32)

# The saved state: seed, words left, seeded, next word, 624 words, then the kept normal numbers.
_HEAD = struct.Struct("<QiiQ")
_TAIL = struct.Struct("<dddi4xf?3x")
_TAIL_AT = _HEAD.size + 8 * BLOCK
STATE_SIZE = _TAIL_AT + _TAIL.size


class Generator:
    """A source of random numbers that gives those of ``torch.Generator`` for the same seed.

    Every function that draws holds ``lock`` meanwhile, so that threads may share a generator.

    >>> Generator().manual_seed(2147483647).initial_seed()
    2147483647
    """

    __slots__ = (
        "_bits", "_block", "_ended", "_engine", "_fresh", "_next_float_normal", "_position",
        "_seed", "_seeding", "lock", "next_normal",
    )  # fmt: skip

    def __init__(self, device: str = "cpu") -> None:
        """Make a generator with PyTorch's fixed seed; raises ``RuntimeError`` but for the CPU."""
        if str(device) != "cpu":
            raise RuntimeError(f"a Generator draws on the CPU, but device is {str(device)!r}")
        self.lock = threading.Lock()
        self._bits: Any = None
        self._engine: Any = None
        self._ended: Any = None  # a block, and the engine's state at its end
        self._reset(DEFAULT_SEED)

    def _reset(self, seed: int) -> None:
        self._seed = seed
        # The engine itself is made and seeded at the first draw: a seed alone costs nothing.
        self._seeding = True
        self._fresh = True
        self._block = _NOTHING
        self._position = BLOCK
        self.next_normal: float | None = None
        self._next_float_normal: float | None = None

    @property
    def device(self) -> str:
        """Where the numbers are drawn: always ``'cpu'``."""
        return "cpu"

    def manual_seed(self, seed: int) -> Generator:
        """Start again from ``seed``, and return the generator.

        A negative seed counts down from 2**64. Raises ``RuntimeError`` for what is not an
        integer and ``ValueError`` for one outside [-2**63, 2**64).

        >>> Generator().manual_seed(-1).initial_seed() == 2**64 - 1
        True
        """
        if isinstance(seed, (bool, np.bool_)) or not isinstance(seed, (int, np.integer)):
            raise RuntimeError(f"a seed is an integer, but got a {type(seed).__name__}")
        if not -(2**63) <= seed < 2**64:
            raise ValueError(f"a seed lies in [-2**63, 2**64), but got {seed}")
        with self.lock:
            self._reset(int(seed) % 2**64)
        return self

    def seed(self) -> int:
        """Start again from 64 bits of the operating system's randomness, and return them.

        >>> 0 <= Generator().seed() < 2**64
        True
        """
        chosen = int.from_bytes(os.urandom(8), "little")
        self.manual_seed(chosen)
        return chosen

    def initial_seed(self) -> int:
        """The seed that the present numbers come from.

        >>> Generator().initial_seed()
        67280421310721
        """
        return self._seed

    def draw(self, count: int) -> NDArray[np.uint32]:
        """The next ``count`` 32-bit words, to be read and not written; hold ``lock``."""
        start = self._position
        end = start + count
        if end > BLOCK:
            return self._draw_blocks(start, count)
        self._position = end
        return self._block[start:end]

    def _draw_blocks(self, start: int, count: int) -> NDArray[np.uint32]:
        """Draw past the end of the present block, and keep the last block that was begun."""
        self._seeded_engine()
        rest = BLOCK - start
        missing = count - rest
        whole = -(-missing // BLOCK) * BLOCK
        words = np.empty(rest + whole, np.uint32)
        words[:rest] = self._block[start:]
        for begin in range(rest, rest + whole, _BULK):
            end = min(begin + _BULK, rest + whole)
            words[begin:end] = self._bits.random_raw(end - begin)
        self._block = words[-BLOCK:].copy()
        self._position = BLOCK - (whole - missing)
        self._fresh = False
        return words[:count]

    def _seeded_engine(self) -> Any:
        """NumPy's engine, standing at the end of the present block."""
        if self._engine is None:
            self._bits = np.random.MT19937(0)
            self._engine = np.random.RandomState(self._bits)
        if self._seeding:
            self._engine.seed(self._seed & 0xFFFFFFFF)
            self._seeding = False
        return self._engine

    def get_state(self) -> NDArray[np.uint8]:
        """The state as 5,056 bytes, laid out as ``torch.Generator.get_state`` lays them out.

        >>> Generator().get_state().shape
        (5056,)
        """
        with self.lock:
            words = self._seeded_engine().get_state()[1].astype("<u8")
            left = BLOCK + 1 - self._position
            head = _HEAD.pack(self._seed, left, 1, 0 if self._fresh else self._position)
            kept, kept_float = self.next_normal, self._next_float_normal
        tail = _TAIL.pack(
            0.0, kept or 0.0, 0.0, kept is not None, kept_float or 0.0, kept_float is not None
        )
        return np.frombuffer(bytearray(head + words.tobytes() + tail), np.uint8)

    def set_state(self, state: NDArray[np.uint8]) -> None:
        """Go on from a state that ``get_state``, PyTorch's or this one, has given.

        Raises ``TypeError`` for anything but bytes in one dimension, and ``RuntimeError`` where
        their number or what they say is no state; the generator is then as it was.

        >>> generator, other = Generator().manual_seed(1), Generator()
        >>> other.set_state(generator.get_state())
        """
        if not isinstance(state, np.ndarray) or state.dtype != np.uint8:
            found = state.dtype if isinstance(state, np.ndarray) else type(state).__name__
            raise TypeError(f"a state is an array of uint8, but got {found}")
        if state.size != STATE_SIZE:
            raise RuntimeError(f"a state has {STATE_SIZE} bytes, but got {state.size}")
        content = state.tobytes()
        seed, left, seeded, following = _HEAD.unpack_from(content)
        # A state of one word left begins a new block, whatever it says of the next word.
        consistent = left == 1 or left + following == BLOCK + 1
        if not (seeded == 1 and 0 < left <= BLOCK and following <= BLOCK and consistent):
            raise RuntimeError(
                f"not a state of this generator: seeded is {seeded}, {left} words are left, "
                f"and the next is number {following}; pass what get_state() returned"
            )
        words = np.frombuffer(content, "<u8", BLOCK, _HEAD.size).astype(np.uint32)
        _, kept, _, valid, kept_float, float_valid = _TAIL.unpack_from(content, _TAIL_AT)
        with self.lock:
            self._reset(seed)
            engine = self._seeded_engine()
            engine.set_state(("MT19937", words, 0))
            self._block = self._bits.random_raw(BLOCK).astype(np.uint32)
            self._position = BLOCK + 1 - left
            self._fresh = left == 1 and following == 0
            self.next_normal = kept if valid else None
            self._next_float_normal = kept_float if float_valid else None

    def snapshot(self) -> tuple[Any, ...]:
        """The state, for ``restore`` alone: a few microseconds where nothing is drawn between.

        The engine stands at the end of the block, and every block is an array of its own: so long
        as that is the same one, the engine need not be looked at.

        >>> generator = Generator()
        >>> before = generator.snapshot()
        >>> first = generator.draw(2).tolist()
        >>> generator.restore(before)
        >>> generator.draw(2).tolist() == first
        True
        """
        with self.lock:
            block = self._block
            engine = None
            if block is not _NOTHING:
                engine = self._ended
                if engine is None or engine[0] is not block:
                    engine = self._ended = block, self._bits.state
            return (
                self._seed, block, engine, self._position, self._fresh, self.next_normal,
                self._next_float_normal,
            )  # fmt: skip

    def restore(self, state: tuple[Any, ...]) -> None:
        """Go on from a state that ``snapshot`` gave."""
        seed, block, engine, position, fresh, normal, float_normal = state
        with self.lock:
            if block is _NOTHING:  # nothing was drawn since the seed
                self._reset(seed)
            elif self._block is not block:
                self._seeded_engine()
                self._bits.state = engine[1]
                self._ended = engine
            self._seed = seed
            self._block = block
            self._position = position
            self._fresh = fresh
            self.next_normal = normal
            self._next_float_normal = float_normal

    def clone_state(self) -> Generator:
        """Another generator that goes on from the same state."""
        clone = type(self)()
        clone.set_state(Generator.get_state(self))
        return clone

    def __getstate__(self) -> bytes:
        return Generator.get_state(self).tobytes()

    def __setstate__(self, state: bytes) -> None:
        self.lock = threading.Lock()
        self._bits = self._engine = self._ended = None
        Generator.set_state(self, np.frombuffer(state, np.uint8))


def draw_uint64(generator: Generator, count: int) -> NDArray[np.uint64]:
    """The next ``count`` 64-bit words, each of two draws, high half first; hold the lock."""
    words = generator.draw(2 * count).view(np.uint64)
    if sys.byteorder == "big":
        return words.copy()
    swapped: NDArray[np.uint64] = words << _HALF_WORD
    swapped |= words >> _HALF_WORD
    return swapped


default_generator = Generator()
default_generator.seed()
