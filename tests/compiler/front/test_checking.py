"""``check=True`` compares, notices what differs, and leaves no trace of the second run."""

from __future__ import annotations

import pytest

import adjoint as torch
from adjoint.errors import CompileCheckError

functional = torch.nn.functional


def make(kind, check):
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Linear(3, 4, bias=False),  # a gradient of 0 would be noise, which Adam magnifies
        torch.nn.BatchNorm1d(4),
        torch.nn.Dropout(0.2),
        torch.nn.Linear(4, 2),
    )
    optimizer = kind(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2, 0.5)

    def step(x, target):
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(x), target)
        loss.backward()
        optimizer.step()
        return loss.detach()

    compiled = torch.compile(step, check=check) if check is not None else step
    return model, optimizer, scheduler, compiled


@pytest.mark.parametrize("kind", [torch.optim.Adam, torch.optim.SGD])
def test_a_checked_step_is_the_step(kind):
    x, target = torch.randn(5, 3), torch.randint(0, 2, (5,))
    runs = [make(kind, check) for check in (2, None)]
    found = []
    for model, optimizer, scheduler, step in runs:
        torch.manual_seed(1)
        losses = []
        for _ in range(5):
            losses.append(step(x, target))
            scheduler.step()
        states = [list(each.values()) for each in optimizer.state.values()]
        grads = [each.grad for each in model.parameters()]
        versions = [each._version for each in model.parameters()]
        found.append((losses, list(model.state_dict().values()), states, grads, versions))
    torch.testing.assert_close(*found)
    assert len(runs[0][3].programs) == 1


def test_what_differs_is_told():
    w = torch.ones(3, requires_grad=True)

    def function(x, y):
        y.mul_(3)
        (w * x * 3).sum().backward()
        return x * 2, (x > 0).sum()

    x, y = torch.tensor([1.0, 2.0, 3.0]), torch.ones(3)
    for number, message in (
        (0, r"result 0.* has 5\.0 at \[0\], and should have 2\.0 \(mul at .*test_checking\.py"),
        (1, "result 1.* 1 of 1 values are others"),
        (3, r"what is written to argument 1.* has 5\.0 at \[0\], and should have 3\.0"),
        (2, r"the \.grad of a closed-over tensor of shape \[3\].* has 5\.0"),
    ):
        compiled = torch.compile(function, check=True)
        executable = compiled.prepare(x, y).executable
        spoil(executable, number)
        with pytest.raises(CompileCheckError, match=message):
            compiled(x, y)
        w.grad = None
        y.fill_(1)


def spoil(executable, number):
    """Let a program give a 5 as the first element of one of its outputs."""
    call = executable.call_in

    def wrong(context, arrays, made=None):
        out = call(context, arrays, made)
        written = executable.program.writes.get(number)
        array = out[number] if written is None else arrays[written]
        array.reshape(-1)[0] = 5
        return out

    executable.call_in = wrong


def test_only_the_first_calls_are_checked():
    def function(x):
        return x * 2

    for check, times in ((True, 3), (1, 1), (False, 0)):
        compiled = torch.compile(function, check=check)
        x = torch.ones(2)
        compiled.prepare(x)
        ran = []
        compiled.function = lambda x, ran=ran: ran.append(1) or function(x)
        for _ in range(5):
            torch.testing.assert_close(compiled(x), x * 2)
        assert len(ran) == times


def test_an_error_of_the_function_is_the_error():
    def function(x, index):
        x.add_(1)
        return x[index]

    compiled = torch.compile(function, check=True)
    x = torch.zeros(3)
    compiled(x, torch.tensor(1))
    with pytest.raises(IndexError):
        compiled(x, torch.tensor(7))
    torch.testing.assert_close(compiled(x, torch.tensor(2)), torch.tensor(2.0))
