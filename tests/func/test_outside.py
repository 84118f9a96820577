"""Results of transforms as parts of a graph outside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import adjoint as torch

FUNCTIONS = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "exp": torch.exp,
    "sqrt": lambda x: (x * x + 1).sqrt(),
    "softmax": lambda x: torch.softmax(torch.cat([x, 2 * x]), 0)[0],
    "logsumexp": lambda x: torch.logsumexp(torch.cat([x, 2 * x]), 0),
}


def second(function: Callable[[Any], Any], x: Any, y: Any) -> Any:
    """The second derivative by recorded passes of the ordinary tape."""
    (first,) = torch.autograd.grad(function(x).sum(), y, create_graph=True)
    (found,) = torch.autograd.grad(first.sum(), y, create_graph=True)
    return found


SECONDS = {
    "hessian": lambda f, x: torch.func.hessian(f)(x),
    "grad of grad": lambda f, x: torch.func.grad(lambda x: torch.func.grad(f)(x).sum())(x),
    "jacfwd of jacrev": lambda f, x: torch.func.jacfwd(torch.func.jacrev(f))(x),
    "jacrev of jacfwd": lambda f, x: torch.func.jacrev(torch.func.jacfwd(f))(x),
    "passes inside a grad": lambda f, x: torch.func.grad(
        lambda x: torch.autograd.grad(f(x), x, create_graph=True)[0].sum()
    )(x),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("way", SECONDS)
def test_a_second_derivative_is_differentiated_outside(way: str, name: str) -> None:
    """Formulas that keep their result keep what is recorded outside of it, too."""
    function = FUNCTIONS[name]
    x = torch.tensor([-0.23], dtype=torch.float64, requires_grad=True)
    (wanted,) = torch.autograd.grad(second(function, x, x).sum(), x)
    found = SECONDS[way](lambda x: function(x).sum(), x)
    (g,) = torch.autograd.grad(found.sum(), x)
    torch.testing.assert_close(g, wanted)
