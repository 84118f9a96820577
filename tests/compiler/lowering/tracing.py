"""Functions of Tensors as programs, for tests of lowering: compiled, and what they are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import adjoint
from adjoint.compiler.kernels import alive
from adjoint.compiler.lowering import Lowering
from adjoint.compiler.nodes import Call, Node
from adjoint.compiler.passes import optimise
from adjoint.compiler.program import Program
from adjoint.compiler.runtime.executable import Executable
from tests.harness_compiled import QUICK, Gathering, check


class Traced:
    """Several functions, each with its arrays, in one program."""

    def __init__(self) -> None:
        self.gathering = Gathering(True)
        self.gathering.__enter__()

    def add(self, function: Callable[..., Any], *arrays: np.ndarray) -> None:
        """Trace a function of tensors."""
        self.gathering.add(f"function {len(self.gathering.parts)}", function, list(arrays))

    def program(self) -> Program:
        """All of them as one program."""
        self.gathering.__exit__(None, None, None)
        return optimise(self.gathering.program("several"))

    def wrong(self) -> list[str]:
        """What differs from eager results."""
        executable = Executable(self.program(), effort=QUICK)
        return check(self.gathering, executable(*self.gathering.arrays))


def nodes_of(function: Callable[..., Any], *arrays: np.ndarray) -> list[Node]:
    """What a function is lowered to, without what nobody needs."""
    traced = Traced()
    traced.add(function, *arrays)
    lowering = Lowering(traced.program())
    return alive(lowering.nodes, lowering.outputs)


def reasons(nodes: list[Node]) -> list[str]:
    """Why rows are called, for each that is."""
    return [f"{node.row.name}: {node.reason}" for node in nodes if isinstance(node, Call)]


def gradient(function: Callable[..., Any]) -> Callable[..., Any]:
    """The gradient of a function's sum with respect to its first argument."""
    return adjoint.func.grad(lambda *xs: function(*xs).sum())
