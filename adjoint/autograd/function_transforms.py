"""A user's ``Function`` inside ``vmap``, ``jvp``, ``grad`` and ``vjp``: one level at a time.

An application whose inputs are Tensors of a transform is carried out on what they stand for, one
level down, where it may meet the next transform. Then it is recorded on the transform's own tape.
"""

from __future__ import annotations

from typing import Any

from adjoint.array.batch import Batch
from adjoint.array.dual import Dual
from adjoint.array.randomness import mode_of, stepping_out
from adjoint.array.symbol import Symbol
from adjoint.autograd.function_batches import VmapInfo, vmapped
from adjoint.autograd.function_forward import attach_moves, attached, moves_of
from adjoint.autograd.function_node import as_array, as_public, call_setup, start_node
from adjoint.autograd.function_outputs import finish
from adjoint.errors import describe_shape
from adjoint.ops.rewriting import rebind
from adjoint.pytree import flatten, spread
from adjoint.tape.engine import rows
from adjoint.tape.forward import Attached, array_of, forward, tangent_of, without_tangent
from adjoint.tape.modes import modes
from adjoint.tape.tensor import Tensor, memory_of, wrap


def highest_level(leaves: Any) -> int:
    """The highest level of the Tensors among ``leaves``."""
    return max([each._level for each in leaves if isinstance(each, Tensor)], default=0)


def apply_lifted(function: Any, args: tuple[Any, ...], kwargs: Any, level: int) -> Any:
    """Apply ``function`` to arguments among which are Tensors of a transform's ``level``."""
    if any(_is_at(each, level) and type(each._array) is Attached for each in args):
        return _apply_to_duals(function, args, kwargs, level)
    leaves, structure = flatten(args)
    peeled = [_array_at(each, level) for each in leaves]
    below = [
        as_public(_content(array, level)) if _is_at(each, level) else each
        for each, array in zip(leaves, peeled, strict=True)
    ]
    if any(isinstance(each, Symbol) and each._level == level - 1 for each in peeled):
        return function._apply_at(level, function._has_setup(), args, kwargs)
    kind = next((type(each) for each in peeled if _is_kind(each, level)), None)
    lower_args = structure(iter(below))
    if kind is Batch:
        size = next(each.size for each in peeled if _is_kind(each, level))
        info = VmapInfo(size, mode_of(level - 1))
        with stepping_out(level - 1):
            out, arrays = _batched(function, lower_args, kwargs, peeled, structure, level, info)
    elif kind is Dual:
        out, arrays = _moved(function, lower_args, kwargs, args, level)
    else:
        out = function.apply(*lower_args, **kwargs)
        arrays = [as_array(each) for each in flatten(out)[0]]
    out = _raise(out, arrays, leaves, below, level)
    at_level = [each for each in args if _is_at(each, level)]
    if not modes.enabled or all(each._node is None for each in at_level):
        return out
    require_setup(function)
    node = start_node(function._backward_cls, args, level)
    call_setup(node, args, out)
    return finish(node, args, out, True)


def _apply_to_duals(function: Any, args: tuple[Any, ...], kwargs: Any, level: int) -> Any:
    """``apply_lifted`` where users have attached tangents to Tensors of this level."""
    bare = tuple([without_tangent(each, level) for each in args])
    tangents = [tangent_of(each, level) for each in args]
    out = apply_lifted(function, bare, kwargs, level)
    raw = list(out) if isinstance(out, tuple) else [out]
    outs = list(raw)
    home: Any = forward.level
    for low, high, t in zip(bare, args, tangents, strict=True):
        for place, value in enumerate(raw):
            if t is not None and value is low:  # written to in place
                array = low._array if low._view is None else array_of(high)
                high._array = Attached(home, array, t)
                high._node = low._node
                outs[place] = high
    present = attached(args, level)
    if present is not None:
        ctx = start_node(function._backward_cls, bare, level)
        call_setup(ctx, bare, out)
        attach_moves(ctx, bare, raw, outs, present)
    return tuple(outs) if isinstance(out, tuple) else outs[0]


def require_setup(function: Any) -> None:
    if not function._has_setup():
        raise RuntimeError(
            f"In order to use an autograd.Function with transforms (vmap, grad, jvp, jacrev, ...), "
            f"it must override the setup_context staticmethod: split {function.__name__}.forward "
            "into forward(*args), which has no ctx, and setup_context(ctx, inputs, output)"
        )


def _is_at(value: Any, level: int) -> bool:
    return isinstance(value, Tensor) and value._level == level


def _is_kind(array: Any, level: int) -> bool:
    return isinstance(array, (Batch, Dual)) and array._level == level - 1


def _array_at(value: Any, level: int) -> Any:
    return value._array if _is_at(value, level) else None


def _content(array: Any, level: int) -> Any:
    """What an array of a transform's Tensor stands for, one level down."""
    if not _is_kind(array, level):
        return array
    return array.value if isinstance(array, Batch) else array.primal


def _raise(out: Any, arrays: list[Any], leaves: list[Any], below: list[Any], level: int) -> Any:
    """The results as Tensors of ``level``; what was written to in place as the argument it is."""
    known = {id(low): high for low, high in zip(below, leaves, strict=True)}
    found, structure = flatten(out)
    raised = []
    for low, array in zip(found, arrays, strict=True):
        if not isinstance(low, Tensor):
            raised.append(low)
            continue
        argument = known.get(id(low))
        if argument is None:
            raised.append(wrap(array, level))
            continue
        if _is_at(argument, level):
            if _is_kind(array, level):
                rebind(argument, wrap(array, level))
            memory_of(argument).note_write()
        raised.append(argument)
    return structure(iter(raised))


