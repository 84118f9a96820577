"""Max unpooling and pooling by power means, as layers."""

from __future__ import annotations

from typing import Any

from adjoint.nn import functional as F
from adjoint.nn.module import Module
from adjoint.nn.modules.making import per_dimension

Ints = int | tuple[int, ...]


class _MaxUnpool(Module):
    _rank: int

    def __init__(self, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0) -> None:
        super().__init__()
        self.kernel_size = per_dimension(kernel_size, self._rank)
        self.stride = per_dimension(kernel_size if stride is None else stride, self._rank)
        self.padding = per_dimension(padding, self._rank)

    def forward(self, input: Any, indices: Any, output_size: Any = None) -> Any:
        function = getattr(F, f"max_unpool{self._rank}d")
        return function(input, indices, self.kernel_size, self.stride, self.padding, output_size)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpool):
    """The maxima of ``MaxPool1d`` back where they were, and zeros; see ``MaxUnpool2d``."""

    _rank = 1


class MaxUnpool2d(_MaxUnpool):
    """The maxima of ``MaxPool2d`` (N, C, H, W) back where their indices say, and zeros.

    >>> pool = torch.nn.MaxPool2d(2, return_indices=True)
    >>> torch.nn.MaxUnpool2d(2)(*pool(torch.arange(4.0).reshape(1, 2, 2)))
    tensor([[[0., 0.],
             [0., 3.]]])
    """

    _rank = 2


class MaxUnpool3d(_MaxUnpool):
    """The maxima of ``MaxPool3d`` back where they were, and zeros; see ``MaxUnpool2d``."""

    _rank = 3


class _LPPool(Module):
    _rank: int

    def __init__(
        self,
        norm_type: float,
        kernel_size: Ints,
        stride: Ints | None = None,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def forward(self, input: Any) -> Any:
        function = getattr(F, f"lp_pool{self._rank}d")
        return function(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)

    def extra_repr(self) -> str:
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class LPPool1d(_LPPool):
    """The root of the sum of powers of each window along the last dimension."""

    _rank = 1


class LPPool2d(_LPPool):
    """The ``norm_type``-th root of the sum of powers of each window of (N, C, H, W).

    >>> torch.nn.LPPool2d(2, 2)(torch.tensor([[[3.0, 0.0], [0.0, 4.0]]]))
    tensor([[[5.]]])
    """

    _rank = 2


class LPPool3d(_LPPool):
    """The root of the sum of powers of each window of (N, C, D, H, W)."""

    _rank = 3


__all__ = ["LPPool1d", "LPPool2d", "LPPool3d", "MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d"]
