"""ASGD: gradient descent that keeps the mean of where it has been."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from adjoint import dtypes
from adjoint.optim.checks import check_at_least_0, check_rate
from adjoint.optim.optimizer import Group
from adjoint.optim.stepping import (
    Elementwise,
    Numbers,
    adjustments,
    as_number,
    count_of_steps,
    zeros_like,
)


class ASGD(Elementwise):
    """Gradient descent with a falling rate; "ax" in its state is the mean place from ``t0`` on.

    The rate falls as ``lr / (1 + lambd * lr * step) ** alpha``, and ``lambd`` shrinks the
    parameters. Raises ``ValueError`` for a negative rate or decay.

    >>> w = torch.ones(2, requires_grad=True)
    >>> optimizer = torch.optim.ASGD([w], lr=0.01)
    """

    _late_options: ClassVar[dict[str, Any]] = {
        "foreach": None, "maximize": False, "differentiable": False, "capturable": False,
    }  # fmt: skip

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_rate(lr)
        check_at_least_0(weight_decay, "weight_decay")
        super().__init__(
            params,
            {
                "lr": lr,
                "lambd": lambd,
                "alpha": alpha,
                "t0": t0,
                "weight_decay": weight_decay,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
                "capturable": capturable,
            },
        )

    def _names(self, group: Group) -> tuple[str, ...]:
        return ("ax",)

    def _start(self, group: Group, param: Any) -> dict[str, Any]:
        return {
            "step": count_of_steps(),
            "eta": count_of_steps(as_number(group["lr"])),
            "mu": count_of_steps(1.0),
            "ax": zeros_like(param),
        }

    def _begin(self, group: Group, param: Any, state: dict[str, Any]) -> Any:
        """The rate and the share of the mean for this step; those of the next are stored."""
        step = super()._begin(group, param, state)
        eta, mu = state["eta"], state["mu"]
        now = as_number(eta), as_number(mu)
        lr = as_number(group["lr"])
        # Rounded to the default type, as PyTorch does, also where the state was loaded as float64.
        kind = dtypes.get_default_dtype().numpy
        rate = lr / (1 + group["lambd"] * lr * step) ** group["alpha"]
        np.copyto(eta._array, np.array(rate, kind))
        np.copyto(mu._array, np.array(1 / max(1, step - group["t0"]), kind))
        return now

    def _numbers(self, group: Group, step: Any) -> Numbers:
        eta, mu = step
        return adjustments(group), 1 - group["lambd"] * eta, -eta, None if mu == 1 else mu

    @staticmethod
    def _formula(kit: Any, numbers: Numbers, work: Any, x: Any, g: Any, *state: Any) -> Any:
        adjusted, shrink, rate, share = numbers
        if adjusted is not None:
            x, g = kit.adjust(x, g, adjusted, work[0])
        x = kit.plus(kit.scale(x, shrink), g, rate, work[1])
        if share is None:
            return x, kit.copy_of(x, state[0])
        return x, kit.toward(state[0], x, share, None, work[1])
