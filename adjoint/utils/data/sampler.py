"""Samplers: in which order a dataset's examples are taken, and how they make up batches.

Random orders are PyTorch's for the same seed; every sampler draws exactly when PyTorch's does,
so that what else is drawn from the same generator stays the same too.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any, Generic, TypeVar

import numpy as np

from adjoint import dtypes
from adjoint.array import generator as draws
from adjoint.ops.conversion import as_tensor
from adjoint.ops.sampling import multinomial, randint, randperm

Index_co = TypeVar("Index_co", covariant=True)

# How many numbers PyTorch draws at once where examples may be repeated.
DRAWN_AT_ONCE = 32


class Sampler(Generic[Index_co]):
    """Numbers of examples in some order: a subclass gives ``__iter__``, and mostly ``__len__``."""

    def __iter__(self) -> Iterator[Index_co]:
        raise NotImplementedError(f"{type(self).__name__} gives no __iter__")


class SequentialSampler(Sampler[int]):
    """All numbers in order.

    >>> list(torch.utils.data.SequentialSampler("abc"))
    [0, 1, 2]
    """

    data_source: Sized

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """All numbers in random order, or ``num_samples`` of them, with ``replacement`` or without.

    Without a generator each pass takes a seed from the default one. Raises ``TypeError`` unless
    ``replacement`` is a bool, and ``ValueError`` for no samples or an empty dataset.

    >>> _ = torch.manual_seed(0)
    >>> list(torch.utils.data.RandomSampler("abc"))
    [0, 1, 2]
    """

    data_source: Sized
    replacement: bool

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: draws.Generator | None = None,
    ) -> None:
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement is True or False, but got {replacement!r}")
        if not isinstance(self.num_samples, int) or self.num_samples <= 0:
            raise ValueError(f"at least 1 sample is taken, but num_samples={self.num_samples}")

    @property
    def num_samples(self) -> int:
        """How many numbers a pass gives."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        size = len(self.data_source)
        generator = self.generator
        if generator is None:
            generator = draws.Generator()
            generator.manual_seed(draw_seed(None))
        if self.replacement:
            rounds, rest = divmod(self.num_samples, DRAWN_AT_ONCE)
            for count in (*[DRAWN_AT_ONCE] * rounds, rest):
                yield from randint(size, (count,), generator=generator).tolist()
            return
        rounds, rest = divmod(self.num_samples, size)
        for _ in range(rounds):
            yield from randperm(size, generator=generator).tolist()
        # PyTorch draws this permutation even where nothing of it is used.
        yield from randperm(size, generator=generator).tolist()[:rest]

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """The given numbers in random order.

    >>> sorted(torch.utils.data.SubsetRandomSampler([3, 5, 7]))
    [3, 5, 7]
    """

    indices: Sequence[int]

    def __init__(self, indices: Sequence[int], generator: draws.Generator | None = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        for place in randperm(len(self.indices), generator=self.generator).tolist():
            yield self.indices[place]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """``num_samples`` numbers, each with probability proportional to its weight.

    Raises ``ValueError`` for no samples, for ``replacement`` that is no bool, and for weights of
    more than one dimension; ``RuntimeError`` for impossible weights when iterated over.

    >>> list(torch.utils.data.WeightedRandomSampler([0.0, 1.0, 0.0], 3))
    [1, 1, 1]
    """

    num_samples: int
    replacement: bool

    def __init__(
        self,
        weights: Any,
        num_samples: int,
        replacement: bool = True,
        generator: draws.Generator | None = None,
    ) -> None:
        _require_positive("num_samples", num_samples)
        _require_bool("replacement", replacement)
        self.weights = as_tensor(weights, dtype=dtypes.float64)
        if self.weights.dim() != 1:
            raise ValueError(f"weights have 1 dimension, but got shape {list(self.weights.shape)}")
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        chosen = multinomial(
            self.weights, self.num_samples, self.replacement, generator=self.generator
        )
        yield from chosen.tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """Lists of ``batch_size`` numbers from another sampler; the rest is a shorter one, or dropped.

    Raises ``ValueError`` unless ``batch_size`` is a positive integer and ``drop_last`` a bool.

    >>> list(torch.utils.data.BatchSampler(range(5), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        _require_positive("batch_size", batch_size)
        _require_bool("drop_last", drop_last)
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        numbers = iter(self.sampler)
        if self.drop_last:
            for batch in zip(*[numbers] * self.batch_size, strict=False):
                yield list(batch)
            return
        while batch_of := list(itertools.islice(numbers, self.batch_size)):
            yield batch_of

    def __len__(self) -> int:
        size = len(self.sampler)  # type: ignore[arg-type]
        return size // self.batch_size if self.drop_last else -(-size // self.batch_size)


def draw_seed(generator: draws.Generator | None) -> int:
    """A seed as PyTorch draws it: one of the non-negative int64 numbers."""
    source = draws.default_generator if generator is None else generator
    return int(draws.random_(source, (), np.int64))


def _require_positive(name: str, value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ValueError(f"{name} is a positive integer, but got {value!r}")


def _require_bool(name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise ValueError(f"{name} is True or False, but got {value!r}")
