"""What nodes show of saved values, and how hooks see them: as in PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import adjoint
from tests.harness import CASES, Call, as_array, calls
from tests.harness_checks import DIFFERENTIABLE, each_call
from tests.harness_torch import RefusedError, from_torch, tape, torch

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
PREFIX = "_saved_"

# Rows that are one operation here and several in PyTorch, whose last is the node that is seen: its
# values are those on the way, which are not there.
SEVERAL = {
    "cross_entropy",
    "embedding_backward",
    "linear",
    "matmul",
    "nuclear_norm",
    "rms_norm",
    "scaled_dot_product_attention",
    "vecmat",
}
# Rows whose formula needs something else than PyTorch's.
OTHER_FORMULA = {
    "erfinv": "computed from the result",
    "mul": "of Tensors too where PyTorch multiplies by a number of its own",
}


# Several rows, of which the last gets other factors; and factors that are known but for signs.
OTHER_NUMBERS = {"linalg.matrix_power", "matrix_power", "linalg.svd", "linalg.svdvals", "svd"}


def nodes_of(call: Call) -> list[tuple[Any, Any]]:
    """Nodes of the same name that both libraries have made."""
    try:
        _, _, ours, theirs = tape(call)
    except RefusedError:
        return []
    return [
        (a.grad_fn, b.grad_fn)
        for a, b in zip(ours, theirs, strict=True)
        if getattr(b, "grad_fn", None) is not None
        and getattr(a, "_node", None) is not None
        and a.grad_fn.name() == b.grad_fn.name()
        and getattr(a.grad_fn.plan, "row", None) is not None
    ]


def names(node: Any) -> set[str]:
    return {name for name in dir(node) if name.startswith(PREFIX)}


@pytest.mark.parametrize("key", DIFFERENTIABLE)
def test_names_and_values(key: str) -> None:
    """No name that PyTorch does not have, and the same tensors under the names of both."""

    def check(call: Call) -> None:
        for mine, other in nodes_of(call):
            row = mine.plan.row.name
            renamed = mine.name() != mine.plan.row.node_name  # the last of several rows here
            if renamed or row in SEVERAL or row in OTHER_FORMULA:
                continue
            assert names(mine) <= names(other), (row, names(mine) - names(other))
            for name in names(mine) & names(other) if key not in OTHER_NUMBERS else ():
                same_value(row, name, mine, other)

    each_call(key, check, calls(key)[:4])


def same_value(row: str, name: str, mine: Any, other: Any) -> None:
    try:
        expected = getattr(other, name)
    except RuntimeError:  # written to since, in an operation in place
        return
    if not isinstance(expected, torch.Tensor):
        return
    found = getattr(mine, name)
    if found is None:  # needed for an input that requires no gradient
        return
    if not isinstance(found, adjoint.Tensor):
        return
    a, b = as_array(found), from_torch(expected)
    if a.shape != b.shape and a.size == b.size:
        a = a.reshape(b.shape)
    if a.shape == b.shape and b.dtype.kind == a.dtype.kind:
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-9, err_msg=f"{row}.{name}")
    if (expected.grad_fn is None) != (found.grad_fn is None) and expected.grad_fn is other:
        raise AssertionError(f"{row}{name}: a result without its node")


def test_most_names_are_there() -> None:
    """Of the tensors that PyTorch's nodes show, four in five have their name here."""
    there, missing = 0, []
    for key in CASES:
        for call in calls(key)[:2] if key in DIFFERENTIABLE else ():
            for mine, other in nodes_of(call):
                shown = {name for name in dir(other) if name.startswith("_raw_saved_")}
                there += len(shown & set(dir(mine)))
                missing += [f"{mine.name()}.{name}" for name in shown - set(dir(mine))]
    assert there > 4 * len(missing), sorted(set(missing))


