"""Datasets: examples by number, or one after the other."""

from __future__ import annotations

import itertools
import math
import warnings
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from adjoint.array import generator as draws
from adjoint.ops.sampling import randperm

Example_co = TypeVar("Example_co", covariant=True)


class Dataset(Generic[Example_co]):
    """Examples by number: a subclass gives ``__getitem__``, and mostly ``__len__``.

    ``__getitems__``, if there is one, fetches a list of numbers at once.

    >>> class Squares(torch.utils.data.Dataset):
    ...     def __len__(self):
    ...         return 3
    ...
    ...     def __getitem__(self, index):
    ...         return index**2
    >>> list(torch.utils.data.DataLoader(Squares(), batch_size=2))
    [tensor([0, 1]), tensor([4])]
    """

    def __getitem__(self, index: Any) -> Example_co:
        raise NotImplementedError(f"{type(self).__name__} gives no __getitem__")

    def __add__(self, other: Any) -> Any:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[Example_co], Iterable[Example_co]):
    """Examples one after the other: a subclass gives ``__iter__``.

    >>> class Numbers(torch.utils.data.IterableDataset):
    ...     def __iter__(self):
    ...         return iter(range(3))
    >>> list(torch.utils.data.DataLoader(Numbers(), batch_size=2))
    [tensor([0, 1]), tensor([2])]
    """

    def __add__(self, other: Any) -> Any:
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple[Any, ...]]):
    """Tensors of one length: an example is a row of each.

    Raises ``AssertionError`` where the lengths differ.

    >>> torch.utils.data.TensorDataset(torch.arange(3), torch.ones(3, 2))[0]
    (tensor(0), tensor([1., 1.]))
    """

    tensors: tuple[Any, ...]

    def __init__(self, *tensors: Any) -> None:
        lengths = [tensor.size(0) for tensor in tensors]
        if len(set(lengths)) > 1:
            raise AssertionError(f"the tensors of a dataset have one length, but got {lengths}")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Any, ...]:
        return tuple([tensor[index] for tensor in self.tensors])

    def __len__(self) -> int:
        return int(self.tensors[0].size(0))


class StackDataset(Dataset[Any]):
    """Several datasets side by side: an example is a tuple of theirs, or a dict if named.

    Raises ``ValueError`` for none, for both kinds of arguments, and where the lengths differ.

    >>> torch.utils.data.StackDataset(number=[1, 2], word=["a", "b"])[1]
    {'number': 2, 'word': 'b'}
    """

    datasets: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args and kwargs:
            raise ValueError("the datasets are either all named or none is")
        given: Any = args or kwargs
        if not given:
            raise ValueError("there is no dataset to stack")
        lengths = [len(dataset) for dataset in (args or kwargs.values())]
        if len(set(lengths)) != 1:
            raise ValueError(f"stacked datasets have one length, but got {lengths}")
        self.datasets = given
        self._length = lengths[0]

    def __getitem__(self, index: Any) -> Any:
        return self._join([dataset[index] for dataset in self._parts()])

    def __getitems__(self, indices: list[Any]) -> list[Any]:
        columns = [examples_of(dataset, indices) for dataset in self._parts()]
        for column in columns:
            if len(column) != len(indices):
                raise ValueError(
                    f"a stacked dataset gave {len(column)} examples for {len(indices)} numbers"
                )
        return [self._join(list(row)) for row in zip(*columns, strict=True)]

    def _parts(self) -> Iterable[Any]:
        return self.datasets.values() if isinstance(self.datasets, dict) else self.datasets

    def _join(self, row: list[Any]) -> Any:
        if isinstance(self.datasets, dict):
            return dict(zip(self.datasets, row, strict=True))
        return tuple(row)

    def __len__(self) -> int:
        return self._length


