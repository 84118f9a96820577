"""Rows on arrays, many in one program, beside their own NumPy kernels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from adjoint.compiler.program import Equation, Program, Type, Variable
from adjoint.compiler.runtime.executable import Executable
from adjoint.ops import networks  # noqa: F401 - the families that are loaded when asked for
from adjoint.ops.kinds.row import TABLE

ndarray = np.ndarray
Case = tuple[Any, ...]  # a row's name, a tuple of inputs, options
# Of the largest number that takes part: sums are in another order.
TOLERANCE = {4: 3e-6, 8: 1e-13}


def compare(cases: Iterable[Case], called: Sequence[str] = ()) -> None:
    """All cases in one program: none is carried out by its own kernel, and all give the same."""
    found, inputs, arrays, equations = list(cases), [], [], []
    for name, given, *options in found:
        row = TABLE[name]
        atoms = []
        for each in given:
            if isinstance(each, ndarray):
                inputs.append(Variable(f"i{len(inputs)}", Type(each.shape, each.dtype)))
                arrays.append(each)
                each = inputs[-1]
            atoms.append(each)
        made = tuple(
            Variable(f"o{len(equations)}_{number}", Type(each.shape, each.dtype))
            for number, each in enumerate(expected(name, given, options))
        )
        equations.append(Equation(row, tuple(atoms), tuple(options), made))
    outputs = [each for equation in equations for each in equation.outputs]
    executable = Executable(Program(inputs, equations, outputs), effort=1)
    assert {call.row.name for call in executable.code.calls} == set(called)
    results = iter(executable(*arrays))
    for name, given, *options in found:
        for number, wanted in enumerate(expected(name, given, options)):
            where = f"{name}{options} of {_described(given)}, output {number}"
            same(next(results), wanted, given, where)


def expected(name: str, given: Sequence[Any], options: Sequence[Any]) -> list[ndarray]:
    """What the row's own kernel gives."""
    row = TABLE[name]
    with np.errstate(all="ignore"):
        out = row.evaluate(tuple(given), tuple(options))
    return [np.asarray(each) for each in (out if row.many_outputs else (out,))]


def same(result: ndarray, wanted: ndarray, given: Sequence[Any], where: str) -> None:
    """Whether two arrays are alike, but for rounding of the numbers that took part."""
    assert result.shape == wanted.shape, where
    assert result.dtype == wanted.dtype, where
    if wanted.dtype.kind != "f":
        assert np.array_equal(result, wanted), f"{where}: {result}, not {wanted}"
        return
    parts = [each for each in (*given, wanted) if isinstance(each, ndarray) and each.size]
    size = max([1.0, *(largest(each) for each in parts if each.dtype.kind == "f")])
    allowed = TOLERANCE[wanted.dtype.itemsize]
    assert np.allclose(result, wanted, rtol=allowed, atol=allowed * size, equal_nan=True), (
        f"{where}: {result}, not {wanted}"
    )


def largest(x: ndarray) -> float:
    """The largest finite number."""
    finite = np.abs(x[np.isfinite(x)])
    return float(finite.max()) if finite.size else 0.0


def _described(given: Sequence[Any]) -> str:
    return ", ".join(
        f"{each.dtype}{list(each.shape)}" if isinstance(each, ndarray) else repr(each)
        for each in given
    )


def spoiled(x: ndarray) -> Iterator[ndarray]:
    """An array as it is; with NaN, with infinities, with zeros of both signs, and with ties."""
    yield x
    if x.dtype.kind != "f" or not x.size:
        return
    random = np.random.RandomState(5)
    for special in (np.nan, np.inf, -np.inf, -0.0, 0.5):
        changed = x.copy()
        places = random.permutation(x.size)[: max(x.size // 4, 1)]
        changed.reshape(-1)[places] = special
        yield changed


def numbers(shape: Sequence[int], kind: Any = np.float64, seed: int = 0) -> ndarray:
    """Random numbers of a type, between -3 and 3."""
    random = np.random.RandomState(seed)
    values = random.uniform(-3, 3, tuple(shape))
    kind = np.dtype(kind)
    if kind.kind == "b":
        return values > 0
    return np.asarray(np.abs(values) if kind.kind == "u" else values).astype(kind)
