"""What a write changes: the history of a base and of its views, and arrays that are not memory.

A view is known by its path: the rows that lead to it from its base, with their options. A write
through a view is an operation on the base, ``copy_slices``, linear in the base and in what is
written; afterwards every live view is recorded anew from its base, as ``view_again``.

The arrays of a transform (batches, duals, symbols) are never written to: the root of the memory
gets a new array, and every view looks again.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.batch import Batch
from adjoint.array.lifting import note_lift
from adjoint.array.memory import storage_of, strides_of, writable
from adjoint.array.symbol import running
from adjoint.array.value import Value, apply
from adjoint.ops.complex_parts import view_as_complex_row, view_as_real_row
from adjoint.ops.index_rows import index_put_row, infer_as_first
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.row import Row
from adjoint.ops.movement import expand_row, reshape_row
from adjoint.ops.strided import as_strided_row
from adjoint.shapes import product
from adjoint.tape import engine
from adjoint.tape.forward import Attached
from adjoint.tape.hooks import hooks_of
from adjoint.tape.modes import modes
from adjoint.tape.node import AccumulateGrad, Loose, Refused
from adjoint.tape.tensor import (
    SEVERAL,
    Memory,
    SpecialView,
    Tensor,
    View,
    chains,
    history_of,
    keep_grad,
    make_ambiguous,
    make_loose,
    memory_of,
    new,
    wrap,
)

ndarray = np.ndarray
Path = tuple[tuple[Row, tuple[Any, ...], int], ...]


def follow(value: Any, path: Path) -> Any:
    """Take the views of ``path`` one after the other."""
    for row, options, number in path:
        if type(value) is ndarray:
            value = row.compute(value, *options)
        else:
            value = row((value,), options)
        if row.many_outputs:
            value = value[number]
    return value


def path_of(tensor: Any, *, to_root: bool = False) -> Path:
    """The views that lead from the base to ``tensor``; to the root, also through ``detach()``."""
    steps = []
    while (view := tensor._view) is not None and (view.differentiable or to_root):
        if view.row is not None:
            steps.append((view.row, view.options, view.number))
        tensor = view.parent
    return tuple(reversed(steps))


def base_of(tensor: Any) -> Any:
    """The tensor whose history a write to ``tensor`` changes: itself, unless it is a view."""
    view = tensor._view
    return tensor if view is None or not view.differentiable else view.base


def root_of(tensor: Any) -> Any:
    """The first tensor over this memory."""
    while tensor._view is not None:
        tensor = tensor._view.parent
    return tensor


def family(root: Any) -> Iterator[Any]:
    """The live views of a memory, parents before the views taken of them."""
    for reference in memory_of(root).views:
        view = reference()
        if view is not None and view._view is not None:
            yield view


def alias(tensor: Any) -> Any:
    """Another Tensor on the same memory with today's history, which a later write leaves alone."""
    other = new(Tensor)
    other._array = tensor._array
    other._node = tensor._node
    other._level = tensor._level
    other._memory = memory_of(tensor)
    other._view = tensor._view
    return other


def earlier(tensor: Any) -> Any:
    """An alias whose saving a write does not spoil: its array will not be written to."""
    other = alias(tensor)
    other._memory = None
    if type(tensor._array) is Attached:
        other._array = tensor._array.copy()  # both the numbers and the tangent are written to
        other._array.adopt(other)
    return other


DEEP = 8  # views of views, before one is described by its place in memory instead


def shorten(tensor: Any) -> None:
    """Let a view of a view of a view ... look at its base directly, and the ones between go.

    So a loop that takes a view of the last view does not keep all of them.
    """
    view, depth = tensor._view, 0
    while view is not None and view.differentiable and depth <= DEEP:
        view, depth = view.parent._view, depth + 1
    if depth <= DEEP:
        return
    tensor._view = place_of(tensor, tensor._view.base) or tensor._view


