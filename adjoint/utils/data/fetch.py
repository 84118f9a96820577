"""Fetching: from what a sampler gives to a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint.tape.tensor import Tensor, wrap
from adjoint.utils.data.collate import default_collate
from adjoint.utils.data.dataset import IterableDataset, Subset, TensorDataset, examples_of

Fetch = Callable[[Any], Any]


def fetcher(
    dataset: Any, batched: bool, collate_fn: Callable[[Any], Any], drop_last: bool
) -> Fetch:
    """The function that gives the batch of a list of numbers, or the example of one."""
    if isinstance(dataset, IterableDataset):
        return _following(dataset, batched, collate_fn, drop_last)
    if not batched:
        return lambda index: collate_fn(dataset[index])
    if collate_fn is default_collate:
        at_once = rows_at_once(dataset)
        if at_once is not None:
            return at_once
    return lambda indices: collate_fn(examples_of(dataset, indices))


def _following(
    dataset: Any, batched: bool, collate_fn: Callable[[Any], Any], drop_last: bool
) -> Fetch:
    """Take as many examples as the list is long; ``StopIteration`` when there are no more."""
    examples = iter(dataset)
    ended = False

    def fetch(wanted: Any) -> Any:
        nonlocal ended
        if not batched:
            return collate_fn(next(examples))
        batch: list[Any] = []
        if not ended:
            for _ in wanted:
                try:
                    batch.append(next(examples))
                except StopIteration:
                    ended = True
                    break
        if not batch or (drop_last and len(batch) < len(wanted)):
            raise StopIteration
        return collate_fn(batch)

    return fetch


def rows_at_once(dataset: Any) -> Fetch | None:
    """For tensors, and subsets of them: every tensor indexed once a batch, not once an example.

    The result is what ``default_collate`` makes of the examples. None where it may not be: for
    subclasses, which may change examples, and for tensors with a history.
    """
    if type(dataset) is Subset:
        below = rows_at_once(dataset.dataset)
        if below is None:
            return None
        chosen = dataset.indices
        return lambda indices: below([chosen[index] for index in indices])
    if type(dataset) is not TensorDataset:
        return None
    tensors = dataset.tensors
    for tensor in tensors:
        plain = type(tensor) is Tensor and type(tensor._array) is np.ndarray
        if not plain or tensor._node is not None:
            return None

    def fetch(indices: list[int]) -> list[Any]:
        rows = np.array(indices, np.int64)
        return [wrap(tensor._array.take(rows, 0)) for tensor in tensors]

    return fetch
