"""What all of ``autograd.functional`` asks of its arguments, and makes of its results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adjoint.errors import describe_shape
from adjoint.ops.likes import zeros_like
from adjoint.tape.tensor import Tensor

Tensors = tuple[Any, ...]

INDEPENDENT = {
    "output": "output {} of the function does not depend on the inputs in a way that is recorded",
    "gradient": "the gradient with respect to input {} does not depend on what it starts from",
    "jacobian": "the gradient with respect to input {} does not depend on the inputs, as that of a "
    "linear function; its derivative is zero",
    "hessian": "the Hessian with respect to input {} does not depend on the inputs",
}


def as_tuple(value: Any, what: str, caller: str) -> tuple[bool, Tensors]:
    """Whether ``value`` is a tuple, and it as one; ``TypeError`` unless it holds Tensors."""
    several = isinstance(value, tuple)
    values: Tensors = value if several else (value,)
    for number, each in enumerate(values):
        if not isinstance(each, Tensor):
            place = f"number {number} is" if several else "it is"
            raise TypeError(
                f"{caller}: the {what} are a Tensor or a tuple of Tensors, but {place} a "
                f"{type(each).__name__}"
            )
    return several, values


def unpacked(values: Tensors, several: bool) -> Any:
    """The tuple for a caller that gave one, its only item for one that did not."""
    return values if several else values[0]


def prepared(inputs: Tensors, create_graph: bool, recorded: bool = True) -> Tensors:
    """New Tensors on the same memory: what the function captures of the inputs stays apart."""
    return tuple(
        [
            each.view_as(each)
            if create_graph and each.requires_grad
            else each.detach().requires_grad_(recorded)
            for each in inputs
        ]
    )


def finished(values: Tensors, create_graph: bool) -> Tensors:
    """Results without a history, unless one was asked for."""
    return values if create_graph else tuple([each.detach() for each in values])


def check_direction(
    v: Any, like: Tensors, several: bool, create_graph: bool, caller: str, what: str
) -> Any:
    """``v`` as a tuple of Tensors of the shapes of ``like``; None only where that is one number."""
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise RuntimeError(
                f"{caller}: v can be left out only where the {what} is one Tensor of one element"
            )
        return None
    _, v = as_tuple(v, "v", caller)
    v = prepared(v, create_graph, recorded=False)
    if len(v) != len(like):
        raise RuntimeError(f"{caller}: v holds {len(v)} Tensors, but must hold {len(like)}")
    for number, (each, other) in enumerate(zip(v, like, strict=True)):
        if tuple(each.shape) != tuple(other.shape):
            place = f"entry {number} of v" if several else "v"
            raise RuntimeError(
                f"{caller}: {place} has shape {describe_shape(each.shape)}, but must have "
                f"{describe_shape(other.shape)}"
            )
    return v


def require_recorded(values: Sequence[Any], what: str, strict: bool) -> None:
    """With ``strict``, raise ``RuntimeError`` for a value that is missing or has no history."""
    if not strict:
        return
    for number, each in enumerate(values):
        if each is None:
            raise RuntimeError(
                f"strict=True: the output of the function does not depend on input {number}"
            )
        if not each.requires_grad:
            raise RuntimeError(f"strict=True: {INDEPENDENT[what].format(number)}")


def require_one_number(outputs: Tensors, several: bool, caller: str) -> None:
    """Raise ``RuntimeError`` unless a function returned one Tensor of one element."""
    if several:
        raise RuntimeError(f"{caller}: the function must return one Tensor, not a tuple")
    if outputs[0].numel() != 1:
        raise RuntimeError(
            f"{caller}: the function must return one number, not a Tensor of shape "
            f"{describe_shape(outputs[0].shape)}; reduce it, or use jacobian"
        )


def filled(
    found: Tensors, like: Tensors, strict: bool, create_graph: bool, what: str, of: str
) -> Tensors:
    """Gradients with zeros for those that are None, which ``strict`` does not allow."""
    out = []
    for number, (g, other) in enumerate(zip(found, like, strict=True)):
        if g is None:
            if strict:
                raise RuntimeError(
                    f"strict=True: the {of} of the function does not depend on {what} {number}"
                )
            g = zeros_like(other, requires_grad=False)
        elif strict and create_graph and not g.requires_grad:
            raise RuntimeError(
                f"strict=True: with create_graph=True the result for {what} {number} must depend "
                "on the inputs, and it does not"
            )
        out.append(g)
    return tuple(out)
