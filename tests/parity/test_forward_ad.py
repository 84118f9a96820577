"""``autograd.forward_ad`` beside PyTorch's: the same programs on both, with views and writes."""

from __future__ import annotations

import copy
import random
from typing import Any

import numpy as np
import pytest
import torch
import torch.autograd.forward_ad

import adjoint
import adjoint.autograd.forward_ad

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning"),  # PyTorch's own, inside
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
LIBRARIES = (torch, adjoint)


def outcome(function: Any, library: Any) -> Any:
    """What a function prints, or the type of its error."""
    with library.autograd.forward_ad.dual_level():
        try:
            return repr(function(library, library.autograd.forward_ad))
        except Exception as error:  # noqa: BLE001 - compared
            kinds = (
                NotImplementedError,
                RuntimeError,
                ValueError,
                TypeError,
                AttributeError,
                KeyError,
            )
            return next(kind for kind in kinds if isinstance(error, kind))


def made(lib: Any, fw: Any, *, leaf: bool = False) -> Any:
    x = lib.tensor([1.0, 2.0], requires_grad=leaf)
    return fw.make_dual(x, lib.tensor([3.0, 4.0]))


def after(write: Any) -> Any:
    """What a dual is after a write to it."""

    def function(lib: Any, fw: Any) -> Any:
        d = made(lib, fw).clone()
        write(lib, d)
        return d

    return function


