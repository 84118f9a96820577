"""A symbol: an array of which only shape and type are known, and the trace it belongs to."""

from __future__ import annotations

import threading
import weakref
from types import CodeType
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from adjoint import dtypes
from adjoint.array.memory import dense_strides
from adjoint.array.value import Value, apply
from adjoint.errors import TransformError
from adjoint.shapes import broadcast_shapes

Shape = tuple[int, ...]
Fact = tuple[Shape, dtypes.dtype, "Shape | None"]  # the strides: None for those of fresh memory


class _Running(threading.local):
    """What traces a whole function in this thread; None at any other time."""

    capture: Any = None


running = _Running()


class Equation:
    """One step of a trace: outputs = row(inputs, options)."""

    __slots__ = ("code", "inputs", "instruction", "options", "outputs", "row")

    code: CodeType | None  # the user's code that asked for it
    instruction: int

    def __init__(
        self, row: Any, inputs: tuple[Any, ...], options: tuple[Any, ...], outputs: tuple[Any, ...]
    ) -> None:
        self.row = row
        self.inputs = inputs
        self.options = options
        self.outputs = outputs
        self.code = None
        self.instruction = 0

    def __repr__(self) -> str:
        def spell(value: Any) -> str:
            return repr(value) if isinstance(value, Symbol) else f"<{type(value).__name__}>"

        left = ", ".join(spell(each) for each in self.outputs)
        right = ", ".join([*(spell(each) for each in self.inputs), *map(repr, self.options)])
        return f"{left} = {self.row.name}({right})"


class Trace:
    """The equations recorded from symbols, in order.

    It holds its symbols, and they know it weakly, so that it is freed without the collector.
    """

    __slots__ = ("__weakref__", "count", "equations", "level")

    def __init__(self, level: float) -> None:
        self.level = level
        self.equations: list[Equation] = []
        self.count = 0

    def symbol(self, shape: Shape, kind: dtypes.dtype, strides: Shape | None = None) -> Symbol:
        """A new symbol of this trace."""
        self.count += 1
        return Symbol(self, f"v{self.count}", tuple(shape), kind, strides)

    def record(self, row: Any, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Any:
        """Write down one step; gives its output, or a tuple of them."""
        outputs = tuple([self.symbol(*each) for each in facts_of(row, inputs, options)])
        self.equations.append(Equation(row, inputs, options, outputs))
        return outputs if row.many_outputs else outputs[0]

    def evaluate(self, known: dict[Symbol, Any], wanted: list[Any]) -> list[Any]:
        """Run the equations on values for the input symbols; values of any kind will do."""
        environment: dict[Any, Any] = dict(known)

        def read(value: Any) -> Any:
            own = isinstance(value, Symbol) and value._level == self.level
            return environment[value] if own else value

        for equation in self.equations:
            out = apply(equation.row, tuple(map(read, equation.inputs)), equation.options)
            outs = out if equation.row.many_outputs else (out,)
            environment.update(zip(equation.outputs, outs, strict=True))
        return [read(value) for value in wanted]

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.equations))


class Symbol(Value):
    """A named array of known shape and type; operations on it are written into its trace."""

    __slots__ = ("_level", "_strides", "dtype", "name", "shape", "trace")

    def __init__(
        self,
        trace: Trace,
        name: str,
        shape: Shape,
        kind: dtypes.dtype,
        strides: Shape | None = None,
    ) -> None:
        self._level = trace.level  # type: ignore[assignment] # programs trace between two levels
        self._strides = strides
        self.trace = weakref.ref(trace)
        self.name = name
        self.shape = shape
        self.dtype = kind

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def strides(self) -> Shape:
        """Steps between neighbours, in elements, of what it stands for."""
        return dense_strides(self.shape) if self._strides is None else self._strides

    def __repr__(self) -> str:
        return f"{self.name}:{self.dtype.name}{list(self.shape)}"

    def _apply(
        self, row: Any, level: int, inputs: tuple[Any, ...], options: tuple[Any, ...]
    ) -> Any:
        trace = self.trace()
        if trace is None:
            raise TransformError(f"{self!r} is used after the end of the transform that made it")
        return trace.record(row, inputs, options)


# -- shapes and types of what rows make ---------------------------------------------------------

# Finding them takes 5 to 50 us a row; looking them up takes 2, and a step has the same ones often.
_KNOWN: dict[Any, tuple[Fact, ...]] = {}
MOST_KNOWN = 20000
# Rows, besides elementwise and random ones, whose results lie in memory as their first input.
KEEPING = frozenset(("clone", "to_dtype", "copy_slices", "full_like"))


