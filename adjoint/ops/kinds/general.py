"""Rows that are not elementwise: reductions, movement, products, fused functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adjoint.array.value import apply
from adjoint.ops.kinds import rules
from adjoint.ops.kinds.quick import finish
from adjoint.ops.kinds.row import FLOAT32, FLOAT64, Formula, Row
from adjoint.tape.tensor import Tensor

ndarray = np.ndarray
JVP = {
    "linear": rules.jvp_linear,
    "multilinear": rules.jvp_multilinear,
    "transposed": rules.jvp_transposed,
}
BATCH = {"same": rules.batch_same, "loop": rules.batch_loop, "elementwise": rules.batch_elementwise}


def define(
    name: str,
    kind: str,
    compute: Callable[..., Any],
    *,
    inputs: str | Sequence[str] = "x",
    options: str | Sequence[str] = (),
    outputs: str | Sequence[str] = "out",
    vjp: Formula | None = None,
    jvp: str | Callable[..., Any] = "transposed",
    batch: str | Callable[..., Any] = "same",
    infer: Callable[..., Any] = rules.infer_by_running,
    promote: str | None = None,
    low_precision: bool = True,
    view: bool = False,
    variadic: bool = False,
    differentiable: int | None = None,
    many_outputs: bool = False,
    node_name: str | None = None,
    conjugate: bool = True,
    decompose: Callable[..., Any] | None = None,
    saved: str = "",
    **formulas: Formula,
) -> Callable[..., Any]:
    """A row of any kind, as a function of its inputs and then its options, all by position.

    ``jvp`` is "linear" (in all inputs together), "multilinear" (in each alone), "transposed"
    (made from the vjp) or the row's own formula, whose parameters name tangents (``x_t``), inputs,
    outputs and options. ``batch`` is "same" (dims count from the end, leading axes are free),
    "loop", or a rule. ``variadic`` rows take any number of inputs before their options, given as
    one sequence. ``saved`` gives PyTorch's names of saved values where they are not those of the
    rule (see ``tape.names``), as "y=mat2". The keyword arguments that are left are the formulas of
    the inputs they name.
    """
    row = Row(
        name,
        kind,
        compute,
        inputs=inputs,
        options=options,
        outputs=outputs,
        formulas=formulas,
        vjp=vjp,
        jvp=JVP[jvp] if isinstance(jvp, str) else rules.jvp_named(jvp),
        batch=BATCH[batch] if isinstance(batch, str) else batch,
        infer=infer,
        promote=promote,
        low_precision=low_precision,
        view=view,
        variadic=variadic,
        differentiable=differentiable,
        many_outputs=many_outputs,
        node_name=node_name,
        conjugate=conjugate,
        decompose=decompose,
        saved=saved,
    )
    row.batch_prefixed = rules.prefixed_options(row)
    return _variadic(row) if variadic else _fixed(row)


def _fixed(row: Row) -> Callable[..., Any]:
    """The row as a function; plain tensors of one of the usual types take the short way."""
    count = len(row.inputs)
    compute = row.compute
    plain = not row.view and not row.many_outputs and row.is_differentiable
    # Rows that only move elements take every type as it is.
    moves = plain and row.promote is None and not row.low_precision and not row.conjugate

    def operation(*args: Any) -> Any:
        inputs, options = args[:count], args[count:]
        level, kind = -1, None
        mask, bit = 0, 1
        arrays: list[Any] = []
        for value in inputs:
            if isinstance(value, Tensor):
                array = value._array
                if type(array) is not ndarray or (level >= 0 and value._level != level):
                    return apply(row, inputs, options)
                level = value._level
                kind = array.dtype if kind is None or kind is array.dtype else False
                if value._node is not None:
                    mask |= bit
                arrays.append(array)
            elif value is None:
                arrays.append(value)
            else:
                return apply(row, inputs, options)
            bit += bit
        if plain and (kind is FLOAT32 or kind is FLOAT64):
            try:
                out = compute(*arrays, *options)
            except (RuntimeWarning, FloatingPointError):
                return apply(row, inputs, options)
            if out.dtype is kind:
                return finish(row, out, level, inputs, options)
        elif moves and level >= 0:
            out = compute(*arrays, *options)
            if not mask or out.dtype.kind in "fc":
                return finish(row, out, level, inputs, options)
        else:
            out = row.evaluate(tuple(arrays), options)
        return row.record(level, mask, inputs, options, out)

    def single(x: Any, *options: Any) -> Any:
        if isinstance(x, Tensor):
            array = x._array
            if type(array) is ndarray:
                kind = array.dtype
                if kind is FLOAT32 or kind is FLOAT64:
                    try:
                        out = compute(array, *options)
                    except (RuntimeWarning, FloatingPointError):
                        return apply(row, (x,), options)
                    if out.dtype is kind:
                        return finish(row, out, x._level, (x,), options)
                elif moves:
                    out = compute(array, *options)
                    if x._node is None or out.dtype.kind in "fc":
                        return finish(row, out, x._level, (x,), options)
                else:
                    out = row.evaluate((array,), options)
                mask = 0 if x._node is None else 1
                return row.record(x._level, mask, (x,), options, out)
        return apply(row, (x,), options)

    chosen: Any = single if plain and count == 1 else operation
    chosen.row = row
    chosen.__name__ = chosen.__qualname__ = row.name
    named: Callable[..., Any] = chosen
    return named


def _variadic(row: Row) -> Callable[..., Any]:
    def operation(tensors: Sequence[Any], *options: Any) -> Any:
        return apply(row, tuple(tensors), options)

    operation.row = row  # type: ignore[attr-defined]
    operation.__name__ = operation.__qualname__ = row.name
    return operation
