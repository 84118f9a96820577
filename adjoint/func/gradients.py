"""``grad``, ``grad_and_value`` and ``vjp``: reverse mode as functions of functions."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.lifting import refusing_writes
from adjoint.array.memory import ones_like, zeros_like
from adjoint.array.value import transform_level
from adjoint.errors import describe_shape
from adjoint.func.levels import (
    aux_of,
    check_outputs,
    cut,
    lower,
    outside,
    places_of,
    raise_leaves,
    raise_level,
    recording,
    require_tensors,
    spell,
    split_aux,
    unwrap,
    write_back,
)
from adjoint.pytree import Structure, flatten
from adjoint.tape.engine import run
from adjoint.tape.modes import enable_grad, modes, no_grad
from adjoint.tape.tensor import Tensor, make_leaf, require_differentiable

Places = int | tuple[int, ...]


class Recorded:
    """A function's run, recorded on a tape of its own level, to be gone through backward."""

    __slots__ = (
        "aux",
        "edges",
        "leaves",
        "level",
        "nodes",
        "out_structure",
        "outs",
        "structure",
        "values",
        "visible",
    )

    level: int
    visible: bool  # whether recording was on outside: else no result has a history there
    leaves: list[Any]  # the Tensors to differentiate with respect to, as the caller gave them
    structure: Structure
    edges: list[Any]
    nodes: list[Any]  # the history of each output, None for a constant
    outs: list[Any]  # the outputs as arrays below this level
    values: list[Any]  # the outputs as Tensors of the caller
    out_structure: Structure
    aux: Any

    def pull(self, gradients: list[Any], keep: bool, history: bool = False) -> list[Any]:
        """Arrays of the gradients at the leaves from those at the outputs; None where no path is.

        A gradient that is None is that of an output which does not matter. With ``history`` the
        gradients given and found are Tensors of the tape, and the pass is recorded on it.
        """
        roots = [
            (node, g)
            for node, g in zip(self.nodes, gradients, strict=True)
            if node is not None and g is not None
        ]
        if not roots:
            return [None] * len(self.edges)
        # The tape has no other leaves than these.
        found = run(roots, self.level + 1, keep_graph=keep, record=history)
        return [found[edge][1] if edge in found else None for edge in self.edges]

    def following(self, nodes: list[Any]) -> Recorded:
        """The same tape with other outputs: what a recorded pass has made."""
        other = Recorded()
        other.level, other.edges, other.nodes = self.level, self.edges, nodes
        return other

    def finish(self, found: list[Any], given: list[Any], visible: bool) -> Any:
        """Gradients as the caller's tree of Tensors that share no memory; zeros for None.

        Without ``visible`` they have no history at any level.
        """
        taken = {id(g) for g in given}
        tensors = []
        for g, leaf in zip(found, self.leaves, strict=True):
            if g is None:
                g = zeros_like(leaf).copy()
            elif type(g) is np.ndarray:
                if g.base is not None or id(g) in taken or not g.flags.writeable:
                    g = g.copy()
                taken.add(id(g))
            g = outside(g)
            tensors.append(g if visible else cut(g))
        return self.structure(iter(tensors))


