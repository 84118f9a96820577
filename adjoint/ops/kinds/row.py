"""A row of the table: all that the library knows of one operation."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from operator import itemgetter
from types import FrameType
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.large import converted
from adjoint.array.value import Value, apply
from adjoint.tape.cuts import NOTING, note_cut, note_unrecorded
from adjoint.tape.engine import rebuild, resolve, rows
from adjoint.tape.modes import modes
from adjoint.tape.node import INTERNAL_PACKAGES, Node, Port, class_of_nodes, clock, user_frame
from adjoint.tape.tensor import Tensor, mark_view, new, note_maker, spoiled, wrap

ndarray = np.ndarray
TABLE: dict[str, Row] = {}
Formula = Callable[..., Any]

COMPLEX = 1 << 40  # a bit of the mask that no input has: conjugate around the formulas
FLOAT32, FLOAT64 = np.dtype("float32"), np.dtype("float64")


def argument_names(function: Formula) -> tuple[str, ...]:
    """Parameter names of a formula, read from its code (``inspect`` costs 100 times as much)."""
    code = function.__code__
    return code.co_varnames[: code.co_argcount]


class Row:
    """One operation: how to compute it, and every rule that the transforms need.

    ``compute`` takes plain arrays and the options, already normalised. A formula in ``formulas``
    gives the cotangent of the input it is named after; its parameters name what the tape keeps:
    ``g``, inputs, outputs, ``x_shape`` for an input's shape alone, and options. ``vjp`` is one
    formula for all inputs at once; it also receives ``needs``, a tuple of booleans.
    """

    def __init__(
        self,
        name: str,
        kind: str,
        compute: Callable[..., Any],
        *,
        inputs: str | Sequence[str] = "x",
        options: str | Sequence[str] = (),
        outputs: str | Sequence[str] = "out",
        formulas: dict[str, Formula] | None = None,
        vjp: Formula | None = None,
        jvp: Callable[..., Any] | None = None,
        batch: Callable[..., Any] | None = None,
        infer: Callable[..., Any] | None = None,
        decompose: Callable[..., Any] | None = None,
        promote: str | None = None,
        low_precision: bool = True,
        view: bool = False,
        variadic: bool = False,
        differentiable: int | None = None,
        many_outputs: bool = False,
        node_name: str | None = None,
        conjugate: bool = True,
        saved: str = "",
    ) -> None:
        self.name = name
        self.kind = kind
        self.compute = compute
        self.inputs = tuple(inputs.split()) if isinstance(inputs, str) else tuple(inputs)
        self.options = tuple(options.split()) if isinstance(options, str) else tuple(options)
        self.outputs = tuple(outputs.split()) if isinstance(outputs, str) else tuple(outputs)
        self.formulas = {key: value for key, value in (formulas or {}).items() if value is not None}
        self.vjp = vjp
        self.jvp = jvp
        self.batch = batch
        # Where the batch rule is the row itself, of one input: the numbers of the options that are
        # whole shapes, and get the size of the batch in front. None for all others.
        self.batch_prefixed: tuple[int, ...] | None = None
        self.infer = infer
        self.decompose = decompose
        self.promote = promote
        self.low_precision = low_precision
        self.view = view
        self.variadic = variadic
        # How many of the outputs, the first ones, have a derivative (the rest are indices).
        self.output_count = len(self.outputs)
        self.differentiable = self.output_count if differentiable is None else differentiable
        self.many_outputs = many_outputs or self.output_count > 1
        self.node_name = node_name or _camel(name) + "Backward0"
        self._node_class: type[Node] | None = None
        self._plans: dict[int, Plan] = {}
        self.is_differentiable = bool(self.formulas or vjp)
        self.conjugate = conjugate
        # What is shown of saved values under another name than the rule's, see ``tape.names``.
        self.saved_as = dict(pair.split("=") for pair in saved.split()) if saved else {}
        # Elementwise rows: the formulas again, whether the result is a truth value, which inputs
        # may be Python numbers, and the categories of types to compute in (None for all).
        self.partials: dict[str, Formula] = {}
        self.result = ""
        self.out = ""  # what type ``out=`` may have, "" where it is not taken
        self.numbers: frozenset[str] = frozenset()
        self.bools = True
        self.supports: frozenset[int] | None = None
        self.unsupported: type[Exception] = NotImplementedError
        self.refusals: dict[int, type[Exception]] = {}  # categories with an error of their own
        if name in TABLE:
            raise ValueError(f"the table has a row named {name!r} already")
        TABLE[name] = self

    def __repr__(self) -> str:
        return f"<row {self.name} ({self.kind})>"

    def __call__(self, inputs: Sequence[Any], options: Sequence[Any] = ()) -> Any:
        """Carry the row out on values of any kind."""
        return apply(self, tuple(inputs), tuple(options))

    # -- plain arrays -------------------------------------------------------------------------

    def evaluate(self, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Any:
        """Compute on plain arrays: promoted as by PyTorch, halves in float32 and rounded once."""
        rounded = None
        if self.promote is not None or self.low_precision:
            inputs, rounded = self._prepare(inputs)
        try:
            out = self.compute(*inputs, *options)
        except (RuntimeWarning, FloatingPointError):
            # Warnings made into errors by the user: infinities and NaNs are ordinary results here.
            with np.errstate(all="ignore"):
                out = self.compute(*inputs, *options)
        if rounded is not None:
            out = _round_floats(out, rounded)
        return out

    def _prepare(self, inputs: tuple[Any, ...]) -> tuple[tuple[Any, ...], dtypes.dtype | None]:
        """Cast inputs to the type they have together; and the half type to round the result to."""
        first = inputs[0]
        if type(first) is ndarray and (first.dtype is FLOAT32 or first.dtype is FLOAT64):
            for other in inputs:
                if type(other) is not ndarray or other.dtype is not first.dtype:
                    break
            else:
                return inputs, None
        common = None
        if self.promote is not None:
            common = dtypes.result_type(inputs)
            if self.promote == "float" and common.category < dtypes.FLOATING:
                common = dtypes.get_default_dtype()
            if self.supports is not None and common.category not in self.supports:
                error = self.refusals.get(common.category, self.unsupported)
                raise error(f"{self.name} is not implemented for {common.name}")
        else:
            present = {
                dtypes.of(each)
                for each in inputs
                if isinstance(each, (ndarray, np.generic)) and dtypes.is_low_precision(each.dtype)
            }
            if not present:
                return inputs, None
        rounded = common
        if common is None:
            rounded = present.pop()
            wanted = None
        elif common is dtypes.float16 or common is dtypes.bfloat16:
            wanted = dtypes.float32.numpy if self.low_precision else common.numpy
        else:
            rounded, wanted = None, common.numpy
        return tuple(_cast(each, wanted) for each in inputs), rounded

    # -- the tape -----------------------------------------------------------------------------

    def record(
        self, level: int, mask: int, inputs: tuple[Any, ...], options: tuple[Any, ...], out: Any
    ) -> Any:
        """Make Tensors of the results, with a node where ``mask`` says that inputs need it."""
        many = self.many_outputs
        if not many and not self.view:
            tensor = wrap(out, level)
            if mask and modes.enabled and self.is_differentiable:
                kind = out.dtype
                if kind is FLOAT32 or kind is FLOAT64:
                    node = self.make_node(mask, inputs, options, out, sys._getframe(1))
                    node.shape, node.dtype = out.shape, kind
                    tensor._node = node
                    return tensor
            elif not mask:
                return tensor
        results = [wrap(each, level) for each in out] if many else [wrap(out, level)]
        if mask and modes.enabled and self.is_differentiable:
            parts = out if many else (out,)
            kept = [
                number
                for number in range(len(parts) if len(self.outputs) == 1 else self.differentiable)
                if dtypes.of(parts[number]).category >= dtypes.FLOATING
            ]
            if kept:
                node = self.make_node(mask, inputs, options, out, sys._getframe(1))
                self._connect(node, results, parts, kept)
            elif self.name == "to_dtype":
                note_cut(f"a cast to {dtypes.of(out)!r}", inputs[0]._node)
        elif mask and modes.enabled is NOTING:
            note_unrecorded(next(each._node for n, each in enumerate(inputs) if mask >> n & 1))
        if self.view:
            for number, result in enumerate(results):
                self._note_view(result, inputs[0], options, number)
        return tuple(results) if many else results[0]

    def _connect(
        self, node: Node, results: list[Any], parts: Sequence[Any], kept: list[int]
    ) -> None:
        if not self.many_outputs:
            node.shape, node.dtype = parts[0].shape, parts[0].dtype
            results[0]._node = node
            return
        node.shape, node.dtype = parts[kept[0]].shape, parts[kept[0]].dtype
        for number in kept:
            part = parts[number]
            results[number]._node = Port(node, number, part.shape, part.dtype)
        if len(self.outputs) == len(parts) > len(kept):
            keep, width = node.plan.keep, node.plan.width
            for number, result in enumerate(results):
                if number not in kept and keep[width + number]:  # saved indices
                    note_maker(result, node)

    def _note_view(self, result: Any, parent: Any, options: tuple[Any, ...], number: int) -> None:
        # Memory below a transform is another's affair; there a view is a view by its meaning.
        if isinstance(parent, Tensor) and (
            isinstance(result._array, Value)
            or 0 in result._array.shape  # no memory to share, and a view in PyTorch all the same
            or np.may_share_memory(result._array, getattr(parent._array, "primal", parent._array))
        ):
            mark_view(result, parent, self, options, number, self.name != "detach")

    @property
    def node_class(self) -> type[Node]:
        """The class of this row's nodes, made when the first is recorded."""
        if self._node_class is None:
            self._node_class = class_of_nodes(self.node_name, self)
        return self._node_class

    def make_node(
        self,
        mask: int,
        inputs: tuple[Any, ...],
        options: tuple[Any, ...],
        out: Any,
        frame: FrameType | None,
    ) -> Node:
        """A node for the inputs set in ``mask``; its shape is the caller's to set."""
        node: Node = new(self._node_class or self.node_class)
        if self.conjugate and any(map(_is_complex, (*inputs, out))):
            mask |= COMPLEX
        plan = self._plans.get(mask) or self.plan(mask)
        node.plan = plan
        node.edges = tuple(
            value._node if mask >> place & 1 else None for place, value in enumerate(inputs)
        )
        node.saved = plan.save(inputs, options, out)
        node.sequence = next(clock)
        node.hooks = None
        frame = user_frame(frame)
        if frame is None:
            node.code, node.instruction = None, 0
        else:
            node.code, node.instruction = frame.f_code, frame.f_lasti
        if modes.enabled and modes.enabled is not True:
            modes.enabled.recorded(node, inputs, out)
        return node

    def plan(self, mask: int) -> Plan:
        """What to keep and which formulas to run for the inputs set in ``mask``; kept for reuse."""
        found = self._plans.get(mask)
        if found is None:
            found = self._plans[mask] = Plan(self, mask)
        return found

    # -- formulas on values of any kind -------------------------------------------------------

    def pullback(
        self,
        g: Any,
        needs: Sequence[bool],
        inputs: tuple[Any, ...],
        options: tuple[Any, ...],
        out: Any,
    ) -> list[Any]:
        """Cotangents of the inputs from that of the output, outside any tape."""
        mask = sum(1 << place for place, need in enumerate(needs) if need)
        if self.conjugate and any(map(_is_complex, (*inputs, out))):
            mask |= COMPLEX
        plan = self.plan(mask)
        return plan.formulas_on(g, plan.save(inputs, options, out))


