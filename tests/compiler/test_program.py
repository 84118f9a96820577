"""Programs: how they print, what they check, and carrying them out."""

from __future__ import annotations

import numpy as np
import pytest

import adjoint as torch
from adjoint.compiler.program import Literal, Program, Type, Variable
from tests.compiler.programs import program_of

FLOAT = np.dtype(np.float32)


def test_a_program_prints_in_its_grammar():
    program = program_of(
        lambda x, y: (torch.sum(x * 2 + y, 0), x.max(1)[1]), torch.ones(2, 3), torch.ones(3)
    )
    program.writes = {0: 1}
    assert (
        repr(program)
        == """\
program(v1:float32[2, 3], v2:float32[3]) {
  v3:float32[2, 3] = mul(v1, 2)
  v4:float32[2, 3] = add(v3, v2)
  v5:float32[3] = sum_dims[(-2,), False](v4)
  v6:float32[2], v7:int64[2] = max_dim[-1, False](v1)
  return v2 <- v5, v7
}"""
    )


def test_lines_are_printed_when_they_are_asked_for():
    program = program_of(lambda x: x.sin().cos(), torch.ones(2))
    program.equations[1].where = "model.py:3"
    assert [line.partition("#")[2] for line in program.text(lines=True).split("\n")] == [
        "", "", " model.py:3", "", "",
    ]  # fmt: skip


def test_rows_among_options_print_by_name():
    def function(x: torch.Tensor) -> torch.Tensor:
        y = x * 1
        y.reshape(-1)[1:3].mul_(2)
        return y

    text = repr(program_of(function, torch.ones(2, 3)))
    assert "copy_slices[" in text
    assert "<row" not in text


@pytest.mark.parametrize(
    ("value", "number", "text"),
    [
        (1.5, 1.5, "1.5"),
        (np.ones((2, 3)), 1.0, "<1.0: float64[2, 3]>"),
        (np.array([0.0, -0.0]), None, "<float64[2]>"),
        (np.array([np.nan, np.nan]), np.nan, "<nan: float64[2]>"),
        (np.array([np.nan, 1.0]), None, "<float64[2]>"),
        (np.zeros((0, 2)), None, "<float64[0, 2]>"),
        (np.array([True, True]), True, "<True: bool[2]>"),
        (np.array([3, 4]), None, "<int64[2]>"),
    ],
)
def test_literals_know_whether_they_are_one_number(value, number, text):
    literal = Literal(value)
    assert repr(literal) == text
    assert literal.number is number or literal.number == number or number != number
    np.testing.assert_array_equal(literal.value, value)
    if number is not None and np.ndim(value):
        assert not any(literal.value.strides)


def test_types_say_how_large_they_are():
    kind = Type((2, 3), np.dtype(np.float64))
    assert (kind.size, kind.bytes, str(kind)) == (6, 48, "float64[2, 3]")
    assert Type((), FLOAT).size == 1


def test_writes_are_of_the_input_s_type():
    x, y = Variable("x", Type((2,), FLOAT)), Variable("y", Type((3,), FLOAT))
    with pytest.raises(AssertionError, match="cannot be written"):
        Program([x, y], [], [x], writes={0: 1}).check()


def test_a_program_is_carried_out_with_numpy():
    program = program_of(lambda x: (*torch.sort(x * 2), torch.tensor([1.0, 2.0])), torch.ones(3))
    values, places, constant = program.evaluate([np.array([3, 1, 2], FLOAT)])
    assert values.tolist() == [2, 4, 6]
    assert places.tolist() == [1, 2, 0]
    assert constant.tolist() == [1, 2]
