"""The DataLoader: batches of a dataset, in the order of a sampler."""

from __future__ import annotations

import multiprocessing
import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from multiprocessing.context import BaseContext
from typing import Any, Generic, Self, TypeVar

from adjoint.array import generator as draws
from adjoint.utils.data.collate import default_collate, default_convert
from adjoint.utils.data.dataset import IterableDataset
from adjoint.utils.data.fetch import fetcher
from adjoint.utils.data.sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    draw_seed,
)
from adjoint.utils.data.workers import Workers

Example_co = TypeVar("Example_co", covariant=True)

# Batches that each worker fetches ahead, unless prefetch_factor says otherwise.
PREFETCHED = 2
_FIXED = frozenset(
    ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")
)


class _Endless(Sampler[None]):
    """None for ever: an iterable dataset has no numbers."""

    def __iter__(self) -> Iterator[None]:
        while True:
            yield None


class DataLoader(Generic[Example_co]):
    """Goes through a dataset in batches, in order or with ``shuffle`` in PyTorch's random order.

    ``batch_sampler`` gives lists of numbers, or ``sampler`` numbers for batches of ``batch_size``;
    with ``batch_size=None`` examples come one by one. ``collate_fn`` makes a batch of a list of
    examples. The rest is a smaller batch, or dropped with ``drop_last``. A ``TensorDataset`` (also
    a ``Subset`` of one) without a ``collate_fn`` is indexed once a batch.

    With ``num_workers`` above 0 as many threads fetch batches ahead, in order. Random numbers that
    the dataset itself draws then come in no fixed order: draw them from a generator of the
    worker's, seeded by ``get_worker_info().seed``. ``pin_memory``, ``pin_memory_device``,
    ``multiprocessing_context`` and ``in_order`` are taken for PyTorch's sake and change nothing.
    Raises ``ValueError`` for options that exclude each other or are out of range.

    >>> data = torch.utils.data.TensorDataset(torch.arange(5), torch.zeros(5, 2))
    >>> [x.tolist() for x, y in torch.utils.data.DataLoader(data, batch_size=2)]
    [[0, 1], [2, 3], [4]]
    """

    dataset: Any
    batch_size: int | None
    num_workers: int
    drop_last: bool
    sampler: Any
    batch_sampler: Any

    _made = False

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[list[Any]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], Any] | None = None,
        multiprocessing_context: Any = None,
        generator: draws.Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        _check_context(multiprocessing_context, num_workers)
        self._iterable = isinstance(dataset, IterableDataset)
        if self._iterable:
            _check_iterable(shuffle, sampler, batch_sampler)
        _check_batches(batch_size, shuffle, sampler, batch_sampler, drop_last)
        if batch_sampler is not None:
            batch_size = None
        order: Any = sampler
        if order is None:
            if self._iterable:
                order = _Endless()
            elif shuffle:
                order = RandomSampler(dataset, generator=generator)
            else:
                order = SequentialSampler(dataset)
        if batch_size is not None:
            batch_sampler = BatchSampler(order, batch_size, drop_last)
        self.dataset = dataset
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = order
        self.batch_sampler = batch_sampler
        self.generator = generator
        if collate_fn is None:
            collate_fn = default_convert if batch_sampler is None else default_collate
        self.collate_fn = collate_fn
        self.num_workers = num_workers
        self.prefetch_factor = (
            PREFETCHED if num_workers and prefetch_factor is None else (prefetch_factor)
        )
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.in_order = in_order
        self.persistent_workers = persistent_workers
        self._workers: Workers | None = None
        self._told_length: int | None = None
        self._made = True

    def __setattr__(self, name: str, value: Any) -> None:
        if self._made and name in _FIXED:
            raise ValueError(
                f"{name} cannot be changed after the {type(self).__name__} is made: make another"
            )
        super().__setattr__(name, value)

    def __iter__(self) -> Pass:
        return Pass(self)

    def __len__(self) -> int:
        """How many batches a pass gives; ``TypeError`` where that is not known."""
        if not self._iterable:
            return len(self.sampler if self.batch_sampler is None else self.batch_sampler)
        length = self._told_length = len(self.dataset)
        if self.batch_size is None:
            return length
        return length // self.batch_size if self.drop_last else -(-length // self.batch_size)

    def _fetchers(self) -> Callable[[Any], Callable[[Any], Any]]:
        """What makes a fetcher of a dataset; it knows nothing of the loader, which may go first."""
        return partial(
            fetcher,
            batched=self.batch_sampler is not None,
            collate_fn=self.collate_fn,
            drop_last=self.drop_last,
        )

    def _threads(self, seed: int) -> Workers:
        """The workers: those of the last pass if they stay."""
        if self._workers is not None:
            return self._workers
        workers = Workers(
            self.num_workers, seed, self.dataset, self._fetchers(), self.worker_init_fn
        )
        if self.persistent_workers:
            self._workers = workers
        return workers

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_workers": None}


