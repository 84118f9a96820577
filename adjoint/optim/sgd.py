"""Stochastic gradient descent, with momentum."""

from __future__ import annotations

from typing import Any, ClassVar

from adjoint.optim.checks import check_at_least_0, check_rate, check_ways
from adjoint.optim.optimizer import Group
from adjoint.optim.stepping import Elementwise, Numbers, adjustments, zeros_like


class SGD(Elementwise):
    """Goes against the gradient, or a running sum of gradients: the momentum.

    The sum is ``momentum * sum + (1 - dampening) * gradient``, beginning with the first gradient;
    ``nesterov`` looks ahead by one more. With ``differentiable`` the first gradient keeps its
    history there, which PyTorch drops. Raises ``ValueError`` for negative options, and for
    ``nesterov`` without momentum or with dampening.

    >>> w = torch.ones(2, requires_grad=True)
    >>> optimizer = torch.optim.SGD([w], lr=0.1, momentum=0.9)
    """

    _late_options: ClassVar[dict[str, Any]] = {
        "nesterov": False, "maximize": False, "foreach": None, "differentiable": False,
        "fused": False,
    }  # fmt: skip

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: Any = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_rate(lr)
        check_at_least_0(momentum, "momentum")
        check_at_least_0(weight_decay, "weight_decay")
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError(
                "nesterov needs momentum above 0 and no dampening, but got "
                f"momentum={momentum} and dampening={dampening}"
            )
        check_ways(foreach, fused, differentiable)
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "dampening": dampening,
                "weight_decay": weight_decay,
                "nesterov": nesterov,
                "maximize": maximize,
                "foreach": foreach,
                "differentiable": differentiable,
                "fused": fused,
            },
        )

    def _names(self, group: Group) -> tuple[str, ...]:
        return () if group["momentum"] == 0 else ("momentum_buffer",)

    def _begin(self, group: Group, param: Any, state: dict[str, Any]) -> Any:
        """Whether this is the first step with momentum; there is nothing to count."""
        if group["momentum"] == 0 or state.get("momentum_buffer") is not None:
            return False
        state["momentum_buffer"] = zeros_like(param)
        return True

    def _numbers(self, group: Group, step: Any) -> Numbers:
        momentum, dampening = group["momentum"], group["dampening"]
        return (
            adjustments(group),
            None if momentum == 0 else momentum,
            None if step or dampening == 0 else 1 - dampening,
            bool(group["nesterov"]),
            -group["lr"],
        )

    @staticmethod
    def _formula(kit: Any, numbers: Numbers, work: Any, x: Any, g: Any, *state: Any) -> Any:
        adjusted, momentum, share, nesterov, rate = numbers
        if adjusted is not None:
            x, g = kit.adjust(x, g, adjusted, work[0])
        if momentum is None:
            return (kit.plus(x, g, rate, work[1]),)
        total = kit.plus(kit.scale(state[0], momentum), g, share, work[1])
        ahead = kit.sum_of(g, total, momentum, work[1]) if nesterov else total
        return kit.plus(x, ahead, rate, work[0]), total
