"""Comparisons, questions about values, and logic on truth values."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.ops.kinds.elementwise import elementwise
from adjoint.ops.kinds.public import public
from adjoint.tape.tensor import Tensor

eq = elementwise(
    "eq", np.equal, promote="bool", numbers="y", x=None, y=None,
    doc="""Whether elements are equal, as booleans; ``other`` is a tensor or a number.

    >>> import adjoint as torch
    >>> torch.eq(torch.tensor([1, 2]), 2)
    tensor([False,  True])
    """,
)  # fmt: skip
ne = elementwise(
    "ne", np.not_equal, promote="bool", numbers="y", aliases=("not_equal",), x=None, y=None,
    doc="""Whether elements differ, as booleans; ``other`` is a tensor or a number.

    >>> import adjoint as torch
    >>> torch.ne(torch.tensor([1, 2]), 2)
    tensor([ True, False])
    """,
)  # fmt: skip
lt = elementwise(
    "lt", np.less, promote="bool", numbers="y", supports="bif", aliases=("less",), x=None, y=None,
    doc="""Whether elements are less than those of ``other``, a tensor or a number.

    >>> import adjoint as torch
    >>> torch.lt(torch.tensor([1, 2]), 2)
    tensor([ True, False])
    """,
)  # fmt: skip
le = elementwise(
    "le", np.less_equal, promote="bool", numbers="y", supports="bif", aliases=("less_equal",),
    x=None, y=None,
    doc="""Whether elements are at most those of ``other``, a tensor or a number.

    >>> import adjoint as torch
    >>> torch.le(torch.tensor([1, 2]), 1)
    tensor([ True, False])
    """,
)  # fmt: skip
gt = elementwise(
    "gt", np.greater, promote="bool", numbers="y", supports="bif", aliases=("greater",),
    x=None, y=None,
    doc="""Whether elements are greater than those of ``other``, a tensor or a number.

    >>> import adjoint as torch
    >>> torch.gt(torch.tensor([1, 2]), 1)
    tensor([False,  True])
    """,
)  # fmt: skip
ge = elementwise(
    "ge", np.greater_equal, promote="bool", numbers="y", supports="bif",
    aliases=("greater_equal",), x=None, y=None,
    doc="""Whether elements are at least those of ``other``, a tensor or a number.

    >>> import adjoint as torch
    >>> torch.ge(torch.tensor([1, 2]), 2)
    tensor([False,  True])
    """,
)  # fmt: skip

# -- questions about values -----------------------------------------------------------------------

isnan = elementwise(
    "isnan", np.isnan, promote="bool", out="", in_place=False, x=None,
    doc="""Whether elements are NaN; complex ones where either part is.

    >>> import adjoint as torch
    >>> torch.isnan(torch.tensor([1.0, float("nan")]))
    tensor([False,  True])
    """,
)  # fmt: skip
isinf = elementwise(
    "isinf", np.isinf, promote="bool", out="", in_place=False, x=None,
    doc="""Whether elements are infinite, of either sign; complex ones where either part is.

    >>> import adjoint as torch
    >>> torch.isinf(torch.tensor([1.0, float("-inf")]))
    tensor([False,  True])
    """,
)  # fmt: skip
isfinite = elementwise(
    "isfinite", np.isfinite, promote="bool", out="", in_place=False, x=None,
    doc="""Whether elements are neither infinite nor NaN.

    >>> import adjoint as torch
    >>> torch.isfinite(torch.tensor([1.0, float("inf"), float("nan")]))
    tensor([ True, False, False])
    """,
)  # fmt: skip
isposinf = elementwise(
    "isposinf", lambda x: np.isinf(x) & (x > 0), promote="bool", out="exact", supports="bif",
    unsupported=RuntimeError, in_place=False, x=None,
    doc="""Whether elements are plus infinity; ``RuntimeError`` for complex ones.

    >>> import adjoint as torch
    >>> torch.isposinf(torch.tensor([float("inf"), float("-inf")]))
    tensor([ True, False])
    """,
)  # fmt: skip
isneginf = elementwise(
    "isneginf", lambda x: np.isinf(x) & (x < 0), promote="bool", out="exact", supports="bif",
    unsupported=RuntimeError, in_place=False, x=None,
    doc="""Whether elements are minus infinity; ``RuntimeError`` for complex ones.

    >>> import adjoint as torch
    >>> torch.isneginf(torch.tensor([float("inf"), float("-inf")]))
    tensor([False,  True])
    """,
)  # fmt: skip
isreal = elementwise(
    "isreal", lambda x: np.imag(x) == 0, promote="bool", out="", in_place=False, x=None,
    doc="""Whether elements have no imaginary part.

    >>> import adjoint as torch
    >>> torch.isreal(torch.tensor([1 + 0j, 1j]))
    tensor([ True, False])
    """,
)  # fmt: skip
signbit = elementwise(
    "signbit", lambda x: np.signbit(x) if x.dtype.kind == "f" else x < 0, promote="bool",
    out="exact", supports="bif", in_place=False, x=None,
    doc="""Whether the sign is minus, that of ``-0.0`` too.

    >>> import adjoint as torch
    >>> torch.signbit(torch.tensor([1.0, -0.0]))
    tensor([False,  True])
    """,
)  # fmt: skip

# -- closeness ------------------------------------------------------------------------------------


def _isclose(x: Any, y: Any, rtol: float, atol: float, equal_nan: bool) -> Any:
    close = x == y
    if x.dtype.kind == "b":
        x, y = x.astype(np.int8), y.astype(np.int8)
    if equal_nan and x.dtype.kind in "fc":
        close |= (x != x) & (y != y)
    if rtol == 0 and atol == 0:
        return close
    wide = y if y.dtype.kind in "fc" else y.astype(dtypes.get_default_dtype().numpy)
    away = np.abs(x - y)
    return close | (np.isfinite(away) & (away <= atol + np.abs(wide * rtol)))


isclose_row = elementwise(
    "isclose", _isclose, promote="bool", options="rtol atol equal_nan", namespaces=None,
    x=None, y=None,
)  # fmt: skip


@public()
def isclose(
    input: Any, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Any:
    """Whether elements differ by at most ``atol + rtol * abs(other)``, as booleans.

    Raises ``RuntimeError`` for tensors of different types, or a tolerance below zero.

    >>> import adjoint as torch
    >>> torch.isclose(torch.tensor([1.0, 2.0]), torch.tensor([1.0 + 1e-6, 2.1]))
    tensor([ True, False])
    """
    for name, value in (("input", input), ("other", other)):
        if not hasattr(value, "dtype"):
            raise TypeError(f"isclose(): argument '{name}' must be Tensor, not {value!r}")
    if dtypes.of(input) is not dtypes.of(other):
        raise RuntimeError(f"{dtypes.of(input)!r} did not match {dtypes.of(other)!r}")
    if rtol < 0 or atol < 0:
        raise RuntimeError(f"rtol and atol must be at least zero, but they are {rtol} and {atol}")
    return isclose_row(input, other, rtol, atol, bool(equal_nan))


@public()
def allclose(
    input: Any, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> bool:
    """Whether all elements are close, see ``isclose``; with its errors.

    >>> import adjoint as torch
    >>> torch.allclose(torch.tensor([1.0, 2.0]), torch.tensor([1.0 + 1e-6, 2.0]))
    True
    """
    return bool(isclose(input, other, rtol, atol, equal_nan).all())


@public()
def equal(input: Any, other: Any) -> bool:
    """Whether two tensors have the same shape and equal elements.

    >>> import adjoint as torch
    >>> torch.equal(torch.tensor([1, 2]), torch.tensor([1, 2]))
    True
    """
    if not isinstance(other, Tensor) or not isinstance(input, Tensor):
        wrong = other if isinstance(input, Tensor) else input
        raise TypeError(f"equal(): arguments must be Tensor, not {type(wrong).__name__}")
    return tuple(input.shape) == tuple(other.shape) and bool(eq(input, other).all())


# -- logic ----------------------------------------------------------------------------------------

logical_not = elementwise(
    "logical_not", np.logical_not, promote="bool", x=None,
    doc="""Whether elements are zero, as booleans.

    >>> import adjoint as torch
    >>> torch.logical_not(torch.tensor([0.0, 2.0]))
    tensor([ True, False])
    """,
)  # fmt: skip
logical_and = elementwise(
    "logical_and", np.logical_and, promote="bool", x=None, y=None,
    doc="""Whether both of two elements are nonzero, as booleans.

    >>> import adjoint as torch
    >>> torch.logical_and(torch.tensor([0, 1, 2]), torch.tensor([1, 0, 1]))
    tensor([False, False,  True])
    """,
)  # fmt: skip
logical_or = elementwise(
    "logical_or", np.logical_or, promote="bool", x=None, y=None,
    doc="""Whether either of two elements is nonzero, as booleans.

    >>> import adjoint as torch
    >>> torch.logical_or(torch.tensor([0, 1, 2]), torch.tensor([0, 0, 1]))
    tensor([False,  True,  True])
    """,
)  # fmt: skip
logical_xor = elementwise(
    "logical_xor", np.logical_xor, promote="bool", x=None, y=None,
    doc="""Whether exactly one of two elements is nonzero, as booleans.

    >>> import adjoint as torch
    >>> torch.logical_xor(torch.tensor([0, 1, 2]), torch.tensor([0, 0, 1]))
    tensor([False,  True, False])
    """,
)  # fmt: skip
