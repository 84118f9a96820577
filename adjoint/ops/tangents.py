"""Dual tensors in the table: making them, taking them apart, and writing to them in place.

The tangents of a tensor and of its views lie in memory as the tensors themselves do: the tangent of
a view is the view of the tangent. A write goes to the numbers first, as if nothing had a tangent,
and then to the tangent, as a write like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.batch import Batch
from adjoint.array.dual import Dual
from adjoint.array.memory import zeros_like
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.row import TABLE
from adjoint.ops.kinds.viewing import viewing
from adjoint.ops.rewriting import Path, family, follow, root_of
from adjoint.tape.forward import (
    PRIMAL,
    TANGENT,
    Attached,
    DualLevel,
    attach,
    forward,
    is_moving,
    lay_out,
    tangent_of,
    without_tangent,
)
from adjoint.tape.tensor import Tensor, wrap

# -- making and taking apart --------------------------------------------------------------------

# A dual looks at the memory of its primal, but its tangent is no part of that one's.
dual_row = viewing("dual_view", lambda x: x[...], x=lambda g: g, node_name="ViewBackward0")
primal_row = viewing(PRIMAL, lambda x: x[...], x=lambda g: g, node_name="Identity")


def _compute_dual(x: Any, t: Any) -> Any:
    assert forward.level is not None
    return Attached(forward.level, x, t)


# These two take duals apart and together below the Tensors of a transform.
join_row = define(
    "make_dual", "movement", _compute_dual, inputs="x t", x=lambda g: g, jvp=lambda x_t, t_t: x_t,
    low_precision=False, conjugate=False,
)  # fmt: skip
tangent_row = define(
    TANGENT, "movement", zeros_like, x=lambda g: g, jvp="linear", low_precision=False,
    conjugate=False,
)  # fmt: skip

# As functions of numbers these are nothing; what they do is tested with dual levels, not as rows.
for _operation in (dual_row, primal_row, join_row, tangent_row):
    del TABLE[_operation.row.name]  # type: ignore[attr-defined]


def join(tensor: Any, tangent: Any, home: DualLevel) -> Any:
    """A tensor that looks at the memory of ``tensor`` and has ``tangent``."""
    if max(tensor._level, tangent._level) > home.level:
        return join_row(tensor, tangent)
    tensor, tangent = at_level(tensor, home.level), at_level(tangent, home.level)
    out = dual_row(tensor)
    array = out._array
    if _lies_otherwise(tangent._array, array):
        tangent = lay_out(tangent, array, home.level)
    attach(out, tangent, home)
    return out


def at_level(tensor: Any, level: int) -> Any:
    """A tensor from outside a transform as one of its own, a constant there."""
    if tensor._level == level:
        return tensor
    bare = tensor._node is None and type(tensor._array) is np.ndarray
    return wrap(tensor._array if bare else tensor, level)


def _lies_otherwise(tangent: Any, array: Any) -> bool:
    if type(tangent) is not np.ndarray or type(array) is not np.ndarray or not array.size:
        return False
    if not tangent.flags.writeable:
        return True
    unit_t, unit = tangent.itemsize, array.itemsize
    return any(
        size > 1 and s // unit_t != wanted // unit
        for size, s, wanted in zip(array.shape, tangent.strides, array.strides, strict=True)
    )


def split(tensor: Any, home: DualLevel) -> tuple[Any, Any]:
    """A dual tensor without its tangent, and the tangent; None where there is none."""
    if tensor._level <= home.level:
        inside = tensor._level == home.level
        return primal_row(tensor), tangent_of(tensor, home.level) if inside else None
    if not _is_dual_below(tensor, home):
        return primal_row(tensor), None
    return primal_row(tensor), tangent_row(tensor)


def _is_dual_below(value: Any, home: DualLevel) -> bool:
    """Whether there is a dual of this level somewhere under the levels of transforms."""
    if type(value) is Attached:
        return value.home is home
    if isinstance(value, Tensor):
        return _is_dual_below(value._array, home)
    if isinstance(value, Batch):
        return _is_dual_below(value.value, home)
    if isinstance(value, Dual):
        return _is_dual_below(value.primal, home) or _is_dual_below(value.tangent, home)
    return False


# -- writing ------------------------------------------------------------------------------------


def write_moving(
    overwrite: Callable[..., None],
    write: Callable[[Any, Any], Any],
    target: Any,
    value: Any,
    edge: Any,
    name: str,
) -> None:
    """``overwrite`` where ``target`` or ``value`` has a tangent.

    ``write`` stores one tensor in another of which nothing has a tangent.
    """
    level = target._level
    t = tangent_of(value, level)
    home = value._array.home if t is not None else target._array.home
    held = [(each, each._array) for each in _kin(target) if type(each._array) is Attached]
    for tensor, array in held:
        tensor._array = array.primal
    try:
        overwrite(target, without_tangent(value, level), edge, name)
    finally:
        for tensor, array in held:
            tensor._array = Attached(home, tensor._array, array.tangent)
    if dtypes.of(target._array).category < dtypes.FLOATING or not is_moving():
        return
    present = tangent_of(target, level)
    if present is None:
        if t is None:
            return
        present = _begin(target, home)
    write(present, t)


def _kin(tensor: Any) -> Iterator[Any]:
    """Every tensor that may hold an array over the memory of ``tensor``; some may come twice."""
    seen: set[int] = set()
    root = root_of(tensor)
    line = [tensor]
    while line[-1]._view is not None:
        line.append(line[-1]._view.parent)
    for each in (*line, *family(root)):
        if id(each) not in seen:
            seen.add(id(each))
            yield each


def _source(tensor: Any) -> tuple[Any, Path]:
    """The tensor whose tangent that of ``tensor`` is a view of, and the path from there."""
    steps = []
    while (view := tensor._view) is not None and view.differentiable:
        if view.row is dual_row.row:  # type: ignore[attr-defined]
            break
        if view.row is not None:
            steps.append((view.row, view.options, view.number))
        tensor = view.parent
    return tensor, tuple(reversed(steps))


def _begin(target: Any, home: DualLevel) -> Any:
    """Give the source of ``target`` and all its views a tangent of zeros; that of ``target``."""
    source, _ = _source(target)
    array = source._array
    if type(array) is np.ndarray:
        zeros: Any = np.zeros_like(array)
    else:
        zeros = zeros_like(array)
    zeros = wrap(zeros, target._level)
    attach(source, zeros, home)
    for each in _kin(target):
        if each is not source and type(each._array) is not Attached:
            found, path = _source(each)
            if found is source:
                attach(each, follow(zeros, path), home)
    return target._array.tangent
