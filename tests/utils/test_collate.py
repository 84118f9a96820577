"""From examples to a batch: what becomes tensors, and what does not."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, NamedTuple

import numpy as np
import pytest

import adjoint as torch

data = torch.utils.data


class Pair(NamedTuple):
    x: Any
    y: Any


def test_what_becomes_a_batch():
    batch = [
        {"number": 1, "real": 0.5, "flag": True, "name": "a", "raw": b"x", "row": np.arange(2)},
        {"number": 2, "real": 1.5, "flag": False, "name": "b", "raw": b"y", "row": np.arange(2)},
    ]
    found = data.default_collate(batch)
    assert found["number"].dtype is torch.int64
    assert found["real"].dtype is torch.float64
    assert found["flag"].tolist() == [True, False]
    assert found["name"] == ["a", "b"]
    assert found["raw"] == [b"x", b"y"]
    assert found["row"].tolist() == [[0, 1], [0, 1]]


def test_nested_and_named_examples():
    found = data.default_collate([Pair(1, (2, [3.0])), Pair(4, (5, [6.0]))])
    assert isinstance(found, Pair)
    assert found.x.tolist() == [1, 4]
    assert isinstance(found.y, list)
    assert found.y[1][0].tolist() == [3.0, 6.0]
    ordered = data.default_collate([OrderedDict(a=1), OrderedDict(a=2)])
    assert isinstance(ordered, OrderedDict)
    scalars = data.default_collate([np.float32(1), np.float32(2)])
    assert scalars.dtype is torch.float32
    assert data.default_collate([np.bool_(True)]).dtype is torch.bool


def test_what_becomes_no_batch():
    for bad in ([object()], [{1, 2}], [None], [np.array(["a"])]):
        with pytest.raises(TypeError):
            data.default_collate(bad)
    with pytest.raises(RuntimeError, match=r"\[1, 2\]"):
        data.default_collate([[1], [1, 2]])
    with pytest.raises(RuntimeError, match="equal size"):
        data.default_collate([torch.ones(2), torch.ones(3)])


def test_conversion_without_batches():
    array = np.arange(3.0)
    found = data.default_convert([array, (np.float32(2), "a"), {"k": np.array(["s"])}, 3, None])
    assert found[0].tolist() == [0.0, 1.0, 2.0]
    array[0] = 7
    assert found[0][0].item() == 7.0  # shared, as as_tensor shares
    assert isinstance(found[1], list)
    assert found[1][0].dtype is torch.float32
    assert found[1][1] == "a"
    assert isinstance(found[2]["k"], np.ndarray)
    assert found[3:] == [3, None]


def test_gradients_flow_through_a_batch():
    w = torch.ones(2, requires_grad=True)
    batch = data.default_collate([(w * 2, 1), (w * 3, 2)])
    batch[0].sum().backward()
    assert w.grad.tolist() == [5.0, 5.0]
