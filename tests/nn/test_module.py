"""Modules: what they list, how they are saved, copied, converted and printed, and their hooks."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from collections import OrderedDict

import numpy as np
import pytest

import adjoint as torch
from adjoint import nn


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(2, 3)
        self.rest = nn.Sequential(nn.ReLU(), nn.Linear(3, 1, bias=False))
        self.scale = nn.Parameter(torch.ones(1))
        self.register_buffer("count", torch.zeros(1))
        self.register_buffer("scratch", torch.zeros(1), persistent=False)

    def forward(self, x):
        return self.rest(self.first(x)) * self.scale


NAMES = ["scale", "first.weight", "first.bias", "rest.1.weight"]


def test_what_is_listed() -> None:
    net = Net()
    assert [name for name, _ in net.named_parameters()] == NAMES
    assert [name for name, _ in net.named_buffers()] == ["count", "scratch"]
    assert [name for name, _ in net.named_children()] == ["first", "rest"]
    assert [name for name, _ in net.named_modules()] == ["", "first", "rest", "rest.0", "rest.1"]
    assert [name for name, _ in net.named_parameters(prefix="net", recurse=False)] == ["net.scale"]
    assert next(iter(net.parameters())) is net.scale
    assert net.get_submodule("rest.1") is net.rest[1]
    assert net.get_parameter("rest.1.weight") is net.rest[1].weight
    assert {"first", "scale", "count", "forward"} <= set(dir(net))


def test_a_shared_parameter_is_listed_once() -> None:
    net = Net()
    net.rest[1].weight = net.first.weight
    assert len(list(net.parameters())) == 3
    assert len(list(net.named_parameters(remove_duplicate=False))) == 4
    assert list(net.state_dict()) == [
        "scale",
        "count",
        "first.weight",
        "first.bias",
        "rest.1.weight",
    ]


def test_assignment_moves_a_name_between_the_tables() -> None:
    net = Net()
    net.count = nn.Parameter(torch.ones(2))
    assert "count" in dict(net.named_parameters())
    assert "count" not in dict(net.named_buffers())
    net.scale = None
    assert net.scale is None
    assert "scale" not in dict(net.named_parameters())
    net.note = "plain"
    net.note = nn.ReLU()
    assert isinstance(net._modules["note"], nn.ReLU)
    del net.note
    assert not hasattr(net, "note")


def test_members_before_init_are_refused() -> None:
    class Early(nn.Module):
        def __init__(self, value: object) -> None:
            self.value = value

    for value in (nn.Parameter(torch.ones(1)), nn.ReLU(), nn.Buffer(torch.ones(1))):
        with pytest.raises(AttributeError, match=r"before Module.__init__\(\) call"):
            Early(value)


def test_state_goes_out_and_in() -> None:
    first, second = Net(), Net()
    state = first.state_dict()
    assert list(state) == ["scale", "count", "first.weight", "first.bias", "rest.1.weight"]
    assert not any(value.requires_grad for value in state.values())
    assert np.shares_memory(state["scale"].numpy(), first.scale.detach().numpy())
    assert str(second.load_state_dict(state)) == "<All keys matched successfully>"
    for one, two in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, two)
        assert one is not two
    assert second.scale.requires_grad


def test_loading_what_does_not_fit_says_all_of_it() -> None:
    state = Net().state_dict()
    state["rest.1.weight"] = torch.ones(2, 2)
    state["rest.9.weight"] = state.pop("first.bias")
    net = Net()
    with pytest.raises(RuntimeError) as caught:
        net.load_state_dict(state)
    text = str(caught.value)
    assert 'Missing key(s) in state_dict: "first.bias". ' in text
    assert 'Unexpected key(s) in state_dict: "rest.9.weight". ' in text
    assert "size mismatch for rest.1.weight: copying a param with shape torch.Size([2, 2])" in text
    found = net.load_state_dict(OrderedDict(scale=torch.ones(1)), strict=False)
    assert found.missing_keys == ["count", *NAMES[1:]]


def test_assign_puts_the_given_tensors_in_place() -> None:
    net, given = Net(), torch.full((1,), 5.0)
    net.load_state_dict({"scale": given}, strict=False, assign=True)
    assert isinstance(net.scale, nn.Parameter)
    assert np.shares_memory(net.scale.detach().numpy(), given.numpy())


def test_extra_state() -> None:
    class Counting(nn.Module):
        calls = 3

        def get_extra_state(self):
            return {"calls": self.calls}

        def set_extra_state(self, state):
            self.calls = state["calls"]

    one, two = nn.Sequential(Counting()), nn.Sequential(Counting())
    one[0].calls = 8
    two.load_state_dict(one.state_dict())
    assert two[0].calls == 8
    with pytest.raises(RuntimeError, match=r'Missing key\(s\) in state_dict: "0._extra_state"'):
        two.load_state_dict({})


def test_hooks_of_states() -> None:
    net = nn.Linear(1, 1)
    net.register_state_dict_post_hook(
        lambda module, state, prefix, local: state.update(note=torch.ones(1))
    )
    assert list(net.state_dict()) == ["weight", "bias", "note"]
    net.register_load_state_dict_pre_hook(lambda module, state, prefix, *rest: state.pop("note"))
    seen = []
    net.register_load_state_dict_post_hook(lambda module, keys: seen.append(keys.missing_keys))
    net.load_state_dict(net.state_dict())
    assert seen == [[]]


@pytest.mark.parametrize("how", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_copies_are_apart(how) -> None:
    net = Net()
    net(torch.ones(1, 2)).sum().backward()
    other = how(net)
    assert repr(other) == repr(net)
    for one, two in zip(net.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two)
        assert isinstance(two, nn.Parameter)
        assert two.requires_grad
        assert not np.shares_memory(one.detach().numpy(), two.detach().numpy())
    other(torch.ones(1, 2)).sum().backward()


def test_conversion() -> None:
    net = Net()
    net.register_buffer("whole", torch.zeros(1, dtype=torch.int64))
    param = net.scale
    assert net.double() is net
    assert net.scale is param
    assert net.scale.dtype == net.count.dtype == torch.float64
    assert net.whole.dtype == torch.int64
    assert net(torch.ones(1, 2, dtype=torch.float64)).dtype == torch.float64
    assert net.to(torch.ones(1)).scale.dtype == torch.float32
    assert net.to("cpu", torch.float64).scale.dtype == torch.float64
    net.float()(torch.ones(1, 2)).sum().backward()
    assert net.half().scale.grad.dtype == torch.float16
    with pytest.raises(TypeError, match="floating point or complex"):
        net.to(torch.int32)
    with pytest.raises(AssertionError, match="cuda"):
        net.cuda()


def test_modes_and_gradients() -> None:
    net = Net()
    assert net.eval() is net
    assert not any(module.training for module in net.modules())
    net.train()
    assert all(module.training for module in net.modules())
    net(torch.ones(1, 2)).sum().backward()
    net.zero_grad(set_to_none=False)
    assert all(torch.equal(p.grad, torch.zeros_like(p)) for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    net.requires_grad_(False)
    assert not net(torch.ones(1, 2)).requires_grad
    names = []
    net.apply(lambda module: names.append(type(module).__name__))
    assert names == ["Linear", "ReLU", "Linear", "Sequential", "Net"]


def test_printing() -> None:
    assert repr(Net()) == (
        "Net(\n"
        "  (first): Linear(in_features=2, out_features=3, bias=True)\n"
        "  (rest): Sequential(\n"
        "    (0): ReLU()\n"
        "    (1): Linear(in_features=3, out_features=1, bias=False)\n"
        "  )\n"
        ")"
    )


# -- hooks ----------------------------------------------------------------------------------------


def test_forward_hooks_replace_and_come_off() -> None:
    layer = nn.Identity()
    before = layer.register_forward_pre_hook(lambda module, args: args[0] + 1)
    after = layer.register_forward_hook(lambda module, args, out: out * 10)
    assert layer(torch.tensor(1.0)).item() == 20
    after.remove()
    assert layer(torch.tensor(1.0)).item() == 2
    with before:
        pass
    assert layer(torch.tensor(1.0)).item() == 1


def test_hooks_with_keywords() -> None:
    class Power(nn.Module):
        def forward(self, x, *, by):
            return x**by

    layer = Power()
    layer.register_forward_pre_hook(lambda m, args, kwargs: (args, {"by": 3}), with_kwargs=True)
    seen = []
    layer.register_forward_hook(
        lambda m, args, kwargs, out: seen.append((kwargs["by"], out.item())), with_kwargs=True
    )
    assert layer(torch.tensor(2.0), by=1).item() == 8
    assert seen == [(3, 8.0)]


def test_a_hook_that_is_always_called() -> None:
    layer, seen = nn.Module(), []
    layer.register_forward_hook(lambda m, args, out: seen.append(out), always_call=True)
    with pytest.raises(NotImplementedError):
        layer(torch.ones(1))
    assert seen == [None]


def test_hooks_of_all_modules() -> None:
    seen = []
    with nn.modules.module.register_module_forward_hook(
        lambda module, args, out: seen.append(type(module).__name__)
    ):
        Net()(torch.ones(1, 2))
    Net()(torch.ones(1, 2))
    assert seen == ["Linear", "ReLU", "Linear", "Sequential", "Net"]


def test_backward_hooks_see_and_replace_gradients() -> None:
    layer = nn.Linear(2, 1)
    seen = []
    layer.register_full_backward_pre_hook(lambda module, g: (g[0] * 2,))
    layer.register_full_backward_hook(
        lambda module, g, h: seen.append((g[0].tolist(), h[0].item()))
    )
    x = torch.ones(1, 2, requires_grad=True)
    layer(x).sum().backward()
    expected = (2 * layer.weight).tolist()
    assert seen == [(expected, 2.0)]
    assert x.grad.tolist() == expected
    layer.register_full_backward_hook(lambda module, g, h: (g[0] * 0,))
    (g,) = torch.autograd.grad(layer(x).sum(), x, create_graph=True)
    assert g.tolist() == [[0.0, 0.0]]
    layer.register_full_backward_hook(lambda module, g, h: (g[0], g[0]))
    with pytest.raises(RuntimeError, match="returned 2 gradients, but was shown 1"):
        layer(x).sum().backward()


def test_nothing_keeps_a_module_alive() -> None:
    net = Net()
    net.register_full_backward_hook(lambda module, g, h: None)
    out = net(torch.ones(1, 2, requires_grad=True))
    out.sum().backward()
    gone = weakref.ref(net)
    del net, out
    gc.collect()
    assert gone() is None


# -- parameters -----------------------------------------------------------------------------------


def test_a_parameter_shares_memory_and_takes_part() -> None:
    data = torch.ones(2)
    param = nn.Parameter(data)
    data.mul_(3)
    assert param.tolist() == [3.0, 3.0]
    assert isinstance(param, torch.Tensor)
    assert type(param * 2) is torch.Tensor
    assert param.is_leaf
    assert repr(param) == "Parameter containing:\ntensor([3., 3.], requires_grad=True)"
    assert not nn.Parameter(data, requires_grad=False).requires_grad
    out = (param * param).sum()
    data.mul_(3)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out.backward()


def test_buffers() -> None:
    net = nn.Module()
    net.kept = nn.Buffer(torch.ones(1))
    net.lost = nn.Buffer(torch.ones(1), persistent=False)
    assert [name for name, _ in net.named_buffers()] == ["kept", "lost"]
    assert list(net.state_dict()) == ["kept"]


def test_a_deep_copy_begins_without_gradients():
    net = torch.nn.Linear(2, 1)
    net(torch.ones(2)).backward()
    twin = copy.deepcopy(net)
    assert all(parameter.grad is None for parameter in twin.parameters())
    assert all(parameter.requires_grad for parameter in twin.parameters())
    assert all(parameter.grad is not None for parameter in net.parameters())
    leaf = torch.ones(2, requires_grad=True)
    leaf.sum().backward()
    assert copy.deepcopy(leaf).grad.tolist() == [1.0, 1.0]  # of other tensors it goes along
