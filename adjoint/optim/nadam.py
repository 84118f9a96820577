"""NAdam: Adam that looks ahead by one momentum, as Nesterov's."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from adjoint.optim.checks import check_at_least_0, check_betas, check_rate
from adjoint.optim.optimizer import Group
from adjoint.optim.stepping import (
    Elementwise,
    Numbers,
    adjustments,
    both_ways,
    count_of_steps,
    zeros_like,
)

# Dozat's schedule of the momentum: betas[0] * (1 - HALF * WARMING ** (step * momentum_decay)).
HALF, WARMING = 0.5, 0.96


class NAdam(Elementwise):
    """Adam whose step takes in the present gradient and the next step's share of the mean.

    The momentum grows to ``betas[0]`` at the pace of ``momentum_decay``. Raises ``ValueError`` for
    options out of range.

    >>> w = torch.ones(2, requires_grad=True)
    >>> optimizer = torch.optim.NAdam([w], lr=0.002)
    """

    _late_options: ClassVar[dict[str, Any]] = {
        "maximize": False, "foreach": None, "capturable": False, "differentiable": False,
        "decoupled_weight_decay": False,
    }  # fmt: skip

    def __init__(
        self,
        params: Any,
        lr: Any = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_rate(lr)
        check_at_least_0(eps, "eps")
        check_betas(betas)
        check_at_least_0(weight_decay, "weight_decay")
        check_at_least_0(momentum_decay, "momentum_decay")
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "momentum_decay": momentum_decay,
                "decoupled_weight_decay": decoupled_weight_decay,
                "maximize": maximize,
                "foreach": foreach,
                "capturable": capturable,
                "differentiable": differentiable,
            },
        )

    def _names(self, group: Group) -> tuple[str, ...]:
        return "exp_avg", "exp_avg_sq"

    def _start(self, group: Group, param: Any) -> dict[str, Any]:
        return {
            "step": count_of_steps(),
            "mu_product": count_of_steps(1.0),
            "exp_avg": zeros_like(param),
            "exp_avg_sq": zeros_like(param),
        }

    def _begin(self, group: Group, param: Any, state: dict[str, Any]) -> Any:
        """The count of steps, and the product of all momenta up to this one."""
        step = super()._begin(group, param, state)
        product, momentum = state["mu_product"], momentum_at(group, step)
        array = product._array
        if type(array) is np.ndarray and not hasattr(momentum, "_array"):
            np.multiply(array, momentum, array)
            return step, array.item()
        product.mul_(momentum)
        return step, product

    def _numbers(self, group: Group, step: Any) -> Numbers:
        count, product = step
        lr, (beta1, beta2) = group["lr"], group["betas"]
        momentum, following = momentum_at(group, count), momentum_at(group, count + 1)
        return (
            adjustments(group),
            *both_ways(1 - beta1),
            beta2,
            1 - beta2,
            1 - beta2**count,
            group["eps"],
            -lr * (1.0 - momentum) / (1.0 - product),
            -lr * following / (1.0 - product * following),
        )

    @staticmethod
    def _formula(kit: Any, numbers: Numbers, work: Any, x: Any, g: Any, *state: Any) -> Any:
        adjusted, weight, rest, beta2, share, correction, eps, rate, ahead = numbers
        if adjusted is not None:
            x, g = kit.adjust(x, g, adjusted, work[0])
        mean = kit.toward(state[0], g, weight, rest, work[1])
        squares = kit.plus_square(kit.scale(state[1], beta2), g, share, work[1])
        divisor = kit.root(kit.ratio(squares, correction, work[1]), work[1])
        divisor = kit.shift(divisor, eps)
        x = kit.plus_quotient(x, g, divisor, rate, work[2])
        return kit.plus_quotient(x, mean, divisor, ahead, work[2]), mean, squares


def momentum_at(group: Group, step: Any) -> Any:
    """The momentum of a step."""
    fading = WARMING ** (step * group["momentum_decay"])
    return group["betas"][0] * (1.0 - HALF * fading)
