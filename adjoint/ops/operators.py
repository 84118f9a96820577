"""Python's operators, for every kind of value: Tensors, batches, duals and symbols alike."""

from __future__ import annotations

from typing import Any

from adjoint.array.value import Value
from adjoint.ops.arithmetic import add, div, mul, neg, sub
from adjoint.ops.contraction import matmul


def reflected(operation: Any) -> Any:
    """The operator for when the value stands on the right."""

    def operate(self: Any, other: Any) -> Any:
        return operation(other, self)

    return operate


OPERATORS = {
    "__add__": add, "__radd__": add, "__mul__": mul, "__rmul__": mul,
    "__sub__": sub, "__rsub__": reflected(sub),
    "__truediv__": div, "__rtruediv__": reflected(div), "__neg__": neg,
    "__matmul__": matmul, "__rmatmul__": reflected(matmul),
}  # fmt: skip

for name, operation in OPERATORS.items():
    setattr(Value, name, operation)
