"""Out to Python and NumPy: numbers, lists, arrays, DLPack; truth, iteration, printing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from adjoint import dtypes
from adjoint.array.value import Value
from adjoint.errors import describe_shape
from adjoint.face.attributes import plain
from adjoint.face.transformed import spell_transformed
from adjoint.lazy import LazyModule
from adjoint.shapes import product
from adjoint.tape.forward import array_of, is_moving
from adjoint.tape.modes import modes
from adjoint.tape.tensor import Tensor, wrap

if TYPE_CHECKING:
    from adjoint import printing
else:
    printing = LazyModule("adjoint.printing")

_BFLOAT16 = "V"  # NumPy's letter for element types that others have added; names cost 3 us


class Exchange:
    """Methods that turn a tensor into something else."""

    _array: Any
    _node: Any
    _level: int

    # -- arrays -------------------------------------------------------------------------------

    def numpy(self, *, force: bool = False) -> Any:
        """The memory as a NumPy array, shared.

        Raises ``RuntimeError`` where a gradient would be lost, unless ``force``, and ``TypeError``
        for bfloat16, which NumPy lacks.
        """
        if self._node is not None and modes.enabled and not force:
            raise RuntimeError(
                "Can't call numpy() on Tensor that requires grad. "
                "Use tensor.detach().numpy() instead."
            )
        array = plain(self, "numpy()")
        if array.dtype.kind == _BFLOAT16:
            raise TypeError("numpy() has no bfloat16; convert first, as in x.float().numpy()")
        return array.view()  # so that reshaping the user's array leaves this tensor alone

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        array = Exchange.numpy(self)
        return array if dtype is None and not copy else np.array(array, dtype=dtype, copy=copy)

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        """What a function of NumPy gives for a tensor: a tensor, with uint8 for truth values."""
        array = np.asarray(array)
        return wrap(array.astype(np.uint8) if array.dtype == np.bool_ else array)

    def __dlpack__(
        self,
        *,
        stream: Any = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[Any, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """A capsule by which another library can use this memory, once.

        Raises ``BufferError`` for a tensor that requires a gradient.
        """
        if self._node is not None:
            raise BufferError(
                "a tensor that requires grad is not exported, since its gradient would be lost; "
                "use tensor.detach()"
            )
        if stream is not None:
            raise AssertionError(f"a stream is for accelerators, but got {stream!r} on the CPU")
        array = plain(self, "__dlpack__()")
        return array.__dlpack__(max_version=max_version, dl_device=dl_device, copy=copy)

    def __dlpack_device__(self) -> tuple[int, int]:
        """DLPack's number for the CPU, and the index 0."""
        return (1, 0)

    # -- numbers ------------------------------------------------------------------------------

    def item(self) -> Any:
        """The only element, as a Python number; ``RuntimeError`` if there are more."""
        array = self._array
        if product(array.shape) != 1:
            raise RuntimeError(
                f"a Tensor with {product(array.shape)} elements cannot be converted to Scalar: "
                f"its shape is {describe_shape(array.shape)}"
            )
        array = plain(self, "item()")
        return float(array.reshape(())) if array.dtype.kind == _BFLOAT16 else array.item()

    def tolist(self) -> Any:
        """The elements as nested Python lists, or one number."""
        array = plain(self, "tolist()")
        return (array.astype(np.float32) if array.dtype.kind == _BFLOAT16 else array).tolist()

    def __bool__(self) -> bool:
        array = self._array
        if product(array.shape) != 1:
            what = "more than one value" if product(array.shape) else "no values"
            raise RuntimeError(
                f"Boolean value of Tensor with {what} is ambiguous (shape "
                f"{describe_shape(array.shape)}); use .any() or .all()"
            )
        return bool(plain(self, "the truth of a tensor"))

    def __float__(self) -> float:
        number = _only(self)
        if isinstance(number, complex):
            if number.imag:
                raise RuntimeError(f"{number} cannot be converted to float without overflow")
            number = number.real
        return float(number)

    def __int__(self) -> int:
        number = _only(self)
        if isinstance(number, complex):
            if number.imag:
                raise RuntimeError(f"{number} cannot be converted to int without overflow")
            number = number.real
        return int(number)

    def __complex__(self) -> complex:
        return complex(_only(self))

    def __index__(self) -> int:
        if dtypes.of(self._array).category > dtypes.INTEGER or product(self._array.shape) != 1:
            raise TypeError(
                "only integer tensors of a single element can be converted to an index, but this "
                f"one is {dtypes.of(self._array)!r} of shape {describe_shape(self._array.shape)}"
            )
        return int(plain(self, "an index").item())

    # -- as a sequence ------------------------------------------------------------------------

    def __len__(self) -> int:
        if not self._array.shape:
            raise TypeError("len() of a 0-d tensor")
        return int(self._array.shape[0])

    def __iter__(self) -> Iterator[Any]:
        if not self._array.shape:
            raise TypeError("iteration over a 0-d tensor")
        return iter(self.unbind(0))  # type: ignore[attr-defined]

    def __contains__(self: Any, element: Any) -> bool:
        if not isinstance(element, (Tensor, bool, int, float, complex)):
            raise RuntimeError(
                "Tensor.__contains__ only supports Tensor or scalar, but you passed in a "
                f"{type(element)}."
            )
        return bool((self == element).any())

    def __delitem__(self, index: Any) -> None:
        raise TypeError(
            "Tensor does not support deleting items; select those to keep, as in x[keep]"
        )

    def __hash__(self) -> int:
        return id(self)

    # -- as text ------------------------------------------------------------------------------

    def __repr__(self) -> str:
        array = array_of(self)
        extras: tuple[str, ...] = ()
        if array is not self._array and is_moving():
            extras = (f"tangent={self._array.tangent}",)
        if isinstance(array, Value) or (self._level and array is self._array):
            return spell_transformed(self)
        return printing.format_tensor(
            array,
            requires_grad=self.requires_grad,  # type: ignore[attr-defined]
            grad_fn_name=_name_of_maker(self),
            extras=extras,
            prefix=f"{_printed_name(type(self))}(",
        )

    def __format__(self: Any, spec: str) -> str:
        return printing.format_with_spec(self, array_of(self), spec, plain=type(self) is Tensor)


def _printed_name(kind: type) -> str:
    """What stands before the bracket: a subclass's own name, but for the library's own."""
    own = kind is Tensor or kind.__module__.startswith("adjoint.")
    return "tensor" if own else kind.__name__


def _name_of_maker(tensor: Any) -> str | None:
    """The name of the node that made a tensor; "Invalid" where a write has made it ambiguous."""
    try:
        node = tensor.grad_fn
    except RuntimeError:
        return "Invalid"
    return None if node is None else str(node.name())


def _only(tensor: Any) -> Any:
    """The only element; ``ValueError`` if there are more."""
    array = tensor._array
    if product(array.shape) != 1:
        raise ValueError(
            "only one element tensors can be converted to Python scalars, but this one has shape "
            f"{describe_shape(array.shape)}"
        )
    return tensor.item()
