"""Schedules that multiply the present rate by a factor, at some epochs or at all.

What the user or another schedule did to the rate in between is kept. ``_get_closed_form_lr`` is the
same schedule from the initial rate, for a jump to an epoch.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from typing import Any

from adjoint.optim.lr_scheduler.base import LRScheduler, Rates, present, warn_outside_step


class _ByFactor(LRScheduler):
    def _factor(self) -> Any:
        """What this epoch multiplies the rate by; None for nothing."""
        raise NotImplementedError

    def get_lr(self) -> Rates:
        """The rates at ``last_epoch``."""
        warn_outside_step(self)
        factor = self._factor()
        if factor is None:
            return present(self.optimizer, "lr")
        return [group["lr"] * factor for group in self.optimizer.param_groups]

    def _whole_factor(self) -> Any:
        """What all epochs up to this one multiply the initial rate by."""
        raise NotImplementedError

    def _get_closed_form_lr(self) -> Rates:
        return [base * self._whole_factor() for base in self.base_lrs]


class StepLR(_ByFactor):
    """Multiplies the rate by ``gamma`` every ``step_size`` epochs.

    >>> optimizer = torch.optim.SGD([torch.ones(1)], lr=1.0)
    >>> scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=30, gamma=0.1)
    """

    def __init__(
        self, optimizer: Any, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> Any:
        falls = self.last_epoch != 0 and self.last_epoch % self.step_size == 0
        return self.gamma if falls else None

    def _whole_factor(self) -> Any:
        return self.gamma ** (self.last_epoch // self.step_size)


class MultiStepLR(_ByFactor):
    """Multiplies the rate by ``gamma`` at each of the ``milestones``.

    >>> optimizer = torch.optim.SGD([torch.ones(1)], lr=1.0)
    >>> scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[30, 80])
    """

    def __init__(
        self, optimizer: Any, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones = Counter(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> Any:
        times = self.milestones.get(self.last_epoch)
        return None if times is None else self.gamma**times

    def _whole_factor(self) -> Any:
        return self.gamma ** bisect_right(sorted(self.milestones.elements()), self.last_epoch)


class ConstantLR(_ByFactor):
    """The rate times ``factor`` until ``total_iters``, and then the rate itself.

    Raises ``ValueError`` for a factor outside [0, 1].

    >>> optimizer = torch.optim.SGD([torch.ones(1)], lr=1.0)
    >>> torch.optim.lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=4).get_last_lr()
    [0.5]
    """

    def __init__(
        self,
        optimizer: Any,
        factor: float = 1.0 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if factor > 1.0 or factor < 0:
            raise ValueError(f"factor is between 0 and 1, but got {factor}")
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> Any:
        if self.last_epoch == 0:
            return self.factor
        return 1.0 / self.factor if self.last_epoch == self.total_iters else None

    def _whole_factor(self) -> Any:
        over = self.last_epoch >= self.total_iters
        return self.factor + over * (1 - self.factor)


class LinearLR(_ByFactor):
    """The rate times a factor that goes evenly from ``start_factor`` to ``end_factor``.

    Raises ``ValueError`` unless they are in (0, 1] and [0, 1].

    >>> optimizer = torch.optim.SGD([torch.ones(1)], lr=1.0)
    >>> torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.25).get_last_lr()
    [0.25]
    """

    def __init__(
        self,
        optimizer: Any,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if start_factor > 1.0 or start_factor <= 0:
            raise ValueError(f"start_factor is above 0 and at most 1, but got {start_factor}")
        if end_factor > 1.0 or end_factor < 0:
            raise ValueError(f"end_factor is between 0 and 1, but got {end_factor}")
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> Any:
        if self.last_epoch == 0:
            return self.start_factor
        if self._is_initial or self.last_epoch > self.total_iters:
            return None
        rise = self.end_factor - self.start_factor
        before = self.total_iters * self.start_factor + (self.last_epoch - 1) * rise
        return 1.0 + rise / before

    def _whole_factor(self) -> Any:
        rise = self.end_factor - self.start_factor
        passed = min(self.total_iters, self.last_epoch)
        return self.start_factor + rise * passed / self.total_iters


class ExponentialLR(_ByFactor):
    """Multiplies the rate by ``gamma`` at every epoch.

    >>> optimizer = torch.optim.SGD([torch.ones(1)], lr=1.0)
    >>> scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.9)
    """

    def __init__(self, optimizer: Any, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> Any:
        return None if self._is_initial else self.gamma

    def _whole_factor(self) -> Any:
        return self.gamma**self.last_epoch


class PolynomialLR(_ByFactor):
    """The rate times the remaining share of ``total_iters``, to the given power.

    >>> optimizer = torch.optim.SGD([torch.ones(1)], lr=1.0)
    >>> scheduler = torch.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=4, power=2.0)
    """

    def __init__(
        self, optimizer: Any, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1
    ) -> None:
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def _remaining(self, epoch: int) -> float:
        return 1.0 - epoch / self.total_iters

    def _factor(self) -> Any:
        if self._is_initial or self.last_epoch > self.total_iters:
            return None
        ratio = self._remaining(self.last_epoch) / self._remaining(self.last_epoch - 1)
        return ratio**self.power

    def _whole_factor(self) -> Any:
        return self._remaining(min(self.total_iters, self.last_epoch)) ** self.power
