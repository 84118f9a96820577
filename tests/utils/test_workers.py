"""Batches fetched ahead by threads: the same batches in the same order, and what goes wrong."""

from __future__ import annotations

import gc
import threading
import time

import pytest

import adjoint as torch

data = torch.utils.data


class Slow(data.Dataset):
    """Later examples are fetched sooner, so that an order that is kept is no accident."""

    def __init__(self, count=12):
        self.count = count
        self.threads = set()

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        self.threads.add(threading.current_thread().name)
        time.sleep(0.002 * (self.count - index) / self.count)
        return index


class Numbers(data.IterableDataset):
    """All numbers from a worker, or its share of them."""

    def __init__(self, count, shared=False):
        self.begin, self.step, self.count = 0, 1, count
        self.shared = shared

    def __iter__(self):
        info = data.get_worker_info()
        if self.shared and info is not None:
            return iter(range(info.id, self.count, info.num_workers))
        return iter(range(self.begin, self.count, self.step))


def workers_alive():
    return [each for each in threading.enumerate() if each.name.startswith("DataLoader")]


@pytest.fixture(autouse=True)
def _no_thread_is_left():
    yield
    gc.collect()
    deadline = time.monotonic() + 5
    while workers_alive() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not workers_alive()


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("prefetch", [None, 1, 5])
def test_order_is_kept(workers: int, prefetch: int | None):
    dataset = Slow()
    loader = data.DataLoader(dataset, 2, num_workers=workers, prefetch_factor=prefetch)
    found = [batch.tolist() for batch in loader]
    assert found == [[place, place + 1] for place in range(0, 12, 2)]
    assert len(dataset.threads) == workers
    assert threading.current_thread().name not in dataset.threads


def test_shuffling_draws_as_without_workers():
    rows = data.TensorDataset(torch.arange(20))
    found = []
    for workers in (0, 2):
        torch.manual_seed(3)
        loader = data.DataLoader(rows, 4, shuffle=True, num_workers=workers)
        found.append([[x.tolist() for (x,) in loader] for _ in range(2)])
        found.append(torch.rand(1).item())
    assert found[:2] == found[2:]


def test_workers_know_themselves():
    seen = {}

    def begin(number):
        info = data.get_worker_info()
        seen[number] = (info.id, info.num_workers, info.seed, info.dataset)

    dataset = Slow(4)
    torch.manual_seed(0)
    list(data.DataLoader(dataset, num_workers=2, worker_init_fn=begin))
    assert {number: each[:2] for number, each in seen.items()} == {0: (0, 2), 1: (1, 2)}
    assert seen[1][2] == seen[0][2] + 1
    assert seen[0][3] is dataset
    assert data.get_worker_info() is None


def test_iterable_datasets_by_turns():
    loader = data.DataLoader(Numbers(5), 2, num_workers=2)
    found = [batch.tolist() for batch in loader]
    assert found == [[0, 1], [0, 1], [2, 3], [2, 3], [4], [4]]
    loader = data.DataLoader(Numbers(7, shared=True), 2, num_workers=2)
    assert [batch.tolist() for batch in loader] == [[0, 2], [1, 3], [4, 6], [5]]
    loader = data.DataLoader(Numbers(5, shared=True), None, num_workers=3)
    assert sorted(loader) == [0, 1, 2, 3, 4]


def test_workers_have_iterable_datasets_of_their_own():
    def share(number):
        own = data.get_worker_info().dataset
        own.begin, own.step = number, 2

    dataset = Numbers(6)
    loader = data.DataLoader(dataset, 3, num_workers=2, worker_init_fn=share)
    assert [batch.tolist() for batch in loader] == [[0, 2, 4], [1, 3, 5]]
    assert (dataset.begin, dataset.step) == (0, 1)


def test_workers_that_stay():
    begun = []
    dataset = Slow(4)
    loader = data.DataLoader(
        dataset, num_workers=2, persistent_workers=True, worker_init_fn=begun.append
    )
    for _ in range(3):
        assert len(list(loader)) == 4
    assert sorted(begun) == [0, 1]
    iterable = data.DataLoader(Numbers(3), 2, num_workers=1, persistent_workers=True)
    for _ in range(2):
        assert [batch.tolist() for batch in iterable] == [[0, 1], [2]]


def test_errors_come_out_where_the_batch_would():
    class Broken(Slow):
        def __getitem__(self, index):
            if index == 3:
                raise KeyError("number 3")
            return index

    batches = iter(data.DataLoader(Broken(6), num_workers=2))
    assert [next(batches).item() for _ in range(3)] == [0, 1, 2]
    with pytest.raises(KeyError, match="number 3"):
        next(batches)


def test_errors_at_a_workers_beginning():
    def fail(number):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(data.DataLoader(Slow(3), num_workers=1, worker_init_fn=fail))


def test_a_batch_that_takes_too_long():
    class Stuck(Slow):
        def __getitem__(self, index):
            time.sleep(0.3)
            return index

    with pytest.raises(RuntimeError, match="seconds"):
        next(iter(data.DataLoader(Stuck(2), num_workers=1, timeout=0.01)))


def test_a_pass_that_is_given_up_leaves_no_threads():
    batches = iter(data.DataLoader(Slow(12), num_workers=2))
    next(batches)
    del batches  # the fixture waits for the threads


def test_contexts_are_taken():
    loader = data.DataLoader(Slow(2), num_workers=1, multiprocessing_context="spawn")
    assert [batch.item() for batch in loader] == [0, 1]
