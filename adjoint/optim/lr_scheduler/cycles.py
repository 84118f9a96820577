"""CyclicLR: the rate goes up and down between two bounds."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from adjoint.optim.lr_scheduler.base import (
    LRScheduler,
    Rates,
    assign,
    for_each_group,
    require_optimizer,
    saved_function,
    warn_outside_step,
)

Scale = Callable[[Any], Any]


def _constant(cycle: Any) -> Any:
    return 1.0


def _halving(cycle: Any) -> Any:
    return 1 / (2.0 ** (cycle - 1))


def _fading(gamma: Any, iteration: Any) -> Any:
    return gamma**iteration


class CyclicLR(LRScheduler):
    """From ``base_lr`` up to ``max_lr`` in ``step_size_up`` steps and down again, over and over.

    ``mode`` keeps the height ("triangular"), halves it with each cycle ("triangular2") or fades it
    by ``gamma`` with each step ("exp_range"); ``scale_fn`` of the cycle or the iteration
    (``scale_mode``) replaces it. The momentum goes the other way unless ``cycle_momentum=False``.
    Raises ``ValueError`` for an unknown mode, and for an optimizer without momentum.

    >>> optimizer = torch.optim.SGD([torch.ones(1)], lr=0.1, momentum=0.9)
    >>> scheduler = torch.optim.lr_scheduler.CyclicLR(optimizer, base_lr=0.01, max_lr=0.1)
    """

    def __init__(
        self,
        optimizer: Any,
        base_lr: Any,
        max_lr: Any,
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Scale | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: Any = 0.8,
        max_momentum: Any = 0.9,
        last_epoch: int = -1,
    ) -> None:
        require_optimizer(optimizer)
        if scale_fn is None and mode not in ("triangular", "triangular2", "exp_range"):
            raise ValueError(
                f"mode is 'triangular', 'triangular2' or 'exp_range', but got {mode!r}; or give "
                "scale_fn"
            )
        base_lrs = for_each_group("base_lr", optimizer, base_lr)
        self.max_lrs = for_each_group("max_lr", optimizer, max_lr)
        self.optimizer = optimizer
        up = float(step_size_up)
        down = up if step_size_down is None else float(step_size_down)
        self.total_size = up + down
        self.step_ratio = up / self.total_size
        self.mode = mode
        self.gamma = gamma
        self._scale_fn_custom = scale_fn
        self.scale_mode = scale_mode
        self._choose_scale()
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.use_beta1 = uses_beta1(optimizer)
            self.base_momentums = for_each_group("base_momentum", optimizer, base_momentum)
            self.max_momentums = for_each_group("max_momentum", optimizer, max_momentum)
        if last_epoch == -1:
            for lr, group in zip(base_lrs, optimizer.param_groups, strict=True):
                assign(group, "lr", lr)
            if cycle_momentum:
                begin_momentum(self, self.max_momentums, self.base_momentums)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def _choose_scale(self) -> None:
        if self._scale_fn_custom is not None:
            return
        self.scale_mode = "iterations" if self.mode == "exp_range" else "cycle"
        scales: dict[str, Scale] = {
            "triangular": _constant,
            "triangular2": _halving,
            "exp_range": partial(_fading, self.gamma),
        }
        self._scale_fn_ref = scales[self.mode]

    def scale_fn(self, x: Any) -> Any:
        """What the height is multiplied by, in cycle or iteration ``x``."""
        custom = self._scale_fn_custom
        return self._scale_fn_ref(x) if custom is None else custom(x)

    def get_lr(self) -> Rates:
        """The rates at ``last_epoch``; sets the momentum besides."""
        warn_outside_step(self)
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        place = 1.0 + self.last_epoch / self.total_size - cycle
        if place <= self.step_ratio:
            height = place / self.step_ratio
        else:
            height = (place - 1) / (self.step_ratio - 1)
        scale = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            bounds = zip(self.base_momentums, self.max_momentums, strict=True)
            momenta = [high - (high - low) * height * scale for low, high in bounds]
            for group, momentum in zip(self.optimizer.param_groups, momenta, strict=True):
                set_momentum(group, momentum, self.use_beta1)
        return [
            low + (high - low) * height * scale
            for low, high in zip(self.base_lrs, self.max_lrs, strict=True)
        ]

    def state_dict(self) -> dict[str, Any]:
        """All attributes but the optimizer; of ``scale_fn`` only the attributes of an object."""
        saved = super().state_dict()
        saved.pop("_scale_fn_ref", None)
        custom = saved.pop("_scale_fn_custom")
        saved["_scale_fn_custom"] = None if custom is None else saved_function(custom)
        return saved

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what ``state_dict()`` gave; a plain ``scale_fn`` stays this schedule's."""
        saved = dict(state_dict)
        custom = saved.pop("_scale_fn_custom")
        super().load_state_dict(saved)
        if custom is not None:
            vars(self._scale_fn_custom).update(custom)
        self._choose_scale()


def uses_beta1(optimizer: Any) -> bool:
    """Whether the momentum is the first beta; ``ValueError`` where there is no momentum at all."""
    if "betas" in optimizer.defaults:
        return True
    if "momentum" not in optimizer.defaults:
        raise ValueError(
            f"{type(optimizer).__name__} has neither momentum nor betas to change; pass "
            "cycle_momentum=False"
        )
    return False


def set_momentum(group: dict[str, Any], momentum: Any, use_beta1: bool) -> None:
    """Set a group's momentum, or its first beta."""
    if use_beta1:
        group["betas"] = (momentum, *group["betas"][1:])
    else:
        group["momentum"] = momentum


def begin_momentum(scheduler: Any, highest: list[Any], lowest: list[Any]) -> None:
    """Begin with the highest momentum, and note both bounds in the groups."""
    groups = scheduler.optimizer.param_groups
    for high, low, group in zip(highest, lowest, groups, strict=True):
        set_momentum(group, high, scheduler.use_beta1)
        group["max_momentum"] = high
        group["base_momentum"] = low
