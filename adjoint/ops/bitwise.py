"""Bits of integers and booleans, shifts, and divisors of integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.ops.kinds.elementwise import elementwise

bitwise_and = elementwise(
    "bitwise_and", np.bitwise_and, promote="same", numbers="x y", supports="bi", x=None, y=None,
    doc="""The bits that are set in both; logical "and" of booleans.

    Raises ``NotImplementedError`` for floating types, as all operations on bits do.

    >>> import adjoint as torch
    >>> torch.bitwise_and(torch.tensor([6, 3]), 5)
    tensor([4, 1])
    """,
)  # fmt: skip
bitwise_or = elementwise(
    "bitwise_or", np.bitwise_or, promote="same", numbers="x y", supports="bi", x=None, y=None,
    doc="""The bits that are set in either; logical "or" of booleans.

    >>> import adjoint as torch
    >>> torch.bitwise_or(torch.tensor([6, 3]), 8)
    tensor([14, 11])
    """,
)  # fmt: skip
bitwise_xor = elementwise(
    "bitwise_xor", np.bitwise_xor, promote="same", numbers="x y", supports="bi", x=None, y=None,
    doc="""The bits that are set in exactly one; exclusive "or" of booleans.

    >>> import adjoint as torch
    >>> torch.bitwise_xor(torch.tensor([6, 3]), 5)
    tensor([3, 6])
    """,
)  # fmt: skip
bitwise_not = elementwise(
    "bitwise_not", np.bitwise_not, promote="same", out="exact", supports="bi", x=None,
    doc="""All bits turned over; logical "not" of booleans.

    >>> import adjoint as torch
    >>> torch.bitwise_not(torch.tensor([0, 5]))
    tensor([-1, -6])
    """,
)  # fmt: skip


def _left_shift(x: Any, y: Any) -> Any:
    return np.where((y >= 0) & (y < 8 * x.dtype.itemsize), np.left_shift(x, y), x.dtype.type(0))


def _right_shift(x: Any, y: Any) -> Any:
    most = 8 * x.dtype.itemsize - 1
    return np.right_shift(x, np.where((y >= 0) & (y <= most), y, y.dtype.type(most)))


bitwise_left_shift = elementwise(
    "bitwise_left_shift", _left_shift, promote="same", numbers="x y", supports="i",
    x=None, y=None,
    doc="""Bits moved up by as many places as ``other`` says; none are left beyond the width.

    >>> import adjoint as torch
    >>> torch.bitwise_left_shift(torch.tensor([1, -3]), 2)
    tensor([  4, -12])
    """,
)  # fmt: skip
bitwise_right_shift = elementwise(
    "bitwise_right_shift", _right_shift, promote="same", numbers="x y", supports="i",
    x=None, y=None,
    doc="""Bits moved down by as many places as ``other`` says; the sign stays.

    >>> import adjoint as torch
    >>> torch.bitwise_right_shift(torch.tensor([8, -3]), 1)
    tensor([ 4, -2])
    """,
)  # fmt: skip
gcd = elementwise(
    "gcd", np.gcd, promote="same", supports="i", x=None, y=None,
    doc="""The greatest common divisor, never negative; integers only.

    >>> import adjoint as torch
    >>> torch.gcd(torch.tensor([12, -8]), torch.tensor([18, 0]))
    tensor([6, 8])
    """,
)  # fmt: skip
lcm = elementwise(
    "lcm", np.lcm, promote="same", supports="i", x=None, y=None,
    doc="""The least common multiple, never negative; integers only.

    >>> import adjoint as torch
    >>> torch.lcm(torch.tensor([4, -8]), torch.tensor([6, 0]))
    tensor([12,  0])
    """,
)  # fmt: skip
