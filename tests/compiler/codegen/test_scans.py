"""The code of scans: blocks of lines that are full or not, views, coordinates, several results."""

from __future__ import annotations

import numpy as np
import pytest

from adjoint.compiler.codegen.scans import BLOCK
from adjoint.compiler.program import Equation, Program, Type, Variable
from adjoint.compiler.runtime.executable import Executable
from adjoint.ops.kinds.row import TABLE

KIND = np.dtype(np.float64)


@pytest.mark.parametrize("lines", [1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5])
def test_lines_side_by_side(lines: int) -> None:
    """Any number of lines, along the first and the middle dim."""
    random = np.random.RandomState(lines)
    inputs, arrays, equations = [], [], []
    for number, shape in enumerate([(9, lines), (3, 9, lines), (9, 3, lines)]):
        kind = Type(shape, KIND)
        x, out = Variable(f"x{number}", kind), Variable(f"out{number}", kind)
        dim = shape.index(9) - len(shape)
        inputs.append(x)
        arrays.append(random.normal(size=shape))
        equations.append(Equation(TABLE["cumsum"], (x,), (dim, number == 1), (out,)))
    program = Program(inputs, equations, [each.outputs[0] for each in equations])
    for result, wanted in zip(
        Executable(program, effort=1)(*arrays), program.evaluate(arrays), strict=True
    ):
        assert np.allclose(result, wanted, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("name", ["cummax", "logcumsumexp"])
def test_of_views(name: str) -> None:
    """Along the dims of a transposed and of a stretched input; places count along the dim."""
    row = TABLE[name]
    x = Variable("x", Type((4, 70), KIND))
    turned, wide = Variable("turned", Type((70, 4), KIND)), Variable("wide", Type((3, 4, 70), KIND))
    equations = [
        Equation(TABLE["permute"], (x,), ((-1, -2),), (turned,)),
        Equation(TABLE["expand"], (x,), ((3, 4, 70),), (wide,)),
    ]
    outputs = []
    for source in (turned, wide):
        for dim in (-1, -2):
            kinds = [KIND, np.dtype(np.int64)][: row.output_count]
            made = tuple(
                Variable(f"{source.name}{dim}{kind}", Type(source.shape, kind)) for kind in kinds
            )
            equations.append(Equation(row, (source,), (dim,), made))
            outputs += made
    program = Program([x], equations, outputs)
    array = np.random.RandomState(0).normal(size=(4, 70))
    for result, wanted in zip(
        Executable(program, effort=1)(array), program.evaluate([array]), strict=True
    ):
        assert result.dtype == wanted.dtype
        assert np.allclose(result, wanted, rtol=1e-13, atol=1e-13)


def test_many_lines_are_divided() -> None:
    """A scan that is large enough for several threads gives what a small one gives."""
    x = Variable("x", Type((600, 1000), KIND))
    out = Variable("out", x.type)
    program = Program([x], [Equation(TABLE["cumprod"], (x,), (-1,), (out,))], [out])
    array = np.random.RandomState(0).uniform(0.9, 1.1, x.shape)
    (result,) = Executable(program, effort=1)(array)
    assert np.array_equal(result, np.multiply.accumulate(array, -1))
