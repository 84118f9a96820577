"""Casts between element types: ``to``, methods named after a type, questions about types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.large import converted
from adjoint.devices import device as Device
from adjoint.devices import require_cpu
from adjoint.ops.kinds.elementwise import elementwise
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import public, publish
from adjoint.ops.kinds.quick import rename
from adjoint.ops.kinds.row import Row
from adjoint.ops.kinds.rules import Fact
from adjoint.ops.movement import clone_row, lies_in, order_of
from adjoint.tape import engine
from adjoint.tape.tensor import Tensor


def _cast(x: Any, kind: dtypes.dtype) -> Any:
    if kind is dtypes.bool_:
        return x != 0
    if kind.category != dtypes.COMPLEX and x.dtype.kind == "c":
        x = x.real
    return converted(x, kind.numpy)


def _infer_cast(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
    return tuple(inputs[0].shape), options[0]


# The gradient is cast back by the engine, as every gradient is that has another type.
to_dtype = define(
    "to_dtype",
    "linear",
    _cast,
    options="dtype",
    x=lambda g: g,
    jvp=lambda x_t, dtype: to_dtype(x_t, dtype) if dtype.category >= dtypes.FLOATING else None,
    infer=_infer_cast,
    low_precision=False,
    conjugate=False,
    node_name="ToCopyBackward0",
)
conj: Callable[..., Any] = elementwise(
    "conj", np.conjugate, promote="same", namespaces=None, low_precision=False, conjugate=False,
    x=lambda g: conj(g),
)  # fmt: skip
engine.rows.to_dtype = to_dtype
engine.rows.conj = conj


def cast(value: Any, kind: dtypes.dtype) -> Any:
    """A value in an element type: itself where it has it already."""
    return value if dtypes.of(value) is kind else to_dtype(value, kind)


def cast_for(value: Any, *numbers: Any) -> Any:
    """A value in the type that it has together with Python numbers of a higher category.

    A floating value stays as it is, whatever the numbers: callers see to complex ones.
    """
    if isinstance(value, Tensor):
        array = value._array
        if isinstance(array, np.ndarray) and array.dtype.kind == "f":
            return value
    kind = dtypes.of(value)
    if kind.category == dtypes.COMPLEX:
        return value
    common = dtypes.result_type((value, *(each for each in numbers if each is not None)))
    return value if common is kind else to_dtype(value, common)


# -- to -----------------------------------------------------------------------------------------


@public(namespaces=())
def to(input: Any, *args: Any, **kwargs: Any) -> Any:
    """The tensor in another element type: itself if nothing changes and ``copy`` is not asked for.

    Called as ``to(dtype)``, ``to(device, dtype)`` or ``to(other)``, each with ``non_blocking`` and
    ``copy`` after that; ``memory_format`` copies what lies in another order. Raises
    ``AssertionError`` for a GPU, and ``RuntimeError`` for another device that is not the CPU.

    >>> import adjoint as torch
    >>> torch.tensor([1.5, -2.0]).to(torch.int64)
    tensor([ 1, -2])
    """
    kind, copy = _read_to(args, kwargs)
    if kwargs.get("memory_format") is not None:
        return _ordered(input, kind, copy, kwargs["memory_format"])
    if not copy and (kind is None or kind is dtypes.of(input)):
        return input
    return to_dtype(input, dtypes.of(input) if kind is None else kind)


def _ordered(input: Any, kind: dtypes.dtype | None, copy: bool, memory_format: Any) -> Any:
    """``to`` with a memory format: a copy in that order, unless the tensor has it already."""
    order = order_of("to", memory_format, len(input.shape))
    cast_input = input if kind is None else cast(input, kind)
    if order == "K" and (not copy or cast_input is not input):
        return cast_input
    if cast_input is input and not copy and lies_in(input, order):
        return input
    return rename(clone_row(cast_input, order), "ToCopyBackward0")


def _read_to(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[dtypes.dtype | None, bool]:
    """The element type and whether to copy, out of the three ways of calling ``to``."""
    names = ["device", "dtype", "non_blocking", "copy"]
    if args and isinstance(args[0], Tensor):
        names[:2] = ["other"]
    elif args and not (args[0] is None or isinstance(args[0], (str, int, Device))):
        names[:1] = []
    if len(args) > len(names):
        raise TypeError(f"to() takes at most {len(names)} arguments, but got {len(args)}")
    given = dict(zip(names, args, strict=False))
    for name, value in kwargs.items():
        if name in given or name not in (*names, "other", "memory_format"):
            raise TypeError(f"to() got an unexpected argument {name!r}")
        given[name] = value
    for name in ("non_blocking", "copy"):
        if not isinstance(given.get(name, False), bool):
            raise TypeError(f"to(): argument {name!r} must be bool, not {given[name]!r}")
    if given.get("device") is not None:
        require_cpu(given["device"])
    kind = given.get("dtype")
    if kind is not None:
        kind = dtypes.as_dtype(kind, "to()")
    elif "other" in given:
        kind = dtypes.of(given["other"])
    return kind, bool(given.get("copy"))


def _method(name: str, kind: dtypes.dtype) -> Callable[..., Any]:
    def method(input: Any, memory_format: Any = None) -> Any:
        if memory_format is not None:
            return _ordered(input, kind, False, memory_format)
        return input if dtypes.of(input) is kind else to_dtype(input, kind)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"The tensor as {kind.name}: itself if it has that type already."
    return method


for _name, _kind in {
    "float": dtypes.float32, "double": dtypes.float64, "half": dtypes.float16,
    "bfloat16": dtypes.bfloat16, "int": dtypes.int32, "long": dtypes.int64,
    "short": dtypes.int16, "char": dtypes.int8, "byte": dtypes.uint8, "bool": dtypes.bool_,
    "cfloat": dtypes.complex64, "cdouble": dtypes.complex128,
}.items():  # fmt: skip
    publish(_name, _method(_name, _kind), namespaces=())

_TYPE_NAMES = {
    dtypes.float32: "Float", dtypes.float64: "Double", dtypes.float16: "Half",
    dtypes.bfloat16: "BFloat16", dtypes.int32: "Int", dtypes.int64: "Long", dtypes.int16: "Short",
    dtypes.int8: "Char", dtypes.uint8: "Byte", dtypes.bool_: "Bool",
    dtypes.complex64: "ComplexFloat", dtypes.complex128: "ComplexDouble",
}  # fmt: skip


@public(namespaces=())
def type(input: Any, dtype: Any = None, non_blocking: bool = False) -> Any:
    """The name of the tensor's type, such as ``torch.FloatTensor``; or the tensor as ``dtype``.

    ``dtype`` may be such a name too. Raises ``ValueError`` for a name that there is not.

    >>> import adjoint as torch
    >>> torch.tensor([1, 2]).type()
    'torch.LongTensor'
    """
    if dtype is None:
        return f"torch.{_TYPE_NAMES[dtypes.of(input)]}Tensor"
    if isinstance(dtype, str):
        found = [kind for kind, name in _TYPE_NAMES.items() if dtype == f"torch.{name}Tensor"]
        if not found:
            raise ValueError(f"invalid type: {dtype!r}; a name is like 'torch.FloatTensor'")
        dtype = found[0]
    return cast(input, dtypes.as_dtype(dtype, "type()"))


@public(namespaces=())
def type_as(input: Any, other: Any) -> Any:
    """The tensor in the element type of ``other``.

    >>> import adjoint as torch
    >>> torch.tensor([1, 2]).type_as(torch.tensor(0.5))
    tensor([1., 2.])
    """
    if not isinstance(other, Tensor):
        raise TypeError(f"type_as(): argument 'other' must be Tensor, not {_type_of(other)}")
    return cast(input, dtypes.of(other))


def _type_of(value: Any) -> str:
    name: str = value.__class__.__name__
    return name


# -- questions ----------------------------------------------------------------------------------


def _kind_of(input: Any, caller: str) -> dtypes.dtype:
    if not isinstance(input, Tensor):
        raise TypeError(
            f"{caller}(): argument 'input' (position 1) must be Tensor, not {_type_of(input)}"
        )
    return dtypes.of(input)


@public()
def is_floating_point(input: Any) -> bool:
    """Whether the elements are floating-point numbers (complex ones are not).

    >>> import adjoint as torch
    >>> torch.is_floating_point(torch.tensor(1.0))
    True
    """
    return _kind_of(input, "is_floating_point").is_floating_point


@public()
def is_complex(input: Any) -> bool:
    """Whether the elements are complex numbers.

    >>> import adjoint as torch
    >>> torch.is_complex(torch.tensor(1j))
    True
    """
    return _kind_of(input, "is_complex").is_complex


@public()
def is_signed(input: Any) -> bool:
    """Whether the element type has negative numbers.

    >>> import adjoint as torch
    >>> torch.is_signed(torch.tensor(True))
    False
    """
    return _kind_of(input, "is_signed").is_signed


@public()
def is_conj(input: Any) -> bool:
    """False: conjugation is carried out at once here, never put off.

    >>> import adjoint as torch
    >>> torch.tensor([1j]).conj().is_conj()
    False
    """
    _kind_of(input, "is_conj")
    return False


@public()
def is_neg(input: Any) -> bool:
    """False: negation is carried out at once here, never put off.

    >>> import adjoint as torch
    >>> torch.tensor([1j]).conj().imag.is_neg()
    False
    """
    _kind_of(input, "is_neg")
    return False


@public(method=False)
def result_type(tensor1: Any, tensor2: Any) -> dtypes.dtype:
    """The element type that two tensors or numbers have together.

    >>> import adjoint as torch
    >>> torch.result_type(torch.tensor([1, 2]), 0.5)
    torch.float32
    """
    return dtypes.result_type((tensor1, tensor2))


@public(method=False)
def can_cast(from_: dtypes.dtype, to: dtypes.dtype) -> bool:
    """Whether PyTorch's promotion lets a result of one type be stored in another.

    >>> import adjoint as torch
    >>> torch.can_cast(torch.float64, torch.int64), torch.can_cast(torch.int64, torch.float32)
    (False, True)
    """
    for kind in (from_, to):
        if not isinstance(kind, dtypes.dtype):
            raise TypeError(f"can_cast(): arguments must be torch.dtype, not {_type_of(kind)}")
    return from_.category <= to.category
