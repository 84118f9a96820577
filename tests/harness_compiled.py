"""What the table's compiled column is made of: traces of many samples in one program.

Machine code costs tens of milliseconds a program and next to nothing a sample, so that all samples
of a case, and their derivatives, are traced into one program, compiled and run together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Self

import numpy as np

import adjoint
from adjoint import dtypes
from adjoint.array.symbol import Symbol, Trace
from adjoint.array.value import transform_level
from adjoint.compiler.lowering import Lowering
from adjoint.compiler.passes import optimise
from adjoint.compiler.program import Equation, Literal, Program, Type, Variable
from adjoint.compiler.runtime.executable import Executable
from adjoint.errors import TransformError
from adjoint.ops.kinds.row import TABLE
from adjoint.tape.tensor import Tensor, wrap
from tests.harness import (
    CASES,
    Arrays,
    Call,
    as_array,
    calls,
    every_kind,
    is_floating,
    is_moving,
    parts,
    resolve,
)
from tests.harness_checks import precise

# What an element may differ by, as a part of it and of the largest: elements of the library are
# within 2 ulp, sums are in another order, and a row's formula has some of both after another.
TOLERANCE = {"f8": 1e-11, "c16": 1e-11, "f4": 3e-5, "c8": 3e-5, "f2": 2e-3, "V2": 1.6e-2}
SUMS = ("reduction", "contraction", "linear", "fused", "linalg")  # the sign of a zero is by order
EITHER = ("fmax", "fmin")  # of two zeros NumPy takes one or the other, as the size may be
SEED = 20  # before the first draw: what is traced draws in the same order when it runs
QUICK = 1  # effort: it is the rules that are tested here, and LLVM is trusted to optimise
EXPECTED = (RuntimeError, AttributeError, TypeError, ValueError, NotImplementedError, IndexError)


class Part(NamedTuple):
    """What one traced function should give."""

    what: str
    outs: list[Any]  # symbols, and values that need no program
    expected: list[np.ndarray]
    rows: frozenset[str]
    tolerance: float


class Gathering:
    """Functions traced one after the other, to be one program."""

    def __init__(self, traced: bool = True) -> None:
        self.traced = traced
        self.parts: list[Part] = []
        self.refused: dict[str, str] = {}  # which, and why
        self.symbols: list[Symbol] = []
        self.arrays: list[np.ndarray] = []

    def __enter__(self) -> Self:
        adjoint.manual_seed(SEED)
        self._transform = transform_level()
        self.level = self._transform.__enter__()
        self.record = Trace(self.level)
        return self

    def __exit__(self, *details: object) -> None:
        self._transform.__exit__(*details)  # type: ignore[arg-type]

    def add(self, what: str, function: Callable[..., Any], arrays: Arrays) -> bool:
        """Trace a function of Tensors; what it should give is what it gives on the arrays.

        False where it is refused, because the shapes of its results are in the values.
        """
        expected = [as_array(each) for each in parts(function(*map(wrap, arrays)))]
        count = len(self.record.equations)
        symbols = [self.record.symbol(each.shape, dtypes.of(each)) for each in arrays]
        try:
            outs = parts(function(*[wrap(each, self.level + 1) for each in symbols]))
        except (TransformError, RuntimeError) as error:
            if self.traced:
                raise
            del self.record.equations[count:]
            self.refused[what] = str(error)
            return False
        self.symbols += symbols
        self.arrays += [np.array(each, order="C") for each in arrays]
        rows = frozenset(each.row.name for each in self.record.equations[count:])
        tolerance = max([TOLERANCE.get(each.dtype.str[1:], 0) for each in (*arrays, *expected)])
        inside = [self._inside(out) for out in outs]
        self.parts.append(Part(what, inside, expected, rows, tolerance))
        return True

    def _inside(self, out: Any) -> Any:
        if isinstance(out, Tensor) and out._level == self.level + 1:
            return out._array
        return out

    def program(self, name: str) -> Program:
        """One program of everything, whose results are the parts' symbols in order."""
        variables: dict[Symbol, Variable] = {}

        def atom(value: Any) -> Any:
            if isinstance(value, Tensor):
                value = value._array
            if isinstance(value, Symbol):
                if value not in variables:
                    kind = Type(tuple(value.shape), value.dtype.numpy)
                    variables[value] = Variable(value.name, kind)
                return variables[value]
            if isinstance(value, tuple):
                return tuple(map(atom, value))
            return Literal(value) if isinstance(value, (np.ndarray, np.generic)) else value

        equations = [
            Equation(
                each.row,
                tuple(map(atom, each.inputs)),
                each.options,
                tuple(map(atom, each.outputs)),
            )
            for each in self.record.equations
        ]
        outs = [atom(out) for part in self.parts for out in part.outs if isinstance(out, Symbol)]
        return Program([atom(each) for each in self.symbols], equations, outs, name).check()


# -- what is tried ---------------------------------------------------------------------------------


def pull(function: Callable[..., Any], primals: Iterable[Any], cotangents: Iterable[Any]) -> Any:
    """The vjp of a function, applied to cotangents."""
    return adjoint.func.vjp(function, *primals)[1](tuple(cotangents))


def values(call: Call, leaves: Arrays) -> list[Any]:
    """What the function returns, without seeding before."""
    tensors = [wrap(each) if isinstance(each, np.ndarray) else each for each in leaves]
    return parts(call.run(resolve(adjoint, call.case.function), tensors))


