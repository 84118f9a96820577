"""Adadelta: steps in the parameter's own unit, from running means of squares of both."""

from __future__ import annotations

from typing import Any, ClassVar

from adjoint.optim.checks import check_at_least_0, check_rate
from adjoint.optim.optimizer import Group
from adjoint.optim.stepping import Elementwise, Numbers, adjustments


class Adadelta(Elementwise):
    """Multiplies each gradient by the ratio of the running sizes of past steps and gradients.

    ``rho`` is the memory of both means. Raises ``ValueError`` for options out of range.

    >>> w = torch.ones(2, requires_grad=True)
    >>> optimizer = torch.optim.Adadelta([w], rho=0.9)
    """

    _late_options: ClassVar[dict[str, Any]] = {
        "foreach": None, "maximize": False, "differentiable": False, "capturable": False,
    }  # fmt: skip

    def __init__(
        self,
        params: Any,
        lr: Any = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_rate(lr)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"rho is between 0 and 1, but got {rho}")
        check_at_least_0(eps, "eps")
        check_at_least_0(weight_decay, "weight_decay")
        super().__init__(
            params,
            {
                "lr": lr,
                "rho": rho,
                "eps": eps,
                "weight_decay": weight_decay,
                "maximize": maximize,
                "capturable": capturable,
                "foreach": foreach,
                "differentiable": differentiable,
            },
        )

    def _names(self, group: Group) -> tuple[str, ...]:
        return "square_avg", "acc_delta"

    def _numbers(self, group: Group, step: Any) -> Numbers:
        rho = group["rho"]
        return adjustments(group), rho, 1 - rho, group["eps"], -group["lr"]

    @staticmethod
    def _formula(kit: Any, numbers: Numbers, work: Any, x: Any, g: Any, *state: Any) -> Any:
        adjusted, rho, share, eps, rate = numbers
        if adjusted is not None:
            x, g = kit.adjust(x, g, adjusted, work[0])
        squares = kit.plus_square(kit.scale(state[0], rho), g, share, work[1])
        size = kit.root_above(squares, eps, work[1])
        delta = kit.ratio(kit.root_above(state[1], eps, work[2]), size, work[2])
        delta = kit.product(delta, g, work[2])
        deltas = kit.plus_square(kit.scale(state[1], rho), delta, share, work[1])
        return kit.plus(x, delta, rate, work[1]), squares, deltas