def record(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    argnums: Places | None,
    has_aux: bool,
    caller: str,
) -> Recorded:
    """Run ``function`` and keep its tape; ``argnums`` None is for all arguments."""
    run_of = Recorded()
    places = tuple(range(len(args))) if argnums is None else places_of(argnums, len(args))
    chosen: Any = args[places[0]] if isinstance(argnums, int) else tuple(args[p] for p in places)
    run_of.leaves, run_of.structure = leaves, structure = flatten(chosen)
    require_tensors(leaves)
    for value in leaves:
        if dtypes.of(value).category < dtypes.FLOATING:
            require_differentiable(dtypes.of(value))
    with transform_level() as level, recording() as run_of.visible:
        if not run_of.visible:
            leaves = [cut(value) for value in leaves]
        inner = [raise_level(lower(value), level) for value in leaves]
        for each in inner:
            make_leaf(each)
        others: list[tuple[Any, Any]] = []
        full = [
            value if place in places else raise_leaves(value, level, others)
            for place, value in enumerate(args)
        ]
        rebuilt = structure(iter(inner))
        for place, value in zip(
            places, (rebuilt,) if isinstance(argnums, int) else rebuilt, strict=True
        ):
            full[place] = value
        result = function(*full, **(raise_leaves(kwargs, level, others) if kwargs else kwargs))
        result, aux = split_aux(result, has_aux, caller)
        outs, run_of.out_structure = flatten(result)
        check_outputs(outs, caller)
        for outer, within in others:
            if within._memory is not None:
                write_back(outer, within, lambda tensor: unwrap(tensor, level))
        run_of.level = level
        run_of.edges = [each._node for each in inner]
        run_of.nodes = [out._node if out._level == level + 1 else None for out in outs]
        run_of.outs = [unwrap(out, level) for out in outs]
        seen = outside if run_of.visible else lambda array: cut(outside(array))
        run_of.values = [seen(out) for out in run_of.outs]
        run_of.aux = aux_of(aux, lambda leaf: seen(unwrap(leaf, level))) if has_aux else None
    return run_of


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """``func(*primals)`` and a function from the output's cotangent to those of the primals.

    The cotangent has the structure of the output. With ``has_aux`` the function returns a pair of
    output and aux, and aux comes third. Raises ``RuntimeError`` for primals and outputs that are
    not floating, and ``ValueError`` for primals that are no Tensors.

    >>> import adjoint as torch
    >>> out, pull = torch.func.vjp(torch.sin, torch.tensor(0.0))
    >>> pull(torch.tensor(2.0))
    (tensor(2.),)
    """
    with refusing_writes("vjp", kept_by_tape=True):
        taken = record(func, primals, {}, None, has_aux, "vjp")
    for out in taken.outs:
        if dtypes.of(out).category < dtypes.FLOATING:
            raise RuntimeError(
                f"vjp: every output must be floating or complex, but one is {dtypes.of(out)!r}; "
                "return it as aux"
            )

    def pull(cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        given = arrived_at(taken, cotangents)
        visible = bool(modes.enabled) if create_graph is None else create_graph
        with _mode_of(create_graph):
            return taken.finish(taken.pull(given, retain_graph), given, visible)

    answer = (taken.out_structure(iter(taken.values)), pull)
    return (*answer, taken.aux) if has_aux else answer


def _mode_of(create_graph: bool | None) -> Any:
    """Recording as it is outside for None, else switched on or off."""
    if create_graph is None:
        return recording() if modes.inference else nullcontext()
    return enable_grad() if create_graph else no_grad()


def arrived_at(taken: Recorded, cotangents: Any) -> list[Any]:
    """Cotangents as arrays, one for each output; ``RuntimeError`` for those that do not fit."""
    given, structure = flatten(cotangents)
    if structure != taken.out_structure:
        raise RuntimeError(
            f"vjp: the cotangents have the structure {structure}, the outputs have "
            f"{taken.out_structure}; they must be the same"
        )
    arrays = []
    for g, out in zip(given, taken.outs, strict=True):
        if not isinstance(g, Tensor):
            raise TypeError(f"vjp: cotangents are Tensors, and here is {spell(g)}")
        if tuple(g.shape) != tuple(out.shape):
            raise RuntimeError(
                f"vjp: a cotangent has shape {describe_shape(g.shape)}, its output "
                f"{describe_shape(out.shape)}"
            )
        if dtypes.of(g).is_complex != dtypes.of(out).is_complex:
            raise RuntimeError(
                f"vjp: a cotangent is {dtypes.of(g)!r}, its output {dtypes.of(out)!r}: for complex "
                "Tensors both are required to be; convert the cotangent"
            )
        arrays.append(lower(g))
    return arrays


def grad_and_value(
    func: Callable[..., Any], argnums: Places = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that gives the gradient of a scalar-valued one, and its value.

    With ``has_aux`` the function returns a pair, and what comes is (gradient, (value, aux)).
    Raises ``RuntimeError`` where the function returns something else than a scalar Tensor.

    >>> import adjoint as torch
    >>> torch.func.grad_and_value(torch.sin)(torch.tensor(0.0))
    (tensor(1.), tensor(0.))
    """

    @functools.wraps(func)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        places_of(argnums, len(args))
        with refusing_writes("grad"):
            return _gradient(record(func, args, kwargs, argnums, has_aux, "grad"), has_aux)

    return gradient


def _gradient(taken: Recorded, has_aux: bool) -> Any:
    """What ``grad_and_value`` gives, from the recorded run."""
    if taken.out_structure.kind is not None:
        raise RuntimeError(
            f"grad: the function must return a Tensor, not {taken.out_structure.kind.__name__}"
        )
    out = taken.outs[0]
    if len(out.shape):
        raise RuntimeError(
            "grad: the function must return a scalar tensor, got one of shape "
            f"{describe_shape(out.shape)}; reduce it, or use vjp or jacrev"
        )
    if dtypes.of(out).is_complex:
        raise RuntimeError(
            f"grad: the function must return a real scalar, not {dtypes.of(out)!r}; take its "
            "real part or abs(), or use vjp"
        )
    with recording():
        found = taken.pull([ones_like(out)], False)
        gradients, value = taken.finish(found, [], taken.visible), taken.values[0]
    return (gradients, (value, taken.aux)) if has_aux else (gradients, value)


def grad(
    func: Callable[..., Any], argnums: Places = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that gives the gradient of a scalar-valued one with respect to ``argnums``.

    With ``has_aux`` the function returns a pair, and what comes is (gradient, aux).
    Raises ``RuntimeError`` where the function returns something else than a scalar Tensor.

    >>> import adjoint as torch
    >>> torch.func.grad(torch.func.grad(torch.sin))(torch.tensor(0.5))
    tensor(-0.4794)
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        gradients, rest = both(*args, **kwargs)
        return (gradients, rest[1]) if has_aux else gradients

    return gradient
