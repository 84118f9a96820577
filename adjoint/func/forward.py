"""``jvp`` and ``linearize``: forward mode as functions of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adjoint import dtypes
from adjoint.array.dual import Dual
from adjoint.array.lifting import refusing_writes
from adjoint.array.memory import zeros_like
from adjoint.array.symbol import Symbol, Trace
from adjoint.array.value import transform_level
from adjoint.errors import describe_shape
from adjoint.func.levels import (
    aux_of,
    check_outputs,
    lower,
    outside,
    raise_level,
    spell,
    split_aux,
    unwrap,
    write_back,
)
from adjoint.pytree import Structure, flatten
from adjoint.tape.tensor import Tensor


def jvp(
    func: Callable[..., Any],
    primals: Any,
    tangents: Any,
    *,
    strict: bool = False,
    has_aux: bool = False,
) -> Any:
    """``func(*primals)`` and how it moves when the primals move along ``tangents``.

    With ``strict`` an output that does not depend on the primals is refused, else its tangent is
    zero. With ``has_aux`` the function returns a pair of output and aux, and aux comes third.
    Raises ``RuntimeError`` where the structures or shapes of primals and tangents differ.

    >>> import adjoint as torch
    >>> torch.func.jvp(torch.sin, (torch.tensor(0.0),), (torch.tensor(2.0),))
    (tensor(0.), tensor(2.))
    """
    if not isinstance(primals, tuple):
        raise RuntimeError(f"jvp: primals is to be a tuple of arguments, not {spell(primals)}")
    leaves, structure = flatten(primals)
    directions, along = flatten(tangents)
    if structure != along:
        raise RuntimeError(
            f"jvp: primals have the structure {structure}, tangents have {along}; "
            "they must be the same"
        )
    check_directions(leaves, directions)
    with refusing_writes("jvp"):
        return _moved(func, leaves, directions, structure, strict, has_aux)


def _moved(
    function: Callable[..., Any],
    leaves: list[Any],
    directions: list[Any],
    structure: Structure,
    strict: bool,
    has_aux: bool,
) -> Any:
    """What ``jvp`` gives, from the leaves of its primals and tangents."""
    with transform_level() as level:
        inner = [
            raise_level(Dual(level, lower(value), lower(t)), level)
            for value, t in zip(leaves, directions, strict=True)
        ]
        result, aux = split_aux(function(*structure(iter(inner))), has_aux, "jvp")
        outs, rebuild = flatten(result)
        check_outputs(outs, "jvp")
        values, moves = [], []
        for out in outs:
            value, t = primal_and_tangent(unwrap(out, level), level)
            if t is None and strict:
                raise RuntimeError(
                    "jvp: with strict=True every output must depend on the primals, but the one "
                    f"of shape {describe_shape(out.shape)} does not"
                )
            values.append(outside(value))
            moves.append(outside(zeros_like(value).copy() if t is None else t))

        def primal(tensor: Any) -> Any:
            return primal_and_tangent(unwrap(tensor, level), level)[0]

        for outer, within in zip(leaves, inner, strict=True):
            write_back(outer, within, primal)
        answer = (rebuild(iter(values)), rebuild(iter(moves)))
        return (*answer, aux_of(aux, primal)) if has_aux else answer


def check_directions(leaves: list[Any], directions: list[Any]) -> None:
    """Raise for primals and tangents that are no floating Tensors of the same shapes."""
    require_floating(leaves, "primals")
    require_floating(directions, "tangents")
    for value, t in zip(leaves, directions, strict=True):
        if tuple(value.shape) != tuple(t.shape):
            raise RuntimeError(
                f"jvp: a tangent has shape {describe_shape(t.shape)}, its primal "
                f"{describe_shape(value.shape)}"
            )


def require_floating(values: list[Any], what: str) -> None:
    """Raise unless there are values, all Tensors of floating or complex types."""
    if not values:
        raise RuntimeError(f"jvp: there is no Tensor among the {what}")
    for value in values:
        if not isinstance(value, Tensor):
            raise RuntimeError(f"jvp: {what} hold Tensors alone, not {spell(value)}")
        if dtypes.of(value).category < dtypes.FLOATING:
            raise ValueError(
                f"jvp: {what} must be floating or complex, but one is {dtypes.of(value)!r}"
            )


def primal_and_tangent(array: Any, level: int) -> tuple[Any, Any]:
    """The two parts of a dual of this level; a tangent of None for anything else."""
    if isinstance(array, Dual) and array._level == level:
        return array.primal, array.tangent
    return array, None


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """``func(*primals)`` and the linear function that maps tangents there to tangents.

    The function runs once; what the linear one needs of it is written down, so that each further
    tangent costs only the operations on tangents. Raises ``RuntimeError`` for tangents that have
    not the structure, shapes and types of the primals.

    >>> import adjoint as torch
    >>> out, push = torch.func.linearize(torch.sin, torch.tensor(0.0))
    >>> push(torch.tensor(2.0))
    tensor(2.)
    """
    leaves, structure = flatten(primals)
    require_floating(leaves, "primals")
    with transform_level() as below:
        trace = Trace(below)
        symbols = [trace.symbol(tuple(each.shape), dtypes.of(each)) for each in leaves]
        with transform_level() as level:
            inner = [
                raise_level(Dual(level, lower(value), symbol), level)
                for value, symbol in zip(leaves, symbols, strict=True)
            ]
            outs, rebuild = flatten(func(*structure(iter(inner))))
            parts = [
                primal_and_tangent(unwrap(out, level), level) if isinstance(out, Tensor) else None
                for out in outs
            ]
    values = [
        out if part is None else outside(part[0]) for out, part in zip(outs, parts, strict=True)
    ]
    moves = [part[1] for part in parts if part is not None]

    def push(*tangents: Any) -> Any:
        directions, along = flatten(tangents)
        if along != structure:
            raise RuntimeError(
                f"linearize: the primals had the structure {structure}, the tangents have {along}"
            )
        _check_same(symbols, directions)
        known = dict(zip(symbols, map(lower, directions), strict=True))
        wanted = [t for t in moves if t is not None]
        found = iter(trace.evaluate(known, [_bare(t) for t in wanted]))
        answers = []
        for value, part in zip(values, parts, strict=True):
            if part is None:
                answers.append(value)
            elif part[1] is None:
                answers.append(outside(zeros_like(value).copy()))
            else:
                answers.append(outside(next(found)))
        return rebuild(iter(answers))

    return rebuild(iter(values)), push


def _bare(t: Any) -> Any:
    """A tangent as the symbol it is, or a constant, in place of a Tensor over one."""
    return t._array if isinstance(t, Tensor) and isinstance(t._array, Symbol) else t


def _check_same(symbols: list[Symbol], directions: list[Any]) -> None:
    for number, (symbol, t) in enumerate(zip(symbols, directions, strict=True)):
        if not isinstance(t, Tensor):
            raise RuntimeError(f"linearize: tangent {number} is {spell(t)}, not a Tensor")
        if tuple(t.shape) != symbol.shape:
            raise RuntimeError(
                f"linearize: tangent {number} has shape {describe_shape(t.shape)}, its primal "
                f"{describe_shape(symbol.shape)}"
            )
        if dtypes.of(t) is not symbol.dtype:
            raise RuntimeError(
                f"linearize: tangent {number} is {dtypes.of(t)!r}, its primal {symbol.dtype!r}"
            )
