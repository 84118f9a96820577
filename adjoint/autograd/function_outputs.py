"""What becomes of the tensors that a user's ``forward`` returns: their place in the graph."""

from __future__ import annotations

import warnings
from typing import Any

from adjoint import dtypes
from adjoint.autograd.function_forward import attach_moves, attached
from adjoint.autograd.function_node import BackwardCFunction, Fact, edge_of, keep_tensors
from adjoint.ops.inplace import before_write, check_writable
from adjoint.ops.movement import alias_row
from adjoint.ops.rewriting import base_of, earlier, rewrite, set_history
from adjoint.tape.forward import forward
from adjoint.tape.modes import modes
from adjoint.tape.node import AccumulateGrad, clock
from adjoint.tape.tensor import CUSTOM, SEVERAL, SpecialView, Tensor, memory_of, new


def finish(node: BackwardCFunction, args: tuple[Any, ...], out: Any, executable: bool) -> Any:
    """The outputs of an application with their history, and ``node`` with what it keeps.

    ``executable`` says whether a gradient may come: if not, nothing is kept.
    """
    state = node.__dict__
    if (
        isinstance(out, Tensor)
        and out._view is None
        and "dirty_tensors" not in state
        and "non_differentiable" not in state
        and forward.level is None
    ):
        for each in args:
            if each is out:
                break
        else:
            return _finish_one(node, args, out, executable)
    several = isinstance(out, tuple)
    outs = list(out) if several else [out]
    dirty = _tensors(node.dirty_tensors, "mark_dirty")
    constant = _tensors(node.non_differentiable, "mark_non_differentiable")
    inputs = {id(value) for value in args if isinstance(value, Tensor)}
    _note_writes(dirty)
    _check_dirty(dirty, inputs, outs, executable)
    node.sequence = next(clock)  # younger than its own writes, older than what is made of them
    facts: list[Fact | None] = []
    wanted = []
    for each in outs:
        if not isinstance(each, Tensor):
            facts.append(None)
            wanted.append(False)
            continue
        array = each._array
        facts.append((tuple(array.shape), array.dtype))
        differentiable = dtypes.of(array).category >= dtypes.FLOATING
        wanted.append(executable and differentiable and id(each) not in constant)
    node._application.outputs = tuple(facts)
    node.plan = node._forward_cls._plan(len(outs))
    node.shape, node.dtype = facts[0] if facts and facts[0] is not None else ((), None)
    raw = list(outs)
    reason = SEVERAL if sum(wanted) > 1 else CUSTOM
    places: dict[int, int] = {}
    for place, (each, want) in enumerate(zip(raw, wanted, strict=True)):
        if not isinstance(each, Tensor):
            continue
        is_input, is_dirty = id(each) in inputs, id(each) in dirty
        if want:
            outs[place] = _recorded(each, edge_of(node, place), is_input, is_dirty, reason)
            places[id(outs[place])] = place
        else:
            outs[place] = _unrecorded(each, is_input, is_dirty)
    present = attached(args, node._application.level)
    if present is not None:
        attach_moves(node, args, raw, outs, present)
    if executable and node.to_save is not None:
        keep_tensors(node, node.to_save, places)
    _forget(node)
    if executable and modes.enabled is not True:
        arrays = tuple([each._array for each in outs if isinstance(each, Tensor)])
        modes.enabled.recorded(node, args, arrays)
    return tuple(outs) if several else outs[0]


def _finish_one(node: BackwardCFunction, args: tuple[Any, ...], out: Any, executable: bool) -> Any:
    """``finish`` for the commonest output, one fresh tensor, in half the time."""
    array = out._array
    node.sequence = next(clock)
    node.shape, node.dtype = array.shape, array.dtype
    node._application.outputs = ((node.shape, node.dtype),)
    function = node._forward_cls
    node.plan = function._plans.get(1) or function._plan(1)
    if executable and dtypes.of(array).category >= dtypes.FLOATING:
        if out._node is None:
            out._node = node
        else:
            set_history(out, node)
        if node.to_save is not None:
            keep_tensors(node, node.to_save, {id(out): 0})
        enabled = modes.enabled
        if enabled is not True:
            enabled.recorded(node, args, (array,))
    else:
        out._node = None
    _forget(node)
    return out


