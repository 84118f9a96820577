"""Whole derivatives: Hessians, Jacobians, per-sample gradients. Each runs on both libraries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import adjoint
from benchmarks.timing import time_by_turns
from benchmarks.workloads import Step, Workload


def rosenbrock(x: Any) -> Any:
    """The valley of Rosenbrock in as many dimensions as ``x`` has."""
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def rosenbrock_hessian(torch: Any) -> Step:
    """The Hessian in 50 dimensions: PyTorch's row by row, Adjoint's by a batched Jacobian."""
    torch.manual_seed(0)
    x = torch.randn(50)
    if torch is adjoint:
        hessian = torch.func.hessian(rosenbrock)
        return lambda: hessian(x)
    return lambda: torch.autograd.functional.hessian(rosenbrock, x)


def functional_hessian(torch: Any) -> Step:
    """The same by ``autograd.functional.hessian`` in both."""
    torch.manual_seed(0)
    x = torch.randn(50)
    return lambda: torch.autograd.functional.hessian(rosenbrock, x)


def network_jacobian(torch: Any) -> Step:
    """The Jacobian of a 32-64-32 tanh network, by ``jacrev``."""
    torch.manual_seed(0)
    x, w, v = torch.randn(32), torch.randn(32, 64) * 0.2, torch.randn(64, 32) * 0.2
    jacobian = torch.func.jacrev(lambda x: torch.tanh(torch.tanh(x @ w) @ v))
    return lambda: jacobian(x)


def logistic(torch: Any) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """The loss of a logistic regression of 100 features, and 256 samples of its arguments."""
    torch.manual_seed(0)
    w, b = torch.randn(100), torch.zeros(())
    x, y = torch.randn(256, 100), (torch.randn(256) > 0).float()
    entropy = torch.nn.functional.binary_cross_entropy_with_logits
    return (lambda p, x, y: entropy(x @ p[0] + p[1], y)), ((w, b), x, y)


def classifier(torch: Any) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """The loss of a 16-32-10 tanh network, and 256 samples of its arguments."""
    torch.manual_seed(0)
    functional = torch.nn.functional
    w, b = torch.randn(32, 16) * 0.1, torch.zeros(32)
    v, c = torch.randn(10, 32) * 0.1, torch.zeros(10)
    x, y = torch.randn(256, 16), torch.randint(0, 10, (256,))

    def loss(p: Any, x: Any, y: Any) -> Any:
        hidden = torch.tanh(functional.linear(x, p[0], p[1]))
        return functional.cross_entropy(functional.linear(hidden, p[2], p[3]), y)

    return loss, ((w, b, v, c), x, y)


def per_sample(make: Callable[[Any], Any]) -> Callable[[Any], Step]:
    """A step that takes the gradient of each of 256 samples, by ``vmap`` of ``grad``."""

    def build(torch: Any) -> Step:
        loss, args = make(torch)
        gradients = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0, 0))
        return lambda: gradients(*args)

    return build


DERIVATIVES = (
    Workload("Hessian of Rosenbrock's function, 50 dimensions", 20.0, rosenbrock_hessian),
    Workload("the same by `autograd.functional.hessian`", 10.0, functional_hessian),
    Workload("Jacobian of a 32-64-32 network, `jacrev`", 1.0, network_jacobian),
    Workload("256 per-sample gradients, logistic regression", 1.0, per_sample(logistic)),
    Workload("256 per-sample gradients, 16-32-10 network", 1.0, per_sample(classifier)),
)


def cost_of_per_sample(make: Callable[[Any], Any] = logistic, rounds: int = 15) -> float:
    """How many times the gradient of the whole batch the gradients of its 256 samples take."""
    loss, args = make(adjoint)
    gradient = adjoint.func.grad(loss)
    whole, each = time_by_turns([lambda: gradient(*args), per_sample(make)(adjoint)], rounds)
    return each / whole
