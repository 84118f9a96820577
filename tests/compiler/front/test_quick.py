"""Calls by the way that is written for a program do what the general way does."""

from __future__ import annotations

import gc
import signal
import threading

import numpy as np
import pytest

import adjoint as torch
from adjoint.compiler.front.calling import MISS


def quick(compiled):
    """The quick way of the program used last."""
    return compiled._quick[0]


def seed_network():
    torch.manual_seed(0)
    x, y = torch.ones(5), torch.zeros(3)
    w, b = torch.randn(5, 3, requires_grad=True), torch.randn(3, requires_grad=True)

    def step():
        w.grad = b.grad = None
        z = torch.matmul(x, w) + b
        torch.nn.functional.binary_cross_entropy_with_logits(z, y).backward()

    return step, w, b


def test_the_seeds_network():
    step, w, b = seed_network()
    compiled = torch.compile(step)
    compiled()
    step()
    expected = w.grad, b.grad
    assert quick(compiled)((), {}) is None
    torch.testing.assert_close((w.grad, b.grad), expected)
    first = w.grad
    compiled()
    assert w.grad is not first
    torch.testing.assert_close(first, expected[0])
    with torch.no_grad():
        assert quick(compiled)((), {}) is MISS
    assert quick(compiled)((1,), {}) is MISS
    assert quick(compiled)((), {"x": 1}) is MISS
    w.data = w.data * 2
    assert quick(compiled)((), {}) is MISS
    compiled()
    assert quick(compiled)((), {}) is None


def test_transforms_see_the_function_itself():
    compiled = torch.compile(lambda x: (x * 2).sum())
    x = torch.ones(3)
    compiled(x)
    assert quick(compiled)((x,), {}) is not MISS
    compiled(x.clone().requires_grad_())  # a quick way for leaves too
    assert torch.func.grad(compiled)(x).tolist() == [2, 2, 2]
    assert torch.func.jvp(compiled, (x,), (x,))[1].item() == 6
    assert torch.func.vmap(compiled)(x[None]).tolist() == [6]


def test_arguments_that_miss():
    w = torch.ones(2, 3)

    @torch.compile
    def function(x, y, scale):
        w.add_(1)
        return x * y * scale, x

    x, y = torch.ones(2, 3), torch.full((2, 3), 2.0)
    function(x, y, 2.0)
    call = quick(function)
    out, same = call((x, y, 2.0), {})
    assert same is x
    torch.testing.assert_close(out, x * 4)
    assert w._version == 2
    torch.testing.assert_close(w, torch.full((2, 3), 3.0))
    whole = torch.ones(4, 3)
    torch.testing.assert_close(call((whole[:2].clone(), y, 2.0), {})[0], x * 4)
    other = torch.ones(2, 3)
    for args in (
        (x, y),
        (x, y, 2.0, 1),
        (x, y, 2),
        (x, y, np.float64(2)),
        (x, y, 3.0),
        (x, x, 2.0),
        (w, y, 2.0),
        (x, y[:1], 2.0),
        (x.double(), y, 2.0),
        (torch.ones(3, 2).t(), y, 2.0),
        (torch.ones(2, 3, requires_grad=True), y, 2.0),
        (torch.nn.Parameter(x, requires_grad=False), y, 2.0),
        (other[:], y, 2.0),
        (x, None, 2.0),
        (1, 2, 3),
    ):
        assert call(args, {}) is MISS, args
    assert w._version == 3
    with torch.inference_mode():
        assert call((x, y, 2.0), {}) is MISS


def test_results_with_gradients():
    w = torch.tensor([1.0, 2.0], requires_grad=True)

    @torch.compile
    def function(x):
        return torch.exp(w * x), (w * x).sum(), torch.zeros(2, requires_grad=True)

    for requires_grad in (False, True):
        x = torch.tensor([3.0, 4.0], requires_grad=requires_grad)
        function(x)
        one, other, leaf = quick(function)((x,), {})
        expected = function.function(x)
        torch.testing.assert_close((one, other), expected[:2])
        assert leaf.is_leaf
        assert leaf.requires_grad
        wanted = (w, x) if requires_grad else (w,)
        torch.testing.assert_close(
            torch.autograd.grad(one.sum() + other, wanted),
            torch.autograd.grad(expected[0].sum() + expected[1], wanted),
        )


def test_optimizers_step():
    x = torch.randn(8, 3)

    def run(wrap):
        torch.manual_seed(0)
        w = torch.randn(3, requires_grad=True)
        optimizer = torch.optim.Adam([w], lr=0.1)

        def step(x):
            optimizer.zero_grad()
            loss = (x @ w).square().mean()
            loss.backward()
            optimizer.step()

        step = wrap(step)
        for number in range(6):
            if number == 4:
                optimizer.param_groups[0]["lr"] = 0.05
            step(x)
        return step, w, w.grad, list(optimizer.state[w].values()), w._version

    (step, *found), (_, *expected) = run(torch.compile), run(lambda f: f)
    torch.testing.assert_close(found, expected)
    assert len(step.programs) == 1
    for _ in range(8):
        step(x)
    assert quick(step)((x,), {}) is None


def test_several_programs_have_ways_of_their_own():
    @torch.compile
    def function(x):
        return x * 2

    xs = [torch.ones(size) for size in range(1, 7)]
    for x in xs:
        function(x)
    assert len(function._quick) == 4
    for x in xs:
        torch.testing.assert_close(function(x), x * 2)
    assert len(function.programs) == 6


