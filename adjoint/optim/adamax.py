"""Adamax: Adam with the largest recent gradient in the place of the mean of squares."""

from __future__ import annotations

from typing import Any, ClassVar

from adjoint.optim.checks import check_at_least_0, check_betas, check_rate
from adjoint.optim.optimizer import Group
from adjoint.optim.stepping import Elementwise, Numbers, adjustments, both_ways


class Adamax(Elementwise):
    """Divides a running mean of gradients by their largest size, which fades by ``betas[1]``.

    Raises ``ValueError`` for options out of range.

    >>> w = torch.ones(2, requires_grad=True)
    >>> optimizer = torch.optim.Adamax([w], lr=0.002)
    """

    _late_options: ClassVar[dict[str, Any]] = {
        "foreach": None, "maximize": False, "differentiable": False, "capturable": False,
    }  # fmt: skip

    def __init__(
        self,
        params: Any,
        lr: Any = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_rate(lr)
        check_at_least_0(eps, "eps")
        check_betas(betas)
        check_at_least_0(weight_decay, "weight_decay")
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
                "capturable": capturable,
            },
        )

    def _names(self, group: Group) -> tuple[str, ...]:
        return "exp_avg", "exp_inf"

    def _numbers(self, group: Group, step: Any) -> Numbers:
        beta1, beta2 = group["betas"]
        return (
            adjustments(group),
            *both_ways(1 - beta1),
            beta2,
            group["eps"],
            -(group["lr"] / (1 - beta1**step)),
        )

    @staticmethod
    def _formula(kit: Any, numbers: Numbers, work: Any, x: Any, g: Any, *state: Any) -> Any:
        adjusted, weight, rest, beta2, eps, rate = numbers
        if adjusted is not None:
            x, g = kit.adjust(x, g, adjusted, work[0])
        mean = kit.toward(state[0], g, weight, rest, work[1])
        size = kit.magnitude_above(g, eps, work[1])
        largest = kit.larger(kit.scale(state[1], beta2), size)
        return kit.plus_quotient(x, mean, largest, rate, work[1]), mean, largest