def place_of(tensor: Any, base: Any) -> View | None:
    """A view of ``base`` that is described by its place in plain memory; None if that cannot be."""
    array, whole = tensor._array, base._array
    if type(array) is not ndarray or type(whole) is not ndarray or array.dtype != whole.dtype:
        return None
    (memory, offset), (below, first) = storage_of(array), storage_of(whole)
    if memory.size != below.size or (below.size and not np.may_share_memory(memory, below)):
        return None
    reason = tensor._view.creation
    direct: Any = new(View if reason is None else SpecialView)
    direct.parent, direct.row = base, as_strided_row.row  # type: ignore[attr-defined]
    direct.options = (array.shape, strides_of(array), offset, strides_of(whole), first)
    if reason is not None:
        direct.number, direct.differentiable, direct.reason = 0, True, reason
    return direct  # type: ignore[no-any-return]


chains.shorten = shorten


# -- the two rows -------------------------------------------------------------------------------


def _copy_slices(base: Any, source: Any, path: Path) -> Any:
    out = np.array(base)
    region = follow(out, path)
    if source.dtype.kind == "c" != region.dtype.kind:
        source = source.real
    if np.may_share_memory(region, out) or not region.size:
        np.copyto(writable(region), source, casting="unsafe")
    else:  # as_strided into memory that lies otherwise: by the numbers of the elements
        places = follow(np.arange(out.size).reshape(out.shape), path)
        out.reshape(-1)[places] = source
    return out


def _batch_copy_slices(
    row: Row, size: int, values: list[Any], batched: list[bool], options: tuple[Any, ...]
) -> Any:
    """As writing by index: numbering the base's places and looking finds the region's."""
    base, source = values
    if not batched[0]:
        base = expand_row(base, (size, *base.shape))
    if any(step[0].name in PARTS for step in options[0]):
        return _batch_copy_parts(size, base, source, batched[1], options[0])
    shape = tuple(base.shape[1:])
    count = product(shape)
    region = follow(np.arange(count).reshape(shape), options[0])
    return _put_numbered(size, base, source, batched[1], region)


# Rows that look at the parts of complex numbers, or at numbers as parts.
TO_REAL = ("real", "imag", "view_as_real")
PARTS = (*TO_REAL, "view_as_complex")


def _batch_copy_parts(size: int, base: Any, source: Any, batched: bool, path: Path) -> Any:
    """As above, where the path leads from complex numbers to their parts, or back.

    Parts are numbered, and their numbers are floats, which can be parts of complex numbers.
    """
    shape, whole = tuple(base.shape[1:]), dtypes.of(base).is_complex
    numbers = np.arange(product(shape) * (2 if whole else 1), dtype=np.float64)
    region = follow((numbers.view(np.complex128) if whole else numbers).reshape(shape), path)
    if region.dtype.kind == "c":
        region = np.stack([region.real, region.imag], -1)
        kind = dtypes.of(base).to_complex()
        if dtypes.of(source) is not kind:
            source = engine.rows.to_dtype(source, kind)
        source = view_as_real_row(source)
    elif dtypes.of(source).is_complex:
        source = engine.rows.real(source)
    if whole:
        base = view_as_real_row(base)
    out = _put_numbered(size, base, source, batched, region.astype(np.int64))
    return view_as_complex_row(out) if whole else out


def _put_numbered(size: int, base: Any, source: Any, batched: bool, region: Any) -> Any:
    """A batch of bases with a source where ``region`` has the numbers of their elements."""
    shape = tuple(base.shape[1:])
    count = product(shape)
    if batched:
        missing = (1,) * (region.ndim + 1 - len(source.shape))
        source = reshape_row(source, (size, *missing, *source.shape[1:]))
    source = reshape_row(expand_row(source, (size, *region.shape)), (size, region.size))
    flat = reshape_row(base, (size, count))
    out = index_put_row(flat, region.reshape(1, -1), source, (-1,), 0, False)
    return reshape_row(out, (size, *shape))


def writing_through(name: str, node_name: str | None = None) -> Any:
    """A row that writes a source where a path of views leads: ``row(base, source, path)``."""
    return define(
        name, "movement", _copy_slices, inputs="base source", options="path",
        base=lambda g, path: copy_slices(g, np.zeros((), dtypes.of(g).numpy), path),
        source=lambda g, path: follow(g, path),
        jvp="linear", batch=_batch_copy_slices, infer=infer_as_first, low_precision=False,
        conjugate=False, node_name=node_name,
    )  # fmt: skip