def gather_call(found: Gathering, call: Call, derivatives: int = 2) -> None:
    """A sample's value, and as many derivatives of it as there are, up to the second."""
    what = f"value of {call} in {call.dtype}"
    taken = found.add(what, lambda *xs: values(call, xs), call.leaves)
    if not taken or not derivatives or not call.moving:
        return
    count = len(call.moving)
    outs = [each for each in found.parts[-1].expected if is_moving(each)]
    cotangents = call.directions(outs, "cotangent")

    def function(*moved: Any) -> tuple[Any, ...]:
        return tuple(out for out in values(call, call.with_moving(moved)) if is_floating(out))

    def gradient(*values: Any) -> Any:
        return pull(function, values[:count], values[count:])

    at = [*call.moved, *cotangents]
    found.add(f"vjp of {call} in {call.dtype}", gradient, at)
    if derivatives > 1 and precise(call):
        weights = call.directions(call.moved, "weights")

        def second(*values: Any) -> Any:
            return pull(gradient, values[: len(at)], values[len(at) :])

        found.add(f"second vjp of {call} in {call.dtype}", second, [*at, *weights])


def samples_of(key: str, thorough: bool = False) -> Iterator[tuple[Call, int]]:
    """The calls to compile, with how many derivatives: double precision, then other types."""
    case, seconds = CASES[key], 0
    for kind in case.dtypes if case.random else every_kind(key):
        exact = kind in ("float64", "complex128") and kind in case.dtypes
        for call in calls_in(key, kind)[: None if exact or thorough else 2]:
            if case.random:  # a trial would draw
                yield call, 1
                continue
            if not exact and refuses(call):
                continue
            wanted = 1 if exact or kind == "float32" else 0
            if exact and (thorough or seconds < 3) and precise(call):
                seconds += 1
                wanted = 2
            yield call, wanted


def calls_in(key: str, kind: str) -> list[Call]:
    """A case's samples in a type, if they can be made in it."""
    try:
        return calls(key, kind)
    except EXPECTED:
        return []


def refuses(call: Call) -> bool:
    """Whether the function does not take the type."""
    try:
        values(call, call.leaves)
    except EXPECTED:
        return True
    return False


def gathered(key: str, thorough: bool = False) -> Gathering:
    """The samples of a case, traced."""
    with Gathering(CASES[key].traced) as whole:
        for call, derivatives in samples_of(key, thorough):
            gather_call(whole, call, derivatives)
    return whole


# -- running and comparing -------------------------------------------------------------------------


def run(found: Gathering, name: str, effort: int = QUICK) -> tuple[Executable, list[Any]]:
    """Compile and run everything that was gathered."""
    executable = Executable(found.program(name), effort=effort)
    adjoint.manual_seed(SEED)
    return executable, executable(*found.arrays)


def check(found: Gathering, results: Sequence[Any]) -> list[str]:
    """What is wrong with the results, a text each."""
    wrong = []
    waiting = iter(results)
    for part in found.parts:
        for number, (out, expected) in enumerate(zip(part.outs, part.expected, strict=True)):
            if isinstance(out, Symbol):
                signed = not any(TABLE[row].kind in SUMS or row in EITHER for row in part.rows)
                trouble = difference(next(waiting), expected, part.tolerance, signed)
                if trouble:
                    wrong.append(f"{part.what}, result {number}: {trouble}")
    return wrong


def difference(actual: Any, expected: np.ndarray, tolerance: float, signed: bool = True) -> str:
    """What is wrong with an array: its type, its shape, its values; nothing if it is empty."""
    if actual.dtype != expected.dtype or actual.shape != expected.shape:
        return f"{actual.dtype}{list(actual.shape)}, not {expected.dtype}{list(expected.shape)}"
    if expected.dtype.kind in "biu":
        if np.array_equal(actual, expected):
            return ""
        return f"{actual!r}, not {expected!r}"
    wide = np.complex128 if expected.dtype.kind == "c" else np.float64
    a, b = actual.astype(wide), expected.astype(wide)
    finite = np.abs(b[np.isfinite(b)])
    scale = float(finite.max()) if finite.size else 0.0
    with np.errstate(all="ignore"):
        right = (a == b) | (np.isnan(a) & np.isnan(b))
        right |= np.abs(a - b) <= tolerance * (np.abs(b) + min(scale, 1e300))
        if signed and expected.dtype.kind != "c":
            right &= (np.signbit(a) == np.signbit(b)) | (a != 0) | (b != 0)
    if right.all():
        return ""
    first = tuple(int(each[0]) for each in np.nonzero(~right)) if right.shape else ()
    return (
        f"{a[first]!r}, not {b[first]!r} at {list(first)}, "
        f"and {int((~right).sum())} of {right.size} are wrong"
    )


class Noting(Lowering):
    """A lowering that notes which equations are calls, and why."""

    def __init__(self, program: Program) -> None:
        self.reasons: dict[Equation, str] = {}
        super().__init__(program)

    def call(self, equation: Equation, inputs: Sequence[Any], reason: str) -> Any:
        self.reasons[equation] = reason
        return super().call(equation, inputs, reason)


def states(found: Gathering, name: str) -> dict[str, set[str]]:
    """How each row of what was gathered is carried out, without making machine code.

    "" for a row that is emitted, "decomposed" for one that other rows stand for, "removed" for one
    that does nothing, and the reason where it is called by its own kernel.
    """
    before = found.program(name)
    after = optimise(before)
    reasons = Noting(after).reasons
    known: dict[str, set[str]] = {}
    for equation in after.equations:
        known.setdefault(equation.operation.name, set()).add(reasons.get(equation, ""))
    for row in {each.operation for each in before.equations}:
        known.setdefault(row.name, {"decomposed" if row.decompose else "removed"})
    return known
