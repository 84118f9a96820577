"""What optimizers ask of their options."""

from __future__ import annotations

from typing import Any

from adjoint.tape.tensor import Tensor


def check_rate(lr: Any) -> None:
    """Raise ``ValueError`` unless ``lr`` is one number, or a tensor of one, and not negative."""
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError(f"a learning rate is one number, but got a Tensor of {lr.numel()}")
    check_at_least_0(lr, "learning rate")


def check_at_least_0(value: Any, name: str) -> None:
    """Raise ``ValueError`` for a negative number, and for NaN."""
    if not value >= 0.0:
        raise ValueError(f"{name} is at least 0, but got {value}")


def check_betas(betas: Any) -> None:
    """Raise ``ValueError`` unless both are in [0, 1)."""
    for place in (0, 1):
        if not 0.0 <= betas[place] < 1.0:
            raise ValueError(
                f"a beta is at least 0 and below 1, but at index {place} got {betas[place]}"
            )


def check_ways(
    foreach: bool | None, fused: bool | None = None, differentiable: bool = False
) -> None:
    """Raise ``RuntimeError`` for ways to step that exclude each other.

    Adjoint has one way; ``foreach``, ``fused`` and ``capturable`` are taken and change nothing.
    """
    if fused and differentiable:
        raise RuntimeError("a fused step cannot be differentiable: choose one")
    if fused and foreach:
        raise RuntimeError("fused and foreach exclude each other: choose one")


def scalar(value: Any) -> Any:
    """A tensor of one element without its dimensions; anything else as it is."""
    return value.squeeze() if isinstance(value, Tensor) and value.dim() else value


def check_tensor_options(lr: Any, betas: Any, foreach: bool | None, capturable: bool) -> None:
    """Raise ``ValueError`` where Adam's options are tensors that it cannot use."""
    tensors = [isinstance(value, Tensor) for value in (lr, *betas)]
    if foreach and not capturable and any(tensors):
        raise ValueError("foreach needs numbers for lr and betas; or leave foreach away")
    if tensors[1] != tensors[2] or not all(isinstance(beta, (float, Tensor)) for beta in betas):
        raise ValueError(
            "betas are two floats or two Tensors, but got "
            f"{' and '.join(type(beta).__name__ for beta in betas)}"
        )
    for name, value in (("lr", lr), ("betas[0]", betas[0]), ("betas[1]", betas[1])):
        if isinstance(value, Tensor) and value.numel() != 1:
            raise ValueError(f"{name} is one number, but got a Tensor of {value.numel()}")
