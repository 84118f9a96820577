"""Random variations of a sample: other sizes, ranks, types, numbers and forms of arguments.

Most are good calls of a shape that nobody thought of; the others are wrong in ways that nobody
thought of. PyTorch says which.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from tests.harness import Call
from tests.samples.case import numpy_type

Random = np.random.RandomState


def refill(array: np.ndarray, shape: tuple[int, ...], random: Random) -> np.ndarray:
    """An array of another shape with values drawn from the old one, ones if it is empty."""
    count = int(np.prod(shape, dtype=int))
    if array.size == 0:
        return np.ones(shape, array.dtype)
    flat = array.reshape(-1)
    if np.unique(flat).size == flat.size >= count:
        return flat[random.permutation(flat.size)[:count]].reshape(shape)
    return flat[random.randint(0, flat.size, count)].reshape(shape)


def resize(call: Call, random: Random) -> Call:
    """Every size changed to another, the same one wherever it stands: mostly a good call."""
    sizes: dict[int, int] = {}
    leaves = []
    for leaf in call.leaves:
        for size in leaf.shape:
            if size not in sizes:
                sizes[size] = size if size == 1 else int(random.randint(0, 6))
        leaves.append(refill(leaf, tuple(sizes[size] for size in leaf.shape), random))
    return replace(call, leaves=leaves)


def resize_one(call: Call, random: Random) -> Call:
    """One size of one tensor changed."""
    return change_leaf(
        call, random, lambda leaf: refill(leaf, _one_size(leaf.shape, random), random)
    )


def _one_size(shape: tuple[int, ...], random: Random) -> tuple[int, ...]:
    if not shape:
        return shape
    changed = list(shape)
    changed[random.randint(0, len(shape))] = int(random.choice([0, 1, 2, 3, 5]))
    return tuple(changed)


def less_rank(call: Call, random: Random) -> Call:
    """One tensor without its first or last dimension."""

    def drop(leaf: np.ndarray) -> np.ndarray:
        shape = leaf.shape[1:] if random.randint(0, 2) else leaf.shape[:-1]
        return refill(leaf, shape, random)

    return change_leaf(call, random, drop)


def more_rank(call: Call, random: Random) -> Call:
    """One tensor with another dimension in front or behind."""

    def stretch(leaf: np.ndarray) -> np.ndarray:
        size = (int(random.choice([1, 2, 3])),)
        shape = size + leaf.shape if random.randint(0, 2) else leaf.shape + size
        return refill(leaf, shape, random)

    return change_leaf(call, random, stretch)


def other_type(call: Call, random: Random) -> Call:
    """One tensor in another element type."""
    kind = numpy_type(
        random.choice(["float32", "float64", "int64", "int32", "uint8", "bool", "float16"])
    )
    whole = kind.kind in "iub"
    return change_leaf(
        call, random, lambda leaf: (finite(leaf) if whole else np.real(leaf)).astype(kind)
    )


def finite(array: np.ndarray) -> np.ndarray:
    """Small numbers instead of infinities and NaNs, which no integer can hold."""
    return np.nan_to_num(np.real(array), nan=0, posinf=3, neginf=-3)


def strided(call: Call, random: Random) -> Call:
    """One tensor transposed, with every second element, or expanded from its first ones."""
    if not call.case.layouts:
        return call

    def change(leaf: np.ndarray) -> np.ndarray:
        way = random.randint(0, 3)
        if way == 0:
            return leaf.T
        if way == 1:
            return np.repeat(leaf, 2, axis=-1)[..., ::2] if leaf.ndim else leaf
        return np.broadcast_to(leaf[:1], leaf.shape) if leaf.ndim and leaf.size else leaf

    return change_leaf(call, random, change)


def change_leaf(call: Call, random: Random, change: Callable[[np.ndarray], np.ndarray]) -> Call:
    """The call with one of its tensors changed."""
    if not call.leaves:
        return call
    leaves = list(call.leaves)
    place = random.randint(0, len(leaves))
    leaves[place] = np.asarray(change(leaves[place]))
    return replace(call, leaves=leaves)


def other_number(call: Call, random: Random) -> Call:
    """One number among the arguments changed: a dim, a size, an index, a factor, a flag."""
    found: list[Any] = []

    def note(value: Any) -> Any:
        found.append(value)
        return value

    change_numbers((call.args, call.kwargs), note)
    if not found:
        return call
    target, count = random.randint(0, len(found)), iter(range(len(found)))

    def change(value: Any) -> Any:
        if next(count) != target:
            return value
        if isinstance(value, bool):
            return not value
        if isinstance(value, int):
            return value + int(random.choice([-3, -2, -1, 1, 2, 4]))
        return float(random.choice([-1.5, 0.0, 0.5, 3.0]))

    args, kwargs = change_numbers((call.args, call.kwargs), change)
    return replace(call, args=args, kwargs=kwargs)


def change_numbers(tree: Any, change: Callable[[Any], Any]) -> Any:
    """A tree of arguments with its Python numbers changed."""
    if isinstance(tree, (bool, int, float)):
        return change(tree)
    if isinstance(tree, (list, tuple)):
        return type(tree)([change_numbers(each, change) for each in tree])
    if isinstance(tree, dict):
        return {key: change_numbers(each, change) for key, each in tree.items()}
    return tree


def other_argument(call: Call, random: Random) -> Call:
    """One argument more, one less, one of a wrong kind, or a keyword that there is not."""
    args = list(call.args)
    way = random.randint(0, 4)
    if way == 0 and args:
        del args[-1]
    elif way == 1:
        return replace(call, kwargs={**call.kwargs, "nonsense": 1})
    elif way == 2 and args:
        args[random.randint(0, len(args))] = random.choice(np.array(["text", None], dtype=object))
    else:
        args += [object()] * 2
    return replace(call, args=tuple(args))


SHAPES = (resize, resize, resize_one, less_rank, more_rank, strided)
OTHERS = (other_type, other_number, other_number, other_argument)


def variation(call: Call, random: Random) -> Call:
    """One or two changes of the shapes, or one of anything else."""
    if random.randint(0, 2):
        change = SHAPES[random.randint(0, len(SHAPES))]
        changed = change(call, random)
        if random.randint(0, 3) == 0:
            changed = strided(changed, random)
    else:
        change = OTHERS[random.randint(0, len(OTHERS))]
        changed = change(call, random)
    return replace(changed, changed=change.__name__.replace("_", " "))
