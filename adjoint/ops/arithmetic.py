"""Arithmetic: sums, products, quotients and remainders.

The rows ``add``, ``sub``, ``mul`` and ``div`` are the operators; the functions of those names that
users call take ``alpha`` or ``rounding_mode`` too, and go to another row for them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.ops.casting import cast
from adjoint.ops.inplace import in_place
from adjoint.ops.kinds.elementwise import NUMBERS, constant, elementwise
from adjoint.ops.kinds.out import given_out
from adjoint.ops.kinds.public import public, publish
from adjoint.ops.kinds.row import FLOAT32, FLOAT64
from adjoint.tape.modes import modes
from adjoint.tape.tensor import Tensor

# -- sums -----------------------------------------------------------------------------------------


def _scaled(y: Any, alpha: Any) -> Any:
    kind = y.dtype
    if kind is FLOAT32 or kind is FLOAT64:
        return y * constant(alpha, kind)
    return y * np.array(alpha).astype(kind)


add = elementwise(
    "add", np.add, promote="same", numbers="x y", namespaces=None,
    x=lambda g: g,
    y=lambda g: g,
)  # fmt: skip
add_scaled_row = elementwise(
    "add_scaled", lambda x, y, alpha: np.add(x, _scaled(y, alpha)), promote="same",
    options="alpha", numbers="x y", namespaces=None, node_name="AddBackward0",
    x=lambda g: g,
    y=lambda g, alpha: g * alpha,
)  # fmt: skip
sub = elementwise(
    "sub", np.subtract, promote="same", numbers="x y", bools=False, unsupported=RuntimeError,
    namespaces=None,
    x=lambda g: g,
    y=lambda g: -g,
)  # fmt: skip
sub_scaled_row = elementwise(
    "sub_scaled", lambda x, y, alpha: np.subtract(x, _scaled(y, alpha)), promote="same",
    options="alpha", numbers="x y", bools=False, unsupported=RuntimeError, namespaces=None,
    node_name="SubBackward0",
    x=lambda g: g,
    y=lambda g, alpha: g * -alpha,
)  # fmt: skip
rsub_row = elementwise(
    "rsub", lambda x, y: np.subtract(y, x), promote="same", numbers="y", bools=False,
    unsupported=RuntimeError, namespaces=None,
    x=lambda g: -g,
    y=lambda g: g,
)  # fmt: skip
rsub_number_row = elementwise(
    "rsub_number", lambda x, y: np.subtract(y, x), promote="same", numbers="y", bools=False,
    unsupported=RuntimeError, namespaces=None, node_name="RsubBackward1",
    x=lambda g: -g,
    y=lambda g: g,
)  # fmt: skip
neg = elementwise(
    "neg", np.negative, promote="same", out="exact", supports="ifc", unsupported=RuntimeError,
    aliases=("negative",),
    x=lambda g: -g,
    doc="""Each element with the other sign; ``RuntimeError`` for booleans.

    >>> import adjoint as torch
    >>> torch.neg(torch.tensor([1.0, -2.0]))
    tensor([-1.,  2.])
    """,
)  # fmt: skip


def _check_alpha(name: str, input: Any, other: Any, alpha: Any) -> Any:
    """``alpha`` as a number; ``RuntimeError`` where the result's type cannot hold it."""
    if (type(alpha) is float or type(alpha) is int) and is_floating(input) and is_floating(other):
        return alpha
    if not isinstance(alpha, NUMBERS):
        if not hasattr(alpha, "item"):
            raise TypeError(f"{name}(): argument 'alpha' must be Number, not {alpha!r}")
        alpha = alpha.item()
    common = dtypes.result_type((input, other))
    found = dtypes.of_number(alpha)
    if found is dtypes.bool_ and common is not dtypes.bool_:
        raise RuntimeError(f"{name}: Boolean alpha only supported for Boolean results.")
    if found.category > max(common.category, dtypes.INTEGER):
        raise RuntimeError(
            f"{name}: for results of type {common!r}, alpha must not be {alpha!r}, "
            f"a {type(alpha).__name__}"
        )
    return alpha


def is_floating(value: Any) -> bool:
    """Whether a value is a Tensor over an array of a floating type."""
    return (
        isinstance(value, Tensor)
        and isinstance(value._array, np.ndarray)
        and value._array.dtype.kind == "f"
    )


