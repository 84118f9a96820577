"""Random programs of views and writes in place against PyTorch.

Left out is what the two do not share: writing into memory that overlaps itself gives what the order
of PyTorch's loops gives. The programs of ``tests.parity.programs`` say much more.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch

import adjoint

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
COUNT = 300
VIEWS = (
    "x[0]", "x[-1]", "x[1:]", "x[..., 0]", "x[None]", "x[:]", "x[..., ::2]", "x.T",
    "x.reshape(-1)", "x.view(-1)", "x.unsqueeze(0)", "x.diagonal()", "x.detach()", "x.squeeze()",
    "x.expand(2, *x.shape)", "x.permute(tuple(range(x.dim() - 1, -1, -1)))", "x.flatten()",
    "x.narrow(0, 0, 1)", "x.view_as(x)", "x.transpose(0, -1)", "x.contiguous()", "x.movedim(0, -1)",
)  # fmt: skip
OPERATIONS = (
    "x * 2", "x * y", "x.exp()", "x.sin()", "x + y", "x * x", "x.clone()", "x.tanh()", "x.sum()",
    "x.flip(0)", "x[[0]]", "torch.cat([x, y])", "torch.stack([x, x])",
)  # fmt: skip
WRITES = (
    "x.mul_(2)", "x.mul_(y)", "x.add_(y)", "x.add_(1)", "x.copy_(y)", "x.fill_(3.0)", "x.zero_()",
    "x.sin_()", "x.exp_()", "x.__setitem__(0, y)", "x.__setitem__(0, 1.5)", "x.mul_(x)",
    "x.__setitem__(slice(1, None), 2.0)", "x.__setitem__(x > 0, 0.5)", "x.__setitem__([0], y)",
    "x.sub_(y, alpha=2)", "x.div_(2)", "x.sigmoid_()", "x.neg_()", "x.clamp_(-1, 1)", "x.pow_(2)",
    "x.masked_fill_(x > 0.5, 1.0)", "x.index_fill_(0, ZERO, 2.0)", "x.fill_(y)", "x.tril_()",
    "x.index_add_(0, ZERO, x[:1].clone())", "x.__iadd__(y)", "x.lerp_(y, 0.5)", "x.round_()",
)  # fmt: skip

Step = tuple[str, str, int, int]


def program(seed: int) -> tuple[str, list[Step]]:
    """What to start from, and steps on numbered tensors; each but a write makes another."""
    r = random.Random(seed)
    steps: list[Step] = []
    count = 2
    for _ in range(r.randint(3, 9)):
        kind = r.choice(["view", "view", "operation", "write", "write"])
        code = r.choice({"view": VIEWS, "operation": OPERATIONS, "write": WRITES}[kind])
        steps.append((kind, code, r.randrange(count), r.randrange(count)))
        count += kind != "write"
    return r.choice(["leaf", "computed", "constant"]), steps


def run(library: Any, seed: int) -> dict[str, Any]:
    """Carry a program out: errors by step, what all tensors are at the end, and gradients."""
    start, steps = program(seed)
    values = np.random.RandomState(seed).uniform(0.2, 1.5, (2, 3, 4))
    w, other = (library.tensor(each).requires_grad_() for each in values)
    first = {"leaf": w, "computed": w * 1, "constant": library.zeros(3, 4, dtype=library.float64)}
    tensors: list[Any] = [first[start], other]
    names: dict[str, Any] = {"torch": library, "ZERO": library.tensor([0])}
    errors: dict[str, Any] = {}
    for number, (kind, code, x, y) in enumerate(steps):
        out = None
        if tensors[x] is not None and tensors[y] is not None:
            try:
                out = eval(code, {**names, "x": tensors[x], "y": tensors[y]})
            except Exception as error:  # noqa: BLE001 - the type is what is compared
                errors[f"step {number}: {code}"] = error
        if kind != "write":
            tensors.append(out)
    found: dict[str, Any] = {"errors": errors}
    for number, each in enumerate(tensors):
        if each is not None:
            found[f"tensor {number}"] = each.detach().numpy().copy()
            node = each.grad_fn
            found[f"facts {number}"] = (
                each.requires_grad, each.is_leaf, each._version, each._is_view(),
                type(node).__name__,
            )  # fmt: skip
    try:
        total(library, [each for each in tensors if each is not None]).backward()
        found["gradients"] = [
            None if each.grad is None else each.grad.numpy() for each in (w, other)
        ]
    except Exception as error:  # noqa: BLE001 - the type is what is compared
        found["gradients"] = error
    return found


def total(library: Any, tensors: list[Any]) -> Any:
    """A sum of all that requires a gradient, every element weighed differently."""
    out = library.zeros((), dtype=library.float64)
    for number, each in enumerate(tensors):
        if each.requires_grad:
            weights = np.cos(np.arange(each.numel())).reshape(tuple(each.shape))
            out = out + (each * library.tensor((number + 1) * weights)).sum()
    return out


def same(ours: Any, theirs: Any, what: str) -> None:
    if isinstance(theirs, Exception):
        assert isinstance(ours, type(theirs)), f"{what}: PyTorch raises {theirs!r}, not {ours!r}"
    elif isinstance(theirs, np.ndarray):
        np.testing.assert_allclose(ours, theirs, 1e-9, err_msg=what)
    elif isinstance(theirs, dict):
        assert list(ours) == list(theirs), f"{what}: {ours} for {theirs}"
        for key, wanted in theirs.items():
            same(ours[key], wanted, f"{what}, {key}")
    elif isinstance(theirs, list):
        assert isinstance(ours, list), f"{what}: {ours!r}"
        for mine, wanted in zip(ours, theirs, strict=True):
            same(mine, wanted, what)
    else:
        assert ours == theirs, what


@pytest.mark.parametrize("start", range(0, COUNT, 50))
def test_programs(start: int) -> None:
    for seed in range(start, start + 50):
        same(run(adjoint, seed), run(torch, seed), f"program {seed}, {program(seed)}")
