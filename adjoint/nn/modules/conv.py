"""Convolutions and their transposes as layers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from adjoint import dtypes
from adjoint.errors import describe_shape
from adjoint.nn import functional as F
from adjoint.nn import init
from adjoint.nn.module import Module
from adjoint.nn.modules.making import empty_parameter, per_dimension

Ints = int | tuple[int, ...]
_PADDINGS = ("valid", "same")
_MODES = ("zeros", "reflect", "replicate", "circular")


class _Convolution(Module):
    """What convolutions of all ranks have in common, transposed or not."""

    rank: int
    transposed = False
    bias: Any

    def _set_up(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Ints,
        stride: Ints,
        padding: Any,
        dilation: Ints,
        output_padding: Ints,
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any,
        dtype: dtypes.dtype | None,
    ) -> None:
        rank = self.rank
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = per_dimension(kernel_size, rank)
        self.stride = per_dimension(stride, rank)
        self.padding = padding if isinstance(padding, str) else per_dimension(padding, rank)
        self.dilation = per_dimension(dilation, rank)
        self.output_padding = per_dimension(output_padding, rank)
        self.groups = groups
        self.padding_mode = padding_mode
        self._check()
        first, second = in_channels, out_channels
        if not self.transposed:
            first, second = second, first
        shape = (first, second // groups, *self.kernel_size)
        self.weight = empty_parameter(shape, device, dtype)
        if bias:
            self.bias = empty_parameter((out_channels,), device, dtype)
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def _check(self) -> None:
        if self.groups <= 0:
            raise ValueError(f"groups must be a positive integer, but got {self.groups}")
        for name in ("in_channels", "out_channels"):
            channels = getattr(self, name)
            if channels % self.groups:
                raise ValueError(
                    f"{name} must be divisible by groups: {channels} by {self.groups} is not"
                )
        if isinstance(self.padding, str):
            if self.padding not in _PADDINGS:
                raise ValueError(
                    f"Invalid padding string {self.padding!r}, should be one of {_PADDINGS}"
                )
            if self.padding == "same" and any(step != 1 for step in self.stride):
                raise ValueError("padding='same' is not supported for strided convolutions")
        if self.padding_mode not in _MODES:
            raise ValueError(
                f"padding_mode must be one of {_MODES}, but got padding_mode={self.padding_mode!r}"
            )

    def reset_parameters(self) -> None:
        """Draw weight and bias anew, uniform within 1 / sqrt(fan in)."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in = math.prod(self.weight.shape[1:])
            if fan_in != 0:
                bound = 1 / math.sqrt(fan_in)
                init.uniform_(self.bias, -bound, bound)

    def _around(self) -> list[int]:
        """The padding as ``F.pad`` takes it: pairs, the last dimension first."""
        if self.padding == "same":
            totals = [
                gap * (width - 1)
                for gap, width in zip(self.dilation, self.kernel_size, strict=True)
            ]
            pairs = [(total // 2, total - total // 2) for total in totals]
        elif self.padding == "valid":
            pairs = [(0, 0)] * self.rank
        else:
            pairs = [(side, side) for side in self.padding]
        return [side for pair in reversed(pairs) for side in pair]

    def _convolve(self, function: Callable[..., Any], input: Any) -> Any:
        padding = self.padding
        if self.padding_mode != "zeros":
            input = F.pad(input, self._around(), mode=self.padding_mode)
            padding = (0,) * self.rank
        return function(
            input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups
        )

    def _transpose(self, function: Callable[..., Any], input: Any, output_size: Any) -> Any:
        if self.padding_mode != "zeros":
            raise ValueError(f"only zeros padding is supported by {type(self).__name__}")
        more = self.output_padding if output_size is None else self._padding_for(input, output_size)
        return function(
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            more,
            self.groups,
            self.dilation,
        )

    def _padding_for(self, input: Any, output_size: Any) -> tuple[int, ...]:
        """The output padding that gives ``output_size``; ``ValueError`` where none does."""
        rank = self.rank
        sizes = tuple(output_size)[-rank:]
        least = [
            (size - 1) * step - 2 * side + gap * (width - 1) + 1
            for size, step, side, gap, width in zip(
                input.shape[-rank:],
                self.stride,
                self.padding,
                self.dilation,
                self.kernel_size,
                strict=True,
            )
        ]
        if len(sizes) != rank or any(
            not low <= size < low + step
            for low, size, step in zip(least, sizes, self.stride, strict=True)
        ):
            most = [low + step - 1 for low, step in zip(least, self.stride, strict=True)]
            raise ValueError(
                f"requested an output size of {list(output_size)}, but valid sizes range from "
                f"{least} to {most} (for an input of {describe_shape(input.shape[-rank:])})"
            )
        return tuple(size - low for size, low in zip(sizes, least, strict=True))

    def extra_repr(self) -> str:
        parts = [
            f"{self.in_channels}, {self.out_channels}",
            f"kernel_size={self.kernel_size}",
            f"stride={self.stride}",
        ]
        if self.padding != (0,) * self.rank:
            parts.append(f"padding={self.padding}")
        if self.dilation != (1,) * self.rank:
            parts.append(f"dilation={self.dilation}")
        if self.output_padding != (0,) * self.rank:
            parts.append(f"output_padding={self.output_padding}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        if self.padding_mode != "zeros":
            parts.append(f"padding_mode={self.padding_mode}")
        return ", ".join(parts)


class _Forward(_Convolution):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Ints,
        stride: Ints = 1,
        padding: Ints | str = 0,
        dilation: Ints = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: dtypes.dtype | None = None,
    ) -> None:
        super().__init__()
        geometry = (kernel_size, stride, padding, dilation, 0, groups)
        self._set_up(in_channels, out_channels, *geometry, bias, padding_mode, device, dtype)


class Conv1d(_Forward):
    """Cross-correlation of (N, C, L) with a learnt kernel; options as of ``Conv2d``."""

    rank = 1

    def forward(self, input: Any) -> Any:
        return self._convolve(F.conv1d, input)


class Conv2d(_Forward):
    """Cross-correlation of images (N, C, H, W) with a learnt kernel, plus a learnt bias.

    ``padding`` may be "same" or "valid", ``padding_mode`` what stands there. Weight and bias begin
    uniform within 1 / sqrt(fan in). Raises ``ValueError`` for channels that ``groups`` does not
    divide and for unknown modes.

    >>> torch.nn.Conv2d(1, 16, 3, padding=1)(torch.ones(4, 1, 8, 8)).shape
    torch.Size([4, 16, 8, 8])
    """

    rank = 2

    def forward(self, input: Any) -> Any:
        return self._convolve(F.conv2d, input)


class Conv3d(_Forward):
    """Cross-correlation of (N, C, D, H, W) with a learnt kernel; options as of ``Conv2d``."""

    rank = 3

    def forward(self, input: Any) -> Any:
        return self._convolve(F.conv3d, input)


class _Transposed(_Convolution):
    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Ints,
        stride: Ints = 1,
        padding: Ints = 0,
        output_padding: Ints = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Ints = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: dtypes.dtype | None = None,
    ) -> None:
        super().__init__()
        if padding_mode != "zeros":
            raise ValueError(
                f'Only "zeros" padding mode is supported for {type(self).__name__}, but got '
                f"{padding_mode!r}"
            )
        geometry = (kernel_size, stride, padding, dilation, output_padding, groups)
        self._set_up(in_channels, out_channels, *geometry, bias, padding_mode, device, dtype)


class ConvTranspose1d(_Transposed):
    """The transpose of ``Conv1d``; ``output_size`` of a call chooses among the sizes possible."""

    rank = 1

    def forward(self, input: Any, output_size: Any = None) -> Any:
        return self._transpose(F.conv_transpose1d, input, output_size)


class ConvTranspose2d(_Transposed):
    """The transpose of ``Conv2d``; ``output_size`` of a call chooses among the sizes possible.

    >>> torch.nn.ConvTranspose2d(3, 2, 4, stride=2, padding=1)(torch.ones(1, 3, 5, 5)).shape
    torch.Size([1, 2, 10, 10])
    """

    rank = 2

    def forward(self, input: Any, output_size: Any = None) -> Any:
        return self._transpose(F.conv_transpose2d, input, output_size)


class ConvTranspose3d(_Transposed):
    """The transpose of ``Conv3d``; ``output_size`` of a call chooses among the sizes possible."""

    rank = 3

    def forward(self, input: Any, output_size: Any = None) -> Any:
        return self._transpose(F.conv_transpose3d, input, output_size)


__all__ = [
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
]
