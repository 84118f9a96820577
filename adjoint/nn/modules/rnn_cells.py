"""One step of a recurrent network: cells."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from adjoint import dtypes
from adjoint.errors import describe_shape
from adjoint.nn import functional as F
from adjoint.nn import init
from adjoint.nn.module import Module
from adjoint.nn.modules.making import empty_parameter

# The steps, from what the input gives (its product and bias are already added) and the state.


def step_tanh(given: Any, h: Any, w: Any, b: Any) -> Any:
    """The next state of a plain network with tanh."""
    return F.tanh(given + F.linear(h, w, b))


def step_relu(given: Any, h: Any, w: Any, b: Any) -> Any:
    """The next state of a plain network with relu."""
    return F.relu(given + F.linear(h, w, b))


def step_lstm(given: Any, h: Any, c: Any, w: Any, b: Any) -> tuple[Any, Any]:
    """The next output and cell of a long short-term memory: input, forget, cell, output gates."""
    take, keep, new, show = (given + F.linear(h, w, b)).chunk(4, -1)
    c = F.sigmoid(keep) * c + F.sigmoid(take) * F.tanh(new)
    return F.sigmoid(show) * F.tanh(c), c


def step_gru(given: Any, h: Any, w: Any, b: Any) -> Any:
    """The next state of a gated recurrent unit: reset, update and new gates."""
    reset, update, new = given.chunk(3, -1)
    own_reset, own_update, own_new = F.linear(h, w, b).chunk(3, -1)
    new = F.tanh(new + F.sigmoid(reset + own_reset) * own_new)
    return new + F.sigmoid(update + own_update) * (h - new)


class _Cell(Module):
    weight_ih: Any
    weight_hh: Any
    bias_ih: Any
    bias_hh: Any

    def _set_up(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        gates: int,
        device: Any,
        dtype: dtypes.dtype | None,
    ) -> None:
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = gates * hidden_size
        self.weight_ih = empty_parameter((rows, input_size), device, dtype)
        self.weight_hh = empty_parameter((rows, hidden_size), device, dtype)
        for name in ("bias_ih", "bias_hh"):
            value = empty_parameter((rows,), device, dtype) if bias else None
            self.register_parameter(name, value)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all weights anew, uniform within 1 / sqrt(hidden_size)."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def _check(self, input: Any, *states: Any) -> None:
        """Ranks and batches that fit: ``ValueError`` for the ranks, ``RuntimeError`` for sizes."""
        name = type(self).__name__
        for what, value in (("input", input), *(("hidden", state) for state in states)):
            if value is not None and len(value.shape) not in (1, 2):
                raise ValueError(
                    f"{name}: Expected {what} to be 1D or 2D, got {describe_shape(value.shape)}"
                )
        for state in states:
            if state is not None and tuple(state.shape[:-1]) != tuple(input.shape[:-1]):
                raise RuntimeError(
                    f"{name}: a state of shape {describe_shape(state.shape)} does not fit an input "
                    f"of shape {describe_shape(input.shape)}"
                )

    def _zeros(self, input: Any) -> Any:
        return input.new_zeros((*input.shape[:-1], self.hidden_size))

    def extra_repr(self) -> str:
        extra = "" if self.bias else f", bias={self.bias}"
        return f"{self.input_size}, {self.hidden_size}{extra}"


class RNNCell(_Cell):
    """``tanh(x @ w_ih.T + b_ih + h @ w_hh.T + b_hh)``, or relu of it.

    >>> torch.nn.RNNCell(2, 3)(torch.ones(5, 2)).shape
    torch.Size([5, 3])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: dtypes.dtype | None = None,
    ) -> None:
        super().__init__()
        self._set_up(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Any, hx: Any = None) -> Any:
        self._check(input, hx)
        steps: dict[str, Callable[..., Any]] = {"tanh": step_tanh, "relu": step_relu}
        if self.nonlinearity not in steps:
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}; it is tanh or relu")
        h = self._zeros(input) if hx is None else hx
        given = F.linear(input, self.weight_ih, self.bias_ih)
        return steps[self.nonlinearity](given, h, self.weight_hh, self.bias_hh)

    def extra_repr(self) -> str:
        extra = "" if self.nonlinearity == "tanh" else f", nonlinearity={self.nonlinearity}"
        return super().extra_repr() + extra


class LSTMCell(_Cell):
    """One step of a long short-term memory: the pair (output, cell) from input and such a pair.

    >>> [each.shape for each in torch.nn.LSTMCell(2, 3)(torch.ones(5, 2))]
    [torch.Size([5, 3]), torch.Size([5, 3])]
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: dtypes.dtype | None = None,
    ) -> None:
        super().__init__()
        self._set_up(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Any, hx: Any = None) -> Any:
        h, c = (None, None) if hx is None else hx
        self._check(input, h, c)
        if h is None:
            h = c = self._zeros(input)
        given = F.linear(input, self.weight_ih, self.bias_ih)
        return step_lstm(given, h, c, self.weight_hh, self.bias_hh)


class GRUCell(_Cell):
    """One step of a gated recurrent unit.

    >>> torch.nn.GRUCell(2, 3)(torch.ones(5, 2)).shape
    torch.Size([5, 3])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: dtypes.dtype | None = None,
    ) -> None:
        super().__init__()
        self._set_up(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Any, hx: Any = None) -> Any:
        self._check(input, hx)
        h = self._zeros(input) if hx is None else hx
        given = F.linear(input, self.weight_ih, self.bias_ih)
        return step_gru(given, h, self.weight_hh, self.bias_hh)


__all__ = ["GRUCell", "LSTMCell", "RNNCell"]
