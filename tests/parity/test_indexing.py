"""Random indices against PyTorch: what is read and written, gradients, nodes, types of errors."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import adjoint

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
SHAPES = ((3,), (2, 3), (2, 3, 4), (3, 4, 5), (1, 3), (), (0, 3), (3, 0), (2, 1, 3), (4, 4))
COUNT = 300
# A write of PyTorch's that fails inside (recording a write to integers), and one to a mask of an
# outdated type that it takes or refuses by the value.
EXCUSED = ("INTERNAL ASSERT FAILED", "mask with dtype unsigned char")

# -- random indices -----------------------------------------------------------------------------


def random_item(r: random.Random, size: int) -> Any:
    """One part of an index for a dimension of this size; an array stands for a tensor."""
    n = max(size, 1)

    def place() -> int:
        return r.randint(-n - 1, n) if r.random() < 0.08 else r.randint(-n, n - 1)

    def flags(count: int) -> np.ndarray:
        return np.array([r.random() < 0.5 for _ in range(count)], bool)

    makers: list[Callable[[], Any]] = [
        place, place, lambda: np.int64(place()), lambda: None, lambda: ..., lambda: True,
        lambda: slice(*random_bounds(r, n)), lambda: slice(*random_bounds(r, n)),
        lambda: slice(*random_bounds(r, n)), lambda: [place() for _ in range(r.randint(1, 3))],
        lambda: [[place(), place()], [place(), place()]], lambda: np.array(place()),
        lambda: np.array([place() for _ in range(r.randint(1, 3))]),
        lambda: np.array([place() for _ in range(r.randint(1, 3))]),
        lambda: np.array([[place(), place()] for _ in range(r.randint(1, 2))]),
        lambda: np.array([place(), place()], np.int32), lambda: np.array(r.random() < 0.7),
        lambda: flags(size), lambda: flags(size if r.random() < 0.95 else 2),
        lambda: flags(size).astype(np.uint8),
        lambda: range(min(size, 2)), list, lambda: np.zeros(0, np.int64),
        lambda: r.choice([1.0, "a", False, np.ones(1), np.array([1], np.int16), [0.0], 0, 0]),
    ]  # fmt: skip
    return r.choice(makers)()


def random_bounds(r: random.Random, n: int) -> tuple[Any, Any, Any]:
    """Start, stop and step, some of which NumPy alone would take."""
    bounds = [None if r.random() < 0.4 else r.randint(-n - 2, n + 2) for _ in range(2)]
    step = None if r.random() < 0.5 else r.randint(1, 3) if r.random() < 0.92 else r.choice([0, -1])
    return bounds[0], bounds[1], step


def random_index(r: random.Random, shape: tuple[int, ...]) -> Any:
    """An index for a tensor of this shape, now and then one item too many."""
    items: list[Any] = []
    dim = 0
    for _ in range(r.choice([1, 1, 1, 2, 2, 3, 4])):
        if dim >= len(shape) and r.random() < 0.9:
            break
        if dim + 1 < len(shape) and r.random() < 0.05:
            items.append(np.array([r.random() < 0.5 for _ in range(shape[dim] * shape[dim + 1])]))
            items[-1] = items[-1].astype(bool).reshape(shape[dim], shape[dim + 1])
            dim += 2
            continue
        item = random_item(r, shape[dim] if dim < len(shape) else 2)
        items.append(item)
        dim += not (item is None or item is ... or isinstance(item, bool))
    return items[0] if len(items) == 1 and r.random() < 0.6 else tuple(items)


def translate(library: Any, index: Any) -> Any:
    """The index with a library's tensors in it."""
    if isinstance(index, tuple):
        return tuple(translate(library, each) for each in index)
    return library.tensor(index) if isinstance(index, np.ndarray) else index


def tensor_of(library: Any, values: np.ndarray, layout: str) -> tuple[Any, Any]:
    """A leaf, and a tensor of these values in a layout."""
    if layout == "transposed" and values.shape:
        leaf = library.tensor(np.ascontiguousarray(values.T)).requires_grad_()
        return leaf, leaf.permute(*range(values.ndim - 1, -1, -1))
    if layout == "strided" and values.shape:
        every = tuple(slice(None, None, 2) for _ in values.shape)
        room = np.zeros([2 * size for size in values.shape])
        room[every] = values
        leaf = library.tensor(room).requires_grad_()
        return leaf, leaf[every]
    leaf = library.tensor(values).requires_grad_()
    return leaf, leaf