def _check_operand(name: str, other: Any) -> None:
    if not isinstance(other, NUMBERS) and not hasattr(other, "dtype"):
        raise TypeError(f"{name}(): argument 'other' must be Tensor, not {type(other).__name__}")


@public(name="add", out="cast")
def add_function(input: Any, other: Any, *, alpha: Any = 1, out: Any = None) -> Any:
    """``input + alpha * other``; shapes broadcast and types promote.

    Raises ``RuntimeError`` for shapes that do not fit, and a fraction as ``alpha`` of integers.

    >>> import adjoint as torch
    >>> torch.add(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 1.0]), alpha=10)
    tensor([11., 12.])
    """
    if out is not None:
        return given_out(add_function, out, input, other, alpha=alpha)
    if type(alpha) is int and alpha == 1:
        return add(input, other)
    _check_operand("add", other)
    return add_scaled_row(input, other, _check_alpha("add", input, other, alpha))


@public(name="sub", aliases=("subtract",), out="cast")
def sub_function(input: Any, other: Any, *, alpha: Any = 1, out: Any = None) -> Any:
    """``input - alpha * other``; shapes broadcast and types promote.

    Raises ``RuntimeError`` for booleans, shapes that do not fit, and a fraction as ``alpha`` of
    integers.

    >>> import adjoint as torch
    >>> torch.sub(torch.tensor([1.0, 2.0]), 1)
    tensor([0., 1.])
    """
    if out is not None:
        return given_out(sub_function, out, input, other, alpha=alpha)
    if type(alpha) is int and alpha == 1:
        return sub(input, other)
    _check_operand("sub", other)
    return sub_scaled_row(input, other, _check_alpha("sub", input, other, alpha))


def _with_alpha(name: str, row: Any, function: Any) -> Any:
    """The in-place form of ``add`` or ``sub``: in one step or two where nothing is recorded."""
    plain, general = in_place(row, name), in_place(function, name)

    def operate(self: Any, other: Any, *, alpha: Any = 1) -> Any:
        if type(alpha) is int and alpha == 1:
            return plain(self, other)
        if (
            (type(alpha) is float or type(alpha) is int)
            and is_floating(self)
            and is_floating(other)
            and not (modes.enabled and (self._node is not None or other._node is not None))
        ):
            return plain(self, mul(other, alpha))
        return general(self, other, alpha=alpha)

    operate.__name__ = operate.__qualname__ = name
    operate.__doc__ = f"In-place form of ``{function.__name__}``: stores the result in ``self``."
    return operate


add_in_place = _with_alpha("add_", add, add_function)
sub_in_place = _with_alpha("sub_", sub, sub_function)
publish("add_", add_in_place, namespaces=())
publish("sub_", sub_in_place, namespaces=(), aliases=("subtract_",))


@public(method=False)
def rsub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """``other - alpha * input``; see ``sub``.

    >>> import adjoint as torch
    >>> torch.rsub(torch.tensor([1.0, 2.0]), 1)
    tensor([ 0., -1.])
    """
    _check_operand("rsub", other)
    row = rsub_number_row if isinstance(other, NUMBERS) else rsub_row
    if type(alpha) is int and alpha == 1:
        return row(input, other)
    if dtypes.of(input) is dtypes.bool_:
        raise RuntimeError("rsub is not supported with booleans; use ^, ~ or logical_xor()")
    return row(mul(input, _check_alpha("rsub", input, other, alpha)), other)


@public()
def positive(input: Any) -> Any:
    """The tensor itself; ``RuntimeError`` for booleans.

    >>> import adjoint as torch
    >>> torch.positive(torch.tensor([1.0, -2.0]))
    tensor([ 1., -2.])
    """
    if dtypes.of(input) is dtypes.bool_:
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


# -- products and quotients -----------------------------------------------------------------------

mul = elementwise(
    "mul", np.multiply, promote="same", numbers="x y", aliases=("multiply",),
    x=lambda g, y: g * y,
    y=lambda g, x: g * x,
    doc="""The product of ``input`` and ``other``, a tensor or a number.

    Shapes broadcast and types promote; ``RuntimeError`` for shapes that do not fit.

    >>> import adjoint as torch
    >>> torch.mul(torch.tensor([1.0, 2.0]), torch.tensor([[10.0], [20.0]]))
    tensor([[10., 20.],
            [20., 40.]])
    """,
)  # fmt: skip
div = elementwise(
    "div", np.true_divide, numbers="x y", namespaces=None,
    x=lambda g, y: g / y,
    y=lambda g, x, y: -g * (x / y) / y,
)  # fmt: skip


