"""Selective checkpoints: what a policy keeps, and what it is told."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import adjoint as torch
from adjoint.autograd.graph import saved_memory
from adjoint.utils.checkpoint import (
    SAC_IGNORED_OPS,
    CheckpointPolicy,
    SelectiveCheckpointContext,
    checkpoint,
    create_selective_checkpoint_contexts,
)


def function(x, w):
    return ((x @ w).exp() @ w).sin()


def inputs():
    torch.manual_seed(0)
    return torch.randn(4, 4, requires_grad=True), torch.randn(4, 4, requires_grad=True)


def selective(policy, function=function, **options):
    contexts = functools.partial(create_selective_checkpoint_contexts, policy, **options)
    return functools.partial(checkpoint, function, use_reentrant=False, context_fn=contexts)


def gradients(out, values):
    return [g.tolist() for g in torch.autograd.grad(out.sum(), values, retain_graph=True)]


@pytest.mark.parametrize(
    ("policy", "kept"),
    [
        ([], 0),
        (["exp"], 64),
        (["mm"], 64),  # the second product is what sin saves; nobody saves the first
        ([torch.mm, torch.exp], 128),
        (lambda context, name, *args: name == "exp", 64),
        (lambda context, name, *args: CheckpointPolicy.PREFER_SAVE, 128),
        (lambda context, name, *args: CheckpointPolicy.MUST_CPU_OFFLOAD, 128),
        (lambda context, name, *args: CheckpointPolicy.PREFER_RECOMPUTE, 0),
        (lambda context, name, *args: CheckpointPolicy.MUST_RECOMPUTE, 0),
    ],
)
def test_what_is_kept(policy, kept):
    values = inputs()
    out = selective(policy)(*values)
    assert saved_memory(out).total == kept
    assert gradients(out, values) == gradients(function(*values), values)
    assert gradients(out, values) == gradients(function(*values), values)


def test_nothing_runs_again_where_all_is_kept():
    calls = []

    def counted(x):
        calls.append(1)
        return x.exp().tanh()

    x = torch.ones(3, requires_grad=True)
    selective(["exp", "tanh"], counted)(x).sum().backward()
    assert len(calls) == 1


def test_what_is_kept_at_the_end_is_not_reached_again():
    steps = []

    def trace(x):
        y = x.exp().sin()
        steps.append("first")
        z = y.tanh()
        steps.append("last")
        return z

    x = torch.ones(3, requires_grad=True)
    selective(["tanh"], trace)(x).sum().backward()
    assert steps == ["first", "last"]
    steps.clear()
    selective(["exp"], trace)(x).sum().backward()
    assert steps == ["first", "last", "first"]


def test_what_a_policy_is_told():
    told = []

    def policy(context, name, *args):
        assert isinstance(context, SelectiveCheckpointContext)
        told.append((context.is_recompute, name, len(args), context.op_output.shape))
        assert not torch.is_grad_enabled()
        return CheckpointPolicy.PREFER_RECOMPUTE

    x = torch.ones(2, 3, requires_grad=True)
    out = selective(policy, lambda x: (x.detach() * x.exp()).t().sin())(x)
    first = [
        (False, "exp", 1, (2, 3)),
        (False, "mul", 2, (2, 3)),
        (False, "t", 1, (3, 2)),
        (False, "sin", 1, (3, 2)),
    ]
    assert told == first
    out.sum().backward()
    assert told[4:] == [(True, *each[1:]) for each in first]
    assert "detach" in SAC_IGNORED_OPS


def test_views_of_what_is_kept():
    x = torch.ones(10, 10, requires_grad=True)
    out = selective(["exp"], lambda x: x.exp().t()[2:].sin().sum())(x)
    assert saved_memory(out).total == 400
    out.backward()
    expected = np.where(np.arange(10) >= 2, np.e * np.cos(np.e), 0.0)
    np.testing.assert_allclose(x.grad.tolist(), np.tile(expected, (10, 1)), rtol=1e-5)


def test_second_order():
    x = torch.tensor([0.3, 0.4], requires_grad=True)
    results = []
    for run in (lambda x: x.exp().sin() * x, selective(["exp"], lambda x: x.exp().sin() * x)):
        (first,) = torch.autograd.grad(run(x).sum(), x, create_graph=True)
        results.append((first.tolist(), torch.autograd.grad(first.sum(), x)[0].tolist()))
    assert results[0] == results[1]


def test_what_is_kept_may_not_be_written_to():
    def write(x):
        y = x.exp()
        z = y.sin()
        y.mul_(2)
        return z

    x = torch.ones(2, requires_grad=True)
    out = selective(["exp"], write)(x)
    line = write.__code__.co_firstlineno + 3
    with pytest.raises(RuntimeError, match=rf"has been mutated, at .*:{line}\. Write into a copy"):
        out.sum().backward()
    out = selective(["exp"], write, allow_cache_entry_mutation=True)(x)
    out.sum().backward()
    assert x.grad is not None


def test_what_is_refused():
    with pytest.raises(TypeError, match="a function or a list of ops, not a int"):
        create_selective_checkpoint_contexts(3)
    with pytest.raises(ValueError, match=r"names of operations.*got 3 of type int"):
        create_selective_checkpoint_contexts(["exp", 3])
    out = selective(lambda *_: "save")
    with pytest.raises(TypeError, match="must return a CheckpointPolicy, but for mm"):
        out(*inputs())


def test_context():
    context = SelectiveCheckpointContext(is_recompute=True)
    assert (context.is_recompute, context.op_output) == (True, None)
    assert [policy.name for policy in CheckpointPolicy] == [
        "MUST_SAVE",
        "PREFER_SAVE",
        "MUST_RECOMPUTE",
        "PREFER_RECOMPUTE",
        "MUST_CPU_OFFLOAD",
        "PREFER_CPU_OFFLOAD",
    ]
