"""Rules that a kind derives for its rows: forward mode, batching, and shapes for tracing.

A ``jvp`` rule gets primals, tangents (None for a constant), the output and the options; a
``batch`` rule gets values whose batch axis, where they have one, is the first; an ``infer`` rule
gives the shape and type of each output.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.memory import zeros_like
from adjoint.array.value import Value, apply
from adjoint.errors import TransformError
from adjoint.ops.kinds.row import Row, argument_names
from adjoint.shapes import broadcast_shapes
from adjoint.tape.engine import fit, run
from adjoint.tape.engine import rows as basic
from adjoint.tape.modes import enable_grad, modes
from adjoint.tape.passes import Capture
from adjoint.tape.tensor import Tensor, make_leaf, wrap

# -- forward mode -----------------------------------------------------------------------------


def _total(parts: Sequence[Any]) -> Any:
    total = None
    for part in parts:
        if part is not None:
            total = part if total is None else total + part
    return total


def jvp_elementwise(
    row: Row, primals: tuple[Any, ...], tangents: tuple[Any, ...], out: Any, options: Any
) -> Any:
    """The same partial derivatives, applied to tangents instead of a cotangent."""
    parts = []
    values = dict(zip((*row.inputs, "out", *row.options), (*primals, out, *options), strict=True))
    kind = dtypes.of(out)
    for name, t in zip(row.inputs, tangents, strict=True):
        formula = row.partials.get(name)
        if t is not None and formula is not None:
            wanted = argument_names(formula)[1:]
            if dtypes.of(t) is not kind:
                t = basic.to_dtype(t, kind)
            parts.append(
                formula(
                    t, *[values[key] if key in values else _shape(key, values) for key in wanted]
                )
            )
    moved = _total(parts)
    if moved is None or (tuple(moved.shape) == tuple(out.shape) and dtypes.of(moved) is kind):
        return moved
    return fit(moved, tuple(out.shape), kind)


def _shape(key: str, values: dict[str, Any]) -> tuple[int, ...]:
    """What ``x_shape`` asks for."""
    found: tuple[int, ...] = getattr(values[key.removesuffix("_shape")], "shape", ())
    return found


def _in_type(value: Any, kind: dtypes.dtype) -> Any:
    return value if dtypes.of(value) is kind else basic.to_dtype(value, kind)


def jvp_linear(
    row: Row, primals: tuple[Any, ...], tangents: tuple[Any, ...], out: Any, options: Any
) -> Any:
    """A row that is linear in its differentiable inputs together: itself, on the tangents."""
    names = row.inputs if not row.variadic else (row.inputs[0],) * len(primals)
    moved = tuple(
        (zeros_like(x) if t is None else t) if _moves(row, name, x) else x
        for name, x, t in zip(names, primals, tangents, strict=True)
    )
    return apply(row, moved, options)


def _moves(row: Row, name: str, value: Any) -> bool:
    if not hasattr(value, "dtype"):
        return False
    if row.variadic:  # linear in integers too, which then add nothing
        return True
    differentiable = name in row.formulas or row.vjp is not None
    return differentiable and dtypes.of(value).category >= dtypes.FLOATING


def jvp_multilinear(
    row: Row, primals: tuple[Any, ...], tangents: tuple[Any, ...], out: Any, options: Any
) -> Any:
    """A row that is linear in each input alone (products): the sum with one replaced at a time."""
    return _total(
        [
            apply(row, (*primals[:place], t, *primals[place + 1 :]), options)
            for place, t in enumerate(tangents)
            if t is not None
        ]
    )


def jvp_named(formula: Callable[..., Any]) -> Callable[..., Any]:
    """A row's own jvp, whose parameters name what it wants: ``x_t`` tangents, inputs, outputs."""
    wanted = argument_names(formula)

    def rule(
        row: Row, primals: tuple[Any, ...], tangents: tuple[Any, ...], out: Any, options: Any
    ) -> Any:
        outs = (out,) if len(row.outputs) == 1 else out
        values = dict(
            zip((*row.inputs, *row.outputs, *row.options), (*primals, *outs, *options), strict=True)
        )
        for name, x, t in zip(row.inputs, primals, tangents, strict=True):
            values[f"{name}_t"] = zeros_like(x) if t is None and hasattr(x, "dtype") else t
            values[f"{name}_shape"] = getattr(x, "shape", ())
        return formula(*[values[name] for name in wanted])

    return rule


