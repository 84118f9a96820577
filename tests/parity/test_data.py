"""The DataLoader and its samplers by both libraries: batches, orders, and what is drawn after."""

import numpy as np
import pytest

import adjoint
from tests.references import optim_cases

torch = pytest.importorskip("torch", reason="the parity suite compares with PyTorch: install torch")


def plain(value):
    """Batches as lists with their types."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, [plain(item) for item in value]]
    return (str(value.dtype), value.tolist()) if hasattr(value, "tolist") else value


def loaders(library):
    """Loaders by a name, as functions."""
    data = library.utils.data
    x = library.arange(26.0).reshape(13, 2)
    rows = data.TensorDataset(x, library.arange(13))
    mixed = {
        "a": 1, "b": (2.0, "s"), "c": np.float32(3), "d": np.arange(2), "e": [True, b"x"],
        "f": np.array(3),
    }  # fmt: skip

    class Numbers(data.IterableDataset):
        def __init__(self, count):
            self.count = count

        def __iter__(self):
            return iter(range(self.count))

        def __len__(self):
            return self.count

    def generator(seed):
        return library.Generator().manual_seed(seed)

    def of(dataset, *args, **kwargs):
        return data.DataLoader(dataset, *args, **kwargs)

    return {
        "shuffle": lambda: of(rows, 4, shuffle=True),
        "drop_last": lambda: of(rows, 4, shuffle=True, drop_last=True),
        "generator": lambda: of(rows, 13, shuffle=True, generator=generator(5)),
        "in order": lambda: of(rows, 5),
        "single": lambda: of(rows),
        "no batches": lambda: of(rows, None, shuffle=True),
        "replacement": lambda: of(rows, 3, sampler=data.RandomSampler(rows, True, 70)),
        "many": lambda: of(
            rows, 3, sampler=data.RandomSampler(rows, num_samples=30, generator=generator(3))
        ),
        "subset sampler": lambda: of(rows, 3, sampler=data.SubsetRandomSampler([1, 4, 7, 9])),
        "weighted": lambda: of(
            rows, 3, sampler=data.WeightedRandomSampler([0.1] * 6 + [0.9] * 7, 20)
        ),
        "weighted once": lambda: of(
            rows, 3, sampler=data.WeightedRandomSampler(np.arange(1, 14), 5, replacement=False)
        ),
        "batch_sampler": lambda: of(rows, batch_sampler=[[0, 1], [5, -1, 3]]),
        "split": lambda: of(data.random_split(rows, [0.7, 0.3])[0], 3, shuffle=True),
        "seeded split": lambda: of(data.random_split(rows, [8, 5], generator=generator(1))[1], 3),
        "concatenated": lambda: of(
            data.ConcatDataset([rows, data.Subset(rows, [1, 2])]), 4, shuffle=True
        ),
        "stacked": lambda: of(data.StackDataset(a=rows, b=list(range(13))), 4, shuffle=True),
        "stacked tuple": lambda: of(data.StackDataset("abcdefghijklm", list(range(13))), 4),
        "mixed": lambda: of([mixed] * 3, 2),
        "collate_fn": lambda: of(rows, 4, collate_fn=len, shuffle=True),
        "iterable": lambda: of(Numbers(7), 3),
        "iterable, drop_last": lambda: of(Numbers(7), 3, drop_last=True),
        "iterable, no batches": lambda: of(Numbers(3), None),
        "chained": lambda: of(Numbers(3) + Numbers(4), 2),
        "array": lambda: of(np.arange(10).reshape(5, 2), 2),
        "one tensor": lambda: of(data.TensorDataset(x), 6, shuffle=True),
        "converted": lambda: of([{"a": np.arange(3), "b": (1, [np.float32(2)])}], None),
    }


@pytest.mark.parametrize("name", loaders(adjoint))
@pytest.mark.parametrize("seed", [0, 7])
def test_batches(name, seed):
    found = []
    for library in (adjoint, torch):
        library.manual_seed(seed)
        loader = loaders(library)[name]()
        passes = [[plain(batch) for batch in loader] for _ in range(2)]
        afterwards = [library.rand(2).tolist()]
        if loader.generator is not None:
            afterwards.append(library.rand(2, generator=loader.generator).tolist())
        found.append((len(loader), passes, afterwards))
    assert found[0] == found[1]


def test_orders():
    assert optim_cases.orders(adjoint) == optim_cases.orders(torch)


@pytest.mark.parametrize("size", [1, 2, 63, 999, 1000, 1001, 5000])
def test_long_orders(size):
    found = []
    for library in (adjoint, torch):
        library.manual_seed(size)
        found.append(list(library.utils.data.RandomSampler(range(size))))
    assert found[0] == found[1]


BAD = [
    lambda data: data.TensorDataset(),
    lambda data: data.ConcatDataset([]),
    lambda data: data.StackDataset(),
    lambda data: data.ConcatDataset([[1]])[-2],
    lambda data: data.random_split(range(3), [1, 1]),
    lambda data: data.random_split(range(3), [1.5, -0.5]),
    lambda data: data.RandomSampler([]),
    lambda data: data.RandomSampler([1], replacement=1),
    lambda data: data.WeightedRandomSampler([1.0], 0),
    lambda data: data.WeightedRandomSampler([[1.0]], 1),
    lambda data: data.BatchSampler([1], 0, False),
    lambda data: data.BatchSampler([1], 1, 0),
    lambda data: data.DataLoader([1], num_workers=-1),
    lambda data: data.DataLoader([1], prefetch_factor=2),
    lambda data: data.DataLoader([1], timeout=-1),
    lambda data: iter(data.DataLoader([1], timeout=1)),
    lambda data: data.DataLoader([1], persistent_workers=True),
    lambda data: data.DataLoader([1], multiprocessing_context="spawn"),
    lambda data: data.DataLoader([1], sampler=[0], shuffle=True),
    lambda data: data.DataLoader([1], batch_sampler=[[0]], shuffle=True),
    lambda data: data.DataLoader([1], batch_size=None, drop_last=True),
    lambda data: data.DataLoader([1], batch_size=0),
    lambda data: setattr(data.DataLoader([1]), "batch_size", 3),
    lambda data: list(data.DataLoader([1], sampler=[3])),
    lambda data: list(data.DataLoader([object()])),
    lambda data: list(data.DataLoader([[1], [1, 2]], 2)),
    lambda data: data.default_collate([]),
    lambda data: data.Dataset()[0],
    lambda data: data.DataLoader(3),
    lambda data: len(data.DataLoader([1], sampler=iter([0]))),
]


@pytest.mark.parametrize("number", range(len(BAD)))
def test_bad_input(number):
    raised = []
    for library in (adjoint, torch):
        try:
            BAD[number](library.utils.data)
            raised.append(None)
        except Exception as error:  # noqa: BLE001 - the type is what is compared
            raised.append(type(error))
    assert raised[0] is raised[1]


def test_the_same_names():
    classic = {
        "BatchSampler", "ChainDataset", "ConcatDataset", "DataLoader", "Dataset",
        "IterableDataset", "RandomSampler", "Sampler", "SequentialSampler", "StackDataset",
        "Subset", "SubsetRandomSampler", "TensorDataset", "WeightedRandomSampler",
        "default_collate", "default_convert", "get_worker_info", "random_split",
    }  # fmt: skip
    assert classic <= set(torch.utils.data.__all__)
    assert classic <= set(adjoint.utils.data.__all__)
