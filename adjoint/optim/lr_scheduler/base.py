"""The base of all schedules of learning rates."""

from __future__ import annotations

import types
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from adjoint.optim.checks import scalar
from adjoint.optim.optimizer import Optimizer
from adjoint.tape.tensor import Tensor

Rates = list[Any]


class LRScheduler:
    """Sets the learning rate of every group at each ``step``; subclasses say to what.

    ``last_epoch`` is -1 at the beginning, or where an earlier run ended. Raises ``TypeError`` for
    what is not an Optimizer, and ``KeyError`` when going on with groups that have no "initial_lr".

    >>> optimizer = torch.optim.SGD([torch.ones(1)], lr=0.1)
    >>> class Halving(torch.optim.lr_scheduler.LRScheduler):
    ...     def get_lr(self):
    ...         return [lr / 2**self.last_epoch for lr in self.base_lrs]
    >>> scheduler = Halving(optimizer)
    >>> optimizer.step(), scheduler.step(), scheduler.get_last_lr()
    (None, None, [0.05])
    """

    _get_lr_called_within_step: bool = False
    _is_initial: bool = False

    optimizer: Any
    base_lrs: Rates
    last_epoch: Any
    _step_count: int
    _last_lr: Rates

    def __init__(self, optimizer: Any, last_epoch: int = -1) -> None:
        require_optimizer(optimizer)
        self.optimizer = optimizer
        for number, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", own(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"last_epoch={last_epoch} goes on with an earlier run, but param_groups"
                    f"[{number}] has no 'initial_lr': load the optimizer's state dict first, or "
                    "leave last_epoch away to begin anew"
                )
        self.base_lrs = present(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        if not hasattr(optimizer, "_step_when_scheduled"):
            optimizer._step_when_scheduled = vars(optimizer).get("step")
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    # -- what subclasses give -----------------------------------------------------------------

    def get_lr(self) -> Rates:
        """The rates of all groups at ``last_epoch``."""
        raise NotImplementedError(f"{type(self).__name__} has no get_lr()")

    # -- what users call ----------------------------------------------------------------------

    def get_last_lr(self) -> Rates:
        """The rates that were set last, one for each group."""
        return self._last_lr

    def step(self, epoch: int | None = None) -> None:
        """Go to the next epoch, or to ``epoch``, and set the rates; after ``optimizer.step()``."""
        if self._step_count == 1:
            warn_of_order(self.optimizer)
        self._step_count += 1
        if epoch is not None:
            warn_of_epoch()
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        with computing(self):
            if epoch is None:
                self.last_epoch += 1
                rates = self.get_lr()
            else:
                self.last_epoch = epoch
                closed_form = getattr(self, "_get_closed_form_lr", self.get_lr)
                rates = closed_form()
        self._set(rates)

    def _set(self, rates: Rates) -> None:
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            assign(group, "lr", rate)
        self._last_lr = present(self.optimizer, "lr")

    def state_dict(self) -> dict[str, Any]:
        """All attributes but the optimizer."""
        return {name: value for name, value in vars(self).items() if name != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what ``state_dict()`` gave."""
        vars(self).update(state_dict)


def require_optimizer(optimizer: Any) -> None:
    """Raise ``TypeError`` for anything else."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"a schedule needs an Optimizer, but got a {type(optimizer).__name__}")


def own(value: Any) -> Any:
    """A copy of a tensor; a number as it is."""
    return value.clone() if isinstance(value, Tensor) else value


def present(optimizer: Any, key: str) -> Rates:
    """An option's values in all groups."""
    return [own(group[key]) for group in optimizer.param_groups]


def assign(group: dict[str, Any], key: str, value: Any) -> None:
    """Set an option, in place where it is a tensor."""
    if isinstance(group[key], Tensor):
        group[key].fill_(scalar(value))
    else:
        group[key] = value


def for_each_group(name: str, optimizer: Any, given: Any) -> list[Any]:
    """One value for each group; raises ``ValueError`` for a list of another length."""
    groups = len(optimizer.param_groups)
    if not isinstance(given, (list, tuple)):
        return [own(given) for _ in range(groups)]
    if len(given) != groups:
        raise ValueError(
            f"{name} has {len(given)} values, and the optimizer {groups} parameter groups; "
            "give one number, or one for each group"
        )
    return [own(value) for value in given]


@contextmanager
def computing(scheduler: LRScheduler) -> Iterator[None]:
    """While a step asks for rates: ``get_lr`` warns outside of it."""
    scheduler._get_lr_called_within_step = True
    try:
        yield
    finally:
        scheduler._get_lr_called_within_step = False


def warn_outside_step(scheduler: LRScheduler) -> None:
    """Warn whoever calls ``get_lr`` to read the rate: many schedules go on from the present one."""
    if not scheduler._get_lr_called_within_step:
        warnings.warn(
            "get_lr() computes the next rates; get_last_lr() gives the present ones",
            UserWarning,
            stacklevel=3,
        )


def warn_of_order(optimizer: Any) -> None:
    """Warn if the optimizer has not stepped yet: the first rate would be skipped."""
    step = vars(optimizer).get("step")
    if step is not optimizer._step_when_scheduled:
        warnings.warn(
            "optimizer.step was replaced after the schedule was made, so it cannot be seen "
            "whether it is called before scheduler.step(), as it should be",
            UserWarning,
            stacklevel=3,
        )
    elif step is None and hasattr(optimizer.step, "hooked") and not optimizer._opt_called:
        warnings.warn(
            "scheduler.step() was called before optimizer.step(), which skips the first rate of "
            "the schedule; call optimizer.step() first",
            UserWarning,
            stacklevel=3,
        )


def warn_of_epoch() -> None:
    """Warn of the parameter that PyTorch is giving up."""
    warnings.warn(
        "the epoch given to scheduler.step() is deprecated: without it a schedule goes on by one; "
        "with it the closed form is computed where there is one",
        UserWarning,
        stacklevel=3,
    )


def saved_function(function: Callable[..., Any]) -> dict[str, Any] | None:
    """What a state dict keeps of a function: attributes of an object, nothing of a plain one."""
    return None if isinstance(function, types.FunctionType) else vars(function).copy()