class Plan:
    """For one row and one set of inputs that need a gradient: what to save, what to run."""

    __slots__ = (
        "conjugate",
        "direct",
        "has_shapes",
        "holds",
        "keep",
        "needs",
        "pick",
        "positions",
        "pulls",
        "row",
        "shapes",
        "simple",
        "width",
    )

    def __init__(self, row: Row, mask: int) -> None:
        self.row = row
        self.conjugate = bool(mask & COMPLEX)
        mask &= ~COMPLEX
        width = mask.bit_length() if row.variadic else len(row.inputs)
        self.needs = tuple(bool(mask >> place & 1) for place in range(max(width, 1)))
        self.positions: dict[str, int] = {}
        names = ("tensors",) if row.variadic else row.inputs
        shapes = ("shapes",) if row.variadic else tuple(f"{name}_shape" for name in row.inputs)
        for name in (*names, *row.outputs, *row.options, *shapes):
            self.positions[name] = len(self.positions)
        if row.outputs == ("out",) and "outs" not in self.positions:
            self.positions["outs"] = self.positions["out"]
        used: set[str] = set()
        self.pulls: list[tuple[int, Formula, tuple[int, ...]]] = []
        for place, name in enumerate(row.inputs):
            formula = row.formulas.get(name)
            if formula is None or row.vjp is not None or not self.needs[place]:
                continue
            wanted = argument_names(formula)[1:]
            used.update(wanted)
            self.pulls.append((place, formula, self._places(wanted)))
        if row.vjp is not None:
            wanted = argument_names(row.vjp)[2:]
            used.update(wanted)
            self.pulls.append((-1, row.vjp, self._places(wanted)))
        self.keep = tuple(name in used for name in (*names, *row.outputs))
        self.shapes = tuple(name in used for name in shapes)
        self.has_shapes = True in self.shapes
        # Takes what is kept from (*inputs, *outputs, None), a None in each other place: C speed.
        none = len(self.keep)
        self.pick = itemgetter(*[n if kept else none for n, kept in enumerate(self.keep)])
        self.width = len(names)
        # The places of saved inputs and outputs, which a pass frees; 0 where none is kept.
        self.holds = len(self.keep) if True in self.keep else 0
        # Formulas one by one on arrays need no list of resolved values.
        self.simple = row.vjp is None and not row.variadic and not self.conjugate
        # The commonest plan by far, one formula of one saved value, which the engine runs itself.
        self.direct: tuple[int, Formula, int] | None = None
        if (
            len(self.pulls) == 1
            and not row.variadic
            and not row.many_outputs
            and not self.conjugate
        ):
            place, formula, places = self.pulls[0]
            if place >= 0 and len(places) == 1:
                self.direct = place, formula, places[0]

    def _places(self, names: Sequence[str]) -> tuple[int, ...]:
        missing = [name for name in names if name not in self.positions]
        if missing:
            raise TypeError(f"row {self.row.name}: a formula asks for unknown {missing}")
        return tuple(self.positions[name] for name in names)

    def save(self, inputs: tuple[Any, ...], options: tuple[Any, ...], out: Any) -> tuple[Any, ...]:
        """The values that the formulas name, in fixed places, None for those they do not."""
        row = self.row
        values: tuple[Any, ...] = (inputs,) if row.variadic else inputs
        outs = (out,) if row.output_count == 1 else out
        kept = self.pick((*values, *outs, None))
        if not self.has_shapes:
            return (*kept, *options)
        if row.variadic:
            return (*kept, *options, tuple([shape_of(each) for each in inputs]))
        if len(inputs) == 1:
            return (*kept, *options, shape_of(inputs[0]))
        shapes = [
            shape_of(value) if wanted else None
            for value, wanted in zip(inputs, self.shapes, strict=True)
        ]
        return (*kept, *options, *shapes)

    def pull(
        self, node: Node, saved: tuple[Any, ...], g: Any, level: int, record: bool
    ) -> list[Any]:
        """Run the formulas on what ``node`` saved: one cotangent for each edge, or None."""
        if self.simple and not record:
            return self._pull_simply(node, g, saved, level)
        values = []
        for value in saved:
            if isinstance(value, Tensor) and value._level == level:  # as `resolve`, written out
                memory = value._memory
                if memory is not None and memory.written > node.sequence:
                    raise spoiled(value, node)
                if not record:
                    value = value._array
            values.append(value)
        if self.row.variadic and values[0] is not None:
            values[0] = tuple(resolve(value, node, level, record) for value in values[0])
        if record:
            self._rebuild_outputs(values, node, level)
        return self.formulas_on(g, values)

    def _pull_simply(self, node: Node, g: Any, saved: tuple[Any, ...], level: int) -> list[Any]:
        """``pull`` for separate formulas on arrays, half the time of the general way."""
        gradients: list[Any] = [None] * len(self.needs)
        for place, formula, positions in self.pulls:
            if not positions:
                gradients[place] = formula(g)
                continue
            values = []
            for position in positions:
                value = saved[position]
                if isinstance(value, Tensor) and value._level == level:
                    memory = value._memory
                    if memory is not None and memory.written > node.sequence:
                        raise spoiled(value, node)
                    value = value._array
                values.append(value)
            gradients[place] = formula(g, *values)
        return gradients

    def _rebuild_outputs(self, values: list[Any], node: Node, level: int) -> None:
        """Saved outputs are data; a recorded pass needs the Tensors they were."""
        row = self.row
        for number in range(len(row.outputs)):
            place = self.width + number
            value = values[place]
            if value is None:
                continue
            if row.many_outputs and len(row.outputs) == 1:
                continue
            if isinstance(value, Tensor) and value._level == level:
                value = value._array  # the witness of an output whose memory may be written
            edge: Any = None
            if number < row.differentiable:
                edge = Port(node, number, value.shape, value.dtype) if row.many_outputs else node
            values[place] = rebuild(value, edge, level)

    def formulas_on(self, g: Any, values: Sequence[Any]) -> list[Any]:
        """Cotangents of all inputs from resolved values.

        Formulas are written as for real numbers; for complex ones PyTorch's convention (the
        gradient is that of the conjugate Wirtinger derivative) conjugates both ends.
        """
        if self.conjugate:
            g = [_conj(each) for each in g] if isinstance(g, list) else _conj(g)
            return [_conj(each) for each in self._formulas_on(g, values)]
        return self._formulas_on(g, values)

    def _formulas_on(self, g: Any, values: Sequence[Any]) -> list[Any]:
        needs = self.needs
        out: list[Any] = [None] * len(needs)
        for place, formula, positions in self.pulls:
            if place < 0:
                return list(formula(g, needs, *[values[position] for position in positions]))
            if len(positions) == 1:
                out[place] = formula(g, values[positions[0]])
            else:
                out[place] = formula(g, *[values[position] for position in positions])
        return out


