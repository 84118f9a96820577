"""Gradient edges: places in the graph that users name without holding a tensor."""

from __future__ import annotations

from typing import Any, NamedTuple

from adjoint.errors import describe_shape
from adjoint.tape.node import Loose, Node, Port


class GradientEdge(NamedTuple):
    """One output of a node, to ask for its gradient or to begin a backward pass there.

    ``output_nr`` is the number of the output. It holds the graph, but not the tensor's memory.
    """

    node: Node
    output_nr: int
    ownership_token: Any = None


def get_gradient_edge(tensor: Any) -> GradientEdge:
    """The edge where the gradient of ``tensor`` arrives.

    Raises ``RuntimeError`` for a tensor that does not require a gradient.

    >>> import adjoint as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> edge = torch.autograd.graph.get_gradient_edge(x * 2)
    >>> edge.node.name(), edge.output_nr
    ('MulBackward0', 0)
    """
    edge = tensor._node
    if edge is None:
        raise RuntimeError(
            "It is not possible to get the gradient edge for a Tensor that does "
            f"not require gradients (shape {describe_shape(tensor.shape)})"
        )
    if isinstance(edge, Port):
        return GradientEdge(edge.node, edge.index, edge)
    return GradientEdge(edge, 0)


def edge_of(value: Any) -> Any:
    """The tape's own edge of a tensor or a ``GradientEdge``; None where nothing is recorded."""
    if not isinstance(value, GradientEdge):
        try:
            node = value._node
        except AttributeError:
            raise RuntimeError(
                "gradients begin and end at Tensors or GradientEdges, but got "
                f"{type(value).__name__}"
            ) from None
        return None if type(node) is Loose else node
    if isinstance(value.ownership_token, Port):
        return value.ownership_token
    node = value.node
    if node.plan is not None and getattr(node.plan.row, "many_outputs", True):
        return Port(node, value.output_nr, node.shape, node.dtype)
    return node
