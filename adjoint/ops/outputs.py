"""``out=``: the result of a function put into tensors of the caller's.

Nothing is written before everything has been checked, so a call that fails changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from adjoint import dtypes
from adjoint.array.batch import Batch
from adjoint.array.dual import Dual
from adjoint.errors import describe_shape
from adjoint.ops.inplace import (
    REFUSALS,
    WARNINGS,
    before_write,
    check_writable,
    overwrite,
)
from adjoint.ops.kinds.out import writing
from adjoint.ops.kinds.row import FLOAT32, FLOAT64
from adjoint.ops.resizing import resize
from adjoint.ops.rewriting import renew_unrecorded
from adjoint.tape.modes import modes
from adjoint.tape.tensor import Tensor, Untracked, memory_of
from adjoint.tape.warning import warn as warn_user

ndarray = np.ndarray
# The rules that allow casts, with the category that may be lost: floating numbers become integers.
CASTING = {"cast": dtypes.BOOL, "joined": dtypes.BOOL, "real": dtypes.FLOATING}


def into(
    function: Callable[..., Any], rule: str, out: Any, args: tuple[Any, ...], named: dict[str, Any]
) -> Any:
    """Call ``function`` and put what it gives into ``out``, which is returned.

    Raises ``RuntimeError`` where the call or a write to ``out`` would have to be recorded, for a
    type that ``out`` may not have, and where it shares memory with itself or with parts of an
    argument; ``NotImplementedError`` in forward mode for what has a tangent; ``TypeError`` for
    what is no tensor, or not as many as there are results.
    """
    name = function.__name__
    if type(out) is Tensor and not named and _at_once(function, out, args):
        return out
    outs = out if isinstance(out, (tuple, list)) else (out,)
    for each in outs:
        if not isinstance(each, Tensor):
            raise TypeError(f"{name}(): argument 'out' must be Tensor, not {type(each).__name__}")
        if modes.enabled and each._node is not None:
            _refuse_recording(name, "out")
        _refuse_tangent(name, "out", each)
    if rule == "follow":
        named = _in_type_of(out, named)
    result = function(*args, **named)
    several = isinstance(result, tuple)
    results = result if several else (result,)
    if several != isinstance(out, (tuple, list)) or len(results) != len(outs):
        wanted = f"a tuple of {len(results)} Tensors" if several else "a Tensor"
        given = f"{len(outs)} in a {type(out).__name__}" if outs is out else type(out).__name__
        raise TypeError(f"{name}(): argument 'out' must be {wanted}, not {given}")
    for each, value in zip(outs, results, strict=True):
        if not isinstance(value, Tensor):  # of plain arrays
            raise TypeError(f"{name}(): arguments must be Tensors, not {type(value).__name__}")
        if value._node is not None:
            _refuse_recording(name, "one of the arguments")
        _refuse_tangent(name, "one of the arguments", value)
        _check_type(name, "exact" if several else rule, dtypes.of(value), dtypes.of(each))
        check_out(name, each, value, args if rule == "cast" else ())
    for each, value in zip(outs, results, strict=True):
        put(name, each, value)
    return type(result)(*outs) if hasattr(result, "_fields") else out


def _refuse_recording(name: str, what: str) -> NoReturn:
    raise RuntimeError(
        f"{name}(): functions with out=... arguments don't support automatic differentiation, but "
        f"{what} requires grad. Leave out= away, or call under no_grad()"
    )


def _refuse_tangent(name: str, what: str, tensor: Any) -> None:
    array = tensor._array
    while isinstance(array, (Batch, Tensor)):
        array = array.value if isinstance(array, Batch) else array._array
    if isinstance(array, Dual) and array.tangent is not None:
        raise NotImplementedError(
            f"{name}(): forward mode does not go through out=, but {what} has a tangent. Leave "
            "out= away"
        )


def _in_type_of(out: Any, named: dict[str, Any]) -> dict[str, Any]:
    """The keywords, with the type of ``out`` to compute in where no other was asked for."""
    if named.get("dtype") is not None or not isinstance(out, Tensor):
        return named
    return {**named, "dtype": dtypes.of(out)}


def _check_type(name: str, rule: str, found: dtypes.dtype, wanted: dtypes.dtype) -> None:
    if found is wanted or (rule == "flag" and wanted is dtypes.uint8):
        return
    if rule in CASTING:
        if found.category > max(wanted.category, CASTING[rule]):
            raise (TypeError if rule == "joined" else RuntimeError)(
                f"{name}: result type {found!r} can't be cast to the desired output type {wanted!r}"
            )
        return
    raise RuntimeError(
        f"{name}: expected out tensor to have dtype {found!r}, but got {wanted!r} instead"
    )


def check_out(name: str, out: Any, value: Any, sources: tuple[Any, ...] = ()) -> None:
    """Refuse an ``out`` that cannot hold what is made of ``sources``, whatever its type."""
    if tuple(out.shape) == tuple(value.shape):
        check_writable(out, sources)
        return
    if out._node is not None:
        raise RuntimeError(
            f"{name}: cannot resize variables that require grad, and out has shape "
            f"{describe_shape(out.shape)} where {describe_shape(value.shape)} is needed"
        )
    check_writable(out, expanded=True)


def put(name: str, out: Any, value: Any, *, warn: bool = True) -> None:
    """Write ``value`` into ``out``, which has been checked."""
    if tuple(out.shape) != tuple(value.shape):
        if warn and out.numel():
            warn_user(
                f"{name}: out has elements, in shape {describe_shape(out.shape)}, and was resized "
                f"to {describe_shape(value.shape)}. PyTorch will refuse that in future: resize it "
                "to no elements before, as with out.resize_(0)"
            )
        resize(out, tuple(value.shape))
    recording = modes.enabled
    modes.enabled = False
    try:
        overwrite(out, value)
    finally:
        modes.enabled = recording


def _at_once(function: Any, out: Any, args: tuple[Any, ...]) -> bool:
    """Let a ufunc write into plain memory of one floating type, where nothing else is to be done.

    Half the time of computing and copying, and no memory but that of ``out``.
    """
    row = getattr(function, "row", None)
    if row is None or row.result == "bool" or not isinstance(row.compute, np.ufunc):
        return False
    array = out._array
    if type(array) is not ndarray or 0 in array.strides or out._node is not None:
        return False
    kind, shape = array.dtype, array.shape
    if kind is not FLOAT32 and kind is not FLOAT64:
        return False
    arrays = []
    for value in args:
        if not isinstance(value, Tensor) or (value._node is not None and modes.enabled):
            return False
        other = value._array
        if (
            type(other) is not ndarray
            or other.dtype is not kind
            or other.shape != shape
            or value._level != out._level
            or (value is not out and value._memory is not None and value._memory is out._memory)
        ):
            return False
        arrays.append(other)
    if type(out._memory) is Untracked and not modes.inference:
        return False
    memory = memory_of(out)
    before_write(memory, array)
    try:
        row.compute(*arrays, out=array)
    except REFUSALS:
        return False
    except WARNINGS:
        pass  # raised when the result is there already
    memory.note_write()
    if memory.views:
        renew_unrecorded(memory)
    return True


writing.into = into
