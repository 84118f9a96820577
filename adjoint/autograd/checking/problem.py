"""What is to be checked: a function at a point, and which inputs and outputs take part."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.autograd.gradcheck import GradcheckError
from adjoint.errors import describe_shape
from adjoint.tape.backward import as_sequence
from adjoint.tape.tensor import Tensor


class Problem:
    """A function, its inputs, and what it gives there."""

    def __init__(self, function: Callable[..., Any], inputs: Any, eps: float) -> None:
        self.function = function
        self.inputs = as_sequence(inputs)
        self.eps = eps
        self.moving = _moving_places(self.inputs)
        self.outputs = self.call(self.inputs)
        # The outputs that take part, by their place among all.
        self.wanted = [
            place
            for place, out in enumerate(self.outputs)
            if isinstance(out, Tensor) and out.requires_grad
        ]

    def call(self, inputs: Sequence[Any]) -> tuple[Any, ...]:
        """The function's outputs, always as a tuple."""
        return as_sequence(self.function(*inputs))

    def moving_inputs(self) -> list[Any]:
        """The inputs that a gradient is wanted for."""
        return [self.inputs[place] for place in self.moving]


def memory_of_input(tensor: Any) -> Any:
    """The array of a tensor that is to be moved or read; ``RuntimeError`` inside a transform."""
    array = tensor._array
    if not isinstance(array, np.ndarray):
        raise RuntimeError(
            "gradcheck compares numbers, so it can not run inside vmap, jvp or a trace, where "
            f"this tensor is a {type(array).__name__}; call it outside"
        )
    return array


def is_differentiable(value: Any) -> bool:
    """Whether a value is a Tensor of floating or complex numbers."""
    return isinstance(value, Tensor) and dtypes.of(value).category >= dtypes.FLOATING


def is_complex(value: Any) -> bool:
    """Whether a Tensor holds complex numbers."""
    return dtypes.of(value).category == dtypes.COMPLEX


def _moving_places(inputs: tuple[Any, ...]) -> list[int]:
    """Places of the inputs that require gradients, after a look at whether they can be checked."""
    places = [
        place
        for place, value in enumerate(inputs)
        if isinstance(value, Tensor) and value.requires_grad
    ]
    for place in places:
        _look_at(inputs[place], place)
    if not places:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of the "
            f"{len(inputs)} inputs does; make the point with requires_grad=True"
        )
    return places


def _look_at(value: Any, place: int) -> None:
    kind = dtypes.of(value)
    if kind is not dtypes.float64 and kind is not dtypes.complex128:
        warnings.warn(
            f"Input #{place} requires gradient and is not a double precision floating point or "
            f"complex tensor: it is {kind!r}, in which a difference quotient has few correct "
            "digits, so that this check will likely fail. Convert it with .double()",
            stacklevel=6,
        )
    array = memory_of_input(value)
    if array.size and any(
        stride == 0 and size > 1 for stride, size in zip(array.strides, array.shape, strict=True)
    ):
        raise RuntimeError(
            f"The {place}th input has a dimension with stride 0: shape "
            f"{describe_shape(array.shape)}, stride {describe_shape(value.stride())}. Several of "
            "its entries are one number in memory and can not be moved one by one; pass "
            ".contiguous() of it to gradcheck"
        )
    if overlaps(array):
        raise GradcheckError(
            f"Input {place} overlaps itself in memory (shape {describe_shape(array.shape)}, stride "
            f"{describe_shape(value.stride())}), so that its entries can not be moved one by one; "
            "pass .contiguous() of it to gradcheck"
        )


def overlaps(array: Any) -> bool:
    """Whether two entries of an array lie on one place in memory."""
    extent = 0  # up to which the dimensions of smaller strides reach
    for stride, size in sorted(
        (abs(stride), size)
        for stride, size in zip(array.strides, array.shape, strict=True)
        if size > 1
    ):
        if stride < extent + array.itemsize:
            break
        extent += stride * (size - 1)
    else:
        return False
    addresses = np.zeros(array.shape, np.int64)
    for dim, (stride, size) in enumerate(zip(array.strides, array.shape, strict=True)):
        along = [1] * array.ndim
        along[dim] = size
        addresses += (np.arange(size) * stride).reshape(along)
    return bool(np.unique(addresses).size < array.size)
