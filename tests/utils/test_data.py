"""Datasets, samplers and the DataLoader: PyTorch's orders, recorded; shapes, lengths, refusals."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

import adjoint as torch
from adjoint.utils.data.fetch import rows_at_once
from tests.references import optim_cases

data = torch.utils.data
REFERENCES = json.loads(
    (Path(__file__).parents[1] / "references" / "optim.json").read_text(encoding="utf-8")
)


@pytest.fixture(scope="module")
def orders():
    state = torch.get_rng_state()
    found = optim_cases.orders(torch)
    torch.set_rng_state(state)
    return found


@pytest.mark.parametrize("name", REFERENCES["orders"])
def test_random_orders_as_recorded(name: str, orders):
    """The order, and the numbers that the default generator gives afterwards."""
    assert orders[name] == REFERENCES["orders"][name]


def rows(count=5, width=2):
    return torch.arange(float(count * width)).reshape(count, width)


def examples(count=5):
    return data.TensorDataset(rows(count), torch.arange(count))


class Squares(data.Dataset):
    def __init__(self, count=5):
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        if not -self.count <= index < self.count:
            raise IndexError(index)
        return index**2


class Numbers(data.IterableDataset):
    def __init__(self, count, told=None):
        self.count = count
        self.told = count if told is None else told

    def __iter__(self):
        return iter(range(self.count))

    def __len__(self):
        return self.told


# -- datasets -----------------------------------------------------------------------------------


def test_rows_of_tensors():
    dataset = examples()
    x, y = dataset[3]
    assert (x.tolist(), y.item(), len(dataset)) == ([6.0, 7.0], 3, 5)
    with pytest.raises(AssertionError, match="5, 4"):
        data.TensorDataset(torch.ones(5), torch.ones(4))


def test_datasets_behind_each_other():
    joined = Squares(3) + Squares(2)
    assert isinstance(joined, data.ConcatDataset)
    assert [joined[place] for place in range(-5, 5)] == [0, 1, 4, 0, 1] * 2
    assert len(joined) == 5
    with pytest.raises(ValueError, match="-6"):
        joined[-6]
    with pytest.raises(IndexError):
        joined[5]
    for bad in ([], [Numbers(2)]):
        with pytest.raises(AssertionError):
            data.ConcatDataset(bad)


def test_iterable_datasets_behind_each_other():
    chain = Numbers(2) + Numbers(3)
    assert list(chain) == [0, 1, 0, 1, 2]
    assert len(chain) == 5
    with pytest.raises(AssertionError, match="list"):
        list(data.ChainDataset([Numbers(1), [1]]))


def test_datasets_side_by_side():
    pairs = data.StackDataset(Squares(2), "ab")
    assert [pairs[0], pairs[1]] == [(0, "a"), (1, "b")]
    named = data.StackDataset(number=Squares(3), pair=data.StackDataset("abc", "def"))
    assert named.__getitems__([2, 0]) == [
        {"number": 4, "pair": ("c", "f")},
        {"number": 0, "pair": ("a", "d")},
    ]
    assert len(named) == 3
    for given, named in (((), {}), ((Squares(1),), {"a": Squares(1)}), ((Squares(1), "ab"), {})):
        with pytest.raises(ValueError):
            data.StackDataset(*given, **named)


def test_subsets():
    part = data.Subset(examples(), [4, 0, 2])
    assert [part[place][1].item() for place in range(3)] == [4, 0, 2]
    assert part[[1, 2]][0].tolist() == [[0.0, 1.0], [4.0, 5.0]]
    assert len(part) == 3

    class Changed(data.Subset):
        def __getitem__(self, index):
            return -1

    with pytest.raises(NotImplementedError, match="__getitems__"):
        Changed(Squares(), [0])


def test_splits():
    first, second = data.random_split(range(10), [7, 3])
    assert sorted([*first.indices, *second.indices]) == list(range(10))
    assert [len(part) for part in data.random_split(range(11), [0.5, 0.25, 0.25])] == [6, 3, 2]
    seeds = [torch.Generator().manual_seed(3) for _ in range(2)]
    splits = [data.random_split(range(10), [5, 5], generator=seed)[0].indices for seed in seeds]
    assert splits[0] == splits[1]
    with pytest.raises(ValueError, match="add up to 9"):
        data.random_split(range(10), [4, 5])
    with pytest.raises(ValueError, match="index 0"):
        data.random_split(range(10), [1.5, -0.5])
    with pytest.warns(UserWarning, match="empty"):
        data.random_split(range(1), [0.5, 0.5])


def test_what_subclasses_give():
    with pytest.raises(NotImplementedError, match="__getitem__"):
        data.Dataset()[0]
    with pytest.raises(NotImplementedError, match="__iter__"):
        list(data.Sampler())
    assert data.Dataset[int] is not None  # as annotations write it


# -- samplers -----------------------------------------------------------------------------------


def test_orders_hold_every_number():
    for size in (1, 2, 31, 1000):
        assert sorted(data.RandomSampler(range(size))) == list(range(size))
    several = list(data.RandomSampler(range(3), num_samples=8))
    assert sorted(several[:3]) == sorted(several[3:6]) == [0, 1, 2]
    assert len(several) == 8
    assert len(data.RandomSampler(range(3), num_samples=8)) == 8
    assert set(data.RandomSampler(range(3), replacement=True, num_samples=100)) == {0, 1, 2}


def test_batches_of_numbers():
    sampler = data.BatchSampler(data.SequentialSampler(range(7)), 3, False)
    assert list(sampler) == [[0, 1, 2], [3, 4, 5], [6]]
    assert len(sampler) == 3
    dropping = data.BatchSampler(iter(range(7)), 3, True)
    assert list(dropping) == [[0, 1, 2], [3, 4, 5]]
    assert len(data.BatchSampler(range(7), 3, True)) == 2
    assert list(data.BatchSampler([], 3, False)) == []


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: data.RandomSampler([]), ValueError),
        (lambda: data.RandomSampler([1], num_samples=0), ValueError),
        (lambda: data.RandomSampler([1], num_samples=1.5), ValueError),
        (lambda: data.RandomSampler([1], replacement=1), TypeError),
        (lambda: data.WeightedRandomSampler([1.0], 0), ValueError),
        (lambda: data.WeightedRandomSampler([1.0], True), ValueError),
        (lambda: data.WeightedRandomSampler([1.0], 1, replacement=0), ValueError),
        (lambda: data.WeightedRandomSampler([[1.0]], 1), ValueError),
        (lambda: list(data.WeightedRandomSampler([-1.0], 1)), RuntimeError),
        (lambda: data.BatchSampler([1], 0, False), ValueError),
        (lambda: data.BatchSampler([1], True, False), ValueError),
        (lambda: data.BatchSampler([1], 2, 1), ValueError),
    ],
)
def test_bad_samplers(make, error: type[Exception]):
    with pytest.raises(error):
        make()


# -- the DataLoader -----------------------------------------------------------------------------


def test_batches_of_tensors():
    loader = data.DataLoader(examples(), batch_size=2)
    batches = list(loader)
    assert [type(batch) for batch in batches] == [list] * 3
    assert [x.tolist() for x, _ in batches] == [
        [[0.0, 1.0], [2.0, 3.0]], [[4.0, 5.0], [6.0, 7.0]], [[8.0, 9.0]],
    ]  # fmt: skip
    assert [y.dtype for _, y in batches] == [torch.int64] * 3
    assert len(loader) == 3
    assert len(data.DataLoader(examples(), 2, drop_last=True)) == 2
    assert len(list(data.DataLoader(examples(), 2, drop_last=True))) == 2


def test_batches_are_copies():
    x = rows()
    (batch,) = next(iter(data.DataLoader(data.TensorDataset(x), batch_size=5)))
    batch.zero_()
    assert x.tolist() == rows().tolist()


def test_rows_are_taken_at_once_only_where_nobody_sees():
    class Negated(data.TensorDataset):
        def __getitem__(self, index):
            return tuple(-item for item in super().__getitem__(index))

    assert rows_at_once(examples()) is not None
    assert rows_at_once(data.Subset(data.Subset(examples(), [1, 2]), [0])) is not None
    recorded = data.TensorDataset(rows().requires_grad_())
    for dataset in (Negated(rows()), data.Subset(Negated(rows()), [0]), recorded, Squares()):
        assert rows_at_once(dataset) is None
    (batch,) = next(iter(data.DataLoader(Negated(rows()), 5)))
    assert batch.tolist() == (-rows()).tolist()
    (batch,) = next(iter(data.DataLoader(recorded, 5)))
    batch.sum().backward()
    assert recorded.tensors[0].grad.tolist() == torch.ones(5, 2).tolist()


@pytest.mark.parametrize(
    "dtype",
    ["float16", "bfloat16", "float32", "float64", "complex64", "int8", "int64", "uint8", "bool"],
)
def test_at_once_and_one_by_one_agree(dtype: str):
    x = (torch.arange(24) % 7).reshape(6, 2, 2).to(getattr(torch, dtype))
    for tensor in (x, x.transpose(1, 2), x[::2].repeat(2, 1, 1)):
        dataset = data.TensorDataset(tensor, torch.arange(6), torch.zeros(6, 0))
        indices = [[5, 0], [-1, 2, 2], [3]]
        at_once = data.DataLoader(dataset, batch_sampler=indices)
        singly = data.DataLoader(
            dataset, batch_sampler=indices, collate_fn=lambda b: data.default_collate(b)
        )
        for found, wanted in zip(at_once, singly, strict=True):
            for ours, theirs in zip(found, wanted, strict=True):
                assert ours.dtype is theirs.dtype
                assert ours.shape == theirs.shape
                assert torch.equal(ours, theirs)


def test_numbers_out_of_range():
    for dataset in (examples(), data.Subset(examples(), [0, 9]), Squares()):
        with pytest.raises(IndexError):
            list(data.DataLoader(dataset, batch_sampler=[[0, 1], [7]]))


def test_examples_one_by_one():
    loader = data.DataLoader(Squares(), batch_size=None)
    assert list(loader) == [0, 1, 4, 9, 16]
    assert len(loader) == 5
    assert [y.item() for _, y in data.DataLoader(examples(), None, sampler=[4, 2])] == [4, 2]
    assert next(iter(data.DataLoader([np.arange(2)], batch_size=None))).tolist() == [0, 1]


def test_iterable_datasets():
    loader = data.DataLoader(Numbers(5), batch_size=2)
    assert [batch.tolist() for batch in loader] == [[0, 1], [2, 3], [4]]
    assert [batch.tolist() for batch in loader] == [[0, 1], [2, 3], [4]]
    assert len(loader) == 3
    dropping = data.DataLoader(Numbers(5), batch_size=2, drop_last=True)
    assert [batch.tolist() for batch in dropping] == [[0, 1], [2, 3]]
    assert len(dropping) == 2
    assert list(data.DataLoader(Numbers(3), batch_size=None)) == [0, 1, 2]
    assert len(data.DataLoader(Numbers(3), batch_size=None)) == 3
    assert list(data.DataLoader(Numbers(0), batch_size=2)) == []


def test_an_iterable_dataset_that_is_longer_than_it_says():
    loader = data.DataLoader(Numbers(3, told=1))
    assert len(loader) == 1
    with pytest.warns(UserWarning, match="len"):
        assert len(list(loader)) == 3


def test_a_function_that_makes_batches():
    loader = data.DataLoader(Squares(), batch_size=2, collate_fn=sum)
    assert list(loader) == [1, 13, 16]


def test_passes_are_iterators():
    loader = data.DataLoader(Squares(), batch_size=2)
    first, second = iter(loader), iter(loader)
    next(first)
    assert next(second).tolist() == [0, 1]
    assert next(first).tolist() == [4, 9]
    assert iter(first) is first
    assert len(first) == 3
    list(first)
    with pytest.raises(StopIteration):
        next(first)


def test_a_pass_draws_a_seed_as_pytorch_does():
    generator = torch.Generator().manual_seed(1)
    same = torch.Generator().manual_seed(1)
    list(data.DataLoader(Squares(), generator=generator))
    torch.empty((), dtype=torch.int64).random_(generator=same)
    assert torch.equal(generator.get_state(), same.get_state())


def test_fixed_attributes():
    loader = data.DataLoader(Squares(), batch_size=2, shuffle=True)
    for name in ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset"):
        with pytest.raises(ValueError, match=name):
            setattr(loader, name, None)
    loader.collate_fn = list
    assert isinstance(next(iter(loader)), list)
    assert isinstance(loader.sampler, data.RandomSampler)
    assert isinstance(loader.batch_sampler, data.BatchSampler)


def test_a_loader_is_pickled():
    loader = pickle.loads(pickle.dumps(data.DataLoader(examples(), batch_size=2)))
    assert [y.tolist() for _, y in loader] == [[0, 1], [2, 3], [4]]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"num_workers": -1}, ValueError),
        ({"timeout": -1}, ValueError),
        ({"prefetch_factor": 2}, ValueError),
        ({"num_workers": 1, "prefetch_factor": -1}, ValueError),
        ({"persistent_workers": True}, ValueError),
        ({"multiprocessing_context": "spawn"}, ValueError),
        ({"multiprocessing_context": "threads", "num_workers": 1}, ValueError),
        ({"multiprocessing_context": 3, "num_workers": 1}, TypeError),
        ({"sampler": [1], "shuffle": True}, ValueError),
        ({"batch_sampler": [[1]], "batch_size": 2}, ValueError),
        ({"batch_sampler": [[1]], "shuffle": True}, ValueError),
        ({"batch_sampler": [[1]], "sampler": [1]}, ValueError),
        ({"batch_sampler": [[1]], "drop_last": True}, ValueError),
        ({"batch_size": None, "drop_last": True}, ValueError),
        ({"batch_size": 0}, ValueError),
        ({"batch_size": 1.5}, ValueError),
    ],
)
def test_options_that_exclude_each_other(options: dict, error: type[Exception]):
    with pytest.raises(error):
        data.DataLoader(Squares(), **options)


def test_other_bad_options():
    for options in ({"shuffle": True}, {"sampler": [1]}, {"batch_sampler": [[1]]}):
        with pytest.raises(ValueError, match="own order"):
            data.DataLoader(Numbers(3), **options)
    with pytest.raises(ValueError, match="at least 1"):
        data.DataLoader([], shuffle=True)
    with pytest.raises(AssertionError, match="timeout"):
        iter(data.DataLoader(Squares(), timeout=1))
    with pytest.warns(UserWarning, match="accelerator"):
        iter(data.DataLoader(Squares(), pin_memory=True))
    with pytest.raises(TypeError):
        len(data.DataLoader(Squares(), sampler=iter([1])))
