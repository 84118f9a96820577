"""Random cotangents for outputs."""

from __future__ import annotations

from typing import Any

from adjoint import dtypes
from adjoint.ops.complex_parts import view_as_real
from adjoint.ops.creation import empty


def cotangents(outputs: tuple[Any, ...], noncontiguous: bool) -> tuple[Any, ...]:
    """Leaves of the outputs' shapes and types, uniform in [-1, 1), drawn as PyTorch draws them."""
    return tuple(_cotangent(out, noncontiguous) for out in outputs)


def _cotangent(out: Any, noncontiguous: bool) -> Any:
    shape = tuple(out.shape)
    noncontiguous = noncontiguous and out.numel() > 1
    if noncontiguous:
        shape = (*shape[:-1], 2 * shape[-1])
    found = empty(shape, dtype=dtypes.of(out))
    (view_as_real(found) if found.is_complex() else found).uniform_(-1, 1)
    if noncontiguous:
        found = found[..., 1::2]
    return found.detach().requires_grad_()
