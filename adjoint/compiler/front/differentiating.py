"""The backward pass of what a traced function returns, as a program of its own."""

from __future__ import annotations

from typing import Any, NamedTuple

from adjoint import dtypes
from adjoint.array.symbol import Symbol
from adjoint.compiler.front.entries import Entry
from adjoint.compiler.front.equations import untraceable
from adjoint.compiler.front.sources import Source
from adjoint.compiler.program import Program
from adjoint.errors import GraphError
from adjoint.tape.engine import run
from adjoint.tape.node import AccumulateGrad
from adjoint.tape.passes import Capture as Ends
from adjoint.tape.tensor import history_of


class Backward(NamedTuple):
    """Gradients of what is returned with respect to the tensors that it was computed from.

    The inputs of ``program`` are the ``residuals`` (numbers of results, or sources whose arrays
    were read), then a cotangent for each of ``cotangents`` (numbers among what was made). Its
    outputs are the gradients of ``edges``, None where there is none. ``draws`` are the results
    that have what random equations drew.
    """

    program: Program
    residuals: tuple[Any, ...]
    cotangents: tuple[int, ...]
    edges: tuple[Source, ...]
    draws: tuple[tuple[Any, int], ...]


def backward_of(capture: Any, tracing: Any, leaving: Any) -> Backward | None:
    """Trace the backward pass of all that leaves with a graph; marks those whose graph is gone."""
    places = [
        place
        for place, each in enumerate(leaving.made)
        if getattr(each, "requires_grad", "") == "node"
    ]
    if not places:
        return None
    edges = _edges(capture, leaving, [history_of(leaving.tensors[place]) for place in places])
    equations = capture.trace.equations
    count = len(equations)
    alive, found = _pass(capture, leaving, places, edges)
    if not alive:
        del equations[count:]
        return None
    cotangents, gradients = found
    own = equations[count:]
    del equations[count:]
    return _program(capture, tracing, own, alive, cotangents, edges, gradients)


def _edges(capture: Any, leaving: Any, roots: list[Any]) -> list[tuple[Any, Source]]:
    """The ends of the graph that are tensors from outside."""
    sources = {}
    for cell in capture.cells.values():
        for tensor in (cell.tensor, *cell.others):
            node = capture.world.before(tensor, "_node")
            if node is not None and cell.source is not None:
                sources[id(node)] = node, cell.source
    own = {id(history_of(each)) for each in leaving.tensors}
    seen: set[int] = set()
    stack, found = list(roots), []
    while stack:
        edge = stack.pop()
        if edge is None or id(edge) in seen:
            continue
        seen.add(id(edge))
        known = sources.get(id(edge))
        if known is not None:
            found.append(known)
            continue
        node = getattr(edge, "node", edge)
        if isinstance(node, AccumulateGrad) and id(node) in own:
            raise untraceable(
                "a leaf that was made inside is returned, and so is what was computed from it",
                "make leaves that are to get gradients outside of the compiled function",
            )
        if not isinstance(node, (AccumulateGrad, Entry)) and node.sequence > capture.start:
            stack.extend(node.edges)
    return found


def _pass(capture: Any, leaving: Any, places: list[int], edges: list[Any]) -> Any:
    """The places whose graph is there, and cotangents and gradients of these."""
    count = len(capture.trace.equations)
    hidden = [(node, node.hooks) for node in {getattr(e, "node", e) for e, _ in edges}]
    for node, _ in hidden:
        node.hooks = None  # of leaves: they are called outside, where the gradients arrive
    try:
        try:
            return places, _run(capture, leaving, places, edges)
        except GraphError:
            del capture.trace.equations[count:]
        alive = []
        for place in places:
            try:
                _run(capture, leaving, [place], edges)
                alive.append(place)
            except GraphError as error:
                freed = leaving.made[place]._replace(requires_grad="freed", error=str(error))
                leaving.made[place] = freed
            del capture.trace.equations[count:]
        return alive, _run(capture, leaving, alive, edges) if alive else None
    finally:
        for node, hooks in hidden:
            node.hooks = hooks


def _run(capture: Any, leaving: Any, places: list[int], edges: list[Any]) -> Any:
    cotangents = []
    roots = []
    for place in places:
        tensor = leaving.tensors[place]
        symbol = capture.trace.symbol(tensor._array.shape, dtypes.of(tensor._array))
        cotangents.append(symbol)
        roots.append((history_of(tensor), symbol))
    ends = Ends([edge for edge, _ in edges])
    run(roots, 0, keep_graph=True, record=False, capture=ends)
    return cotangents, [ends.get(edge) for edge, _ in edges]


def _program(
    capture: Any, tracing: Any, own: Any, alive: Any, cotangents: Any, edges: Any, gradients: Any
) -> Backward:
    made = {id(each) for equation in own for each in equation.outputs}
    made |= {id(each) for each in cotangents}
    written = {id(cell.source) for cell in capture.cells.values() if cell.array is not cell.first}
    inputs = {symbol: source for source, symbol in capture.inputs}
    needed = dict.fromkeys(
        each
        for values in (*[equation.inputs for equation in own], gradients)
        for each in values
        if type(each) is Symbol and id(each) not in made
    )
    residuals: list[Any] = []
    for symbol in needed:
        source = inputs.get(symbol)
        kept = source is not None and hasattr(source, "facts") and id(source) not in written
        residuals.append(source if kept else tracing.result(symbol))
    draws = tuple(
        (tracing.variable(each), tracing.result(each))
        for equation in capture.trace.equations
        if equation.row.kind == "random"
        for each in equation.outputs
    )
    program = Program(
        [tracing.variable(each) for each in (*needed, *cotangents)],
        tracing.equations(own),
        [None if each is None else tracing.atom(each) for each in gradients],
        "backward",
    )
    sources = tuple([source for _, source in edges])
    return Backward(program.check(), tuple(residuals), tuple(alive), sources, draws)


__all__ = ["Backward", "backward_of"]
