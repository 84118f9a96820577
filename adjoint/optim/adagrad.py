"""Adagrad: gradients divided by the root of the sum of all their squares."""

from __future__ import annotations

from typing import Any, ClassVar

from adjoint.optim.checks import check_at_least_0, check_rate, check_ways
from adjoint.optim.optimizer import Group
from adjoint.optim.stepping import Elementwise, Numbers, adjustments, count_of_steps, full_like


class Adagrad(Elementwise):
    """Divides each gradient by the root of the sum of the squares so far, so that steps shrink.

    ``lr_decay`` shrinks the rate besides; the sum begins at ``initial_accumulator_value``. Raises
    ``ValueError`` for negative options.

    >>> w = torch.ones(2, requires_grad=True)
    >>> optimizer = torch.optim.Adagrad([w], lr=0.01)
    """

    _late_options: ClassVar[dict[str, Any]] = {
        "foreach": None, "maximize": False, "differentiable": False, "fused": None,
    }  # fmt: skip

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_rate(lr)
        check_at_least_0(lr_decay, "lr_decay")
        check_at_least_0(weight_decay, "weight_decay")
        check_at_least_0(initial_accumulator_value, "initial_accumulator_value")
        check_at_least_0(eps, "eps")
        check_ways(foreach, fused, differentiable)
        super().__init__(
            params,
            {
                "lr": lr,
                "lr_decay": lr_decay,
                "eps": eps,
                "weight_decay": weight_decay,
                "initial_accumulator_value": initial_accumulator_value,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
                "fused": fused,
            },
        )
        for group in self.param_groups:  # PyTorch makes this state at once, before any gradient
            for param in group["params"]:
                self.state[param] = self._start(group, param)

    def _names(self, group: Group) -> tuple[str, ...]:
        return ("sum",)

    def _start(self, group: Group, param: Any) -> dict[str, Any]:
        start = group["initial_accumulator_value"]
        return {"step": count_of_steps(), "sum": full_like(param, start)}

    def _numbers(self, group: Group, step: Any) -> Numbers:
        rate = group["lr"] / (1 + (step - 1) * group["lr_decay"])
        return adjustments(group), group["eps"], -rate

    @staticmethod
    def _formula(kit: Any, numbers: Numbers, work: Any, x: Any, g: Any, *state: Any) -> Any:
        adjusted, eps, rate = numbers
        if adjusted is not None:
            x, g = kit.adjust(x, g, adjusted, work[0])
        squares = kit.plus_square(state[0], g, None, work[1])
        divisor = kit.shift(kit.root(squares, work[1]), eps)
        return kit.plus_quotient(x, g, divisor, rate, work[2]), squares