class Log:
    """What hooks of a library are called with, and what they return."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def hook(self, kind: str, library: Any) -> Any:
        def see(tensor: Any) -> Any:
            flat = [complex(each) for each in tensor.detach().reshape(-1).tolist()]
            asked = tensor.requires_grad if kind == "pack" else None
            self.calls.append((kind, tuple(tensor.shape), asked, library.is_grad_enabled()))
            self.calls.append(pytest.approx(flat, rel=1e-4, abs=1e-4))
            return tensor

        return see


FUNCTIONS = {
    "mul": lambda lib, x, y: x * y,
    "number": lambda lib, x, y: x * 2.0 + 1,
    "pow": lambda lib, x, y: (x.exp()) ** y,
    "cube": lambda lib, x, y: x**3,
    "exp": lambda lib, x, y: x.exp(),
    "chain": lambda lib, x, y: (x.sin() * y.exp()).tanh(),
    "addcmul": lambda lib, x, y: lib.addcmul(x, x, y),
    "max": lambda lib, x, y: x.max(0).values,
    "amax": lambda lib, x, y: x.amax(0),
    "hypot": lambda lib, x, y: lib.hypot(x, y),
    "atan2": lambda lib, x, y: lib.atan2(x, y),
    "std": lambda lib, x, y: x.std(),
    "lerp": lambda lib, x, y: lib.lerp(x, y, y),
    "where": lambda lib, x, y: lib.where(x > 1, x, y),
    "softmax": lambda lib, x, y: x.softmax(0),
    "scalar": lambda lib, x, y: lib.mul(x, lib.tensor(2.0)),
    "prod": lambda lib, x, y: x.prod(),
    "in place": lambda lib, x, y: (x * 1).sin_().exp_(),
    "mm": lambda lib, x, y: x.view(3, 1) @ y.view(1, 3),
    "sort": lambda lib, x, y: x.sort().values * y,
    "gather": lambda lib, x, y: (x * y).cumsum(0).cumprod(0),
    "sum": lambda lib, x, y: x.sum() * y.mean(),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("create_graph", [False, True])
def test_calls_of_hooks(name: str, create_graph: bool) -> None:
    """Packed and unpacked in the same order, as often, with the same values and modes."""
    logs = []
    for lib in (adjoint, torch):
        log = Log()
        x = lib.tensor([1.0, 2.0, 3.0], requires_grad=True)
        leaf = lib.tensor([0.5, 1.5, 2.0], requires_grad=True)
        with lib.autograd.graph.saved_tensors_hooks(log.hook("pack", lib), log.hook("unpack", lib)):
            out = FUNCTIONS[name](lib, x, leaf * 2)
        grads = lib.autograd.grad(
            out.sum(), [x, leaf], create_graph=create_graph, allow_unused=True
        )
        log.calls += [None if g is None else approximately(g) for g in grads]
        logs.append(log.calls)
    compare(*logs)


def approximately(tensor: Any) -> Any:
    return pytest.approx([complex(each) for each in tensor.detach().tolist()], rel=1e-4)


def compare(ours: list[Any], theirs: list[Any]) -> None:
    assert len(ours) == len(theirs), (ours, theirs)
    for a, b in zip(ours, theirs, strict=True):
        if hasattr(a, "expected"):
            assert a.expected == b
        else:
            assert a == b


def outcome(library: Any, case: Any) -> str:
    try:
        case(library, library.autograd.graph)
    except Exception as error:  # noqa: BLE001 - it is the outcome
        return next(e.__name__ for e in type(error).__mro__ if e.__module__ == "builtins")
    return "fine"


def leaf(library: Any) -> Any:
    return library.tensor([1.0, 2.0, 3.0], requires_grad=True)


def inside(library: Any, graph: Any, pack: Any, unpack: Any, go_back: bool = True) -> None:
    with graph.saved_tensors_hooks(pack, unpack):
        y = leaf(library).exp()
    if go_back:
        y.sum().backward()


def same(tensor: Any) -> Any:
    return tensor


def disabled(library: Any, graph: Any, inner: Any) -> None:
    with graph.disable_saved_tensors_hooks("no"), inner(graph):
        pass


def around(library: Any, graph: Any) -> None:
    with graph.save_on_cpu(), graph.disable_saved_tensors_hooks("no"):
        pass


def register(library: Any, pack: Any, unpack: Any, times: int = 1) -> None:
    y = leaf(library).exp()
    for _ in range(times):
        y.grad_fn._raw_saved_result.register_hooks(pack, unpack)


def freed(library: Any, name: str) -> None:
    x = leaf(library)
    y = x * x
    raw = y.grad_fn._raw_saved_self
    y.sum().backward()
    if name == "raw":
        raw.register_hooks(same, same)
    getattr(y.grad_fn, name)


def mutated(library: Any, graph: Any, outside: bool, nested: bool = False) -> None:
    with graph.allow_mutation_on_saved_tensors() as context:
        x = leaf(library) * 1
        y = x * x
        if nested:
            with graph.allow_mutation_on_saved_tensors():
                pass
        if not outside:
            context.clear()
            y.sum().backward()
    y.sum().backward()


def number_of(tensor: Any) -> int:
    return 3


def inference(library: Any, graph: Any) -> None:
    with library.inference_mode():
        x = library.ones(2)
    graph.increment_version(x)


CASES_OF_ERRORS = {
    "writes": lambda lib, graph: inside(lib, graph, lambda t: t.mul_(2), same),
    "no tensor": lambda lib, graph: inside(lib, graph, same, number_of),
    "anything is packed": lambda lib, graph: inside(lib, graph, number_of, same, False),
    "not callable": lambda lib, graph: inside(lib, graph, 1, 2),
    "raises": lambda lib, graph: inside(lib, graph, lambda t: {}[t], same),
    "disabled": lambda lib, graph: disabled(lib, graph, lambda g: g.save_on_cpu()),
    "disabled twice": lambda lib, graph: disabled(
        lib, graph, lambda g: g.disable_saved_tensors_hooks("nor here")
    ),
    "too late": around,
    "twice": lambda lib, graph: register(lib, same, same, 2),
    "no functions": lambda lib, graph: register(lib, 1, 2),
    "written in a hook": lambda lib, graph: register(lib, lambda t: t.add_(1), same),
    "none": lambda lib, graph: (leaf(lib) * 2).grad_fn._raw_saved_self.register_hooks(same, same),
    "unknown": lambda lib, graph: leaf(lib).exp().grad_fn._saved_other,
    "freed": lambda lib, graph: freed(lib, "_saved_self"),
    "freed raw": lambda lib, graph: freed(lib, "raw"),
    "outside": lambda lib, graph: mutated(lib, graph, True),
    "cleared": lambda lib, graph: mutated(lib, graph, False),
    "nested": lambda lib, graph: mutated(lib, graph, True, True),
    "version of a number": lambda lib, graph: graph.increment_version(3),
    "version of a list": lambda lib, graph: graph.increment_version([lib.ones(1), 3]),
    "version of an inference tensor": inference,
    "edge": lambda lib, graph: graph.get_gradient_edge(lib.ones(1)),
    "mode": lambda lib, graph: graph.register_multi_grad_hook([leaf(lib)], print, mode="both"),
    "no gradient": lambda lib, graph: graph.register_multi_grad_hook([lib.ones(1)], print),
    "budget": lambda lib, graph: graph.region_activation_memory_budget(0.5).__enter__(),
}


@pytest.mark.parametrize("name", CASES_OF_ERRORS)
def test_errors(name: str) -> None:
    case = CASES_OF_ERRORS[name]
    assert outcome(adjoint, case) == outcome(torch, case)


def test_names_of_the_module() -> None:
    assert set(torch.autograd.graph.__all__) <= set(adjoint.autograd.graph.__all__)