def facts_of(row: Any, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> tuple[Fact, ...]:
    """Shape, type and strides of each output of a row on symbols and plain values."""
    key = _key(row, inputs, options)
    found = None if key is None else _KNOWN.get(key)
    if found is not None:
        return found
    if row.view and type(inputs[0]) is Symbol:
        found = _facts_of_view(row, inputs[0], options)
    else:
        facts = _fact_of_smooth(row, inputs) or row.infer(row, inputs, options)
        several = facts if row.many_outputs else (facts,)
        strides = _strides_of_made(row, inputs, options, [tuple(each[0]) for each in several])
        found = tuple(
            [
                (tuple(shape), kind, steps)
                for (shape, kind), steps in zip(several, strides, strict=True)
            ]
        )
    if key is not None:
        if len(_KNOWN) > MOST_KNOWN:
            _KNOWN.clear()
        _KNOWN[key] = found
    return found


def _key(row: Any, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Any:
    """What the facts depend on; None where that is values, or cannot be said."""
    facts: list[Any] = [row, dtypes.get_default_dtype()]
    for each in inputs:
        if type(each) is Symbol:
            facts += (each.shape, each.dtype, each._strides)
        elif each is None:
            facts.append(None)
        elif isinstance(each, (bool, int, float)):
            facts += (type(each), each)
        elif row.kind == "elementwise" and isinstance(each, np.ndarray):
            facts += (each.shape, each.dtype, 0)
        else:
            return None
    facts.append(options)
    facts += map(type, options)  # 1, 1.0 and True are equal
    key = tuple(facts)
    try:
        hash(key)
    except TypeError:
        return None
    return key


def _fact_of_smooth(row: Any, inputs: tuple[Any, ...]) -> Any:
    """Shape and type of what an elementwise row with derivatives makes of real numbers.

    They have the type that it computes in, so nothing need be computed; None for all others.
    """
    if row.kind != "elementwise" or not row.formulas or row.many_outputs:
        return None
    if row.promote not in ("float", "same"):
        return None
    if any(isinstance(x, Value) and type(x) is not Symbol for x in inputs):
        return None  # a tensor of a lower level
    ones = tuple(
        [np.ones((1,) * len(x.shape), x.dtype.numpy) if type(x) is Symbol else x for x in inputs]
    )
    prepared, rounded = row._prepare(ones)
    kinds = {each.dtype for each in prepared if isinstance(each, np.ndarray)}
    if len(kinds) != 1:
        return None
    kind = rounded or dtypes.from_numpy(kinds.pop())
    if kind.category != dtypes.FLOATING:
        return None
    return broadcast_shapes(*[tuple(x.shape) for x in inputs if hasattr(x, "shape")]), kind


def _memory_like(symbol: Symbol) -> Any:
    """An array that lies as what a symbol stands for, and is never touched."""
    kind = symbol.dtype.numpy
    if symbol._strides is None:
        return np.empty(symbol.shape, kind)
    last = sum((n - 1) * step for n, step in zip(symbol.shape, symbol._strides, strict=True) if n)
    memory = np.empty(max(last, 0) + 1, kind)
    return as_strided(memory, symbol.shape, [step * memory.itemsize for step in symbol._strides])


def strides_in(array: Any) -> Shape | None:
    """Strides of an array in elements; None where they are those of fresh memory."""
    if array.flags.c_contiguous:
        return None
    return tuple([step // array.itemsize for step in array.strides])


def _facts_of_view(row: Any, x: Symbol, options: tuple[Any, ...]) -> tuple[Fact, ...]:
    out = row.compute(_memory_like(x), *options)
    outs = out if row.many_outputs else (out,)
    return tuple([(tuple(each.shape), dtypes.of(each), strides_in(each)) for each in outs])


def _strides_of_made(
    row: Any, inputs: tuple[Any, ...], options: tuple[Any, ...], shapes: list[Shape]
) -> list[Shape | None]:
    """How the results of a row lie in memory.

    In order, if its inputs do: what rows make anew is so, but for einsum. Else elementwise rows
    follow their inputs, matrix products do not, and of all others it is found by running them.
    """
    turned = any(type(each) is Symbol and each._strides is not None for each in inputs)
    in_order: list[Shape | None] = [None] * len(shapes)
    if not turned and row.name != "einsum":
        return in_order
    if row.kind in ("elementwise", "random") or row.name in KEEPING:
        kept = None if "C" in options else _kept_strides(inputs)
        return [kept[1] if kept and kept[0] == shape else None for shape in shapes]
    if row.kind == "contraction" and row.name != "einsum":
        return in_order
    try:
        with np.errstate(all="ignore"):
            out = row.evaluate(tuple(map(_filled_like, inputs)), options)
    except Exception:  # noqa: BLE001 - it does not take ones: then its results lie in order
        return in_order
    outs = out if row.many_outputs else (out,)
    return [strides_in(each) if isinstance(each, np.ndarray) else None for each in outs]


def _kept_strides(inputs: tuple[Any, ...]) -> tuple[Shape, Shape] | None:
    """Shape and strides of the first input, for results that lie as it does; None: in order."""
    for each in inputs:
        if type(each) is Symbol and each.shape:
            if each._strides is None:
                return None
            steps = strides_in(np.empty_like(_memory_like(each)))
            return None if steps is None else (each.shape, steps)
    return None


def _filled_like(value: Any) -> Any:
    """An array that lies as what a symbol stands for, of ones, and zeros for whole numbers."""
    if type(value) is not Symbol:
        return value
    array = _memory_like(value)
    array[...] = 1 if value.dtype.category >= dtypes.FLOATING else 0
    return array


__all__ = ["Equation", "Symbol", "Trace", "facts_of", "running", "strides_in"]
