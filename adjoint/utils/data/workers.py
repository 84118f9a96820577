"""Workers: threads that fetch batches ahead.

PyTorch's workers are processes. Threads need no copies of the dataset and no pickling, and run at
the same time where the work waits for files or is done by libraries that let go of the
interpreter, as NumPy, SciPy and Pillow do.
"""

from __future__ import annotations

import copy
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any, NamedTuple

from adjoint.utils.data.dataset import IterableDataset
from adjoint.utils.data.fetch import Fetch


class WorkerInfo(NamedTuple):
    """What a worker may know of itself: number, how many there are, a seed, and the dataset."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


_own = threading.local()


def get_worker_info() -> WorkerInfo | None:
    """In a worker of a ``DataLoader``, its ``id``, ``num_workers``, ``seed`` and ``dataset``.

    An iterable dataset gives each worker its part by these. None elsewhere.

    >>> torch.utils.data.get_worker_info() is None
    True
    """
    return getattr(_own, "info", None)


class _Finished:
    """In the place of a batch: this worker's iterable dataset has ended."""


class Workers:
    """Threads, each with its own fetcher, which work on batches in turn."""

    def __init__(
        self,
        count: int,
        seed: int,
        dataset: Any,
        make_fetcher: Callable[[Any], Fetch],
        worker_init_fn: Callable[[int], Any] | None,
    ) -> None:
        self._pools = [ThreadPoolExecutor(1, f"DataLoader-{number}") for number in range(count)]
        self._begun = []
        for number, pool in enumerate(self._pools):
            # Each worker iterates over a copy of its own, whose attributes it may set.
            own = copy.copy(dataset) if isinstance(dataset, IterableDataset) else dataset
            info = WorkerInfo(number, count, seed + number, own)
            self._begun.append(pool.submit(_begin, info, worker_init_fn, make_fetcher))
        self._finalizer = weakref.finalize(self, _shut, self._pools)

    def close(self) -> None:
        """Let the threads end; batches not begun are given up."""
        self._finalizer()

    def run(self, indices: Iterator[Any], ahead: int, timeout: float) -> Iterator[Any]:
        """Batches in the order of ``indices``, up to ``ahead`` of them fetched beforehand.

        Raises ``RuntimeError`` if one takes longer than ``timeout`` seconds, unless that is 0.
        """
        waiting: deque[tuple[int, Future[Any]]] = deque()
        active = deque(range(len(self._pools)))
        for pool in self._pools:
            pool.submit(_restart)

        def send() -> None:
            while active and len(waiting) < ahead:
                try:
                    index = next(indices)
                except StopIteration:
                    return
                number = active[0]
                active.rotate(-1)
                waiting.append((number, self._pools[number].submit(_fetch, index)))

        send()
        while waiting:
            number, future = waiting.popleft()
            self._begun[number].result()  # raises what worker_init_fn has raised
            try:
                batch = future.result(timeout or None)
            except FutureTimeoutError:
                if future.done():  # the dataset's own
                    raise
                raise RuntimeError(
                    f"DataLoader: no batch from worker {number} within {timeout} seconds"
                ) from None
            if batch is _Finished:
                if number in active:
                    active.remove(number)
            else:
                send()
                yield batch
                continue
            send()


def _begin(
    info: WorkerInfo,
    worker_init_fn: Callable[[int], Any] | None,
    make_fetcher: Callable[[Any], Fetch],
) -> None:
    _own.info = info
    _own.make_fetcher = make_fetcher
    _own.fetch = None
    if worker_init_fn is not None:
        worker_init_fn(info.id)


def _restart() -> None:
    """A new pass: an iterable dataset begins anew."""
    _own.fetch = None


def _fetch(index: Any) -> Any:
    if _own.fetch is None:
        _own.fetch = _own.make_fetcher(_own.info.dataset)
    try:
        return _own.fetch(index)
    except StopIteration:
        return _Finished


def _shut(pools: list[ThreadPoolExecutor]) -> None:
    for pool in pools:
        pool.shutdown(wait=False, cancel_futures=True)
