"""Adam and AdamW: steps of a size that the gradients' own running scale sets."""

from __future__ import annotations

from typing import Any, ClassVar

from adjoint.optim.checks import (
    check_at_least_0,
    check_betas,
    check_rate,
    check_tensor_options,
    check_ways,
    scalar,
)
from adjoint.optim.optimizer import Group
from adjoint.optim.stepping import Elementwise, Numbers, adjustments, both_ways


class Adam(Elementwise):
    """Divides a running mean of gradients by the root of a running mean of their squares.

    ``betas`` weigh the past in the two means, which are corrected for beginning at zero;
    ``amsgrad`` divides by the largest mean of squares so far; ``decoupled_weight_decay`` shrinks
    the parameter itself, as AdamW does. Raises ``ValueError`` for options out of range.

    >>> w = torch.ones(2, requires_grad=True)
    >>> optimizer = torch.optim.Adam([w], lr=0.001, betas=(0.9, 0.999))
    """

    _late_options: ClassVar[dict[str, Any]] = {
        "amsgrad": False, "maximize": False, "foreach": None, "capturable": False,
        "differentiable": False, "decoupled_weight_decay": False, "fused": None,
    }  # fmt: skip

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[Any, Any] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        check_tensor_options(lr, betas, foreach, capturable)
        check_rate(lr)
        check_at_least_0(eps, "eps")
        check_betas(betas)
        check_at_least_0(weight_decay, "weight_decay")
        check_ways(foreach, fused, differentiable)
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": tuple(scalar(beta) for beta in betas),
                "eps": eps,
                "weight_decay": weight_decay,
                "amsgrad": amsgrad,
                "maximize": maximize,
                "foreach": foreach,
                "capturable": capturable,
                "differentiable": differentiable,
                "fused": fused,
                "decoupled_weight_decay": decoupled_weight_decay,
            },
        )

    def _names(self, group: Group) -> tuple[str, ...]:
        means = ("exp_avg", "exp_avg_sq")
        return (*means, "max_exp_avg_sq") if group["amsgrad"] else means

    def _numbers(self, group: Group, step: Any) -> Numbers:
        lr, (beta1, beta2) = group["lr"], group["betas"]
        return (
            adjustments(group),
            *both_ways(1 - beta1),
            beta2,
            1 - beta2,
            (1 - beta2**step) ** 0.5,
            group["eps"],
            -(lr / (1 - beta1**step)),
        )

    @staticmethod
    def _formula(kit: Any, numbers: Numbers, work: Any, x: Any, g: Any, *state: Any) -> Any:
        adjusted, weight, rest, beta2, share, correction, eps, rate = numbers
        mean, squares, *largest = state
        if adjusted is not None:
            x, g = kit.adjust(x, g, adjusted, work[0])
        mean = kit.toward(mean, g, weight, rest, work[1])
        squares = kit.plus_square(kit.scale(squares, beta2), g, share, work[1])
        divisor = squares
        if largest:
            divisor = largest[0] = kit.larger(largest[0], squares)
        divisor = kit.over(kit.root(divisor, work[1]), correction)
        x = kit.plus_quotient(x, mean, kit.shift(divisor, eps), rate, work[2])
        return x, mean, squares, *largest


class AdamW(Adam):
    """Adam that shrinks each parameter by ``lr * weight_decay`` of itself at every step.

    Raises ``ValueError`` for options out of range.

    >>> w = torch.ones(2, requires_grad=True)
    >>> optimizer = torch.optim.AdamW([w], lr=0.001, weight_decay=0.01)
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[Any, Any] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True