def jvp_transposed(
    row: Row, primals: tuple[Any, ...], tangents: tuple[Any, ...], out: Any, options: Any
) -> Any:
    """Forward mode out of reverse mode: the pullback is linear in ``g``; transpose it.

    Source: J. Townsend, "A new trick for calculating Jacobian vector products" (2017).
    """
    if not modes.enabled:  # only what is recorded here for the transposing may be
        primals, tangents = (tuple(map(_without_history, each)) for each in (primals, tangents))
        out = tuple(map(_without_history, out)) if row.many_outputs else _without_history(out)
    outs = (
        list(out[: row.differentiable])
        if row.many_outputs and len(row.outputs) > 1
        else (list(out) if row.many_outputs else [out])
    )
    below = [each._level for each in (*primals, *tangents, *outs) if isinstance(each, Value)]
    level = 1 + int(max(below, default=0))
    level += level % 2  # the level of a Tensor above everything here
    with enable_grad():
        dummies = [wrap(np.zeros(each.shape, dtypes.of(each).numpy), level) for each in outs]
        for dummy in dummies:
            make_leaf(dummy)
        g: Any = dummies if row.many_outputs and row.differentiable > 1 else dummies[0]
        if row.many_outputs and row.differentiable == 1:
            g = [dummies[0], *[None] * (len(out) - 1)]
        needs = [t is not None for t in tangents]
        cotangents = row.pullback(g, needs, primals, options, out)
        roots = [
            (cotangent._node, _in_type(t, dtypes.of(cotangent)))
            for cotangent, t in zip(cotangents, tangents, strict=True)
            if isinstance(cotangent, Tensor)
            and cotangent._level == level
            and t is not None
            and cotangent._node is not None
        ]
        capture = Capture([dummy._node for dummy in dummies])
        run(roots, level, keep_graph=False, record=False, capture=capture)
    moved = tuple(capture.get(dummy._node) for dummy in dummies)
    return moved if row.many_outputs else moved[0]


def _without_history(value: Any) -> Any:
    """A constant of the same numbers."""
    if isinstance(value, Tensor) and value._node is not None:
        return wrap(value._array, value._level)
    return value


# -- batching ---------------------------------------------------------------------------------


def stretch(value: Any, size: int, batched: bool) -> Any:
    """Give an input without a batch axis one, by repeating it in place (no copy)."""
    if batched or not hasattr(value, "shape"):
        return value
    return basic.expand(value, (size, *value.shape))


def batch_elementwise(
    row: Row, size: int, values: list[Any], batched: list[bool], options: tuple[Any, ...]
) -> Any:
    """Line the dimensions up behind the batch axis; broadcasting does the rest."""
    rank = max(
        (
            len(x.shape) - inside
            for x, inside in zip(values, batched, strict=True)
            if hasattr(x, "shape")
        ),
        default=0,
    )
    kinds = {dtypes.of(x) for x in values if hasattr(x, "dtype")}
    if len(kinds) > 1 and row.promote is not None:
        # Promotion looks at the number of dimensions, which the batch axis would change.
        logical = [
            np.zeros((1,) * (len(x.shape) - inside), dtypes.of(x).numpy)
            if hasattr(x, "shape")
            else x
            for x, inside in zip(values, batched, strict=True)
        ]
        common = dtypes.result_type(tuple(logical))
        values = [basic.to_dtype(x, common) if hasattr(x, "dtype") else x for x in values]
    aligned = []
    for x, inside in zip(values, batched, strict=True):
        missing = rank - len(x.shape) + 1 if inside else 0
        if missing:
            x = basic.reshape(x, (x.shape[0], *(1,) * missing, *x.shape[1:]))
        aligned.append(x)
    return apply(row, tuple(aligned), options)


