"""All parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from adjoint.ops.kinds.public import namespace
from adjoint.tape.tensor import Tensor


def parameters_to_vector(parameters: Iterable[Any]) -> Any:
    """All parameters, flattened, one after the other.

    >>> torch.nn.utils.parameters_to_vector([torch.zeros(2, 1), torch.ones(1)])
    tensor([0., 0., 1.])
    """
    return namespace("")["cat"]([param.reshape(-1) for param in parameters])


def vector_to_parameters(vec: Any, parameters: Iterable[Any]) -> None:
    """Give each parameter its part of a vector as data.

    Raises ``TypeError`` unless ``vec`` is a Tensor.

    >>> w = torch.zeros(2, 1)
    >>> torch.nn.utils.vector_to_parameters(torch.tensor([1.0, 2.0]), [w])
    >>> w
    tensor([[1.],
            [2.]])
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected a Tensor, but got: {type(vec).__name__}")
    begin = 0
    for param in parameters:
        end = begin + param.numel()
        param.data = vec[begin:end].view_as(param).data
        begin = end


__all__ = ["parameters_to_vector", "vector_to_parameters"]
