"""Normalisation by what neighbouring channels hold."""

from __future__ import annotations

from typing import Any

from adjoint.errors import describe_shape
from adjoint.ops.contraction import require_tensors
from adjoint.ops.dimensions import squeeze_row, unsqueeze_row
from adjoint.ops.kinds.public import FUNCTIONAL, public
from adjoint.ops.movement import reshape_row
from adjoint.ops.padding import pad
from adjoint.ops.pooling import avg_pool2d, avg_pool3d
from adjoint.ops.powers import pow
from adjoint.shapes import product


@public(namespaces=FUNCTIONAL, method=False)
def local_response_norm(
    input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Any:
    """Each element over ``(k + alpha * m) ** beta``: ``m`` the mean square of ``size`` channels.

    ``input`` is (N, C, ...); the channels are those around its own. Raises ``ValueError`` for
    fewer than 3 dimensions, ``RuntimeError`` for a ``size`` below 1.

    >>> x = torch.tensor([[[1.0], [2.0]]])
    >>> torch.nn.functional.local_response_norm(x, 2, alpha=2.0, beta=1.0)
    tensor([[[0.5000],
             [0.3333]]])
    """
    require_tensors("local_response_norm", input)
    shape = tuple(input.shape)
    if len(shape) < 3:
        raise ValueError(
            "local_response_norm: expected 3 dimensions or more, (N, C, ...), but got shape "
            f"{describe_shape(shape)}"
        )
    if 0 in shape:
        return input
    if size < 1:
        raise RuntimeError(f"local_response_norm: size is a number of channels, not {size}")
    around = (size // 2, (size - 1) // 2)
    squares = input * input
    if len(shape) == 3:
        padded = pad(unsqueeze_row(squares, -3), (0, 0, *around))
        means = squeeze_row(avg_pool2d(padded, (size, 1), 1), -3)
    else:
        planes = reshape_row(squares, (shape[0], 1, *shape[1:3], product(shape[3:])))
        padded = pad(planes, (0, 0, 0, 0, *around))
        means = reshape_row(avg_pool3d(padded, (size, 1, 1), 1), shape)
    return input / pow(means * alpha + k, beta)