class Pass(Iterator[Any]):
    """One pass through a ``DataLoader``: an iterator over its batches."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        if loader.pin_memory:
            warnings.warn(
                "pin_memory=True speeds up copies to an accelerator, and there is none",
                stacklevel=3,
            )
        self._index_sampler = (
            loader.sampler if loader.batch_sampler is None else loader.batch_sampler
        )
        indices = iter(self._index_sampler)
        # PyTorch draws a seed for workers at every pass, also where there are none.
        seed = draw_seed(loader.generator)
        self._told_length = loader._told_length
        self._loader = loader
        self._count = 0
        if loader.num_workers == 0:
            if loader.timeout:
                raise AssertionError(f"timeout={loader.timeout} is for workers, and there are none")
            self._batches: Iterator[Any] = map(loader._fetchers()(loader.dataset), indices)
            return
        workers = self._workers = loader._threads(seed)
        ahead = max(1, loader.num_workers * (loader.prefetch_factor or 0))
        self._batches = workers.run(indices, ahead, loader.timeout)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        batch = next(self._batches)
        if self._told_length is not None:
            self._count += 1
            if self._count > self._told_length:
                warnings.warn(
                    f"len() of the iterable dataset was {self._told_length}, and here comes batch "
                    f"{self._count}",
                    stacklevel=2,
                )
        return batch

    def __len__(self) -> int:
        return len(self._index_sampler)


def _check_workers(
    count: int, timeout: float, prefetch_factor: int | None, persistent: bool
) -> None:
    if count < 0:
        raise ValueError(f"num_workers is at least 0, but got {count}")
    if timeout < 0:
        raise ValueError(f"timeout is at least 0, but got {timeout}")
    if prefetch_factor is not None and (count == 0 or prefetch_factor < 0):
        raise ValueError(
            f"prefetch_factor is at least 0 and needs num_workers above 0, but got "
            f"{prefetch_factor} and num_workers={count}"
        )
    if persistent and count == 0:
        raise ValueError("persistent_workers needs num_workers above 0")


def _check_context(context: Any, workers: int) -> None:
    if context is None:
        return
    if not workers:
        raise ValueError("multiprocessing_context needs num_workers above 0")
    methods = multiprocessing.get_all_start_methods()
    if isinstance(context, str):
        if context not in methods:
            raise ValueError(f"multiprocessing_context is one of {methods}, but got {context!r}")
    elif not isinstance(context, BaseContext):
        raise TypeError(
            f"multiprocessing_context is a context or one of {methods}, but got "
            f"a {type(context).__name__}"
        )


def _check_iterable(shuffle: Any, sampler: Any, batch_sampler: Any) -> None:
    given = {"shuffle": shuffle or None, "sampler": sampler, "batch_sampler": batch_sampler}
    for name, value in given.items():
        if value is not None:
            raise ValueError(f"an IterableDataset comes in its own order, but got {name}={value!r}")


def _check_batches(
    batch_size: int | None, shuffle: Any, sampler: Any, batch_sampler: Any, drop_last: bool
) -> None:
    if sampler is not None and shuffle:
        raise ValueError("give either a sampler or shuffle=True: both say the order")
    if batch_sampler is not None:
        if batch_size != 1 or shuffle or sampler is not None or drop_last:
            raise ValueError(
                "a batch_sampler says all about batches: leave batch_size, shuffle, sampler and "
                "drop_last away"
            )
    elif batch_size is None and drop_last:
        raise ValueError("without batches (batch_size=None) there is nothing for drop_last to drop")
