"""Where the two libraries differ."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch

import adjoint
from tests.parity.programs.running import Outcome, Program, carry_out


class Difference(NamedTuple):
    """The first thing in which the two differ."""

    statement: int
    what: str
    ours: Any
    theirs: Any
    program: Program

    @property
    def kind(self) -> str:
        """What differs, without names: failures of one kind are likely to have one cause."""
        return f"{self.what.split('.')[-1]} after {shape_of(self.program.statements[-1])}"

    def __str__(self) -> str:
        place = self.program.statements[self.statement].replace("\n", "\n    ")
        return (
            f"{self.program}\n\nafter statement {self.statement + 1}, `{place}`, {self.what}:\n"
            f"PyTorch: {show(self.theirs)}\nAdjoint: {show(self.ours)}"
        )


def shape_of(statement: str) -> str:
    """A statement without names and numbers."""
    text = statement.splitlines()[-1].strip()
    words = "".join(c if c.isalpha() or c == "_" else " " for c in text).split()
    return " ".join(word for word in words if len(word) > 1 and word != "torch")


def show(value: Any) -> str:
    """A value for people."""
    return f"{type(value).__name__}: {value}" if isinstance(value, Exception) else repr(value)


def same_error(ours: Exception | None, theirs: Exception | None) -> bool:
    """Whether both raise, ours an exception of the type of theirs, or neither does."""
    if theirs is None or ours is None:
        return ours is theirs
    return any(each.__name__ == type(theirs).__name__ for each in type(ours).__mro__)


def same_array(ours: Any, theirs: Any, dtype: str) -> bool:
    """Whether numbers agree; those of PyTorch that are not finite, or huge, are not compared."""
    if not isinstance(ours, np.ndarray) or ours.shape != theirs.shape:
        return False
    if theirs.dtype.kind not in "fc":
        return bool((ours == theirs).all())
    with np.errstate(all="ignore"):
        if not np.isfinite(theirs).all() or (abs(theirs) > 1e7).any():
            return True
    tolerance = 1e-3 if "32" in dtype or "complex64" in dtype else 1e-7
    scale = max(1.0, float(abs(theirs).max(initial=0)))
    return bool((abs(ours - theirs) <= tolerance * scale).all())


def same_fact(ours: Any, theirs: Any, facts: dict[str, Any], what: str) -> bool:
    """Whether one fact about a tensor is the same in both."""
    if isinstance(theirs, np.ndarray):
        return same_array(ours, theirs, facts.get(f"{what}.dtype", facts["dtype"]))
    if isinstance(theirs, Exception) or isinstance(ours, Exception):
        return (
            isinstance(theirs, Exception)
            and isinstance(ours, Exception)
            and same_error(ours, theirs)
        )
    if isinstance(ours, np.ndarray):
        return False
    return bool(ours == theirs)


def compare_facts(ours: Any, theirs: Any, counting: str) -> tuple[str, Any, Any] | None:
    """The first fact that differs; ``counting`` says how versions are compared."""
    if list(ours) != list(theirs):
        return "names", list(ours), list(theirs)
    for name, wanted in theirs.items():
        found = ours[name]
        for what, value in wanted.items():
            mine = found.get(what, "missing")
            if what == "_version" and counting == "never":
                continue
            if what == "_version" and counting == "whether":
                mine, value = (
                    bool(each) if isinstance(each, int) else each for each in (mine, value)
                )
            if not same_fact(mine, value, wanted, what):
                return f"{name}.{what}", mine, value
    return None


def how_to_count(program: Program) -> str:
    """How versions of tensors are compared.

    A batched write of PyTorch's may write several times; and where inference tensors are used it
    counts writes of its kernels to their own results.
    """
    text = "".join(program.statements)
    if "inference_mode" in text:
        return "never"
    return "whether" if "torch.func." in text else "always"


def first_difference(
    ours: list[Outcome], theirs: list[Outcome], program: Program
) -> Difference | None:
    """The first statement after which something differs."""
    for number, (mine, wanted) in enumerate(zip(ours, theirs, strict=True)):
        upto = program._replace(
            statements=program.statements[: number + 1],
            raising=frozenset(each for each in program.raising if each <= number),
        )
        if not same_error(mine.error, wanted.error):
            return Difference(number, "error", mine.error, wanted.error, upto)
        if wanted.error is not None and number == len(theirs) - 1:
            return None  # a pass that fails midway has stored some gradients in PyTorch
        if wanted.facts is None or mine.facts is None:
            continue
        found = compare_facts(mine.facts, wanted.facts, how_to_count(upto))
        if found is not None:
            return Difference(number, *found, upto)
    return None


def difference(program: Program) -> Difference | None:
    """Run a program in both libraries; where they differ first."""
    theirs = carry_out(torch, program)
    raising = frozenset(number for number, each in enumerate(theirs) if each.error is not None)
    program = program._replace(raising=raising)
    return first_difference(carry_out(adjoint, program), theirs, program)