# -- products in sums -----------------------------------------------------------------------------


def _lerp_number(x: Any, end: Any, weight: Any) -> Any:
    """From the nearer end, so that both ends are met exactly."""
    way = end - x
    return x + way * weight if abs(weight) < 0.5 else end - way * (1 - weight)


def _lerp(x: Any, end: Any, weight: Any) -> Any:
    way = end - x
    return np.where(np.abs(weight) < 0.5, x + weight * way, end - way * (1 - weight))


lerp_number_row = elementwise(
    "lerp_number", _lerp_number, promote="same", options="weight", supports="fc", namespaces=None,
    node_name="LerpBackward0",
    x=lambda g, weight: g * (1 - weight),
    end=lambda g, weight: g * weight,
)  # fmt: skip
lerp_row = elementwise(
    "lerp", _lerp, promote="same", supports="fc", namespaces=None, node_name="LerpBackward1",
    x=lambda g, weight: g * (1 - weight),
    end=lambda g, weight: g * weight,
    weight=lambda g, x, end: g * (end - x),
)  # fmt: skip


@public(in_place=True, out="cast")
def lerp(input: Any, end: Any, weight: Any) -> Any:
    """``input + weight * (end - input)``; ``weight`` is a number or a tensor that broadcasts.

    Raises ``RuntimeError`` for tensors of different types, ``NotImplementedError`` for integers.

    >>> import adjoint as torch
    >>> torch.lerp(torch.tensor([0.0, 10.0]), torch.tensor([1.0, 20.0]), 0.5)
    tensor([ 0.5000, 15.0000])
    """
    if (
        type(weight) is float
        and is_floating(input)
        and is_floating(end)
        and input._array.dtype is end._array.dtype
    ):
        return lerp_number_row(input, end, weight)
    tensors = {"end": end} if isinstance(weight, NUMBERS) else {"end": end, "weight": weight}
    for name, value in tensors.items():
        if not hasattr(value, "dtype"):
            raise TypeError(f"lerp(): argument '{name}' must be Tensor, not {value!r}")
        if dtypes.of(value) is not dtypes.of(input):
            raise RuntimeError(
                f"expected dtype {dtypes.of(input)!r} for `{name}` but got {dtypes.of(value)!r}"
            )
    if isinstance(weight, NUMBERS):
        return lerp_number_row(input, end, weight)
    return lerp_row(input, end, weight)


addcmul_row = elementwise(
    "addcmul", lambda x, first, second, value: x + _scaled(first, value) * second,
    promote="same", options="value", supports="ifc", namespaces=None,
    x=lambda g: g,
    first=lambda g, second, value: g * (second * value),
    second=lambda g, first, value: g * (first * value), saved="first=tensor1 second=tensor2",
)  # fmt: skip
addcdiv_row = elementwise(
    "addcdiv", lambda x, first, second, value: x + _scaled(first, value) / second,
    promote="same", options="value", supports="fc", namespaces=None,
    x=lambda g: g,
    first=lambda g, second, value: g * (value / second),
    second=lambda g, first, second, value: -g * (first * value / (second * second)),
    saved="first=tensor1 second=tensor2",
)  # fmt: skip


@public(in_place=True, out="cast")
def addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """``input + value * tensor1 * tensor2``; shapes broadcast and types promote.

    >>> import adjoint as torch
    >>> torch.addcmul(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 1.0]), torch.tensor([3.0, 4.0]))
    tensor([4., 6.])
    """
    return addcmul_row(input, tensor1, tensor2, value)


@public(in_place=True, out="cast")
def addcdiv(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """``input + value * tensor1 / tensor2``; shapes broadcast and types promote.

    Raises ``RuntimeError`` where all tensors are integers.

    >>> import adjoint as torch
    >>> torch.addcdiv(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 1.0]), torch.tensor([2.0, 4.0]))
    tensor([1.5000, 2.2500])
    """
    if all(dtypes.of(each).category < dtypes.FLOATING for each in (tensor1, tensor2)):
        raise RuntimeError(
            "addcdiv does not divide integers: make a tensor floating, as with x.float()"
        )
    common = dtypes.result_type((input, tensor1, tensor2))
    return addcdiv_row(cast(input, common), tensor1, tensor2, value)