def weighed(library: Any, tensor: Any) -> Any:
    """A sum in which every element counts differently."""
    weights = np.arange(1.0, tensor.numel() + 1).reshape(tuple(tensor.shape))
    return (tensor * library.tensor(weights)).sum()


# -- reading ------------------------------------------------------------------------------------


def read(library: Any, values: np.ndarray, layout: str, index: Any) -> Any:
    leaf, x = tensor_of(library, values, layout)
    try:
        out = x[translate(library, index)]
    except Exception as error:  # noqa: BLE001 - the type is what is compared
        return error
    weighed(library, out).backward()
    return {
        "shape": tuple(out.shape), "values": out.detach().numpy(), "gradient": leaf.grad.numpy(),
        "node": type(out.grad_fn).__name__, "is a view": out._is_view(),
    }  # fmt: skip


def compare(ours: Any, theirs: Any, what: str) -> None:
    if isinstance(theirs, Exception):
        if not any(text in str(theirs) for text in EXCUSED):
            assert isinstance(ours, type(theirs)), (
                f"{what}: PyTorch raises {theirs!r}, not {ours!r}"
            )
        return
    assert not isinstance(ours, Exception), f"{what}: {ours!r}"
    for name, wanted in theirs.items():
        if isinstance(wanted, np.ndarray):
            np.testing.assert_allclose(ours[name], wanted, 1e-12, err_msg=f"{what}: {name}")
        else:
            assert ours[name] == wanted, f"{what}: {name}"


def cases() -> list[tuple[int, np.ndarray, str, Any]]:
    found = []
    for seed in range(COUNT):
        r = random.Random(seed)
        values = np.random.RandomState(seed).standard_normal(r.choice(SHAPES))
        layout = r.choice(["plain", "transposed", "strided"])
        found.append((seed, values, layout, random_index(r, values.shape)))
    return found


@pytest.mark.parametrize("start", range(0, COUNT, 50))
def test_reading(start: int) -> None:
    for _, values, layout, index in cases()[start : start + 50]:
        both = [read(library, values, layout, index) for library in (adjoint, torch)]
        compare(*both, f"{layout} {list(values.shape)}[{index!r}]")


# -- writing ------------------------------------------------------------------------------------


def random_value(r: random.Random, seed: int, shape: tuple[int, ...]) -> Any:
    """What to write: numbers, and arrays that fit, broadcast or do not fit, as tensors."""
    random_state = np.random.RandomState(seed + 10_000)
    sizes = [size if r.random() < 0.5 else 1 for size in shape][r.randint(0, len(shape)) :]
    return r.choice([
        2.5, 2.5, 3, True, [1.0], np.array(1.5), random_state.standard_normal(shape),
        random_state.standard_normal((1, 1, *shape)), random_state.standard_normal(sizes),
        random_state.standard_normal((*shape, 2)),
        random_state.standard_normal(shape).astype(np.float32),
    ])  # fmt: skip


def write(library: Any, values: np.ndarray, layout: str, index: Any, value: Any, kind: str) -> Any:
    leaf, x = tensor_of(library, values, layout)
    x = x * 1
    if kind != "float64":
        x = x.detach().to(getattr(library, kind))
    source = library.tensor(value) if isinstance(value, np.ndarray) else value
    if isinstance(value, np.ndarray) and value.dtype == np.float64:
        source.requires_grad_()
    try:
        x[translate(library, index)] = source
        out = {"values": x.detach().numpy(), "version": x._version, "recorded": x.requires_grad}
        if x.requires_grad:
            weighed(library, x).backward()
            for name, tensor in (("input", leaf), ("source", source)):
                found = getattr(tensor, "grad", None)
                out[f"gradient of the {name}"] = None if found is None else found.numpy()
    except Exception as error:  # noqa: BLE001 - the type is what is compared
        return error
    return out


@pytest.mark.parametrize("start", range(0, COUNT, 50))
def test_writing(start: int) -> None:
    for seed, values, layout, index in cases()[start : start + 50]:
        r = random.Random(seed + 1)
        found = read(torch, values, layout, index)
        shape = (2,) if isinstance(found, Exception) else found["shape"]
        value = random_value(r, seed, shape)
        kind = r.choice(["float64", "float64", "float64", "int64", "bool", "float32"])
        both = [write(library, values, layout, index, value, kind) for library in (adjoint, torch)]
        compare(*both, f"{kind} {layout} {list(values.shape)}[{index!r}] = {value!r}")