# -- forward mode -------------------------------------------------------------------------------


def _moved(
    function: Any, args: tuple[Any, ...], kwargs: Any, originals: tuple[Any, ...], level: int
) -> tuple[Any, list[Any]]:
    """The results one level down, and the duals of them and of what the user's jvp gives."""
    out = function.apply(*args, **kwargs)
    outs = list(out) if isinstance(out, tuple) else [out]
    moves: list[Any] = [None] * len(outs)
    present = [_tangent(each, level) for each in originals]
    if any(t is not None for t in present):
        ctx = start_node(function._backward_cls, args, highest_level(args))
        call_setup(ctx, args, out)
        dirty = {id(each) for each in ctx.dirty_tensors or ()}
        tangents = [
            # jvp is to write into it; other duals may hold the same array.
            t.clone() if t is not None and id(value) in dirty else t
            for value, t in zip(args, present, strict=True)
        ]
        moves = moves_of(ctx, args, outs, tangents)
    arrays: list[Any] = []
    for value, t in zip(outs, moves, strict=True):
        if isinstance(value, Tensor):
            arrays.append(Dual(level - 1, as_array(value), as_array(t)))
        else:
            arrays += map(as_array, flatten(value)[0])
    return out, arrays


def _tangent(value: Any, level: int) -> Any:
    array = _array_at(value, level)
    if isinstance(array, Dual) and array._level == level - 1 and array.tangent is not None:
        return as_public(array.tangent)
    return None


# -- batches ------------------------------------------------------------------------------------


def _batched(
    function: Any,
    args: tuple[Any, ...],
    kwargs: Any,
    peeled: list[Any],
    structure: Any,
    level: int,
    info: VmapInfo,
) -> tuple[Any, list[Any]]:
    """The results one level down, and batches of them: by the user's rule, or a made one."""
    flags = [isinstance(array, Batch) and array._level == level - 1 for array in peeled]
    _check_rule(function)
    dims: list[Any] | None
    if function.generate_vmap_rule:
        out = vmapped(function, args, flags, kwargs, info).apply(*args)
        below = flatten(args)[0]
        constant = {id(x) for x, inside in zip(below, flags, strict=True) if not inside}
        found = flatten(out)[0]
        dims = [None if id(each) in constant else 0 for each in found]
    else:
        in_dims = structure(iter([0 if inside else None for inside in flags]))
        answer = function.vmap(info, in_dims, *args, **kwargs)
        out, dims = _answer_of_rule(function, answer)
        found = flatten(out)[0]
    arrays = []
    for each, dim in zip(found, dims, strict=True):
        if isinstance(each, Tensor) and dim is not None:
            arrays.append(
                Batch(level - 1, as_array(_to_front(function, each, dim, info.batch_size)))
            )
        else:
            arrays.append(as_array(each))
    return out, arrays


def _check_rule(function: Any) -> None:
    overridden = function.vmap is not function._base_function.vmap
    name = function.__name__
    if function.generate_vmap_rule and overridden:
        raise RuntimeError(
            f"You tried to vmap over {name}, but it has both generate_vmap_rule=True and an "
            "overridden vmap staticmethod: leave one of them out"
        )
    if not function.generate_vmap_rule and not overridden:
        raise RuntimeError(
            f"You tried to vmap over {name}, but it does not have vmap support. Write a vmap "
            "staticmethod, or set generate_vmap_rule=True if all of its methods are made of "
            "operations on Tensors"
        )


def _answer_of_rule(function: Any, answer: Any) -> tuple[Any, list[Any]]:
    """Output and dims from what a vmap staticmethod returned; ``RuntimeError`` for other shapes."""
    if not isinstance(answer, tuple) or len(answer) != 2:
        got = f"{len(answer)} returns" if isinstance(answer, tuple) else f"a {type(answer)}"
        raise RuntimeError(
            f"Expected the vmap staticmethod of {function.__name__} to have two returns, an output "
            f"and out_dims with a structure compatible with the output. Got {got} instead"
        )
    out, out_dims = answer
    dims = spread(out_dims, flatten(out)[1])
    if dims is None:
        raise RuntimeError(
            f"The vmap staticmethod of {function.__name__} returned an incompatible (output, "
            f"out_dims) tuple. Expected out_dims={out_dims} to be compatible with the structure of "
            f"`output`, which is {flatten(out)[1]!r}"
        )
    return out, dims


def _to_front(function: Any, value: Any, dim: int, size: int) -> Any:
    """What a rule returned with its batch dimension first; an error if it is not one."""
    rank = len(value.shape)
    if not -rank <= dim < rank:
        raise IndexError(
            f"the vmap staticmethod of {function.__name__} returned out_dim {dim} for an output of "
            f"shape {describe_shape(value.shape)}"
        )
    place = dim % rank
    if value.shape[place] != size:
        raise RuntimeError(
            f"the vmap staticmethod of {function.__name__} returned out_dim {dim} for an output of "
            f"shape {describe_shape(value.shape)}, but there are {size} examples"
        )
    if not place:
        return value
    order = (place, *(each for each in range(rank) if each != place))
    return rows.permute(value, tuple([each - rank for each in order]))