def batch_same(
    row: Row, size: int, values: list[Any], batched: list[bool], options: tuple[Any, ...]
) -> Any:
    """The row itself: its dims count from the end, so an axis in front changes nothing."""
    if all(batched):
        return apply(row, tuple(values), options)
    whole = tuple(stretch(x, size, inside) for x, inside in zip(values, batched, strict=True))
    return apply(row, whole, options)


def batch_prefixed(*names: str) -> Callable[..., Any]:
    """The row itself, with the batch size put in front of the options that are whole shapes."""

    def rule(
        row: Row, size: int, values: list[Any], batched: list[bool], options: tuple[Any, ...]
    ) -> Any:
        changed = tuple(
            (size, *option) if name in names else option
            for name, option in zip(row.options, options, strict=True)
        )
        return batch_same(row, size, values, batched, changed)

    rule.names = names  # type: ignore[attr-defined]
    return rule


def prefixed_options(row: Row) -> tuple[int, ...] | None:
    """For ``Row.batch_prefixed``: which options a batch of the row's one input makes longer."""
    if len(row.inputs) != 1 or row.many_outputs or row.variadic:
        return None
    if row.batch is batch_same:
        return ()
    names = getattr(row.batch, "names", None)
    return None if names is None else tuple([row.options.index(name) for name in names])


def batch_loop(
    row: Row, size: int, values: list[Any], batched: list[bool], options: tuple[Any, ...]
) -> Any:
    """One at a time, stacked: right for every row, and quick for none."""
    results = [
        apply(
            row,
            tuple(
                basic.select(x, place - size) if inside else x
                for x, inside in zip(values, batched, strict=True)
            ),
            options,
        )
        for place in range(size)
    ]
    if row.many_outputs:
        return tuple(basic.stack(list(column)) for column in zip(*results, strict=True))
    return basic.stack(results)


def batch_refused(reason: str) -> Callable[..., Any]:
    """For rows whose result's shape depends on the values."""

    def rule(row: Row, *_: Any) -> Any:
        raise TransformError(
            f"vmap: {row.name} cannot be batched, because {reason}; "
            "use where(), or call it outside vmap"
        )

    return rule


# -- shapes and types for tracing -------------------------------------------------------------

Fact = tuple[tuple[int, ...], dtypes.dtype]


def stand_in(value: Any, shape: tuple[int, ...] | None = None) -> Any:
    """Plain memory of any value's shape and type that takes no room."""
    if not isinstance(value, Value):
        return value
    return np.broadcast_to(
        np.ones((), dtypes.of(value).numpy), value.shape if shape is None else shape
    )


def fact(out: Any) -> Fact:
    """Shape and type of an array."""
    return tuple(out.shape), dtypes.of(out)


def infer_elementwise(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
    """Broadcast the shapes; find the type by computing one element."""
    ones = tuple(
        stand_in(x, (1,) * len(x.shape))
        if isinstance(x, Value)
        else x[(slice(1),) * x.ndim]
        if isinstance(x, np.ndarray)
        else x
        for x in inputs
    )
    out = row.evaluate(ones, options)
    shape = broadcast_shapes(*(tuple(x.shape) for x in inputs if hasattr(x, "shape")))
    return shape, dtypes.of(out)


def infer_by_running(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Any:
    """Compute on stand-ins of the full shape: free for movement, once a trace for the rest."""
    with np.errstate(all="ignore"):
        out = row.evaluate(tuple(stand_in(x) for x in inputs), options)
    return [fact(each) for each in out] if row.many_outputs else fact(out)


def infer_refused(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Any:
    """For rows whose result's shape depends on the values."""
    raise TransformError(
        f"{row.name} cannot be traced, because the shape of its result depends on values; "
        "use where() or a mask, or call it outside the compiled function"
    )
