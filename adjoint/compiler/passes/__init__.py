"""What is done to a program before it is lowered: a list of passes, each from program to program.

The program is checked after every one. What a pass may not touch: rows that draw random numbers
are neither folded, merged nor removed, nor is their order changed.
"""

from __future__ import annotations

from collections.abc import Callable

from adjoint.compiler.passes.decomposition import decompose
from adjoint.compiler.passes.folding import fold
from adjoint.compiler.passes.merging import merge
from adjoint.compiler.passes.pruning import prune
from adjoint.compiler.passes.simplification import simplify
from adjoint.compiler.program import Program

Pass = Callable[[Program], Program]

PASSES: tuple[Pass, ...] = (
    decompose,  # rows that the target lacks, as smaller rows that it has
    simplify,  # what does nothing, and what undoes each other
    fold,  # what depends on nothing but constants
    simplify,  # by what is constant now
    merge,  # the same thing computed twice
    prune,  # what nobody wants
)


def optimise(program: Program) -> Program:
    """A program that does the same with less."""
    for each in PASSES:
        program = each(program).check()
    return program