CASES = {
    "printed": made,
    "printed, of a leaf": lambda lib, fw: made(lib, fw, leaf=True),
    "printed 0-d": lambda lib, fw: made(lib, fw)[0],
    "printed matrix": lambda lib, fw: fw.make_dual(lib.ones(2, 3), lib.zeros(2, 3)),
    "unpacked": lambda lib, fw: fw.unpack_dual(made(lib, fw)).tangent,
    "unpacked plain": lambda lib, fw: fw.unpack_dual(lib.ones(2)).tangent,
    "unpacked leaf": lambda lib, fw: fw.unpack_dual(made(lib, fw, leaf=True)).primal,
    "nested": lambda lib, fw: fw.enter_dual_level(),
    "dual of a dual": lambda lib, fw: fw.make_dual(made(lib, fw), lib.ones(2)),
    "dual for a tangent": lambda lib, fw: fw.make_dual(lib.ones(2), made(lib, fw)),
    "another level": lambda lib, fw: fw.make_dual(lib.ones(2), lib.ones(2), level=1),
    "level -1": lambda lib, fw: fw.make_dual(lib.ones(2), lib.ones(2), level=-1),
    "unpack another level": lambda lib, fw: fw.unpack_dual(made(lib, fw), level=1),
    "exit another level": lambda lib, fw: fw.exit_dual_level(level=2),
    "wrong shape": lambda lib, fw: fw.make_dual(lib.ones(2), lib.ones(3)),
    "integers": lambda lib, fw: fw.make_dual(lib.tensor([1, 2]), lib.ones(2)),
    "integer tangent": lambda lib, fw: fw.make_dual(lib.ones(2), lib.tensor([1, 2])),
    "wider tangent": lambda lib, fw: fw.make_dual(lib.ones(2), lib.ones(2).double()),
    "complex tangent": lambda lib, fw: fw.make_dual(lib.ones(2), lib.ones(2) + 1j),
    "a number": lambda lib, fw: fw.make_dual(1.0, lib.ones(2)),
    "a number for tangent": lambda lib, fw: fw.make_dual(lib.ones(2), 1.0),
    "unpack a number": lambda lib, fw: fw.unpack_dual(1.0),
    "detach": lambda lib, fw: made(lib, fw).detach(),
    "detach_ of a view": lambda lib, fw: made(lib, fw).detach_(),
    "detach_": after(lambda lib, d: d.detach_()),
    "data": lambda lib, fw: made(lib, fw).data,
    "deepcopy": lambda lib, fw: copy.deepcopy(made(lib, fw)),
    "parameter": lambda lib, fw: lib.nn.Parameter(made(lib, fw)),
    "requires_grad_": after(lambda lib, d: d.requires_grad_()),
    "conversion": lambda lib, fw: made(lib, fw).double(),
    "integer result": lambda lib, fw: made(lib, fw).long(),
    "comparison": lambda lib, fw: made(lib, fw) > 1,
    "argmax": lambda lib, fw: made(lib, fw).argmax(),
    "maximum and place": lambda lib, fw: made(lib, fw).max(0),
    "mul_": after(lambda lib, d: d.mul_(2)),
    "zero_": after(lambda lib, d: d.zero_()),
    "fill_": after(lambda lib, d: d.fill_(3)),
    "copy_": after(lambda lib, d: d.copy_(lib.ones(2))),
    "setitem": after(lambda lib, d: d.__setitem__(0, 5)),
    "setitem by mask": after(lambda lib, d: d.__setitem__(lib.tensor([True, False]), 5)),
    "data =": after(lambda lib, d: setattr(d, "data", lib.ones(2))),
    "resize_": after(lambda lib, d: d.resize_(3)),
    "resize_ to its shape": after(lambda lib, d: d.resize_(2)),
    "set_": after(lambda lib, d: d.set_(lib.ones(2))),
    "apply_": after(lambda lib, d: d.apply_(lambda number: number + 1)),
    "map_": after(lambda lib, d: d.map_(d, lambda a, b: a * b)),
    "write to the dual of a leaf": lambda lib, fw: made(lib, fw, leaf=True).mul_(2),
    "write of a dual to a leaf": lambda lib, fw: lib.ones(2, requires_grad=True).add_(
        made(lib, fw)
    ),
    "write to the tangent of a leaf": lambda lib, fw: fw.make_dual(
        lib.ones(2), lib.ones(2, requires_grad=True)
    ).mul_(2),
    "wider target": lambda lib, fw: lib.zeros(2).double().add_(made(lib, fw)),
    "integer target": lambda lib, fw: lib.tensor([1, 2]).copy_(made(lib, fw)),
    "out=": lambda lib, fw: lib.sin(made(lib, fw), out=lib.zeros(2)),
    "vmap": lambda lib, fw: lib.func.vmap(lib.sin)(made(lib, fw)),
    "grad": lambda lib, fw: lib.func.grad(lambda x: (x**3).sum())(made(lib, fw)),
    "jacrev": lambda lib, fw: lib.func.jacrev(lambda x: x**3)(made(lib, fw)),
    "gradient": lambda lib, fw: lib.autograd.grad(
        (d := made(lib, fw, leaf=True)).pow(3).sum(), d
    ),
    "gradient of the tangent": lambda lib, fw: lib.autograd.grad(
        fw.unpack_dual((d := made(lib, fw, leaf=True)).pow(3).sum()).tangent, d
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    expected, found = (outcome(CASES[name], library) for library in LIBRARIES)
    assert found == expected


def test_without_a_level() -> None:
    for library in LIBRARIES:
        fw, x = library.autograd.forward_ad, library.ones(2)
        with pytest.raises(RuntimeError):
            fw.make_dual(x, x)
        with pytest.raises(RuntimeError):
            fw.exit_dual_level()
        assert fw.unpack_dual(x).primal is x
        with fw.dual_level() as level:
            assert level == 0
            d = fw.make_dual(x, x)
        assert repr(d) == "tensor([1., 1.])"


# -- random programs -----------------------------------------------------------------------------


class Program:
    """A run of one random program in one library."""

    def __init__(self, library: Any, seed: int, recorded: bool) -> None:
        self.library = library
        self.random = random.Random(seed)
        self.numbers = np.random.RandomState(seed)
        self.recorded = recorded
        self.leaves: list[Any] = []
        self.pool: list[Any] = []
        self.log: list[str] = []

    def fresh(self, shape: tuple[int, ...]) -> Any:
        numbers = self.numbers.randn(*shape).tolist()
        out = self.library.tensor(numbers, dtype=self.library.float64)
        if self.recorded and self.random.random() < 0.4:
            self.leaves.append(out.requires_grad_())
            out = out * 1
        return out

    def run(self) -> list[Any]:
        fw = self.library.autograd.forward_ad
        with fw.dual_level():
            for _ in range(3):
                shape = self.random.choice([(2, 3), (3,), (2, 2)])
                x, t = self.fresh(shape), self.fresh(shape)
                self.pool.append(fw.make_dual(x, t) if self.random.random() < 0.6 else x)
            for _ in range(self.random.randint(3, 8)):
                if not self.step():
                    return []
            parts = [fw.unpack_dual(each) for each in self.pool]
            answer = [self.as_arrays(part) for part in parts]
            if self.leaves:
                answer += self.gradients(parts, fw)
        return answer

    def step(self) -> bool:
        r = self.random
        x, y, c = r.choice(self.pool), r.choice(self.pool).clone(), r.uniform(-2, 2)
        name = r.choice((*VIEWS, *WRITES * 2, *OTHERS))
        quiet = r.random() < 0.2 and name not in VIEWS
        try:
            with self.library.set_grad_enabled(not quiet):
                out = STEPS[name](x, y, c)
        except (RuntimeError, IndexError):
            self.log.append(f"{name} fails")
            return False
        self.log.append(name)
        if name not in WRITES:
            self.pool.append(out)
        return True

    def gradients(self, parts: list[Any], fw: Any) -> list[Any]:
        total: Any = 0
        for number, part in enumerate(parts):
            for each in part:
                if each is not None and each.requires_grad:
                    total = total + (each * (number + 1.0)).sum()
        if isinstance(total, int):
            return []
        try:
            found = self.library.autograd.grad(total, self.leaves, allow_unused=True)
        except RuntimeError:
            return ["an error"]
        return [None if g is None else self.as_arrays(fw.unpack_dual(g))[0] for g in found]

    def as_arrays(self, part: Any) -> list[Any]:
        return [None if each is None else each.detach().numpy().copy() for each in part]


VIEWS = ("row", "columns", "transposed", "flat", "half", "longer", "diagonal")
WRITES = ("scale", "add_", "multiply", "sin_", "zero", "copy", "put", "fill part", "mask")
OTHERS = ("product", "sum", "exp", "reshape", "clone", "detach")
STEPS: dict[str, Any] = {
    "row": lambda x, y, c: x[0],
    "columns": lambda x, y, c: x[..., 1:],
    "transposed": lambda x, y, c: x.t(),
    "flat": lambda x, y, c: x.view(-1),
    "half": lambda x, y, c: x.narrow(-1, 0, 1),
    "longer": lambda x, y, c: x.unsqueeze(-1),
    "diagonal": lambda x, y, c: x.diagonal(),
    "scale": lambda x, y, c: x.mul_(c),
    "add_": lambda x, y, c: x.add_(y),
    "multiply": lambda x, y, c: x.mul_(y),
    "sin_": lambda x, y, c: x.sin_(),
    "zero": lambda x, y, c: x.zero_(),
    "copy": lambda x, y, c: x.copy_(y),
    "put": lambda x, y, c: x.__setitem__(0, y[0]),
    "fill part": lambda x, y, c: x.__setitem__((Ellipsis, slice(1, None)), c),
    "mask": lambda x, y, c: x.__setitem__(x > 0, c),
    "product": lambda x, y, c: x * y,
    "sum": lambda x, y, c: x.sum(-1),
    "exp": lambda x, y, c: x.exp(),
    "reshape": lambda x, y, c: x.reshape(-1),
    "clone": lambda x, y, c: x.clone(),
    "detach": lambda x, y, c: x.detach(),
}


def same(found: Any, expected: Any) -> None:
    """Compare arrays, of which None is one of zeros, and lists of them."""
    if isinstance(expected, list):
        assert len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            same(a, b)
    elif isinstance(expected, str) or isinstance(found, str):
        assert found == expected
    elif found is None or expected is None:
        present = expected if found is None else found
        assert present is None or not np.any(present)
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize("block", range(10))
def test_programs(block: int, recorded: bool) -> None:
    """Values, tangents, and gradients of both; and which programs fail."""
    for seed in range(20 * block, 20 * block + 20):
        expected, found = (Program(library, seed, recorded) for library in LIBRARIES)
        try:
            values = expected.run(), found.run()
            assert found.log == expected.log
            same(values[1], values[0])
        except AssertionError as error:
            error.add_note(f"program {seed}: {expected.log}")
            raise
