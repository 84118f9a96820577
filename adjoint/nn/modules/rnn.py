"""Recurrent networks over whole sequences: layers of cells, in one direction or both."""

from __future__ import annotations

import math
import warnings
from typing import Any

from adjoint import dtypes
from adjoint.errors import describe_shape
from adjoint.nn import functional as F
from adjoint.nn import init
from adjoint.nn.module import Module
from adjoint.nn.modules.making import empty_parameter
from adjoint.nn.modules.rnn_cells import step_gru, step_lstm, step_relu, step_tanh
from adjoint.ops.kinds.public import namespace

_GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "LSTM": 4, "GRU": 3}
_STEPS: dict[str, Any] = {"RNN_TANH": step_tanh, "RNN_RELU": step_relu, "GRU": step_gru}


class RNNBase(Module):
    """What recurrent networks have in common; ``mode`` names the kind of cell."""

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: dtypes.dtype | None = None,
    ) -> None:
        super().__init__()
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._check_options(dropout)
        self._names: list[list[str]] = []
        width = proj_size or hidden_size
        rows = _GATES[mode] * hidden_size
        for layer in range(num_layers):
            for suffix in self._suffixes(layer):
                inputs = input_size if layer == 0 else width * (2 if bidirectional else 1)
                shapes: dict[str, tuple[int, ...]]
                shapes = {"weight_ih": (rows, inputs), "weight_hh": (rows, width)}
                if bias:
                    shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
                if proj_size:
                    shapes["weight_hr"] = (proj_size, hidden_size)
                names = {name + suffix: shape for name, shape in shapes.items()}
                for name, shape in names.items():
                    setattr(self, name, empty_parameter(shape, device, dtype))
                self._names.append(list(names))
        self.reset_parameters()

    def _check_options(self, dropout: Any) -> None:
        if isinstance(dropout, bool) or not 0 <= dropout <= 1:
            raise ValueError(
                "dropout should be a number in range [0, 1] representing the probability of an "
                f"element being zeroed, but got {dropout}"
            )
        if dropout > 0 and self.num_layers == 1:
            warnings.warn(
                "dropout is between layers, and with num_layers=1 there is nothing between: "
                f"dropout={dropout} has no effect",
                stacklevel=3,
            )
        for name in ("input_size", "hidden_size", "num_layers"):
            value = getattr(self, name)
            if name != "num_layers" and not isinstance(value, int):
                raise TypeError(f"{name} should be of type int, got: {type(value).__name__}")
            if value <= 0 and name != "input_size":
                raise ValueError(f"{name} must be greater than zero, but got {value}")
        if not 0 <= self.proj_size < self.hidden_size:
            raise ValueError(
                f"proj_size has to be smaller than hidden_size and not negative, but got "
                f"{self.proj_size} and {self.hidden_size}"
            )

    def _suffixes(self, layer: int) -> list[str]:
        return [f"_l{layer}"] + [f"_l{layer}_reverse"] * self.bidirectional

    @property
    def all_weights(self) -> list[list[Any]]:
        """The parameters, a list for each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._names]

    def flatten_parameters(self) -> None:
        """Nothing: on the CPU weights need not lie side by side."""

    def reset_parameters(self) -> None:
        """Draw all weights anew, uniform within 1 / sqrt(hidden_size)."""
        bound = 1.0 / math.sqrt(self.hidden_size)
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def forward(self, input: Any, hx: Any = None) -> Any:
        alone = self._check_input(input)
        if alone:
            input = input.unsqueeze(0 if self.batch_first else 1)
        steps = input.transpose(0, 1) if self.batch_first else input
        states = self._states(steps, hx, alone)
        layers = list(steps.unbind(0))
        last: list[tuple[Any, ...]] = []
        stack = namespace("")["stack"]
        for layer in range(self.num_layers):
            if layer and self.dropout > 0:
                layers = list(F.dropout(stack(layers), self.dropout, self.training).unbind(0))
            layers = self._layer(layer, layers, states, last)
        out = stack(layers, 1 if self.batch_first else 0)
        ends = tuple(stack(column) for column in zip(*last, strict=True))
        if alone:
            out = out.squeeze(0 if self.batch_first else 1)
            ends = tuple(end.squeeze(1) for end in ends)
        return out, ends if self.mode == "LSTM" else ends[0]

    def _layer(
        self, layer: int, steps: list[Any], states: list[Any], last: list[tuple[Any, ...]]
    ) -> list[Any]:
        """One layer's outputs, both directions side by side; its last states go into ``last``."""
        directions = 2 if self.bidirectional else 1
        found = []
        for direction in range(directions):
            place = layer * directions + direction
            outputs, end = self._run(
                place, steps[::-1] if direction else steps, tuple(state[place] for state in states)
            )
            found.append(outputs[::-1] if direction else outputs)
            last.append(end)
        if directions == 1:
            return found[0]
        cat = namespace("")["cat"]
        return [cat(pair, -1) for pair in zip(*found, strict=True)]

    def _run(
        self, place: int, steps: list[Any], state: tuple[Any, ...]
    ) -> tuple[list[Any], tuple[Any, ...]]:
        """One direction of one layer: its outputs and last states."""
        weights = {name.split("_l")[0]: getattr(self, name) for name in self._names[place]}
        w, b = weights["weight_hh"], weights.get("bias_hh")
        w_in, b_in, w_out = weights["weight_ih"], weights.get("bias_ih"), weights.get("weight_hr")
        # The inputs' products of all steps at once: one large one in the place of many.
        given = F.linear(namespace("")["stack"](steps), w_in, b_in).unbind(0)
        outputs = []
        h = state[0]
        c = state[-1]
        for each in given:
            if self.mode == "LSTM":
                h, c = step_lstm(each, h, c, w, b)
                h = h if w_out is None else F.linear(h, w_out)
            else:
                h = _STEPS[self.mode](each, h, w, b)
            outputs.append(h)
        return outputs, (h, c) if self.mode == "LSTM" else (h,)

    def _check_input(self, input: Any) -> bool:
        """Whether the sequence is a single one; errors for wrong ranks and sizes."""
        name = type(self).__name__
        if len(input.shape) not in (2, 3):
            raise ValueError(
                f"{name}: Expected input to be 2D or 3D, got {len(input.shape)}D tensor of shape "
                f"{describe_shape(input.shape)} instead"
            )
        if input.shape[-1] != self.input_size:
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got "
                f"{input.shape[-1]}"
            )
        if dtypes.of(input) is not dtypes.of(self.all_weights[0][0]):
            raise ValueError(
                f"{name}: an input of {dtypes.of(input)!r} for weights of "
                f"{dtypes.of(self.all_weights[0][0])!r}"
            )
        return len(input.shape) == 2

    def _states(self, steps: Any, hx: Any, alone: bool) -> list[Any]:
        """What the layers begin with: zeros, or what is given, checked."""
        count = self.num_layers * (2 if self.bidirectional else 1)
        batch = steps.shape[1]
        widths = [self.proj_size or self.hidden_size]
        widths += [self.hidden_size] * (self.mode == "LSTM")
        if hx is None:
            return [steps.new_zeros((count, batch, width)) for width in widths]
        given = list(hx) if self.mode == "LSTM" else [hx]
        for state, width in zip(given, widths, strict=True):
            wanted = (count, width) if alone else (count, batch, width)
            if tuple(state.shape) != wanted:
                raise RuntimeError(
                    f"Expected hidden size {wanted}, got {describe_shape(state.shape)}"
                )
        return [state.unsqueeze(1) if alone else state for state in given]

    def extra_repr(self) -> str:
        parts = [f"{self.input_size}, {self.hidden_size}"]
        if self.proj_size:
            parts.append(f"proj_size={self.proj_size}")
        if self.num_layers != 1:
            parts.append(f"num_layers={self.num_layers}")
        if self.bias is not True:
            parts.append(f"bias={self.bias}")
        if self.batch_first:
            parts.append(f"batch_first={self.batch_first}")
        if self.dropout:
            parts.append(f"dropout={self.dropout}")
        if self.bidirectional:
            parts.append(f"bidirectional={self.bidirectional}")
        return ", ".join(parts)


