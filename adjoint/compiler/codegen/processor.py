"""What a processor has instructions for: scalar code is written accordingly."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import llvmlite.binding as llvm


class Processor(NamedTuple):
    """Without an instruction LLVM would call a function of another library, one element a time."""

    fused: bool  # x * y + z, rounded once
    rounding: bool  # to integers
    halves: bool  # float16 to float32 and back
    bytes: int  # of a vector
    scaling: bool = False  # by powers of two


def processor(triple: str, features: Any) -> Processor:
    """Of a target with features, by LLVM's names."""
    if triple.startswith(("aarch64", "arm64")):
        return Processor(True, True, True, 16)
    if not triple.startswith("x86_64"):
        return Processor(False, False, False, 16)
    size = 64 if features.get("avx512f") else 32 if features.get("avx2") else 16
    names = ("fma", "sse4.1", "f16c")
    fused, rounding, halves = (bool(features.get(each)) for each in names)
    return Processor(fused, rounding, halves, size, size == 64)


@cache
def host() -> Processor:
    """The processor it runs on."""
    return processor(llvm.get_default_triple(), llvm.get_host_cpu_features())
