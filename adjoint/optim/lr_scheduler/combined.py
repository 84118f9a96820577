"""Several schedules one after the other, or all at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from adjoint.optim.lr_scheduler.base import LRScheduler, assign, present
from adjoint.optim.lr_scheduler.plateau import ReduceLROnPlateau


class _Combined(LRScheduler):
    _schedulers: Any

    def state_dict(self) -> dict[str, Any]:
        """All attributes but the optimizer, and the state dicts of the schedules."""
        saved = super().state_dict()
        saved["_schedulers"] = [scheduler.state_dict() for scheduler in self._schedulers]
        return saved

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what ``state_dict()`` gave."""
        vars(self).update({k: v for k, v in state_dict.items() if k != "_schedulers"})
        for scheduler, saved in zip(self._schedulers, state_dict["_schedulers"], strict=False):
            scheduler.load_state_dict(saved)


class SequentialLR(_Combined):
    """One schedule until the first of the ``milestones``, the next until the second, and so on.

    Each begins at its milestone as if at epoch 0. Raises ``ValueError`` unless there is one
    schedule more than milestones, all of this optimizer and none a ``ReduceLROnPlateau``.

    >>> optimizer = torch.optim.SGD([torch.ones(1)], lr=1.0)
    >>> warm = torch.optim.lr_scheduler.ConstantLR(optimizer, factor=0.1)
    >>> fall = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.9)
    >>> scheduler = torch.optim.lr_scheduler.SequentialLR(optimizer, [warm, fall], milestones=[5])
    >>> scheduler.get_last_lr()
    [0.1]
    """

    def __init__(
        self,
        optimizer: Any,
        schedulers: list[Any],
        milestones: list[int],
        last_epoch: int = -1,
    ) -> None:
        _check(schedulers, optimizer)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                f"{len(schedulers)} schedules have {len(schedulers) - 1} milestones between them, "
                f"but got {len(milestones)}"
            )
        self._schedulers = schedulers
        self._milestones = milestones
        self.last_epoch = last_epoch + 1
        self.optimizer = optimizer
        # Every schedule has set the rate when it was made: begin again with the first alone.
        for group in optimizer.param_groups:
            assign(group, "lr", group["initial_lr"])
        self.recursive_undo()
        first = schedulers[bisect_right(milestones, 0)]
        first._initial_step()
        self._last_lr = first.get_last_lr()

    def recursive_undo(self, sched: Any = None) -> None:
        """Take back the epoch that each schedule has counted when it was made."""
        scheduler = self if sched is None else sched
        if hasattr(scheduler, "_schedulers"):
            for each in scheduler._schedulers:
                self.recursive_undo(each)
        elif hasattr(scheduler, "last_epoch"):
            scheduler.last_epoch -= 1

    def step(self) -> None:  # type: ignore[override]
        """Go to the next epoch of the schedule whose turn it is."""
        self.last_epoch += 1
        number = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[number]
        if number > 0 and self._milestones[number - 1] == self.last_epoch:
            scheduler._update_lr(0)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()


class ChainedScheduler(_Combined):
    """All schedules at every step, each going on from the rate that the one before has set.

    Raises ``ValueError`` for no schedules, several optimizers and a ``ReduceLROnPlateau``.

    >>> optimizer = torch.optim.SGD([torch.ones(1)], lr=1.0)
    >>> warm = torch.optim.lr_scheduler.ConstantLR(optimizer, factor=0.1)
    >>> fall = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.9)
    >>> scheduler = torch.optim.lr_scheduler.ChainedScheduler([warm, fall], optimizer)
    """

    def __init__(self, schedulers: Sequence[Any], optimizer: Any = None) -> None:
        if not schedulers:
            raise ValueError("ChainedScheduler needs at least one schedule")
        optimizer = optimizer or schedulers[0].optimizer
        _check(schedulers, optimizer)
        self._schedulers = schedulers
        self.optimizer = optimizer
        self._last_lr = present(optimizer, "lr")

    def step(self) -> None:  # type: ignore[override]
        """One step of every schedule, in order."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = present(self._schedulers[-1].optimizer, "lr")


def _check(schedulers: Sequence[Any], optimizer: Any) -> None:
    if not schedulers:
        raise ValueError("there is no schedule to combine")
    for number, scheduler in enumerate(schedulers):
        kind = type(scheduler).__name__
        if not hasattr(scheduler, "optimizer"):
            raise TypeError(f"number {number} is a {kind}, which has no optimizer: not a schedule")
        if isinstance(scheduler, ReduceLROnPlateau):
            raise ValueError(
                f"number {number} is a ReduceLROnPlateau, whose step() needs a value; step it "
                "by itself"
            )
        if scheduler.optimizer is not optimizer:
            raise ValueError(f"number {number}, a {kind}, schedules another optimizer")
