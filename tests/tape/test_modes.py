"""Grad modes: contexts, decorators, generators, threads."""

import threading

import pytest

import adjoint as torch


@pytest.fixture
def x():
    return torch.ones(2, requires_grad=True)


def test_no_grad_records_nothing(x):
    with torch.no_grad():
        assert not (x * 2).requires_grad
        with torch.enable_grad():
            assert (x * 2).requires_grad
    assert (x * 2).requires_grad


def test_modes_come_back_after_an_error(x):
    with pytest.raises(KeyError), torch.no_grad():
        raise KeyError
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("decorate", [torch.no_grad(), torch.no_grad, torch.inference_mode()])
def test_decorators(x, decorate):
    @decorate
    def double(value):
        """Twice."""
        return value * 2

    assert not double(x).requires_grad
    assert double.__name__ == "double"
    assert torch.is_grad_enabled()


def test_generators_hold_the_mode_only_while_they_run(x):
    @torch.no_grad()
    def results():
        sent = yield torch.is_grad_enabled()
        yield sent, torch.is_grad_enabled()
        try:
            yield None
        except KeyError:
            yield "caught", torch.is_grad_enabled()

    generator = results()
    assert next(generator) is False
    assert torch.is_grad_enabled()
    assert generator.send("sent") == ("sent", False)
    next(generator)
    assert generator.throw(KeyError()) == ("caught", False)
    assert torch.is_grad_enabled()


def test_set_grad_enabled_works_at_once_and_as_a_context(x):
    torch.set_grad_enabled(False)
    try:
        assert not (x * 2).requires_grad
    finally:
        torch.set_grad_enabled(True)
    with torch.set_grad_enabled(False):
        assert not torch.is_grad_enabled()
    assert torch.is_grad_enabled()

    @torch.set_grad_enabled(False)
    def double(value):
        return value * 2

    assert torch.is_grad_enabled()
    assert not double(x).requires_grad


def test_inference_tensors_stay_out_of_the_graph(x):
    with torch.inference_mode():
        y = x * 2
        assert torch.is_inference_mode_enabled()
    assert y.is_inference()
    with pytest.raises(RuntimeError, match="inference tensor"):
        y.requires_grad_()
    with pytest.raises(RuntimeError, match="inference tensor"):
        y.mul_(2)


def test_inference_mode_may_be_switched_off(x):
    with torch.inference_mode(False):
        assert (x * 2).requires_grad
    with torch.inference_mode(), torch.inference_mode(False):
        assert (x * 2).requires_grad


def test_each_thread_has_its_own_mode():
    seen = []
    with torch.no_grad():
        thread = threading.Thread(target=lambda: seen.append(torch.is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]
