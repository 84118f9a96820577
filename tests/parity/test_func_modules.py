"""``functional_call`` and its companions as in PyTorch."""

from __future__ import annotations

from typing import Any

import pytest

from tests.parity.comparing import Cases, check

CASES = Cases()


def tiny(torch: Any, seed: int = 0) -> Any:
    torch.manual_seed(seed)
    nn = torch.nn
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()


@CASES.case
def functional_calls(torch, f, a, **_):
    model = tiny(torch)
    params = {name: p.detach() * 2 for name, p in model.named_parameters()}
    out = f.functional_call(model, params, (a,))
    partial = f.functional_call(model, {"0.bias": params["0.bias"]}, a)
    split = f.functional_call(
        model, ({"0.bias": params["0.bias"]}, {"2.bias": params["2.bias"]}), a, {}
    )
    same_after = model(a).detach()
    gradients = f.grad(lambda p: f.functional_call(model, p, a).sin().sum())(params)
    per_sample = f.vmap(
        f.grad(lambda p, one: f.functional_call(model, p, one).sin().sum()), (None, 0)
    )(params, a)
    return out, partial.detach(), split.detach(), same_after, gradients, per_sample


@CASES.case
def ensembles(torch, f, a, **_):
    models = [tiny(torch, seed) for seed in range(3)]
    params, buffers = f.stack_module_state(models)
    return (
        params,
        buffers,
        [p.is_leaf for p in params.values()],
        f.vmap(lambda p: f.functional_call(models[0], p, a))(params).detach(),
    )


def tied(torch: Any) -> Any:
    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one = torch.nn.Parameter(torch.ones(3).double())
            self.two = self.one
            self.register_buffer("count", torch.zeros(()).double())

        def forward(self, p: Any) -> Any:
            self.count = self.count + 1
            return p + self.one + self.two

    return Model()


@CASES.case
def functional_call_tied(torch, f, x, y, **_):
    model = tied(torch)
    given = {"one": y, "count": torch.zeros(()).double()}
    out = f.functional_call(model, given, x)
    return (
        out,
        f.functional_call(model, {"one": y}, x, tie_weights=False).detach(),
        f.functional_call(model, {"one": y, "two": x}, x, tie_weights=False),
        given["count"],
        model.count,
        model.one.detach(),
    )


CASES.wrong(
    {
        "functional_call strict missing": lambda torch, f, a, **_: f.functional_call(
            tiny(torch), {"0.bias": torch.zeros(4).double()}, a, strict=True
        ),
        "functional_call strict unexpected": lambda torch, f, a, **_: f.functional_call(
            tiny(torch), {**dict(tiny(torch).named_parameters()), "no": a}, a, strict=True
        ),
        "functional_call unknown": lambda torch, f, a, **_: f.functional_call(
            tiny(torch), {"no": a}, a
        ),
        "functional_call unknown below": lambda torch, f, a, **_: f.functional_call(
            tiny(torch), {"7.bias": a}, a
        ),
        "functional_call twice": lambda torch, f, a, **_: f.functional_call(
            tiny(torch), ({"0.bias": a}, {"0.bias": a}), a
        ),
        "functional_call kinds": lambda torch, f, a, **_: f.functional_call(tiny(torch), 3, a),
        "functional_call list of numbers": lambda torch, f, a, **_: f.functional_call(
            tiny(torch), [3], a
        ),
        "functional_call value": lambda torch, f, a, **_: f.functional_call(
            tiny(torch), {"0.bias": 3}, a
        ),
        "functional_call tied apart": lambda torch, f, x, y, **_: f.functional_call(
            tied(torch), {"one": x, "two": y}, x
        ),
        "stack nothing": lambda torch, f, **_: f.stack_module_state([]),
        "stack modes": lambda torch, f, **_: f.stack_module_state(
            [tiny(torch), tiny(torch).eval()]
        ),
        "stack classes": lambda torch, f, **_: f.stack_module_state(
            [tiny(torch), torch.nn.Linear(1, 1)]
        ),
        "stack frozen": lambda torch, f, **_: f.stack_module_state(
            [tiny(torch), tiny(torch).requires_grad_(False)]
        ),
    }
)


@CASES.case
def batch_norm_replaced(torch, f, a, **_):
    nn = torch.nn
    model = nn.Sequential(nn.BatchNorm1d(3), nn.InstanceNorm1d(3, track_running_stats=True))
    answer = f.replace_all_batch_norm_modules_(model.double())
    return (
        answer is model,
        model[0].running_mean,
        model[0].track_running_stats,
        model[1].track_running_stats,
        model[0](a).detach(),
    )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CASES)
def test_as_in_pytorch(name: str) -> None:
    check(CASES[name], may_fail=" " in name)
