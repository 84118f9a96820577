"""Writing in place: what may be written to, how results are stored, and the plain writes.

An in-place operation is computed out of place and stored, except where nothing is recorded and
NumPy can write its result straight into the memory. What a write does to the history of a base
and its views is in ``rewriting``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.memory import writable
from adjoint.array.symbol import Symbol, running
from adjoint.errors import describe_shape
from adjoint.ops.kinds.formulas import zero
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.row import FLOAT32, FLOAT64
from adjoint.ops.movement import alias_row
from adjoint.ops.rewriting import (
    alias,
    array_at,
    base_of,
    earlier,
    rebind,
    renew_unrecorded,
    rewrite,
)  # fmt: skip
from adjoint.ops.tangents import write_moving
from adjoint.shapes import product
from adjoint.tape.forward import Attached
from adjoint.tape.modes import modes
from adjoint.tape.node import AccumulateGrad, class_of_nodes, clock
from adjoint.tape.tensor import CUSTOM, SEVERAL, Memory, Tensor, Untracked, memory_of, wrap

ndarray = np.ndarray
# What ufuncs raise, before they write, for shapes and types that do not fit: the general path words
# it. And after they have written, where the user made warnings into errors.
REFUSALS = (ValueError, TypeError)
WARNINGS = (RuntimeWarning, FloatingPointError)
# These may be given a tensor that is expanded: they write the same into all that share a place.
SAME_EVERYWHERE = frozenset(("masked_fill_", "index_fill_", "index_put_", "tril_", "triu_"))
REAL_ONLY = frozenset(("abs_", "absolute_"))

zero_row = define(
    "zero", "movement", lambda x: np.zeros(x.shape, x.dtype), x=zero, jvp=lambda x_t: zero(x_t),
    low_precision=False, conjugate=False,
)  # fmt: skip

# -- operations in place ------------------------------------------------------------------------


def in_place(operation: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The form of an operation that stores its result in its first input and returns that."""
    row = getattr(operation, "row", None)
    direct = _ufunc_of(row)
    expanded = name in SAME_EVERYWHERE
    real_only = name in REAL_ONLY

    def operate(self: Any, *args: Any, **kwargs: Any) -> Any:
        if real_only and dtypes.of(self).is_complex:
            raise RuntimeError(f"{name}: the result is real, and a complex tensor cannot become so")
        if direct is not None and not kwargs and _write_directly(self, direct, args):
            return self
        sources = (*args, *kwargs.values()) if kwargs else args
        recording = check_writable(self, sources, expanded=expanded)
        given = self
        if recording or type(self._array) is Attached:
            given = earlier(self)
            if (row is None or modes.enabled is not True) and type(self._array) is ndarray:
                given._array = self._array.copy()  # any of the rows inside, or a hook, may keep it
        result = operation(given, *args, **kwargs)
        kept = recording and row is not None and sys.getrefcount(given) > 2
        if kept and type(self._array) is ndarray:
            # A formula needs the values that the write replaces: it keeps a copy, as in PyTorch.
            given._array = self._array.copy()
        return store(self, result, name)

    operate.__name__ = operate.__qualname__ = name
    operate.__doc__ = f"In-place form of ``{operation.__name__}``: stores the result in ``self``."
    return operate


def _ufunc_of(row: Any) -> Any:
    """The ufunc that a row of one or two inputs is, if it is one that keeps floating types."""
    if row is None or row.kind != "elementwise" or row.result == "bool" or row.options:
        return None
    return row.compute if isinstance(row.compute, np.ufunc) else None


def _write_directly(self: Any, ufunc: Any, args: tuple[Any, ...]) -> bool:
    """Let the ufunc write into plain floating memory where nothing is recorded or shared."""
    if not isinstance(self, Tensor) or self._view is not None or len(args) + 1 != ufunc.nin:
        return False
    array = self._array
    if type(array) is not ndarray or (self._node is not None and modes.enabled):
        return False
    kind = array.dtype
    if (kind is not FLOAT32 and kind is not FLOAT64) or 0 in array.strides:
        return False
    operands = [array]
    for other in args:
        if type(other) in (float, int):
            operands.append(other)
        elif (
            isinstance(other, Tensor)
            and other._level == self._level
            and type(other._array) is ndarray
            and other._array.dtype is kind
            and (other._node is None or not modes.enabled)
            and (other._memory is None or other._memory is not self._memory or other is self)
        ):
            operands.append(other._array)
        else:
            return False
    if type(self._memory) is Untracked and not modes.inference:
        return False
    memory = self._memory
    if memory is None:
        memory = memory_of(self)
    before_write(memory, array)
    try:
        ufunc(*operands, out=array)
    except REFUSALS:
        return False
    except WARNINGS:
        pass  # raised when the result is there already
    memory.note_write()
    if memory.views:
        renew_unrecorded(memory)
    return True