def test_everything_that_a_step_may_leave():
    """Nested arguments, views, accumulated gradients, losses, and calls of NumPy."""

    def build():
        torch.manual_seed(0)
        w, b = torch.randn(3, requires_grad=True), torch.zeros(1, requires_grad=True)
        total = torch.zeros(3)

        def step(tree, scale, *, flag=None):
            h = tree["x"] * w * scale + b
            loss = torch.sort(h.square().sum(1))[0].mean()
            loss.backward()
            tree["y"][0].add_(1)
            total.add_(h.detach().sum(0))
            z = tree["x"] * 2
            return loss, [z, z[0]], tree["y"][0], flag

        return step, (w, b, total)

    found = []
    for wrap in (torch.compile, lambda f: f):
        step, tensors = build()
        step = wrap(step)
        y, outs = torch.zeros(2), []
        for number in range(5):
            x = torch.full((4, 3), float(number + 1))
            call = quick(step) if wrap is torch.compile and number > 2 else step
            args, kwargs = ({"x": x, "y": [y]}, 1.5), {"flag": "text"}
            out = call(args, kwargs) if call is not step else step(*args, **kwargs)
            assert out is not MISS
            loss, (h, row), same, flag = out
            assert (same is y, flag, row._base is h) == (True, "text", True)
            with pytest.raises(RuntimeError, match="second time"):
                loss.backward()
            outs += [loss.detach(), h, row]
        facts = [(each._version, each.grad) for each in (y, *tensors)]
        versions = [each.grad._version for each in tensors[:2]]
        found.append((outs, facts, versions, y, list(tensors)))
    torch.testing.assert_close(*found)
    w = tensors[0]
    assert w.grad._version == 4


def test_gradients_of_what_is_no_leaf():
    count, w = torch.ones(3, dtype=torch.int64), torch.ones(3, requires_grad=True)

    @torch.compile
    def step():
        count.grad = w.grad = None
        (w * 2).sum().backward()
        return count + 1

    for _ in range(4):
        step()
        assert count.grad is None
        torch.testing.assert_close(w.grad, torch.full((3,), 2.0))
    assert quick(step)((), {}) is not MISS


def test_gradients_that_miss():
    w = torch.ones(3, requires_grad=True)

    @torch.compile
    def step(x):
        (w * x).sum().backward()

    x = torch.ones(3)
    w.grad = torch.zeros(3)
    step(x)
    call = quick(step)
    assert call((x,), {}) is None
    torch.testing.assert_close(w.grad, torch.full((3,), 2.0))
    for grad in (None, torch.zeros(6)[::2], torch.zeros(3) * torch.ones(3, requires_grad=True)):
        w.grad = grad
        assert call((x,), {}) is MISS
    w.grad = torch.zeros(3)
    assert call((x,), {}) is None


# -- threads and interrupts ---------------------------------------------------------------------


def test_two_threads_at_once():
    w = torch.randn(64, 64)

    @torch.compile
    def function(x):
        return torch.tanh(x @ w) @ w, x.sum(1)

    failures = []

    def work(seed):
        x = torch.randn(32, 64, generator=torch.Generator().manual_seed(seed))
        expected = function.function(x)
        for _ in range(60):
            try:
                torch.testing.assert_close(function(x), expected, rtol=1e-4, atol=1e-4)
            except AssertionError as error:
                failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failures == []
    assert len(function.programs) == 1


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers that interrupt")
def test_an_interrupted_call_is_whole_or_not_there():
    x = torch.randn(256, 256)
    w = torch.randn(256, 256, requires_grad=True)
    optimizer = torch.optim.Adam([w], lr=0.1)

    @torch.compile
    def step():
        optimizer.zero_grad()
        loss = torch.tanh(x @ w).square().mean()
        loss.backward()
        optimizer.step()

    step()
    state = optimizer.state[w]
    counts = int(state["step"]), w._version

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    interrupted = 0
    gc.collect()
    gc.disable()  # an interrupt inside a __del__ would be swallowed
    try:
        for number in range(60):
            signal.setitimer(signal.ITIMER_REAL, 0.0002 + 0.00005 * number)
            try:
                for _ in range(100):
                    step()
            except KeyboardInterrupt:
                interrupted += 1
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
            assert w._version - counts[1] == int(state["step"]) - counts[0]
    except KeyboardInterrupt:
        pass  # the timer rang between two lines of this test
    finally:
        signal.signal(signal.SIGALRM, before)
        gc.enable()
    assert interrupted > 30
    assert state["exp_avg"].isfinite().all()


def test_an_error_leaves_all_as_it_was():
    table, w = torch.randn(5, 2, requires_grad=True), torch.ones(2)
    optimizer = torch.optim.Adam([table])

    @torch.compile
    def step(index):
        w.add_(1)
        optimizer.zero_grad()
        table[index].sum().backward()
        optimizer.step()
        return w * 1

    for _ in range(3):
        step(torch.tensor([0, 3]))
    state = optimizer.state[table]
    before = (table.clone(), w.clone(), int(state["step"]), state["exp_avg"].clone(), w._version)
    grad = table.grad
    for _ in range(2):
        with pytest.raises(IndexError, match="out of range"):
            step(torch.tensor([0, 9]))
    after = (table.clone(), w.clone(), int(state["step"]), state["exp_avg"].clone(), w._version)
    torch.testing.assert_close(after, before)
    assert table.grad is grad
    torch.testing.assert_close(step(torch.tensor([0, 3])), torch.full((2,), 5.0))
