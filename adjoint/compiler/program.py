"""Programs: what a traced function does, as typed equations in order.

    program  ::= name(variable, ...) { equation ... return result, ... }
    result   ::= atom | variable <- atom         written to the memory of an input
    equation ::= variable, ... = operation[option, ...](atom, ...)
    atom     ::= variable | literal
    variable ::= name:type           a name is given once, before it is used
    type     ::= kind[size, ...]
    literal  ::= a number, or constant memory; Python numbers and None stand for themselves

Operations are rows of the table, and after lowering those of ``core``: whatever has a name, says
whether it has many outputs, and can be carried out on arrays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from adjoint.shapes import product

Shape = tuple[int, ...]


class Type(NamedTuple):
    """Shape and element type of a value."""

    shape: Shape
    kind: np.dtype[Any]

    @property
    def size(self) -> int:
        """How many elements."""
        return product(self.shape)

    @property
    def bytes(self) -> int:
        """How much memory they take."""
        return self.size * self.kind.itemsize

    def __str__(self) -> str:
        return f"{self.kind.name}[{', '.join(map(str, self.shape))}]"


class Variable:
    """A value of a program, made once."""

    __slots__ = ("name", "type")

    def __init__(self, name: str, type_: Type) -> None:
        self.name = name
        self.type = type_

    @property
    def shape(self) -> Shape:
        """Its sizes."""
        return self.type.shape

    @property
    def kind(self) -> np.dtype[Any]:
        """Its element type."""
        return self.type.kind

    def __repr__(self) -> str:
        return f"{self.name}:{self.type}"


class Literal:
    """A number, or a constant array. One that is the same everywhere takes no memory."""

    __slots__ = ("number", "type", "value")

    def __init__(self, value: Any, kind: Any = None) -> None:
        self.value = np.asarray(value, kind)
        self.type = Type(self.value.shape, self.value.dtype)
        # The number that all its elements are, None if they differ.
        self.number: Any = None
        if self.value.size and _is_uniform(self.value):
            first = self.value[(0,) * self.value.ndim]
            self.number = first.item()
            self.value = np.broadcast_to(first, self.value.shape)

    @property
    def shape(self) -> Shape:
        """Its sizes."""
        return self.type.shape

    @property
    def kind(self) -> np.dtype[Any]:
        """Its element type."""
        return self.type.kind

    def __repr__(self) -> str:
        if self.value.size == 1 and self.value.ndim == 0:
            return f"{self.value.item()!r}"
        if self.number is not None:
            return f"<{self.number!r}: {self.type}>"
        return f"<{self.type}>"


def _is_uniform(value: np.ndarray[Any, Any]) -> bool:
    """Whether all elements are the same, NaNs and signs of zeros included."""
    if not any(value.strides):
        return True
    flat = value.reshape(-1)
    if flat.dtype.kind == "c":
        return False
    for some in (flat[:4], flat):  # most arrays differ at once
        first = some[0]
        if not np.all((some == first) | ((some != some) & (first != first))):
            return False
    zero = flat.dtype.kind == "f" and flat[0] == 0
    return not zero or bool(np.all(np.signbit(flat) == np.signbit(flat[0])))


Atom = Any  # a Variable, a Literal, a Python number or None


class Equation:
    """``outputs = operation(inputs, options)``."""

    __slots__ = ("inputs", "operation", "options", "outputs", "where")

    def __init__(
        self,
        operation: Any,
        inputs: tuple[Atom, ...],
        options: tuple[Any, ...],
        outputs: tuple[Variable, ...],
        where: Any = None,  # prints as file:line
    ) -> None:
        self.operation = operation
        self.inputs = inputs
        self.options = options
        self.outputs = outputs
        self.where = where

    def with_inputs(self, inputs: tuple[Atom, ...]) -> Equation:
        """The same operation on others."""
        return Equation(self.operation, inputs, self.options, self.outputs, self.where)

    def spell(self, names: Mapping[Variable, str]) -> str:
        """The equation, with these names for its variables."""
        left = ", ".join(f"{names.get(each, each.name)}:{each.type}" for each in self.outputs)
        options = f"[{', '.join(map(_spell_option, self.options))}]" if self.options else ""
        inputs = ", ".join(_spell_atom(each, names) for each in self.inputs)
        return f"{left} = {self.operation.name}{options}({inputs})"

    def __repr__(self) -> str:
        return self.spell({})


def _spell_atom(atom: Atom, names: Mapping[Variable, str]) -> str:
    return names.get(atom, atom.name) if isinstance(atom, Variable) else repr(atom)


def _spell_option(option: Any) -> str:
    """An option; one that is a row, as in paths of views, by its name."""
    if isinstance(option, tuple):
        inside = ", ".join(map(_spell_option, option))
        return f"({inside},)" if len(option) == 1 else f"({inside})"
    return str(option.name) if hasattr(option, "evaluate") else repr(option)


class Program:
    """Inputs, equations in order, results.

    ``writes`` says which results are written to the memory of which inputs, by their numbers, when
    all is computed.
    """

    def __init__(
        self,
        inputs: Iterable[Variable],
        equations: Iterable[Equation],
        outputs: Iterable[Atom],
        name: str = "program",
        writes: dict[int, int] | None = None,
    ) -> None:
        self.inputs = tuple(inputs)
        self.equations = list(equations)
        self.outputs = tuple(outputs)
        self.name = name
        self.writes = writes or {}

    def text(self, lines: bool = False) -> str:
        """The program, its variables numbered in order; with ``lines``, where each step is from."""
        names: dict[Variable, str] = {}
        for each in self.inputs:
            names[each] = f"v{len(names) + 1}"
        written = []
        for equation in self.equations:
            for each in equation.outputs:
                names[each] = f"v{len(names) + 1}"
            where = f"  # {equation.where}" if lines and equation.where is not None else ""
            written.append(f"  {equation.spell(names)}{where}")
        inputs = ", ".join(f"{names[each]}:{each.type}" for each in self.inputs)
        results = [_spell_atom(each, names) for each in self.outputs]
        for result, target in self.writes.items():
            results[result] = f"{names[self.inputs[target]]} <- {results[result]}"
        end = [f"  return {', '.join(results)}", "}"]
        return "\n".join([f"{self.name}({inputs}) {{", *written, *end])

    def __repr__(self) -> str:
        return self.text()

    def uses(self) -> dict[Variable, int]:
        """How often each variable is read, by equations and as a result."""
        counts: dict[Variable, int] = {}
        for each in self._read():
            if isinstance(each, Variable):
                counts[each] = counts.get(each, 0) + 1
        return counts

    def _read(self) -> Iterator[Atom]:
        for equation in self.equations:
            yield from equation.inputs
        yield from self.outputs

    def check(self) -> Program:
        """Raise ``AssertionError`` unless each variable is made once, before it is used."""
        known = set(self.inputs)
        assert len(known) == len(self.inputs), f"{self.name}: an input occurs twice"
        for equation in self.equations:
            for each in equation.inputs:
                assert not isinstance(each, Variable) or each in known, (
                    f"{self.name}: {each} is used before it is made, in {equation}"
                )
            for made in equation.outputs:
                assert made not in known, f"{self.name}: {made} is made twice, in {equation}"
                known.add(made)
        for each in self.outputs:
            assert not isinstance(each, Variable) or each in known, f"{self.name}: {each} is unmade"
        for result, target in self.writes.items():
            assert self.outputs[result].type == self.inputs[target].type, (
                f"{self.name}: {self.outputs[result]!r} cannot be written to {self.inputs[target]}"
            )
        return self

    def evaluate(self, arrays: Iterable[Any]) -> list[Any]:
        """Carry it out with NumPy, equation by equation: the reference for everything compiled."""
        environment: dict[Any, Any] = dict(zip(self.inputs, arrays, strict=True))

        def read(each: Atom) -> Any:
            if isinstance(each, Variable):
                return environment[each]
            return each.value if isinstance(each, Literal) else each

        for equation in self.equations:
            out = equation.operation.evaluate(tuple(map(read, equation.inputs)), equation.options)
            outs = out if equation.operation.many_outputs else (out,)
            for made, array in zip(equation.outputs, outs, strict=True):
                environment[made] = np.asarray(array)
        return [read(each) for each in self.outputs]
