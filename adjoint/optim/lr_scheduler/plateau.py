"""ReduceLROnPlateau: a lower rate when a measured value stops improving."""

from __future__ import annotations

import math
from typing import Any, SupportsFloat

from adjoint.optim.lr_scheduler.base import (
    LRScheduler,
    assign,
    present,
    require_optimizer,
    warn_of_epoch,
)


class ReduceLROnPlateau(LRScheduler):
    """Multiplies the rate by ``factor`` when ``step(value)`` saw no improvement for a while.

    ``patience`` epochs may pass without, and ``cooldown`` more after each reduction; an
    improvement is a change of ``threshold``, relative ("rel") or absolute ("abs"), downward
    ("min") or upward ("max"). Raises ``ValueError`` for a factor of 1 or more, unknown modes and
    as many ``min_lr`` as there are not groups, ``TypeError`` for what is not an Optimizer.

    >>> optimizer = torch.optim.SGD([torch.ones(1)], lr=0.5)
    >>> scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0)
    >>> scheduler.step(1.0), scheduler.step(1.0), scheduler.get_last_lr()
    (None, None, [0.05])
    """

    def __init__(
        self,
        optimizer: Any,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: Any = 0,
        eps: float = 1e-8,
    ) -> None:
        if factor >= 1.0:
            raise ValueError(f"factor is below 1, so that the rate falls, but got {factor}")
        require_optimizer(optimizer)
        groups = len(optimizer.param_groups)
        several = isinstance(min_lr, (list, tuple))
        if several and len(min_lr) != groups:
            raise ValueError(f"{groups} parameter groups need as many min_lr, not {len(min_lr)}")
        self.factor = factor
        self.optimizer = optimizer
        self.default_min_lr = None if several else min_lr
        self.min_lrs = list(min_lr) if several else [min_lr] * groups
        self.patience = patience
        self.cooldown = cooldown
        self.eps = eps
        self.last_epoch = 0
        self._last_lr = present(optimizer, "lr")
        self._choose(mode, threshold, threshold_mode)
        self._reset()

    def _choose(self, mode: str, threshold: float, threshold_mode: str) -> None:
        if mode not in ("min", "max"):
            raise ValueError(f"mode is 'min' or 'max', but got {mode!r}")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"threshold_mode is 'rel' or 'abs', but got {threshold_mode!r}")
        self.mode_worse = math.inf if mode == "min" else -math.inf
        self.mode = mode
        self.threshold = threshold
        self.threshold_mode = threshold_mode

    def _reset(self) -> None:
        """Forget the best value and all counts."""
        self.best = self.mode_worse
        self.cooldown_counter = 0
        self.num_bad_epochs = 0

    @property
    def in_cooldown(self) -> bool:
        """Whether epochs are not counted yet after a reduction."""
        return self.cooldown_counter > 0

    def _is_better(self, value: float) -> bool:
        down = self.mode == "min"
        if self.threshold_mode == "rel":
            bound = self.best * (1.0 - self.threshold if down else self.threshold + 1.0)
        else:
            bound = self.best - self.threshold if down else self.best + self.threshold
        return value < bound if down else value > bound

    def step(self, metrics: SupportsFloat, epoch: Any = None) -> None:  # type: ignore[override]
        """Take in the value of an epoch, and lower the rates if it is time to."""
        value = float(metrics)
        if epoch is not None:
            warn_of_epoch()
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self._is_better(value):
            self.best = value
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._last_lr = present(self.optimizer, "lr")

    def _reduce(self) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):
            if self.default_min_lr is None:
                raise RuntimeError(
                    f"the optimizer has {len(groups)} parameter groups now, and min_lr was given "
                    f"for {len(self.min_lrs)}; extend scheduler.min_lrs"
                )
            self.min_lrs = [self.default_min_lr] * len(groups)
        for group, least in zip(groups, self.min_lrs, strict=True):
            before = float(group["lr"])
            after = max(before * self.factor, least)
            if before - after > self.eps:
                assign(group, "lr", after)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what ``state_dict()`` gave."""
        vars(self).update(state_dict)
        self._choose(self.mode, self.threshold, self.threshold_mode)
