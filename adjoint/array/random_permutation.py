"""Permutations: those of ``torch.randperm`` to the bit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from adjoint.array.random_engine import Generator, draw_uint64
from adjoint.array.random_types import kind_of

if TYPE_CHECKING:  # 1 ms, and for nothing
    from numpy.typing import DTypeLike, NDArray

# Below this many elements swapping one pair after the other is quicker than working it out.
_BY_SWAPS = 1000
# From this many, PyTorch takes 64-bit draws and builds the permutation from the inside out.
_LONG = (2**32 - 1) // 20
_BFLOAT16_DIGITS = 8


def permutation(generator: Generator, n: int, numpy_dtype: DTypeLike) -> NDArray[Any]:
    """The whole numbers below ``n`` in random order.

    Raises ``RuntimeError`` for a negative ``n`` or one that the type cannot count to, and
    ``NotImplementedError`` for bool, complex and unsigned types beyond uint8.

    >>> permutation(Generator().manual_seed(0), 4, np.int64)
    array([0, 1, 3, 2])
    """
    kind = kind_of(numpy_dtype)
    if n < 0:
        raise RuntimeError(f"a permutation has at least 0 elements, but n={n}")
    if kind.is_bool or kind.is_complex:
        raise NotImplementedError(f"a permutation cannot have type {kind.dtype}")
    # PyTorch lets bfloat16 pass, whose numbers beyond 257 are then not all different.
    if n > kind.largest_whole + 1 and kind.digits != _BFLOAT16_DIGITS:
        raise RuntimeError(f"{kind.dtype} counts to {kind.largest_whole} at most, but n={n}")
    if n < 2:
        return np.zeros(n, kind.dtype)
    order: NDArray[Any] | list[int]
    if n >= _LONG:
        order = _inside_out(generator, n)
    elif n < _BY_SWAPS:
        order = _swap(_partners(generator, n).tolist())
    else:
        order = _swap_at_once(_partners(generator, n))
    if kind.is_half:
        return np.asarray(order, np.float32).astype(kind.dtype)
    return np.asarray(order, np.int64).astype(kind.dtype, copy=False)


def _partners(generator: Generator, n: int) -> NDArray[np.int64]:
    """For each place but the last, one drawn from itself and those after it."""
    with generator.lock:
        words = generator.draw(n - 1)
    partners = (words % np.arange(n, 1, -1, dtype=np.uint32)).astype(np.int64)
    partners += np.arange(n - 1)
    return partners


def _swap(partner: list[int]) -> list[int]:
    """Fisher and Yates' shuffle: swap each place with its partner, which is not before it."""
    order = list(range(len(partner) + 1))
    for place, other in enumerate(partner):
        order[place], order[other] = order[other], order[place]
    return order


def _swap_at_once(partner: NDArray[np.int64]) -> NDArray[np.int64]:
    """The outcome of ``_swap`` without its steps.

    Step ``k`` takes to its partner's place what stood at place ``k``, and nothing else comes to a
    place not yet passed. So what stands at a place came from the last step that had it for a
    partner, where that came from the last step before, and so on back to a place never swapped.
    """
    steps = np.arange(partner.size)
    origin = np.arange(partner.size + 1)
    swapped = np.flatnonzero(partner != steps)
    previous = _previous_with_same_partner(swapped, partner, origin)
    while True:  # about log2(log(n)) rounds: each doubles the number of steps looked back
        further = origin[origin]
        if np.array_equal(further, origin):
            break
        origin = further
    order = np.append(partner, partner.size)
    stay = np.flatnonzero(partner == steps)
    order[stay] = origin[stay]
    order[-1] = origin[-1]
    later = np.flatnonzero(previous >= 0)
    order[later] = origin[previous[later]]
    return order


def _previous_with_same_partner(
    steps: NDArray[np.int64], partner: NDArray[np.int64], last: NDArray[np.int64]
) -> NDArray[np.int64]:
    """For each step the one before it that had the same partner, or -1.

    Leaves in ``last``, for each place that is a partner, the last step that had it.
    """
    previous = np.full(partner.size, -1)
    places = partner[steps]
    last[places] = steps  # of equal places the last is kept
    top = last[places]
    latest = np.empty_like(last)
    while steps.size:
        below = steps != top
        steps, places, upper = steps[below], places[below], top[below]
        latest[places] = steps
        top = latest[places]
        is_next = steps == top
        previous[upper[is_next]] = steps[is_next]
    return previous


def _inside_out(generator: Generator, n: int) -> NDArray[np.int64]:
    """Each number in turn takes a random place so far, whose number moves to the end."""
    order = np.arange(n)
    view = order.data  # twice as quick as the array for one element at a time
    piece = 1 << 20
    with generator.lock:
        for begin in range(0, n, piece):
            steps = np.arange(begin, min(begin + piece, n), dtype=np.uint64)
            places = draw_uint64(generator, steps.size) % (steps + np.uint64(1))
            for step, place in enumerate(places.tolist(), begin):
                view[step] = view[place]
                view[place] = step
    return order