copy_slices = writing_through("copy_slices", "CopySlices")


def _look_back(g: Any, shape: tuple[int, ...], path: Path) -> Any:
    """The cotangent of a base of ``shape`` from that of what ``path`` leads to."""
    kind = _type_of_base(dtypes.of(g), path)
    seen = [np.broadcast_to(np.zeros((), kind.numpy), shape)]
    for step in path[:-1]:
        seen.append(follow(seen[-1], (step,)))
    for (row, options, number), x in zip(reversed(path), reversed(seen), strict=True):
        if row.many_outputs:
            out = row.compute(x, *options)
            arrived: Any = [g if place == number else None for place in range(len(out))]
        else:
            out = arrived = g
        g = engine.fit(row.pullback(arrived, (True,), (x,), options, out)[0], x.shape, x.dtype)
    return g


def _type_of_base(kind: dtypes.dtype, path: Path) -> dtypes.dtype:
    """The element type of a base, where ``path`` leads to elements of ``kind``."""
    for row, _, _ in reversed(path):
        if row.name in TO_REAL:
            kind = kind.to_complex()
        elif row.name == "view_as_complex":
            kind = kind.to_real()
    return kind


def _batch_view_again(
    row: Row, size: int, values: list[Any], batched: list[bool], options: tuple[Any, ...]
) -> Any:
    x = values[0]
    level = 1 + (x._level if isinstance(x, Value) else 0)
    return follow(Batch(level, x), options[0]).value


view_again = define(
    "view_again", "movement", follow, options="path",
    x=lambda g, x_shape, path: _look_back(g, x_shape, path),
    jvp="linear", batch=_batch_view_again, low_precision=False, conjugate=False, view=True,
    node_name="AsStridedBackward0",
)  # fmt: skip


# -- arrays that are not memory -----------------------------------------------------------------


def array_at(value: Any, level: int) -> Any:
    """A value as the array of a Tensor of ``level``: its own, or itself as a constant there."""
    if not isinstance(value, Tensor):
        return value
    if value._level == level:
        return value._array
    return value._array if value._node is None and type(value._array) is ndarray else value


def rebind(target: Any, value: Any) -> None:
    """Give the root of ``target`` an array in which ``value`` is written, and all views theirs.

    A value of a higher level lifts the whole family to its own.
    """
    root = root_of(target)
    level = max(target._level, value._level if isinstance(value, Value) else 0)
    views = list(family(root))
    apart = {id(each._memory): each for each in views if each._memory is not root._memory}
    for each in apart.values():  # .data counts writes for itself, and so do the views of it
        views += [view for view in family(each) if view is not each]
    if running.capture is not None:
        views = running.capture.seen(views, root)
    array = array_at(value, level)
    below = root._array if root._level == level else array_at(alias(root), level)
    region = follow(below, path_of(target, to_root=True))
    if dtypes.of(array) is not dtypes.of(region):
        array = engine.rows.to_dtype(array, dtypes.of(region))
    if tuple(array.shape) != tuple(region.shape):
        array = expand_row(array, tuple(region.shape))
        if type(array) is ndarray:
            array = array.copy()
    path = path_of(target, to_root=True)
    if running.capture is not None:  # what has no history to detach from
        path = tuple([step for step in path if step[0].name != "detach"])
    changed = apply(copy_slices.row, (below, array), (path,)) if path else array
    for tensor in (root, *views):
        if tensor._level != level:
            note_lift(tensor, level)
            tensor._level, tensor._node = level, None
    if not modes.enabled:
        changed = _as_before(below, changed)
    root._array = changed
    for view in views:
        steps = path_of(view, to_root=True)
        if any(step[0].name == "detach" for step in steps):
            view._array = follow(changed, steps)
        else:
            again = apply(view_again.row, (changed,), (steps,))  # type: ignore[attr-defined]
            view._array = again if modes.enabled else _as_before(view._array, again)


def _as_before(old: Any, new: Any) -> Any:
    """``new`` with the history that ``old`` has on lower tapes: a write that none has recorded.

    It changes the numbers alone, as a write to memory would.
    """
    if type(old) is Batch and type(new) is Batch and old._level == new._level:
        return Batch(new._level, _as_before(old.value, new.value))
    if not (isinstance(old, Tensor) and isinstance(new, Tensor)) or old._level != new._level:
        return new
    if old._node is None or old._array.shape != new._array.shape:
        return new
    other = wrap(new._array, new._level)
    other._node = old._node
    return other


