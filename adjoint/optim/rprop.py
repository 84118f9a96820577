"""Rprop: steps whose size follows the signs of the gradients, and not their sizes."""

from __future__ import annotations

from typing import Any, ClassVar

from adjoint.optim.checks import check_rate
from adjoint.optim.optimizer import Group
from adjoint.optim.stepping import Elementwise, Numbers, count_of_steps, full_like, zeros_like


class Rprop(Elementwise):
    """Grows each element's step by ``etas[1]`` while its gradient keeps its sign.

    When the sign turns, the step shrinks by ``etas[0]`` and the element waits. Steps begin with
    ``lr`` and stay within ``step_sizes``. Raises ``ValueError`` for options out of range.

    >>> w = torch.ones(2, requires_grad=True)
    >>> optimizer = torch.optim.Rprop([w], lr=0.01)
    """

    _late_options: ClassVar[dict[str, Any]] = {
        "foreach": None, "maximize": False, "differentiable": False, "capturable": False,
    }  # fmt: skip

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_rate(lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"one of etas is between 0 and 1 and the other above, but got {etas}")
        super().__init__(
            params,
            {
                "lr": lr,
                "etas": etas,
                "step_sizes": step_sizes,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
                "capturable": capturable,
            },
        )

    def _names(self, group: Group) -> tuple[str, ...]:
        return "prev", "step_size"

    def _start(self, group: Group, param: Any) -> dict[str, Any]:
        return {
            "step": count_of_steps(),
            "prev": zeros_like(param),
            "step_size": full_like(param, group["lr"]),
        }

    def _numbers(self, group: Group, step: Any) -> Numbers:
        return bool(group["maximize"]), *group["etas"], *group["step_sizes"]

    @staticmethod
    def _formula(kit: Any, numbers: Numbers, work: Any, x: Any, g: Any, *state: Any) -> Any:
        maximize, shrink, grow, least, most = numbers
        if maximize:
            x, g = kit.adjust(x, g, (True, None, None), work[0])
        before, size = state
        agreement = kit.product(before, g, work[1])
        size = kit.resized(size, agreement, shrink, grow, least, most)
        before = kit.unless_turned(before, g, agreement)
        step = kit.product(kit.sign(before, work[1]), size, work[1])
        return kit.difference(x, step), before, size
