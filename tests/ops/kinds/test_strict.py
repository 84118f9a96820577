"""Rows as users find them refuse plain arrays; formulas and methods use the operation itself."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import adjoint as torch
from adjoint.ops.transcendental import exp

ARRAY = np.ones(2, np.float32)


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: torch.exp(ARRAY), "input"),
        (lambda: torch.mul(ARRAY, ARRAY), "input"),
        (lambda: torch.mul(torch.ones(2), ARRAY), "other"),
        (lambda: torch.eq(torch.ones(2), ARRAY), "other"),
        (lambda: torch.special.erf(ARRAY), "input"),
        (lambda: torch.relu(ARRAY), "input"),
    ],
)
def test_arrays_are_refused(call, argument):
    with pytest.raises(TypeError, match=f"argument '{argument}' must be Tensor, not numpy.ndarray"):
        call()


def test_operators_and_numbers_of_numpy_are_taken():
    assert (torch.ones(2) * ARRAY).tolist() == [1.0, 1.0]
    assert torch.mul(torch.ones(2), np.float32(3)).tolist() == [3.0, 3.0]


def test_formulas_take_arrays():
    np.testing.assert_array_equal(exp(ARRAY), np.exp(ARRAY))
    x = torch.tensor(2.0, requires_grad=True)
    torch.exp(torch.sin(x)).backward()
    assert x.grad.item() == pytest.approx(np.cos(2.0) * np.exp(np.sin(2.0)), rel=1e-6)


def test_it_is_the_operation_otherwise():
    assert torch.exp.operation is exp
    assert torch.exp.row is exp.row
    assert (torch.exp.__name__, torch.exp.__doc__) == ("exp", exp.__doc__)
    assert str(inspect.signature(torch.exp)) == str(inspect.signature(exp))
