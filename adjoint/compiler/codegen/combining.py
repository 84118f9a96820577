"""How reductions combine values, and in which types."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.compiler.codegen.scalars import extreme
from adjoint.compiler.codegen.text import Text, register
from adjoint.compiler.nodes import Reduction

DOUBLE = np.dtype(np.float64)
# Sums of float32 are float32 within a block and float64 across blocks: as exact as float64 to a few
# units in the last place, since each of the 16 or more lanes adds at most 64 elements of a block,
# and as fast as float32 in vectors of full width.
BLOCK = 1024


def is_blocked(node: Reduction) -> bool:
    """Whether a reduction is summed in blocks."""
    kind = node.buffers[0].kind
    return node.name == "add" and kind.kind == "f" and kind.itemsize < 8


def accumulator_of(node: Reduction) -> np.dtype[Any]:
    """The type to combine many values in."""
    return DOUBLE if is_blocked(node) else node.buffers[0].kind


def start_of(name: str, kind: np.dtype[Any]) -> Any:
    """What combines with anything into that."""
    if name in ("add", "or"):
        return 0
    if name in ("mul", "and"):
        return 1
    if kind.kind == "f":
        return -np.inf if name == "max" else np.inf
    if kind.kind == "b":
        return name == "min"
    limits = np.iinfo(kind)
    return limits.min if name == "max" else limits.max


# LLVM knows loops with these as reductions, as it does not what `extreme` writes. A NaN wins; which
# of zeros with different signs is left open.
EXTREMES = {"max": "maximum", "min": "minimum"}


def declaration(name: str, kind: np.dtype[Any]) -> str:
    """What ``combine`` needs to be declared; may be nothing."""
    if name not in EXTREMES or kind.kind != "f":
        return ""
    type_ = register(kind)
    return f"declare {type_} @llvm.{EXTREMES[name]}.f{8 * kind.itemsize}({type_}, {type_})"


def combine(text: Text, name: str, x: str, y: str, kind: np.dtype[Any]) -> str:
    """One step of a reduction, in whatever order suits vectors."""
    kind_text = register(kind)
    if name in EXTREMES:
        if kind.kind != "f":
            return extreme(text, name, x, y, kind)
        function = f"@llvm.{EXTREMES[name]}.f{8 * kind.itemsize}"
        return text.new(f"call nsz {kind_text} {function}({kind_text} {x}, {kind_text} {y})")
    if name == "mul" and kind.kind == "f":  # in order: another may overflow in between
        return text.new(f"fmul {kind_text} {x}, {y}")
    if kind.kind == "f":
        return text.new(f"f{name} reassoc contract {kind_text} {x}, {y}")
    return text.new(f"{name} {kind_text} {x}, {y}")
