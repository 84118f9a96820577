"""Schedules that a function of the epoch gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adjoint.optim.lr_scheduler.base import (
    LRScheduler,
    Rates,
    present,
    saved_function,
    warn_outside_step,
)

Function = Callable[[int], Any]


class _ByFunction(LRScheduler):
    """One function for all groups, or one for each."""

    lr_lambdas: list[Function]

    def __init__(self, optimizer: Any, lr_lambda: Any, last_epoch: int = -1) -> None:
        groups = len(optimizer.param_groups)
        functions = lr_lambda if isinstance(lr_lambda, (list, tuple)) else [lr_lambda] * groups
        if len(functions) != groups:
            raise ValueError(
                f"{groups} parameter groups need as many functions, not {len(functions)}"
            )
        self.optimizer = optimizer
        self.lr_lambdas = list(functions)
        self._check()
        super().__init__(optimizer, last_epoch)

    def _check(self) -> None:
        """Nothing to see: a LambdaLR finds out when it calls."""

    def state_dict(self) -> dict[str, Any]:
        """All attributes but the optimizer; of the functions only those that are objects."""
        saved = super().state_dict()
        saved["lr_lambdas"] = [saved_function(function) for function in self.lr_lambdas]
        return saved

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what ``state_dict()`` gave; plain functions stay those of this schedule."""
        vars(self).update({k: v for k, v in state_dict.items() if k != "lr_lambdas"})
        for function, saved in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=False):
            if saved is not None:
                vars(function).update(saved)


class LambdaLR(_ByFunction):
    """The initial rate times ``lr_lambda(epoch)``, one function or a list with one per group.

    Raises ``ValueError`` for another number of functions.

    >>> optimizer = torch.optim.SGD([torch.ones(1)], lr=1.0)
    >>> torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 0.5**epoch).get_last_lr()
    [1.0]
    """

    def get_lr(self) -> Rates:
        """The rates at ``last_epoch``."""
        warn_outside_step(self)
        return [
            base * function(self.last_epoch)
            for function, base in zip(self.lr_lambdas, self.base_lrs, strict=True)
        ]


class MultiplicativeLR(_ByFunction):
    """The present rate times ``lr_lambda(epoch)``, one function or a list with one per group.

    Raises ``ValueError`` for another number of functions, ``TypeError`` for what is not callable.

    >>> optimizer = torch.optim.SGD([torch.ones(1)], lr=1.0)
    >>> scheduler = torch.optim.lr_scheduler.MultiplicativeLR(optimizer, lambda epoch: 0.9)
    """

    def _check(self) -> None:
        for function in self.lr_lambdas:
            if not callable(function):
                raise TypeError(f"lr_lambda is a function, but got a {type(function).__name__}")

    def get_lr(self) -> Rates:
        """The rates at ``last_epoch``."""
        warn_outside_step(self)
        if self._is_initial:
            return present(self.optimizer, "lr")
        return [
            group["lr"] * function(self.last_epoch)
            for function, group in zip(self.lr_lambdas, self.optimizer.param_groups, strict=True)
        ]
