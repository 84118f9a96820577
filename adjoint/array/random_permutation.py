"""Permutations: those of ``torch.randperm`` to the bit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from adjoint.array.random_engine import Generator, draw_uint64

# Below this many elements swapping one pair after the other is quicker than working it out.
_BY_SWAPS = 1000
# From this many, PyTorch takes 64-bit draws and builds the permutation from the inside out.
_LONG = (2**32 - 1) // 20
_MOST = {"uint8": 256, "int8": 128, "int16": 2**15, "float16": 2**11 + 1, "float32": 2**24 + 1}
_TYPES = {*_MOST, "int32", "int64", "bfloat16", "float64"}


def permutation(generator: Generator, n: int, numpy_dtype: DTypeLike) -> NDArray[Any]:
    """The whole numbers below ``n`` in random order.

    Raises ``RuntimeError`` for a negative ``n`` or one that the type cannot count to, and
    ``NotImplementedError`` for bool, complex and unsigned types beyond uint8.

    >>> permutation(Generator().manual_seed(0), 4, np.int64)
    array([2, 0, 1, 3])
    """
    dtype = np.dtype(numpy_dtype)
    if n < 0:
        raise RuntimeError(f"a permutation has at least 0 elements, but n={n}")
    if dtype.name not in _TYPES:
        raise NotImplementedError(f"a permutation has no type {dtype.name}")
    if n > _MOST.get(dtype.name, n):
        raise RuntimeError(f"{dtype.name} counts to {_MOST[dtype.name]} at most, but n={n}")
    if n >= _LONG:
        return _inside_out(generator, n).astype(dtype, copy=False)
    if n < 2:
        return np.zeros(n, dtype)
    with generator.lock:
        words = generator.draw(n - 1)
    partner = words % np.arange(n, 1, -1, dtype=np.uint32) + np.arange(n - 1)
    order = _swap(partner.tolist()) if n < _BY_SWAPS else _swap_at_once(partner)
    if dtype.name in {"float16", "bfloat16"}:
        return np.asarray(order, np.float32).astype(dtype)
    return np.asarray(order, np.int64).astype(dtype, copy=False)


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
    view = memoryview(order)  # twice as quick as the array for one element at a time
    piece = 1 << 20
    with generator.lock:
        for begin in range(0, n, piece):
            steps = np.arange(begin, min(begin + piece, n), dtype=np.uint64)
            places = draw_uint64(generator, steps.size) % (steps + np.uint64(1))
            for step, place in enumerate(places.tolist(), begin):
                view[step] = view[place]
                view[place] = step
    return order