class ConcatDataset(Dataset[Example_co]):
    """Datasets one behind the other, numbered through.

    Raises ``AssertionError`` for none, and for an ``IterableDataset``, whose length is not known.

    >>> len(torch.utils.data.ConcatDataset([[1, 2], [3]]))
    3
    """

    datasets: list[Any]
    cumulative_sizes: list[int]

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("there is no dataset to concatenate")
        if any(isinstance(dataset, IterableDataset) for dataset in self.datasets):
            raise AssertionError("iterable datasets are not numbered; ChainDataset takes those")
        self.cumulative_sizes = self.cumsum(self.datasets)

    @staticmethod
    def cumsum(sequence: Iterable[Any]) -> list[int]:
        """The running sums of lengths."""
        return list(itertools.accumulate(len(each) for each in sequence))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, idx: int) -> Any:
        if idx < 0:
            if -idx > len(self):
                raise ValueError(f"number {idx} of a dataset of {len(self)} examples")
            idx += len(self)
        place = bisect_right(self.cumulative_sizes, idx)
        before = self.cumulative_sizes[place - 1] if place else 0
        return self.datasets[place][idx - before]


class ChainDataset(IterableDataset[Example_co]):
    """Iterable datasets one after the other; ``AssertionError`` when one of them is not."""

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = datasets

    def _checked(self) -> Iterator[Any]:
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                raise AssertionError(f"a {type(dataset).__name__} is no IterableDataset")
            yield dataset

    def __iter__(self) -> Iterator[Any]:
        for dataset in self._checked():
            yield from dataset

    def __len__(self) -> int:
        return sum(len(dataset) for dataset in self._checked())


class Subset(Dataset[Example_co]):
    """Some examples of a dataset, by their numbers.

    Raises ``NotImplementedError`` for a subclass that changes ``__getitem__`` alone, since batches
    are fetched by ``__getitems__``.

    >>> torch.utils.data.Subset("abcdef", [0, 2])[1]
    'c'
    """

    dataset: Any
    indices: Sequence[int]

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        kind = type(self)
        if kind.__getitem__ is not Subset.__getitem__ and kind.__getitems__ is Subset.__getitems__:
            raise NotImplementedError(
                f"{kind.__name__} changes __getitem__, and batches would not see it: give it "
                "__getitems__(self, indices) too"
            )
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, idx: Any) -> Any:
        if isinstance(idx, list):
            return self.dataset[[self.indices[each] for each in idx]]
        return self.dataset[self.indices[idx]]

    def __getitems__(self, indices: list[int]) -> list[Any]:
        return examples_of(self.dataset, [self.indices[each] for each in indices])

    def __len__(self) -> int:
        return len(self.indices)


def examples_of(dataset: Any, indices: list[Any]) -> list[Any]:
    """The examples of these numbers, all at once where the dataset can."""
    at_once = getattr(dataset, "__getitems__", None)
    if at_once:
        found: list[Any] = at_once(indices)
        return found
    return [dataset[index] for index in indices]


def random_split(
    dataset: Any,
    lengths: Sequence[int | float],
    generator: draws.Generator | None = draws.default_generator,
) -> list[Subset[Any]]:
    """Split a dataset at random into subsets of these lengths, or of these shares of 1.

    What rounding down leaves goes to the first subsets, one each. Raises ``ValueError`` unless
    the lengths add up to the dataset's, and for shares outside [0, 1].

    >>> parts = torch.utils.data.random_split(range(10), [0.8, 0.2])
    >>> [len(part) for part in parts]
    [8, 2]
    """
    total = sum(lengths)
    if math.isclose(total, 1) and total <= 1:
        lengths = _from_shares(len(dataset), lengths)
    if sum(lengths) != len(dataset):
        raise ValueError(
            f"lengths {list(lengths)} add up to {sum(lengths)}, and the dataset has {len(dataset)}"
        )
    indices = randperm(int(sum(lengths)), generator=generator).tolist()
    parts: list[Subset[Any]] = []
    begin = 0
    for length in lengths:
        parts.append(Subset(dataset, indices[begin : begin + int(length)]))
        begin += int(length)
    return parts


def _from_shares(size: int, shares: Sequence[float]) -> list[int]:
    for place, share in enumerate(shares):
        if not 0 <= share <= 1:
            raise ValueError(f"a share is between 0 and 1, but at index {place} got {share}")
    lengths = [math.floor(size * share) for share in shares]
    for place in range(size - sum(lengths)):
        lengths[place % len(lengths)] += 1
    for place, length in enumerate(lengths):
        if length == 0:
            warnings.warn(
                f"the split at index {place} is empty: {shares[place]} of {size} examples",
                stacklevel=3,
            )
    return lengths
