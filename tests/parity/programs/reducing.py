"""Making a program that shows a difference as short as can be."""

from __future__ import annotations

from collections.abc import Iterator

from tests.parity.programs.comparing import Difference, difference
from tests.parity.programs.running import Program


def reduce(found: Difference) -> Difference:
    """The difference of a shorter program that differs in the same way."""
    smaller: Difference | None = found
    while smaller is not None:
        found = smaller
        smaller = next(
            (other for program in shorter(found.program) if (other := still(found, program))), None
        )
    return found


def still(found: Difference, program: Program) -> Difference | None:
    """The difference of a program, if it is of the same kind and no name has gone missing."""
    other = difference(program)
    if other is None or other.what.split(".")[-1] != found.what.split(".")[-1]:
        return None
    if type(other.ours) is not type(found.ours) or type(other.theirs) is not type(found.theirs):
        return None
    if any(isinstance(each, NameError) for each in (other.ours, other.theirs)):
        return None
    return other if other.program.raising <= still_raising(found, other) else None


def still_raising(found: Difference, other: Difference) -> frozenset[int]:
    """The statements of ``other`` that raised before."""
    before = {found.program.statements[number] for number in found.program.raising}
    statements = other.program.statements
    return frozenset(number for number, each in enumerate(statements) if each in before)


def shorter(program: Program) -> Iterator[Program]:
    """Programs with one statement less or a simpler one, the later statements first."""
    statements = program.statements
    for number in reversed(range(len(statements))):
        without = statements[:number] + statements[number + 1 :]
        yield program._replace(statements=without)
        lines = statements[number].splitlines()
        if lines[0].startswith("with "):
            bare = "\n".join(line.removeprefix("    ") for line in lines[1:])
            yield program._replace(
                statements=(*statements[:number], bare, *statements[number + 1 :])
            )
