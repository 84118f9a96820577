"""RAdam: Adam that takes plain steps until its mean of squares is worth dividing by."""

from __future__ import annotations

from typing import Any, ClassVar

from adjoint.optim.checks import check_at_least_0, check_betas, check_rate
from adjoint.optim.optimizer import Group
from adjoint.optim.stepping import Elementwise, Numbers, adjustments, both_ways

# The mean of squares counts as many gradients; up to this many its variance is not finite enough.
FEWEST = 5.0


class RAdam(Elementwise):
    """Adam with a step rectified by how many gradients its mean of squares rests on.

    Raises ``ValueError`` for options out of range.

    >>> w = torch.ones(2, requires_grad=True)
    >>> optimizer = torch.optim.RAdam([w], lr=0.001)
    """

    _late_options: ClassVar[dict[str, Any]] = {
        "foreach": None, "maximize": False, "differentiable": False,
        "decoupled_weight_decay": False, "capturable": False,
    }  # fmt: skip

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
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
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "maximize": maximize,
                "foreach": foreach,
                "capturable": capturable,
                "decoupled_weight_decay": decoupled_weight_decay,
                "differentiable": differentiable,
            },
        )

    def _names(self, group: Group) -> tuple[str, ...]:
        return "exp_avg", "exp_avg_sq"

    def _numbers(self, group: Group, step: Any) -> Numbers:
        lr, (beta1, beta2) = group["lr"], group["betas"]
        rate = -lr / (1 - beta1**step)
        correction = 1 - beta2**step
        most = 2 / (1 - beta2) - 1
        length = most - 2 * step * beta2**step / correction
        eps = None
        if length > FEWEST:
            eps = group["eps"]
            rectified = (length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length)
            rate = rate * (rectified * correction) ** 0.5
        return adjustments(group), *both_ways(1 - beta1), beta2, 1 - beta2, eps, rate

    @staticmethod
    def _formula(kit: Any, numbers: Numbers, work: Any, x: Any, g: Any, *state: Any) -> Any:
        adjusted, weight, rest, beta2, share, eps, rate = numbers
        if adjusted is not None:
            x, g = kit.adjust(x, g, adjusted, work[0])
        mean = kit.toward(state[0], g, weight, rest, work[1])
        squares = kit.plus_square(kit.scale(state[1], beta2), g, share, work[1])
        if eps is None:
            return kit.plus(x, mean, rate, work[1]), mean, squares
        divisor = kit.shift(kit.root(squares, work[1]), eps)
        return kit.plus_quotient(x, mean, divisor, rate, work[2]), mean, squares