def _forget(node: BackwardCFunction) -> None:
    """Drop what only the forward pass needed; outputs among it would hold the graph in a cycle."""
    state = node.__dict__
    for name in ("to_save", "saved_for_forward", "dirty_tensors", "non_differentiable"):
        if name in state:
            del state[name]


def _tensors(marked: Any, caller: str) -> dict[int, Any]:
    """What a method of the ctx was given, by id; ``RuntimeError`` for other things than Tensors."""
    found: dict[int, Any] = {}
    for number, each in enumerate(marked or ()):
        if not isinstance(each, Tensor):
            raise RuntimeError(
                f"{caller} can only accept variables, but argument {number} is of type "
                f"{type(each).__name__}"
            )
        found[id(each)] = each
    return found


def _note_writes(dirty: dict[int, Any]) -> None:
    for tensor in dirty.values():
        memory = memory_of(tensor)
        before_write(memory)
        memory.note_write()


def _check_dirty(
    dirty: dict[int, Any], inputs: set[int], outs: list[Any], executable: bool
) -> None:
    """Raise ``RuntimeError`` where a write in place cannot be brought into the graph."""
    returned = {id(each) for each in outs}
    for key, tensor in dirty.items():
        if key not in returned:
            raise RuntimeError(
                "Some elements marked as dirty during the forward method were not returned as "
                "output. The inputs that are modified inplace must all be outputs of the Function: "
                f"return the tensor of shape {list(tensor._array.shape)} as well"
            )
        if not executable:
            continue
        if key not in inputs:
            warnings.warn(
                "ctx.mark_dirty() received a tensor that was not an input; only inputs that "
                "forward writes to need it",
                UserWarning,
                stacklevel=5,
            )
        elif tensor._view is not None and tensor._view.differentiable and len(outs) > 1:
            raise RuntimeError(
                "If your Function modifies inplace an input that is a view of another Tensor, your "
                "Function cannot return more than one Tensor: clone() the view before, or return "
                "the other results from a Function of their own"
            )
        else:
            check_writable(tensor, expanded=True)


def _recorded(tensor: Any, edge: Any, is_input: bool, is_dirty: bool, reason: str) -> Any:
    """An output that gradients flow through: ``edge`` is its history from now on."""
    if is_dirty and is_input:
        base = base_of(tensor)
        before = earlier(base)
        if before._level != tensor._level:
            before._node = None
        rewrite(tensor, edge, before)
        return tensor
    if is_input:
        tensor = _alias(tensor)
    set_history(tensor, edge)
    view = tensor._view
    if view is not None and view.differentiable:
        special: SpecialView = new(SpecialView)
        special.parent, special.row, special.options = view.parent, view.row, view.options
        special.number, special.differentiable, special.reason = view.number, True, reason
        tensor._view = special
    return tensor


def _unrecorded(tensor: Any, is_input: bool, is_dirty: bool) -> Any:
    """An output without a gradient; an input that is returned becomes another Tensor."""
    if tensor._node is None:
        return _alias(tensor) if is_input and not is_dirty else tensor
    if is_input:
        return tensor.detach()
    if tensor._view is None or not tensor._view.differentiable:
        tensor._node = None
    return tensor


def _alias(tensor: Any) -> Any:
    """A view of the whole tensor, taken as if inside ``forward``: not recorded."""
    enabled, moving = modes.enabled, forward.enabled
    modes.enabled = forward.enabled = False
    try:
        found = alias_row(tensor)
    finally:
        modes.enabled, forward.enabled = enabled, moving
    if isinstance(found._node, AccumulateGrad):
        found._node = None
    return found
