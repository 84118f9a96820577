"""OneCycleLR: up to a high rate, and down to a very low one."""

from __future__ import annotations

import math
from typing import Any

from adjoint.optim.lr_scheduler.base import (
    LRScheduler,
    Rates,
    for_each_group,
    require_optimizer,
    warn_outside_step,
)
from adjoint.optim.lr_scheduler.cycles import begin_momentum, set_momentum, uses_beta1


class OneCycleLR(LRScheduler):
    """One cycle: the rate rises to ``max_lr`` in ``pct_start`` of all steps, and then falls.

    It begins at ``max_lr / div_factor`` and ends ``final_div_factor`` times lower still, in
    ``total_steps`` or ``epochs * steps_per_epoch``; ``three_phase`` comes down as it went up
    before. The momentum goes the other way unless ``cycle_momentum=False``. Raises ``ValueError``
    for missing or bad options, and when stepped beyond the last step.

    >>> optimizer = torch.optim.SGD([torch.ones(1)], lr=0.1, momentum=0.9)
    >>> scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=100)
    >>> optimizer.param_groups[0]["min_lr"]
    4e-07
    """

    def __init__(
        self,
        optimizer: Any,
        max_lr: Any,
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: Any = 0.85,
        max_momentum: Any = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        require_optimizer(optimizer)
        self.optimizer = optimizer
        self.total_steps = _count_steps(total_steps, epochs, steps_per_epoch)
        if not isinstance(pct_start, float) or not 0 <= pct_start <= 1:
            raise ValueError(f"pct_start is a float between 0 and 1, but got {pct_start!r}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy is 'cos' or 'linear', but got {anneal_strategy!r}")
        self._schedule_phases = _phases(pct_start, self.total_steps, three_phase)
        self._anneal_func_type = anneal_strategy
        highest = for_each_group("max_lr", optimizer, max_lr)
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.use_beta1 = uses_beta1(optimizer)
            highest_momenta = for_each_group("max_momentum", optimizer, max_momentum)
            lowest_momenta = for_each_group("base_momentum", optimizer, base_momentum)
        if last_epoch == -1:
            for high, group in zip(highest, optimizer.param_groups, strict=True):
                group["initial_lr"] = high / div_factor
                group["max_lr"] = high
                group["min_lr"] = group["initial_lr"] / final_div_factor
            if cycle_momentum:
                begin_momentum(self, highest_momenta, lowest_momenta)
        super().__init__(optimizer, last_epoch)

    def _between(self, start: Any, end: Any, share: float) -> Any:
        """A value on the way from ``start`` to ``end``."""
        if self._anneal_func_type == "linear":
            return (end - start) * share + start
        return end + (start - end) / 2.0 * (math.cos(math.pi * share) + 1)

    def get_lr(self) -> Rates:
        """The rates at ``last_epoch``; sets the momentum besides."""
        warn_outside_step(self)
        step = self.last_epoch
        if step > self.total_steps:
            raise ValueError(f"step {step} of a schedule of {self.total_steps} steps")
        begin: Any = 0.0
        for phase in self._schedule_phases:
            end = phase["end_step"]
            if step <= end:
                break
            begin = end
        else:
            begin = self._schedule_phases[-2]["end_step"]
        share = (step - begin) / (end - begin)
        rates = []
        for group in self.optimizer.param_groups:
            rates.append(self._between(group[phase["start_lr"]], group[phase["end_lr"]], share))
            if self.cycle_momentum:
                start, goal = group[phase["start_momentum"]], group[phase["end_momentum"]]
                set_momentum(group, self._between(start, goal, share), self.use_beta1)
        return rates


def _count_steps(total: Any, epochs: Any, steps_per_epoch: Any) -> int:
    if total is None and (epochs is None or steps_per_epoch is None):
        raise ValueError("give total_steps, or both epochs and steps_per_epoch")
    if total is not None:
        given = {"total_steps": total}
    else:
        given = {"epochs": epochs, "steps_per_epoch": steps_per_epoch}
    for name, value in given.items():
        if not isinstance(value, int) or value <= 0:
            raise ValueError(f"{name} is a positive integer, but got {value!r}")
    return math.prod(given.values())


def _phases(rise: float, steps: int, three: bool) -> list[dict[str, Any]]:
    """Where each phase ends, and between which of the group's values it goes."""

    def phase(end: float, lr: tuple[str, str], momentum: tuple[str, str]) -> dict[str, Any]:
        return {
            "end_step": end,
            "start_lr": lr[0],
            "end_lr": lr[1],
            "start_momentum": momentum[0],
            "end_momentum": momentum[1],
        }

    high, low = "max_momentum", "base_momentum"
    up = phase(float(rise * steps) - 1, ("initial_lr", "max_lr"), (high, low))
    if not three:
        return [up, phase(steps - 1, ("max_lr", "min_lr"), (low, high))]
    return [
        up,
        phase(float(2 * rise * steps) - 2, ("max_lr", "initial_lr"), (low, high)),
        phase(steps - 1, ("initial_lr", "min_lr"), (high, high)),
    ]
