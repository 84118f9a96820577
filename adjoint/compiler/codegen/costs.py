"""How long loops take, roughly: what to divide among threads is decided by that."""

from __future__ import annotations

from functools import cache
from typing import Any

from adjoint.compiler.arrangement import count
from adjoint.compiler.frames import roots
from adjoint.compiler.kernels import Kernel
from adjoint.compiler.nodes import Scalar, Update

# In what a load, an addition and a store take together, for one float32.
CHEAP = {"number": 0.0, "load": 0.4, "index": 0.1, "element": 2.0, "checked": 0.5, "cast": 0.2}
DEAR = {"div": 1.0, "sqrt": 1.0, "rem": 3.0}
SIMPLE = {
    "add", "sub", "mul", "neg", "abs", "max", "min", "where", "and", "or", "xor", "lt", "le", "gt",
    "ge", "eq", "ne", "floor", "ceil", "trunc", "rint", "copysign", "fma", "shl", "lshr", "ashr",
    "bitcast",
}  # fmt: skip


@cache
def _weight(name: str) -> float:
    if name in SIMPLE:
        return 0.15
    return CHEAP.get(name, DEAR.get(name, 3.0))  # what is left are functions: polynomials


def cost_of(scalars: list[Scalar]) -> float:
    """What a place costs that computes these."""
    return sum(_weight(each.name) * each.kind.itemsize / 4 for each in scalars)


def work_of(kernel: Kernel) -> float:
    """What a kernel costs."""
    work = 0.0
    for node in kernel.nodes:
        seen: dict[int, Any] = {}
        for root in roots(node):
            for each in root.walk():
                seen[id(each)] = each
        each_place = cost_of(list(seen.values())) + (2.0 if isinstance(node, Update) else 0.4)
        work += each_place * count(node.domain)
    return work