class RNN(RNNBase):
    """Layers of ``tanh`` (or ``relu``) cells over sequences (length, N, input_size).

    Returns the last layer's outputs and the last states of all. ``batch_first`` takes and gives
    (N, length, ...), ``dropout`` is between layers. Raises ``ValueError`` for options that make no
    network, ``RuntimeError`` for sizes that do not fit.

    >>> out, last = torch.nn.RNN(2, 3)(torch.ones(5, 4, 2))
    >>> out.shape, last.shape
    (torch.Size([5, 4, 3]), torch.Size([1, 4, 3]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: dtypes.dtype | None = None,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(
                f"Unknown nonlinearity {nonlinearity!r}. Select from 'tanh' or 'relu'."
            )
        options = (num_layers, bias, batch_first, dropout, bidirectional, 0, device, dtype)
        super().__init__(f"RNN_{nonlinearity.upper()}", input_size, hidden_size, *options)
        self.nonlinearity = nonlinearity


class LSTM(RNNBase):
    """Layers of long short-term memories over sequences; the states are pairs. See ``RNN``.

    ``proj_size`` makes outputs smaller than cells.

    >>> out, (h, c) = torch.nn.LSTM(2, 3, bidirectional=True)(torch.ones(5, 4, 2))
    >>> out.shape, h.shape
    (torch.Size([5, 4, 6]), torch.Size([2, 4, 3]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: dtypes.dtype | None = None,
    ) -> None:
        options = (num_layers, bias, batch_first, dropout, bidirectional, proj_size, device, dtype)
        super().__init__("LSTM", input_size, hidden_size, *options)


class GRU(RNNBase):
    """Layers of gated recurrent units over sequences. See ``RNN``.

    >>> out, last = torch.nn.GRU(2, 3, batch_first=True)(torch.ones(4, 5, 2))
    >>> out.shape, last.shape
    (torch.Size([4, 5, 3]), torch.Size([1, 4, 3]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: dtypes.dtype | None = None,
    ) -> None:
        options = (num_layers, bias, batch_first, dropout, bidirectional, 0, device, dtype)
        super().__init__("GRU", input_size, hidden_size, *options)


__all__ = ["GRU", "LSTM", "RNN", "RNNBase"]