def _is_complex(value: Any) -> bool:
    kind = getattr(value, "dtype", None)
    return kind is not None and (
        kind.category == dtypes.COMPLEX if isinstance(kind, dtypes.dtype) else kind.kind == "c"
    )


def _conj(value: Any) -> Any:
    return value if value is None or not _is_complex(value) else rows.conj(value)


def shape_of(value: Any) -> tuple[int, ...]:
    """The plain tuple of a value's sizes; a Tensor's own ``shape`` is made anew at each look."""
    return value._array.shape if isinstance(value, Tensor) else getattr(value, "shape", ())


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def _cast(value: Any, wanted: Any) -> Any:
    """An input in the type to compute in; None lifts halves to float32 and leaves the rest."""
    if isinstance(value, (ndarray, np.generic)):
        if wanted is None:
            if dtypes.is_low_precision(value.dtype):
                return converted(value, FLOAT32)
        elif value.dtype != wanted:
            return converted(value, wanted)
    elif wanted is not None and value is not None:
        return _array_of_number(value, wanted)
    return value


def _array_of_number(value: Any, wanted: np.dtype[Any]) -> Any:
    """A Python number in the type to compute in: integers wrap, floats overflow to infinity."""
    if wanted.kind in "iu":
        return np.array(value, np.int64).astype(wanted)
    with np.errstate(over="ignore"):
        return np.array(value, wanted)


def _round_floats(out: Any, kind: dtypes.dtype) -> Any:
    """Round float32 results back to the half type; indices and masks stay as they are."""
    if isinstance(out, (tuple, list)):
        return type(out)(_round_floats(each, kind) for each in out)
    return converted(out, kind.numpy) if out.dtype == FLOAT32 else out


__all__ = ["INTERNAL_PACKAGES", "TABLE", "Plan", "Row", "Value", "argument_names"]