def store(target: Any, result: Any, name: str) -> Any:
    """Put ``result`` into the memory of ``target``, whose history becomes that of the result.

    Raises ``RuntimeError`` for another shape, and a type that ``target`` cannot hold.
    """
    if tuple(result.shape) != tuple(target._array.shape):
        raise RuntimeError(
            f"{name}: output with shape {describe_shape(target._array.shape)} doesn't match the "
            f"broadcast shape {describe_shape(result.shape)}"
        )
    found, wanted = dtypes.of(result), dtypes.of(target._array)
    if found.category > wanted.category:
        raise RuntimeError(
            f"{name}: result type {found!r} can't be cast to the desired output type {wanted!r}"
        )
    overwrite(target, result, name=name)
    return target


# -- what may be written to ---------------------------------------------------------------------


def check_writable(tensor: Any, sources: tuple[Any, ...] = (), *, expanded: bool = False) -> bool:
    """Whether writing what is made of ``sources`` into ``tensor`` is recorded.

    Raises ``RuntimeError`` where PyTorch does: for leaves that require grad and views of them
    (unless nothing is recorded), ambiguous views, inference tensors, memory in which several
    elements share a place (unless ``expanded``), and sources that overlap it.
    """
    if not isinstance(tensor, Tensor):
        raise TypeError(f"only Tensors are written in place, not {type(tensor).__name__}")
    wanted = False
    for source in sources:
        if isinstance(source, Tensor):
            if source._node is not None:
                wanted = True
            if source._memory is not None and source._memory is tensor._memory:
                _refuse_overlap(tensor, source)
    view = tensor._view
    base = tensor if view is None or not view.differentiable else view.base
    recording = modes.enabled and (wanted or tensor._node is not None or base._node is not None)
    if recording:
        _refuse_ambiguous(tensor, base)
    if type(tensor._memory) is Untracked and not modes.inference:
        raise _untracked()
    array = tensor._array
    if (
        not expanded
        and (type(array) is ndarray or type(array) is Symbol)
        and 0 in array.strides
        and product(array.shape) > 1
        and any(s == 0 and n > 1 for s, n in zip(array.strides, array.shape, strict=True))
    ):
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a "
            f"single memory location (shape {describe_shape(array.shape)}, expanded). "
            "Please clone() the tensor before performing the operation."
        )
    return recording


def _refuse_ambiguous(tensor: Any, base: Any) -> None:
    view = tensor._view
    if base is not tensor:
        if view.creation == SEVERAL:
            raise RuntimeError(
                "this tensor is a view that is one of several outputs of a function, and is being "
                "modified inplace. Such functions do not allow the output views to be modified "
                "inplace. You should replace the inplace operation by an out-of-place one"
            )
        if view.creation == CUSTOM:
            raise RuntimeError(
                f"A view that {CUSTOM}, is being modified inplace: the write would override the "
                "backward of that Function. Write to a clone() of it instead"
            )
        if view.creation is not None:
            raise RuntimeError(
                f"A view {view.creation} and is being modified inplace with grad mode enabled: "
                "whether the write is to be recorded is ambiguous. Move both the view and the "
                "write inside the block, or both outside"
            )
        if isinstance(base._node, AccumulateGrad):
            raise RuntimeError(
                "a view of a leaf Variable that requires grad is being used in an in-place "
                "operation. Use no_grad() around an update, or clone() the leaf first"
            )
    if isinstance(tensor._node, AccumulateGrad):
        raise RuntimeError(
            "a leaf Variable that requires grad is being used in an in-place operation. "
            "Use no_grad() around an update, or an operation that is not in place"
        )


def _refuse_overlap(tensor: Any, source: Any) -> None:
    """Refuse a source that shares some places with what is written, but is not the same view."""
    a, b = tensor._array, source._array
    if source is tensor or type(a) is not ndarray or type(b) is not ndarray:
        return
    if a.strides == b.strides and a.shape == b.shape and _address(a) == _address(b):
        return
    # As PyTorch: only where both lie without gaps is it known that they do overlap.
    if a.size and b.size and _is_dense(a) and _is_dense(b) and np.may_share_memory(a, b):
        raise RuntimeError(
            "unsupported operation: some elements of the input tensor and the written-to tensor "
            f"refer to a single memory location (shapes {describe_shape(b.shape)} and "
            f"{describe_shape(a.shape)}). Please clone() the tensor before performing the "
            "operation."
        )


def _address(array: Any) -> int:
    return int(array.__array_interface__["data"][0])


def _is_dense(array: Any) -> bool:
    """Whether the elements fill a stretch of memory, in whatever order of dimensions."""
    step = array.itemsize
    for stride, size in sorted(zip(array.strides, array.shape, strict=True)):
        if size != 1:
            if stride != step:
                return False
            step *= size
    return True


# -- the write ----------------------------------------------------------------------------------


