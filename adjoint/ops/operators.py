"""Python's operators, for every kind of value: Tensors, batches, duals and symbols alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint.array.value import Value
from adjoint.ops.arithmetic import (
    add,
    div,
    mul,
    neg,
    positive,
    rsub_number_row,
    sub,
)
from adjoint.ops.bitwise import (
    bitwise_and,
    bitwise_left_shift,
    bitwise_not,
    bitwise_or,
    bitwise_right_shift,
    bitwise_xor,
)
from adjoint.ops.comparison import eq, ge, gt, le, lt, ne
from adjoint.ops.complex_parts import abs as absolute
from adjoint.ops.contraction import matmul
from adjoint.ops.division import floor_divide, remainder
from adjoint.ops.inplace import in_place
from adjoint.ops.kinds.elementwise import NUMBERS, as_operator
from adjoint.ops.powers import pow as power
from adjoint.ops.powers import reciprocal
from adjoint.tape.tensor import Tensor

OPERANDS = (Value, np.ndarray, np.generic, *NUMBERS)


def operator(operation: Callable[..., Any]) -> Callable[..., Any]:
    """A function of two operands as an operator: NotImplemented for operands it does not know."""

    def operate(self: Any, other: Any) -> Any:
        return operation(self, other) if isinstance(other, OPERANDS) else NotImplemented

    return operate


def reflected(operation: Callable[..., Any]) -> Callable[..., Any]:
    """The operator for when the value stands on the right."""

    def operate(self: Any, other: Any) -> Any:
        return operation(other, self) if isinstance(other, OPERANDS) else NotImplemented

    return operate


def _over(self: Any, other: Any) -> Any:
    """``other / self``: of numbers by way of the reciprocal, as in PyTorch, also to the bit."""
    # A formula's array may stand over a Tensor of another type, whose reciprocal is not its own.
    return mul(reciprocal(self), other) if isinstance(other, NUMBERS) else div(other, self)


def _invert(self: Any) -> Any:
    try:
        return bitwise_not(self)
    except NotImplementedError as error:
        raise TypeError(f"~ is for tensors of integers and booleans: {error}") from None


_add, _mul, _and, _or, _xor = map(as_operator, (add, mul, bitwise_and, bitwise_or, bitwise_xor))

OPERATORS = {
    "__add__": _add, "__radd__": _add,
    "__sub__": as_operator(sub), "__rsub__": as_operator(rsub_number_row),
    "__mul__": _mul, "__rmul__": _mul,
    "__truediv__": as_operator(div), "__rtruediv__": operator(_over),
    "__div__": as_operator(div), "__rdiv__": operator(_over),
    "__floordiv__": as_operator(floor_divide), "__rfloordiv__": reflected(floor_divide),
    "__mod__": operator(remainder), "__rmod__": reflected(remainder),
    "__pow__": operator(power), "__rpow__": reflected(power),
    "__matmul__": matmul, "__rmatmul__": reflected(matmul),
    "__neg__": neg, "__pos__": positive, "__abs__": absolute, "__invert__": _invert,
    "__and__": _and, "__rand__": _and, "__or__": _or, "__ror__": _or,
    "__xor__": _xor, "__rxor__": _xor,
    "__lshift__": as_operator(bitwise_left_shift), "__rlshift__": reflected(bitwise_left_shift),
    "__rshift__": as_operator(bitwise_right_shift), "__rrshift__": reflected(bitwise_right_shift),
    "__eq__": as_operator(eq), "__ne__": as_operator(ne), "__lt__": as_operator(lt),
    "__le__": as_operator(le), "__gt__": as_operator(gt), "__ge__": as_operator(ge),
}  # fmt: skip

# Only what is on the tape can be written to.
IN_PLACE = {
    "__iadd__": (add, "add_"), "__isub__": (sub, "sub_"),
    "__imul__": (mul, "mul_"), "__itruediv__": (div, "div_"),
    "__idiv__": (div, "div_"),
    "__ifloordiv__": (floor_divide, "floor_divide_"), "__imod__": (remainder, "remainder_"),
    "__ipow__": (power, "pow_"), "__iand__": (bitwise_and, "bitwise_and_"),
    "__ior__": (bitwise_or, "bitwise_or_"), "__ixor__": (bitwise_xor, "bitwise_xor_"),
    "__ilshift__": (bitwise_left_shift, "bitwise_left_shift_"),
    "__irshift__": (bitwise_right_shift, "bitwise_right_shift_"),
}  # fmt: skip

for name, operation in OPERATORS.items():
    setattr(Value, name, operation)
for name, (operation, spelling) in IN_PLACE.items():
    setattr(Tensor, name, in_place(operation, spelling))
