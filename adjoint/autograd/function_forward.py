"""Forward mode through a user's ``Function``: what its ``jvp`` is asked, and may answer."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.autograd.function_node import call_jvp
from adjoint.errors import describe_shape
from adjoint.tape.forward import attach, drop_tangent, forward, tangent_of
from adjoint.tape.tensor import Tensor, wrap


def moves_of(ctx: Any, args: tuple[Any, ...], outs: list[Any], present: list[Any]) -> list[Any]:
    """A tangent for each of ``outs``, or None, from those that are ``present`` among ``args``.

    ``outs`` are what ``forward`` returned. Raises ``RuntimeError`` for other numbers, shapes and
    types, and where an input was written to and its tangent was not.
    """
    tangents = [
        _zeros(value) if t is None and ctx.materialize_grads else t
        for value, t in zip(args, present, strict=True)
    ]
    if ctx.saved_for_forward is None:
        ctx.saved_for_forward = ctx.to_save if isinstance(ctx.to_save, tuple) else ()
    answer = call_jvp(ctx, tangents)
    moves = list(answer) if isinstance(answer, tuple) else [answer]
    name = ctx._forward_cls.__name__
    if len(moves) != len(outs):
        raise RuntimeError(
            f"Function's jvp returned an invalid number of forward gradients (expected {len(outs)} "
            f"but got {len(moves)}): {name}.jvp returns one for each output of forward"
        )
    _check(ctx, name, outs, moves, dict(zip(map(id, args), present, strict=True)))
    return moves


def _zeros(value: Any) -> Any:
    if isinstance(value, Tensor) and dtypes.of(value).category >= dtypes.FLOATING:
        return wrap(np.zeros(tuple(value.shape), dtypes.of(value).numpy))
    return None


def _check(ctx: Any, name: str, outs: list[Any], moves: list[Any], given: dict[int, Any]) -> None:
    constant = {id(each) for each in ctx.non_differentiable or ()}
    dirty = {id(each) for each in ctx.dirty_tensors or ()}
    for place, (value, t) in enumerate(zip(outs, moves, strict=True)):
        if t is None:
            continue
        if not isinstance(t, Tensor):
            raise RuntimeError(
                f"expected Variable or None (got {type(t).__name__}) for grad output {place} of "
                f"{name}.jvp"
            )
        if (
            not isinstance(value, Tensor)
            or id(value) in constant
            or dtypes.of(value).category < dtypes.FLOATING
        ):
            raise RuntimeError(
                f"Function's jvp returned a gradient at position {place}, but the corresponding "
                f"forward output is not a differentiable Tensor: return None there from {name}.jvp"
            )
        if tuple(t.shape) != tuple(value.shape):
            raise RuntimeError(
                "Trying to set a forward gradient that has a different size than that of the "
                f"original Tensor: {name}.jvp returned {describe_shape(t.shape)} at position "
                f"{place} for an output of shape {describe_shape(value.shape)}"
            )
        present = given.get(id(value))
        if id(value) in dirty and present is not None and present is not t:
            raise RuntimeError(
                "An inplace custom Function is not modifying the forward mode gradients inplace: "
                f"as {name}.forward writes to its input, {name}.jvp must write to the tangent it "
                "is given, and return that"
            )


def attached(args: tuple[Any, ...], level: int) -> list[Any] | None:
    """The tangents that users have attached to ``args``; None if none of them moves."""
    if forward.level is None or not forward.enabled:
        return None
    found = [tangent_of(value, level) for value in args]
    return found if any(t is not None for t in found) else None


def attach_moves(
    ctx: Any, args: tuple[Any, ...], raw: list[Any], outs: list[Any], present: list[Any]
) -> None:
    """Attach to ``outs`` the tangents that the user's jvp gives for them."""
    home = forward.level
    assert home is not None
    enabled = forward.enabled
    forward.enabled = False  # what jvp is given has these tangents itself
    try:
        moves = moves_of(ctx, args, raw, present)
    finally:
        forward.enabled = enabled
    given = [t for t in present if t is not None]
    for out, t in zip(outs, moves, strict=True):
        if t is None or any(t is each and tangent_of(out, out._level) is t for each in given):
            continue
        drop_tangent(out)
        attach(out, t.clone() if any(t is each for each in given) else t, home)
