"""Tensors as PyTorch prints them, from arrays and facts: this layer knows no Tensor class."""

from adjoint.printing.options import get_printoptions, printoptions, set_printoptions
from adjoint.printing.text import format_parameter, format_tensor, format_with_spec

__all__ = [
    "format_parameter",
    "format_tensor",
    "format_with_spec",
    "get_printoptions",
    "printoptions",
    "set_printoptions",
]
