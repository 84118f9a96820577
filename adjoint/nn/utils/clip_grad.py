"""Keeping gradients small."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

from adjoint.ops.kinds.public import namespace
from adjoint.tape.modes import no_grad
from adjoint.tape.tensor import Tensor


def _gradients(parameters: Any) -> list[Any]:
    if isinstance(parameters, Tensor):
        parameters = [parameters]
    return [param.grad for param in parameters if param.grad is not None]


@no_grad()
def get_total_norm(
    tensors: Iterable[Any],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Any:
    """The norm of several tensors taken as one vector.

    Raises ``RuntimeError`` for an infinite or undefined norm if ``error_if_nonfinite``.

    >>> torch.nn.utils.get_total_norm([torch.tensor([3.0]), torch.tensor([4.0])])
    tensor(5.)
    """
    tensors = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    functions = namespace("")
    if not tensors:
        return functions["tensor"](0.0)
    vector_norm = namespace("linalg")["vector_norm"]
    norms = [vector_norm(each, norm_type) for each in tensors]
    total = vector_norm(functions["stack"](norms), norm_type)
    if error_if_nonfinite and not bool(functions["isfinite"](total)):
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients is {float(total)}, so it cannot "
            "be clipped; with error_if_nonfinite=False they are scaled by it all the same"
        )
    return total


@no_grad()
def clip_grads_with_norm_(
    parameters: Any, max_norm: float, total_norm: Any, foreach: bool | None = None
) -> None:
    """Scale the gradients, in place, by ``max_norm / total_norm`` unless that is above 1."""
    scale = float(max_norm) / (total_norm + 1e-6)
    # As a tensor, so that nothing waits for the number: a factor of 1 costs a multiplication.
    scale = scale.clamp(max=1.0)
    for g in _gradients(parameters):
        g.mul_(scale.to(g.dtype))


@no_grad()
def clip_grad_norm_(
    parameters: Any,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Any:
    """Scale all gradients, in place, so that their norm taken together is at most ``max_norm``.

    Returns the norm before. Raises ``RuntimeError`` for an infinite or undefined norm if
    ``error_if_nonfinite``.

    >>> w = torch.zeros(1, requires_grad=True)
    >>> (3 * w).sum().backward()
    >>> torch.nn.utils.clip_grad_norm_(w, 1.0), w.grad
    (tensor(3.), tensor([1.0000]))
    """
    parameters = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    total = get_total_norm(_gradients(parameters), norm_type, error_if_nonfinite, foreach)
    clip_grads_with_norm_(parameters, max_norm, total, foreach)
    return total


def clip_grad_norm(
    parameters: Any,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Any:
    """The old name of ``clip_grad_norm_``, with a warning."""
    warnings.warn("clip_grad_norm is deprecated: use clip_grad_norm_", FutureWarning, stacklevel=2)
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


@no_grad()
def clip_grad_value_(parameters: Any, clip_value: float, foreach: bool | None = None) -> None:
    """Keep every number of the gradients between ``-clip_value`` and ``clip_value``, in place.

    >>> w = torch.zeros(1, requires_grad=True)
    >>> (3 * w).sum().backward()
    >>> torch.nn.utils.clip_grad_value_(w, 0.5)
    >>> w.grad
    tensor([0.5000])
    """
    bound = float(clip_value)
    for g in _gradients(parameters):
        g.clamp_(min=-bound, max=bound)


__all__ = [
    "clip_grad_norm",
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "get_total_norm",
]
