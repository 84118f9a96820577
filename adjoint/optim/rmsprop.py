"""RMSprop: gradients divided by the root of a running mean of their squares."""

from __future__ import annotations

from typing import Any, ClassVar

from adjoint.optim.checks import check_at_least_0, check_rate
from adjoint.optim.optimizer import Group
from adjoint.optim.stepping import Elementwise, Numbers, adjustments, both_ways


class RMSprop(Elementwise):
    """Divides each gradient by the root of a running mean of squares, ``alpha`` being its memory.

    ``centered`` divides by the standard deviation instead; ``momentum`` sums what results. Raises
    ``ValueError`` for negative options.

    >>> w = torch.ones(2, requires_grad=True)
    >>> optimizer = torch.optim.RMSprop([w], lr=0.01, momentum=0.9)
    """

    _late_options: ClassVar[dict[str, Any]] = {
        "momentum": 0, "centered": False, "foreach": None, "maximize": False,
        "differentiable": False, "capturable": False,
    }  # fmt: skip

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_rate(lr)
        check_at_least_0(eps, "eps")
        check_at_least_0(momentum, "momentum")
        check_at_least_0(weight_decay, "weight_decay")
        check_at_least_0(alpha, "alpha")
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "alpha": alpha,
                "eps": eps,
                "centered": centered,
                "weight_decay": weight_decay,
                "capturable": capturable,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
            },
        )

    def _names(self, group: Group) -> tuple[str, ...]:
        return (
            "square_avg",
            *(("momentum_buffer",) if group["momentum"] > 0 else ()),
            *(("grad_avg",) if group["centered"] else ()),
        )

    def _numbers(self, group: Group, step: Any) -> Numbers:
        alpha = group["alpha"]
        return (
            adjustments(group),
            alpha,
            *both_ways(1 - alpha),
            bool(group["centered"]),
            group["eps"],
            group["momentum"] if group["momentum"] > 0 else None,
            -group["lr"],
        )

    @staticmethod
    def _formula(kit: Any, numbers: Numbers, work: Any, x: Any, g: Any, *state: Any) -> Any:
        adjusted, alpha, share, rest, centered, eps, momentum, rate = numbers
        squares, *others = state
        if adjusted is not None:
            x, g = kit.adjust(x, g, adjusted, work[0])
        squares = kit.plus_square(kit.scale(squares, alpha), g, share, work[1])
        divisor = squares
        if centered:
            others[-1] = kit.toward(others[-1], g, share, rest, work[1])
            divisor = kit.variance(squares, others[-1], work[1])
        divisor = kit.shift(kit.root(divisor, work[1]), eps)
        if momentum is None:
            x = kit.plus_quotient(x, g, divisor, rate, work[2])
        else:
            others[0] = kit.plus_quotient(kit.scale(others[0], momentum), g, divisor, None, work[2])
            x = kit.plus(x, others[0], rate, work[2])
        return x, squares, *others
