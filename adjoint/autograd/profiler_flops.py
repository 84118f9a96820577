"""How many floating point operations an operation takes, from its inputs' shapes."""

from __future__ import annotations

from math import prod
from typing import Any


def flops_of(name: str, shapes: list[Any]) -> int | None:
    """Twice the multiplications for products, the elements for sums and products; else None.

    >>> flops_of("aten::matmul", [[2, 3], [3, 4]])
    48
    """
    count: Any = _COUNTS.get(name)
    try:
        return None if count is None else count(*shapes)
    except (IndexError, TypeError):  # called with keywords, or with numbers
        return None


def _matmul(x: list[int], y: list[int], *_: Any) -> int:
    return 2 * prod(x) * (y[-1] if len(y) > 1 else 1) * prod(y[:-2] if len(x) < 3 else ())


def _linear(x: list[int], weight: list[int], *_: Any) -> int:
    return 2 * prod(x) * weight[0]


def _addmm(_added: list[int], x: list[int], y: list[int], *_: Any) -> int:
    return _matmul(x, y)


def _elements(*shapes: list[int]) -> int:
    return max(prod(each) for each in shapes[:2])


_COUNTS = {
    "aten::matmul": _matmul,
    "aten::mm": _matmul,
    "aten::bmm": _matmul,
    "aten::linear": _linear,
    "aten::addmm": _addmm,
    "aten::mul": _elements,
    "aten::add": _elements,
}
