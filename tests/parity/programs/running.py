"""Carrying a program out in one library, and looking at everything after each statement."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import adjoint

PREAMBLE = """\
rows = torch.tensor([1, 0])
own = lambda g: g.clone(memory_format=torch.contiguous_format)
plain = lambda g: own(g.detach())
outer = lambda y, x: own(torch.autograd.grad(y.sin().sum() + x.sum(), x)[0])
"""
NAMES_OF_THE_PREAMBLE = ("rows",)


class Program(NamedTuple):
    """Statements of Python in which ``torch`` is either library."""

    statements: tuple[str, ...]
    raising: frozenset[int] = frozenset()  # the statements that raise in PyTorch
    every: bool = True  # whether to look after each statement, or at the end only

    def __str__(self) -> str:
        lines = ["import torch  # or: import adjoint as torch", "from contextlib import suppress"]
        lines += ["", *PREAMBLE.splitlines(), ""]
        for number, statement in enumerate(self.statements):
            if number in self.raising:
                lines.append("with suppress(Exception):")
                lines += ["    " + line for line in statement.splitlines()]
            else:
                lines.append(statement)
        if not self.every:
            lines.append("# compared at the end only")
        return "\n".join(lines)


class Session:
    """The names of a program that is being carried out."""

    def __init__(self, library: Any) -> None:
        self.library = library
        self.names: dict[str, Any] = {"torch": library, "suppress": _never}
        self.run(PREAMBLE)

    def run(self, statement: str) -> Exception | None:
        """Carry out one statement; the exception that it raises."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                exec(compile(statement, "<program>", "exec"), self.names)
            except Exception as error:  # noqa: BLE001 - its type is what is compared
                error.__traceback__ = None  # which would keep tensors alive
                return error
        return None

    def tensors(self) -> dict[str, Any]:
        """The tensors that have names, in the order in which they got them."""
        return {
            name: value
            for name, value in self.names.items()
            if isinstance(value, self.library.Tensor) and name not in NAMES_OF_THE_PREAMBLE
        }

    def look(self) -> dict[str, dict[str, Any]]:
        """All that can be seen of all tensors."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return {name: facts_of(tensor) for name, tensor in self.tensors().items()}


def _never(*_: object) -> None:
    raise AssertionError("programs do not suppress errors themselves")


def attempt(look: Callable[[], Any]) -> Any:
    """What a look gives, or the type of the error that it raises."""
    try:
        return look()
    except Exception as error:  # noqa: BLE001 - its type is what is compared
        return error


def value_of(tensor: Any) -> np.ndarray:
    """The elements, in memory of their own."""
    plain = tensor.detach()
    if not isinstance(plain, adjoint.Tensor):
        plain = plain.resolve_conj().resolve_neg()
    return np.array(plain.numpy())


def node_name(tensor: Any) -> str | None:
    """The name of the node that made a tensor."""
    node = tensor.grad_fn
    return None if node is None else type(node).__name__


def facts_of(tensor: Any) -> dict[str, Any]:
    """What can be seen of a tensor, in words and arrays that compare."""
    facts = {
        "value": attempt(lambda: value_of(tensor)),
        "dtype": repr(tensor.dtype),
        "shape": tuple(tensor.shape),
        "stride": attempt(lambda: strides_of(tensor) if looks_at_a_leaf(tensor) else None),
        "requires_grad": attempt(lambda: tensor.requires_grad),
        "is_leaf": attempt(lambda: tensor.is_leaf),
        "_version": attempt(lambda: tensor._version),
        "grad_fn": attempt(lambda: node_name(tensor)),
        "is_view": attempt(tensor._is_view),
        "is_inference": attempt(tensor.is_inference),
        "retains_grad": attempt(lambda: tensor.retains_grad),
        "output_nr": attempt(lambda: tensor.output_nr),
    }
    gradient = attempt(lambda: tensor.grad)
    if gradient is None or isinstance(gradient, Exception):
        facts["grad"] = gradient
    else:
        facts["grad"] = attempt(lambda: value_of(gradient))
        facts["grad.dtype"] = repr(gradient.dtype)
        facts["grad.requires_grad"] = gradient.requires_grad
        facts["grad.is_leaf"] = gradient.is_leaf
    return facts


def looks_at_a_leaf(tensor: Any) -> bool:
    """Whether a tensor is a view of one that was made, not computed: its strides are then known."""
    return bool(tensor._is_view() and tensor._base.is_leaf and not tensor._base._version)


def strides_of(tensor: Any) -> tuple[int, ...]:
    """Strides along dimensions in which there is a step to take."""
    if not tensor.numel():
        return ()
    return tuple(step for step, size in zip(tensor.stride(), tensor.shape, strict=True) if size > 1)


class Outcome(NamedTuple):
    """What one statement did."""

    error: Exception | None
    facts: dict[str, dict[str, Any]] | None  # None where nothing was looked at


def carry_out(library: Any, program: Program) -> list[Outcome]:
    """Run a program's statements one after the other, going on after those that raise."""
    session = Session(library)
    outcomes = []
    last = len(program.statements) - 1
    for number, statement in enumerate(program.statements):
        error = session.run(statement)
        looking = program.every or number == last
        outcomes.append(Outcome(error, session.look() if looking else None))
    return outcomes
