"""What programs ask before they use a GPU; the answers are those of a machine without one."""

from __future__ import annotations

from typing import Any


def is_available() -> bool:
    """False: Adjoint computes on the CPU.

    >>> "cuda" if torch.cuda.is_available() else "cpu"
    'cpu'
    """
    return False


def is_initialized() -> bool:
    """False: there is nothing to initialise."""
    return False


def device_count() -> int:
    """0."""
    return 0


def manual_seed(seed: int) -> None:
    """Do nothing, as PyTorch does where there is no GPU; ``adjoint.manual_seed`` seeds the CPU."""


def manual_seed_all(seed: int) -> None:
    """Do nothing, as PyTorch does where there is no GPU."""


def empty_cache() -> None:
    """Do nothing: no memory is kept."""


def synchronize(device: Any = None) -> None:
    """Refuse: ``AssertionError``, as there is no GPU to wait for."""
    raise AssertionError("cuda.synchronize(): there is no GPU here; ask cuda.is_available() first")