def before_write(memory: Memory, array: Any = None) -> None:
    """Before a write to ``array``, which looks at ``memory``; None if it is known to have been.

    What the root's node saved of it will be found spoiled; whoever watches writes is told.
    """
    if type(memory) is Untracked and not modes.inference:
        raise _untracked()
    if modes.recorder is not True and array is not None:
        modes.recorder.writing(array)
    if memory.version:
        return
    root = None if memory.root is None else memory.root()
    if memory.maker is not None:  # detached, and the root may be gone
        node, whole = memory.maker(), memory.array
    elif root is not None:
        node, whole = root._node, root._array
        node = getattr(node, "node", node)
    else:
        return
    saved = getattr(node, "saved", None)
    if type(saved) is not tuple:
        return
    assert node is not None
    if any(value is whole for value in saved):
        witness = wrap(whole, 0 if root is None else root._level)
        witness._memory = memory
        node.saved = tuple(witness if value is whole else value for value in saved)


def _untracked() -> RuntimeError:
    return RuntimeError(
        "Inplace update to inference tensor outside InferenceMode is not allowed; use .clone() to "
        "get a normal tensor first"
    )


def _put(target: Any, value: Any, array: Any, memory: Memory) -> None:
    """Change the numbers of ``target``, and count it."""
    if type(target._array) is ndarray and type(array) is ndarray:
        before_write(memory, target._array)
        copy_into(target._array, array)
    else:
        if running.capture is not None:
            running.capture.before_write(target)
        rebind(target, value)
    memory.note_write()


def overwrite(target: Any, value: Any, edge: Any = False, name: str = "zero_") -> None:
    """Write a value that broadcasts to ``target``, count the write, and rewrite the history.

    ``edge`` is the history of what is written; by default the value's own.
    """
    memory = memory_of(target)
    array = array_at(value, target._level)
    if type(target._array) is Attached or (
        type(array) is Attached and value._level == target._level
    ):
        write_moving(overwrite, _write_tangent, target, value, edge, name)
        return
    base = base_of(target)
    before = earlier(base)
    _put(target, value, array, memory)
    if not modes.enabled or dtypes.of(target._array).category < dtypes.FLOATING:
        if memory.views:
            renew_unrecorded(memory)
        return
    if edge is False and isinstance(value, Tensor) and value._level == target._level:
        _save_in_place(value, target)
    if before._level != target._level:
        before._node = None
    if edge is False:
        same = isinstance(value, Tensor) and value._level == target._level
        edge = value._node if same else None
        if edge is None and target._node is not None and target._array.dtype.kind in "fc":
            # What does not depend on the old values passes zeros on, as in PyTorch.
            edge = zero_node(target, name)
    if edge is not None or target._node is not None or before._node is not None:
        rewrite(target, edge, before)
        if memory.views and (memory.root is None or memory.root() is not base):
            renew_unrecorded(memory, base_done=base)  # those of what it was detached from
    elif memory.views:
        renew_unrecorded(memory)


def _write_tangent(tangent: Any, moved: Any) -> None:
    """Store what a write moves by, None for nothing, in the tangent of what was written to."""
    if moved is None:
        moved = wrap(np.zeros((), dtypes.of(tangent).numpy), tangent._level)
    elif isinstance(moved._node, AccumulateGrad):
        moved = alias_row(moved)  # what is written has a history, and is no leaf
    check_writable(tangent, (moved,))
    overwrite(tangent, moved)


def _save_in_place(result: Any, target: Any) -> None:
    """Let a formula that keeps its result look at where that has been written to.

    The node is made a moment younger than the write, so that only a later one spoils it.
    """
    node, array = result._node, result._array
    saved = getattr(node, "saved", None)
    if (
        type(saved) is tuple
        and array is not target._array
        and type(target._array) is ndarray
        and array.dtype == target._array.dtype
        and any(value is array for value in saved)
    ):
        witness = wrap(target._array, target._level)
        witness._memory = target._memory
        node.saved = tuple(witness if value is array else value for value in saved)
        node.sequence = next(clock)


def zero_node(target: Any, name: str = "zero_") -> Any:
    """A node that answers every gradient with zeros for what ``target`` was before ``name``."""
    row = zero_row.row  # type: ignore[attr-defined]
    node = row.make_node(1, (target,), (), target._array, sys._getframe(1))
    if name != "zero_":
        spelled = "".join(part.title() for part in name.strip("_").split("_")) + "Backward0"
        if spelled not in _ZERO_NODES:
            _ZERO_NODES[spelled] = class_of_nodes(spelled, row)
        node.__class__ = _ZERO_NODES[spelled]
    node.shape, node.dtype = target._array.shape, target._array.dtype
    return node


_ZERO_NODES: dict[str, type] = {}


def copy_into(memory: Any, values: Any) -> None:
    """Write values of any type that broadcast, and cast as PyTorch casts."""
    if values.dtype.kind == "c" and memory.dtype.kind != "c":
        values = values.real
    if not memory.flags.writeable:
        memory = writable(memory)
    where: Any = True
    if 0 in memory.strides and memory.size > 1:
        # Several elements share a place: what is new there counts, not which comes last.
        where = values != memory
    try:
        np.copyto(memory, values, casting="unsafe", where=where)
    except (RuntimeWarning, FloatingPointError):
        with np.errstate(all="ignore"):
            np.copyto(memory, values, casting="unsafe", where=where)


__all__ = [
    "alias", "before_write", "check_writable", "copy_into", "in_place", "overwrite", "store",
]  # fmt: skip
