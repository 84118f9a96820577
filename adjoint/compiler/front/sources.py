"""Where the inputs of a program come from, at each call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adjoint.tape.node import AccumulateGrad
from adjoint.tape.tensor import history_of

NOTHING, LEAF, COMPUTED = "constant", "leaf", "computed"


def kind_of_node(node: Any) -> str:
    """Whether a tensor with this history requires a gradient, and as what."""
    if node is None:
        return NOTHING
    return LEAF if isinstance(node, AccumulateGrad) else COMPUTED


class Facts:
    """What a program takes for granted of a tensor."""

    __slots__ = ("cls", "kind", "node", "shape", "strides")

    def __init__(self, tensor: Any, array: Any, node: Any) -> None:
        self.cls = type(tensor)
        self.shape: tuple[int, ...] = array.shape
        self.kind = array.dtype
        self.strides: tuple[int, ...] = array.strides
        self.node = kind_of_node(node)

    def differs(self, tensor: Any) -> str | None:
        """What is another now, in words; None if nothing is."""
        array = tensor._array
        for what, was, now in (
            ("class", self.cls, type(tensor)),
            ("shape", self.shape, getattr(array, "shape", None)),
            ("type", self.kind, getattr(array, "dtype", None)),
            ("strides", self.strides, getattr(array, "strides", None)),
            ("history", self.node, kind_of_node(history_of(tensor))),
        ):
            if was != now:
                return f"its {what} is {now} and was {was}"
        return None


class Source:
    """Where an input is found; ``facts`` are those of the trace."""

    __slots__ = ("facts",)

    facts: Facts

    def find(self, arguments: Sequence[Any]) -> Any:
        """The tensor, None if there is none."""
        raise NotImplementedError


class Argument(Source):
    """One of the distinct tensors among the arguments."""

    __slots__ = ("number",)

    def __init__(self, number: int, facts: Facts) -> None:
        self.number = number
        self.facts = facts

    def find(self, arguments: Sequence[Any]) -> Any:
        return arguments[self.number]

    def __repr__(self) -> str:
        return f"argument {self.number}"


class Outside(Source):
    """A tensor that the function closes over."""

    __slots__ = ("tensor",)

    def __init__(self, tensor: Any, facts: Facts) -> None:
        self.tensor = tensor
        self.facts = facts

    def find(self, arguments: Sequence[Any]) -> Any:
        return self.tensor

    def __repr__(self) -> str:
        return f"a closed-over tensor of shape {list(self.facts.shape)}"


class GradOf(Source):
    """The ``.grad`` of another source."""

    __slots__ = ("leaf",)

    def __init__(self, leaf: Source, facts: Facts) -> None:
        self.leaf = leaf
        self.facts = facts

    def find(self, arguments: Sequence[Any]) -> Any:
        return grad_of(self.leaf.find(arguments))

    def __repr__(self) -> str:
        return f"the .grad of {self.leaf!r}"


class Number(Source):
    """A number that an effect gives at each call, as an array without dimensions."""

    __slots__ = ("effect", "place")

    def __init__(self, effect: int, place: int) -> None:
        self.effect = effect
        self.place = place

    def find(self, arguments: Sequence[Any]) -> Any:
        return None

    def __repr__(self) -> str:
        return f"number {self.place} of step {self.effect}"


def grad_of(tensor: Any) -> Any:
    """The ``.grad`` of a tensor, without the warning for one that is no leaf."""
    node = history_of(tensor)
    if isinstance(node, AccumulateGrad):
        return node.grad
    return tensor.__dict__.get("_retained_grad")
