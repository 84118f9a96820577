"""A symbol: an array of which only shape and type are known, and the trace it belongs to."""

from __future__ import annotations

import weakref
from typing import Any

from adjoint import dtypes
from adjoint.array.value import Value, apply
from adjoint.errors import TransformError


class Equation:
    """One step of a trace: outputs = row(inputs, options)."""

    __slots__ = ("inputs", "options", "outputs", "row")

    def __init__(
        self, row: Any, inputs: tuple[Any, ...], options: tuple[Any, ...], outputs: tuple[Any, ...]
    ) -> None:
        self.row = row
        self.inputs = inputs
        self.options = options
        self.outputs = outputs

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

    def symbol(self, shape: tuple[int, ...], kind: dtypes.dtype) -> Symbol:
        """A new symbol of this trace."""
        self.count += 1
        return Symbol(self, f"v{self.count}", tuple(shape), kind)

    def evaluate(self, known: dict[Symbol, Any], wanted: list[Any]) -> list[Any]:
        """Run the equations on values for the input symbols; values of any kind will do."""
        environment: dict[Any, Any] = dict(known)

        def read(value: Any) -> Any:
            return environment[value] if isinstance(value, Symbol) else value

        for equation in self.equations:
            out = apply(equation.row, tuple(map(read, equation.inputs)), equation.options)
            outs = out if equation.row.many_outputs else (out,)
            environment.update(zip(equation.outputs, outs, strict=True))
        return [read(value) for value in wanted]

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.equations))


class Symbol(Value):
    """A named array of known shape and type; operations on it are written into its trace."""

    __slots__ = ("_level", "dtype", "name", "shape", "trace")

    def __init__(self, trace: Trace, name: str, shape: tuple[int, ...], kind: dtypes.dtype) -> None:
        self._level = trace.level  # type: ignore[assignment] # programs trace between two levels
        self.trace = weakref.ref(trace)
        self.name = name
        self.shape = shape
        self.dtype = kind

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __repr__(self) -> str:
        return f"{self.name}:{self.dtype.name}{list(self.shape)}"

    def _apply(
        self, row: Any, level: int, inputs: tuple[Any, ...], options: tuple[Any, ...]
    ) -> Any:
        trace = self.trace()
        if trace is None:
            raise TransformError(f"{self!r} is used after the end of the transform that made it")
        found = row.infer(row, inputs, options)
        facts = found if row.many_outputs else (found,)
        outputs = tuple(trace.symbol(shape, kind) for shape, kind in facts)
        trace.equations.append(Equation(row, inputs, options, outputs))
        return outputs if row.many_outputs else outputs[0]
