"""What the processor's vectors are like, for code that is written with explicit ones."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import llvmlite.binding as llvm
import numpy as np

from adjoint.compiler.codegen.processor import host


class Vectors(NamedTuple):
    """Bytes of a vector register, how many registers there are, how a function asks for them."""

    bytes: int
    registers: int
    attributes: str


@cache
def vectors() -> Vectors:
    """The vectors of the machine it runs on."""
    size = host().bytes
    if size == 64:
        # Some processors' defaults split vectors of 512 bits unless a function asks for them.
        return Vectors(size, 32, '"prefer-vector-width"="512" "min-legal-vector-width"="512"')
    many = llvm.get_default_triple().startswith(("aarch64", "arm64"))
    return Vectors(size, 32 if many else 16, "")


def lanes_for(kind: np.dtype[Any], columns: int) -> int:
    """How many elements a vector has: the widest, but no wider than ``columns`` need."""
    widest: int = vectors().bytes // kind.itemsize
    lanes = 2
    while lanes < columns and lanes < widest:
        lanes *= 2
    return min(lanes, widest)
