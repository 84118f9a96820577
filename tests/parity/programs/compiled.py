"""Random programs, compiled beside eager: ``python -m tests.parity.programs --compiled``.

The leaves of a program are made outside; all else is the body of a function that is called several
times, and returns what it has made. After each call all that can be seen of leaves and results is
compared; after the last, the gradients that a backward pass from the results leaves.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import adjoint
from tests.parity.programs.comparing import same_fact
from tests.parity.programs.running import Program, Session, facts_of

CALLS = 3
# What eager and compiled must agree in. The graph inside is not there to be seen any more.
FACTS = ("value", "dtype", "shape", "requires_grad", "grad", "grad.dtype")
LEAF_FACTS = (*FACTS, "is_leaf", "_version")


class Function(NamedTuple):
    """A program in two parts."""

    leaves: tuple[str, ...]
    body: tuple[str, ...]
    results: tuple[str, ...]

    @property
    def source(self) -> str:
        """The function's definition."""
        lines = [line for each in self.body for line in each.splitlines()]
        returned = ", ".join(f"{name!r}: {name}" for name in self.results)
        return "\n".join(["def step():", *["    " + line for line in lines],
                          f"    return {{{returned}}}"])  # fmt: skip

    def __str__(self) -> str:
        return "\n".join([*self.leaves, "", self.source])


def split(program: Program) -> Function:
    """Leaves and body; a leaf whose name is bound again is part of the body."""
    is_leaf = [each.partition(" = ")[2].startswith(("torch.tensor(", "torch.zeros("))
               for each in program.statements]  # fmt: skip
    leaves = [each for each, leaf in zip(program.statements, is_leaf, strict=True) if leaf]
    body = [each for each, leaf in zip(program.statements, is_leaf, strict=True) if not leaf]
    made = [name for each in body for name in names_bound(each)]
    outside = {each.partition(" = ")[0] for each in leaves}
    again = outside & set(made)
    body = [each for each in leaves if each.partition(" = ")[0] in again] + body
    leaves = [each for each in leaves if each.partition(" = ")[0] not in again]
    return Function(tuple(leaves), tuple(body), tuple(dict.fromkeys(made)))


def names_bound(statement: str) -> list[str]:
    """The names that a statement assigns."""
    return [
        each.id
        for node in ast.parse(statement).body
        for each in ast.walk(node)
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
        if not isinstance(node, ast.FunctionDef)
    ]


class Run:
    """A function in a world of its own."""

    def __init__(self, function: Function, wrap: Callable[[Any], Any]) -> None:
        self.session = Session(adjoint)
        for each in function.leaves:
            self.session.run(each)
        self.leaves = self.session.tensors()
        names = self.session.names
        exec(compile(function.source, "<program>", "exec"), names)
        self.step = wrap(names["step"])
        self.results: dict[str, Any] = {}

    def call(self) -> Exception | None:
        """Call the function; the exception that it raises."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                self.results = self.step()
            except Exception as error:  # noqa: BLE001 - its type is what is compared
                error.__traceback__ = None
                return error
        return None

    def backward(self) -> Exception | None:
        """Differentiate the sum of all results that have a derivative."""
        able = [
            each
            for each in self.results.values()
            if isinstance(each, adjoint.Tensor) and each.requires_grad and not each.is_complex()
        ]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                if able:
                    sum(each.sum() for each in able).backward()
            except Exception as error:  # noqa: BLE001 - its type is what is compared
                error.__traceback__ = None
                return error
        return None

    def look(self) -> dict[str, dict[str, Any]]:
        """What can be seen of leaves and results."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            seen = {name: facts(each, LEAF_FACTS) for name, each in self.leaves.items()}
            for name, each in self.results.items():
                if isinstance(each, adjoint.Tensor):
                    seen[f"result {name}"] = facts(each, FACTS)
                else:
                    seen[f"result {name}"] = {"value": repr(type(each)), "dtype": ""}
        return seen


def facts(tensor: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """Some of the facts about a tensor."""
    known = facts_of(tensor)
    return {name: known[name] for name in names if name in known}


def difference(program: Program, **options: Any) -> tuple[str, str] | None:
    """What kind of difference there is, and a description; None if there is none.

    A kind that begins with "refused" is no fault: the function cannot be traced, and says so.
    """
    function = split(program)
    eager = Run(function, lambda step: step)
    compiled = Run(function, lambda step: adjoint.compile(step, **options))
    for turn in range(CALLS + 1):
        last = turn == CALLS
        wanted = eager.backward() if last else eager.call()
        found = compiled.backward() if last else compiled.call()
        what = "backward" if last else f"call {turn + 1}"
        if found is not None and type(found).__name__ == "UntraceableError":
            return f"refused: {reason(found)}", f"{function}\n\n{found}"
        if wanted is not None or found is not None:
            if type(wanted) is type(found):
                return None
            return f"error in {what}", f"{function}\n\neager: {wanted!r}\ncompiled: {found!r}"
        here, there = compiled.look(), eager.look()
        for name, facts_there in there.items():
            for fact, value in facts_there.items():
                mine = here.get(name, {}).get(fact)
                if not same_fact(mine, value, facts_there, fact):
                    text = f"{what}, {name}, {fact}: compiled {mine!r}, eager {value!r}"
                    return f"{fact} after {what}", f"{function}\n\n{text}"
    return None


def reason(error: Exception) -> str:
    """A refusal without names and numbers."""
    words = str(error).split("\n")[0].split(" (at ")[0].split(": ")
    return "".join(c if c.isalpha() else " " for c in words[-1])[:60].strip()