# -- history ------------------------------------------------------------------------------------


def set_history(tensor: Any, edge: Any) -> None:
    """Make ``edge`` the history of ``tensor``; ``retain_grad`` goes with the tensor."""
    before = tensor._node
    tensor._node = edge
    if before is None or edge is None or isinstance(before, AccumulateGrad):
        return
    old = getattr(before, "node", before).hooks
    if old is not None:
        index = getattr(before, "index", 0)
        reference = old.retained.get(index)
        if reference is not None and reference() is tensor:
            del old.retained[index]
            hooks, index = hooks_of(edge)
            hooks.retained[index] = reference


def rewrite(target: Any, edge: Any, before: Any) -> None:
    """Record that ``target`` was written to, and what came is the result of ``edge``.

    ``before`` is an alias of the base with its history from before the write.
    """
    base = base_of(target)
    if base is target:
        set_history(target, edge)
    elif before._node is None and edge is None:
        set_history(base, None)
    else:
        source = wrap(target._array, target._level)
        source._node = edge
        row: Row = copy_slices.row
        mask = (before._node is not None) + 2 * (edge is not None)
        node = row.make_node(
            mask, (before, source), (path_of(target),), base._array, sys._getframe(1)
        )
        node.shape, node.dtype = base._array.shape, base._array.dtype
        set_history(base, node)
    _renew_views(base)


def _renew_views(base: Any) -> None:
    """Record every live view of ``base`` anew from it."""
    if not memory_of(base).views:
        return
    frame = sys._getframe(1)
    for view in family(base):
        if view._view.differentiable and view._view.base is base:
            _renew(view, base, frame)


def renew_unrecorded(memory: Memory, but: Any = None, base_done: Any = None) -> None:
    """Record all views of a memory anew whose base wants a gradient, after a write to it.

    Not the view ``but``, nor those of the base ``base_done``.

    The write itself has no history; but what was recorded of a view, or may be, is that of other
    values, and PyTorch lets views begin again at their base.
    """
    frame = sys._getframe(1)
    for reference in list(memory.views):
        view = reference()
        if view is None or view is but or view._view is None:
            continue
        if view._view.differentiable:
            base = view._view.base
            if base._node is not None and base is not base_done:
                _renew(view, base, frame)


def _renew(view: Any, base: Any, frame: Any) -> None:
    capture = running.capture
    if capture is not None and not capture.seen([view], root_of(view)):
        return
    if dtypes.of(view._array).category < dtypes.FLOATING:
        return
    if base._node is None:
        if type(history_of(view)) is not AccumulateGrad:
            view._node = None
        return
    if view._view.creation is not None:
        make_ambiguous(view)
        return
    keep_grad(view)
    path = path_of(view)
    others = [n for n, (row, _, _) in enumerate(path, 1) if row.name in _NO_STRIDES]
    if others:  # which no strides describe: PyTorch takes them again as they were
        before = modes.enabled, modes.inference
        modes.enabled, modes.inference = modes.recorder, False
        base, path = follow(alias(base), path[: others[-1]]), path[others[-1] :]
        modes.enabled, modes.inference = before
        if not path:
            set_history(view, base._node)
            return
    again: Row = view_again.row  # type: ignore[attr-defined]
    node = again.make_node(1, (base,), (path,), view._array, frame)
    node.shape, node.dtype = view._array.shape, view._array.dtype
    set_history(view, node)


_NO_STRIDES = frozenset(("view_as_real", "view_as_complex", "view_dtype"))


def settle(base: Any) -> None:
    """Let views of ``base`` that have no history want a gradient as it does now, or not."""
    for view in family(base):
        if not view._view.differentiable or view._view.base is not base:
            continue
        node = history_of(view)
        if base._node is None:
            if type(node) is Loose or (type(node) is Refused and view._view.reason != SEVERAL):
                view._node = None
        elif node is None and dtypes.of(view._array).category >= dtypes.FLOATING:
            make_loose(view)


chains.settle = settle
