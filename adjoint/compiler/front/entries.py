"""What stands in the place of arguments while a function is traced."""

from __future__ import annotations

from typing import Any

from adjoint.compiler.front.equations import untraceable
from adjoint.compiler.front.world import ARRAY, GRAD, NODE
from adjoint.tape.node import AccumulateGrad, Loose, Node, Port, clock
from adjoint.tape.tensor import Untracked, make_leaf, make_loose, new


class Entry(Node):
    """The history of an argument that was computed outside: an edge at which a pass may end."""

    __slots__ = ()

    def name(self) -> str:
        """That of the node outside is not known to programs."""
        return "EntryBackward0"

    @property
    def plan(self) -> Any:
        """Raises: a backward pass would go on outside of the function."""
        raise untraceable(
            "a backward pass inside the function would go on through what was computed outside of "
            "it",
            "pass x.detach().requires_grad_(), ask for the gradient by autograd.grad(out, x), or "
            "call backward() outside",
        )


def stand_in(given: Any) -> Any:
    """A Tensor like an argument: on the same memory until the trace looks, with its own history."""
    tensor: Any = new(type(given))
    ARRAY.__set__(tensor, given._array)
    tensor._node = None
    tensor._level = given._level
    tensor._memory = given._memory if type(given._memory) is Untracked else None
    tensor._view = None
    facts = dict(given.__dict__)
    if facts:
        tensor.__dict__.update(facts)
    node = NODE.__get__(given)
    if type(node) is Loose:
        make_loose(tensor)
    elif isinstance(node, AccumulateGrad):
        make_leaf(tensor)
        GRAD.__set__(tensor._node, node.grad)
        tensor._node.hooks = node.hooks
        tensor._node.dtype = node.dtype
    elif node is not None:
        tensor._node = _entry(node)
    return tensor


def _entry(node: Any) -> Entry:
    entry: Entry = new(Entry)
    entry.edges = ()
    entry.saved = ()
    entry.sequence = next(clock)
    entry.shape, entry.dtype = node.shape, node.dtype
    entry.hooks = None
    origin = node.node if isinstance(node, Port) else node
    entry.code, entry.instruction = origin.code, origin.instruction
    return entry


__all__ = ["Entry", "stand_in"]
