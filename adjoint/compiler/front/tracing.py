"""A function of Tensors as a program, and what else a call of it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from adjoint import dtypes
from adjoint.array.symbol import Symbol
from adjoint.compiler.front.capture import Capture
from adjoint.compiler.program import Equation, Literal, Program, Type, Variable
from adjoint.pytree import flatten
from adjoint.tape.node import AccumulateGrad
from adjoint.tape.tensor import Tensor, make_leaf, wrap


class Written(NamedTuple):
    """A tensor from outside that the function writes to, and which result its memory gets."""

    tensor: Any  # or the number of an argument
    result: int


class Left(NamedTuple):
    """A ``.grad`` that the function leaves: of which leaf, which result, or what tensor."""

    node: Any
    result: int | None
    tensor: Any


class Traced(NamedTuple):
    """What one trace has found."""

    program: Program
    arguments: int  # how many of the program's first inputs are arguments
    tensors: tuple[Any, ...]  # the others: tensors that the function closes over
    rebuild: Any  # from values to what the function returns
    outputs: tuple[Any, ...]  # for each: the number of a result, or a value as it is
    written: tuple[Written, ...]
    left: tuple[Left, ...]
    grads: tuple[tuple[Any, bool], ...]  # leaves whose `.grad` was looked at: was there one
    then: Any = None  # what the caller has found while the capture was open


class Tracing:
    """Makes a program from a capture."""

    def __init__(self, capture: Capture) -> None:
        self.capture = capture
        self.variables: dict[Symbol, Variable] = {}
        self.results: list[Any] = []
        self.numbers: dict[Any, int] = {}

    def variable(self, symbol: Symbol) -> Variable:
        """The variable of a symbol."""
        found = self.variables.get(symbol)
        if found is None:
            kind = Type(tuple(symbol.shape), np.dtype(symbol.dtype.numpy))
            found = self.variables[symbol] = Variable(symbol.name, kind)
        return found

    def atom(self, value: Any) -> Any:
        """What an input of an equation is in the program."""
        if isinstance(value, Symbol):
            return self.variable(value)
        if isinstance(value, Tensor):
            return self.atom(value._array)
        if isinstance(value, tuple):
            return tuple(map(self.atom, value))
        return Literal(value) if isinstance(value, (np.ndarray, np.generic)) else value

    def result(self, array: Any) -> int:
        """The number of a result, which is made one if it is none yet."""
        atom = self.atom(array)
        key = atom if isinstance(atom, Variable) else id(array)
        if key not in self.numbers:
            self.numbers[key] = len(self.results)
            self.results.append(atom)
        return self.numbers[key]

    def program(self, inputs: Sequence[Symbol]) -> Program:
        """The program of all equations."""
        equations = [
            Equation(
                each.row,
                tuple(map(self.atom, each.inputs)),
                each.options,
                tuple(map(self.variable, each.outputs)),
            )
            for each in self.capture.trace.equations
        ]
        return Program(map(self.variable, inputs), equations, self.results).check()


def trace(
    function: Callable[..., Any],
    args: Sequence[Any],
    kwargs: dict[str, Any],
    then: Callable[..., Any] | None = None,
) -> Traced:
    """Run ``function`` on symbols in the place of the tensors among its arguments.

    ``then(tracing, given, values)`` is called while the capture is open: with all inputs as pairs
    of the tensor that the function saw and its first symbol, and the leaves that it returned.
    """
    leaves, rebuild_arguments = flatten((tuple(args), kwargs))
    places = [place for place, each in enumerate(leaves) if isinstance(each, Tensor)]
    capture = Capture()
    with capture:
        symbols, inner = [], list(leaves)
        for place in places:
            given = leaves[place]
            symbol = capture.trace.symbol(given.shape, dtypes.of(given))
            symbols.append(symbol)
            inner[place] = _stand_in(given, symbol)
        inside_args, inside_kwargs = rebuild_arguments(iter(inner))
        returned = function(*inside_args, **inside_kwargs)
        values, rebuild = flatten(returned)
        tracing = Tracing(capture)
        outputs = tuple(
            tracing.result(each._array) if isinstance(each, Tensor) else _Constant(each)
            for each in values
        )
        given = [(inner[place], symbol) for place, symbol in zip(places, symbols, strict=True)]
        found = None if then is None else then(tracing, [*given, *capture.inputs], values)
        written = [
            Written(tensor, tracing.result(capture.arrays[id(tensor)]))
            for tensor, symbol in capture.inputs
            if capture.arrays[id(tensor)] is not symbol
        ]
        written += [
            Written(number, tracing.result(inner[place]._array))
            for number, (place, symbol) in enumerate(zip(places, symbols, strict=True))
            if inner[place]._array is not symbol
        ]
        left = []
        for node, before, now in capture.grads.values():
            if now is not before:
                array = None if now is None else now._array
                number = tracing.result(array) if isinstance(array, (Symbol, np.ndarray)) else None
                left.append(Left(node, number, now if number is None else None))
        program = tracing.program([*symbols, *[symbol for _, symbol in capture.inputs]])
    return Traced(
        program,
        len(symbols),
        tuple(tensor for tensor, _ in capture.inputs),
        rebuild,
        outputs,
        tuple(written),
        tuple(left),
        tuple((node, before is not None) for node, before, _ in capture.grads.values()),
        found,
    )


class _Constant(NamedTuple):
    """A value that a function returns and that is no tensor."""

    value: Any


def _stand_in(given: Any, symbol: Symbol) -> Any:
    """A Tensor over ``symbol`` in the place of an argument."""
    tensor = wrap(symbol)
    node = given._node
    if isinstance(node, AccumulateGrad):
        tensor._node = node
    elif node is not None:
        make_leaf(tensor)
    return tensor
