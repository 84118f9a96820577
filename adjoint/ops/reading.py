"""Python data into arrays: numbers, nested lists, NumPy's arrays, tensors among them."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.errors import describe_shape
from adjoint.tape.tensor import Tensor

_NUMBERS = frozenset((bool, int, float, complex))
_NESTS = frozenset((list, tuple))


def array_of(data: Any, kind: dtypes.dtype | None, caller: str) -> Any:
    """A new array of ``data``, in the type that PyTorch would infer unless ``kind`` says another.

    Python's floats become the default type, its integers int64; NumPy's scalars, arrays and
    tensors keep theirs, and a mixture is promoted. Raises ``ValueError`` for ragged lists and
    integers beyond int64, ``TypeError`` for text, ``RuntimeError`` for numbers beyond ``kind``
    and for objects that hold none (``TypeError`` where ``kind`` is given).
    """
    if type(data) in _NUMBERS:
        return _store(data, {type(data)}, kind or dtypes.of_number(data), caller)
    if type(data) in _NESTS:
        return _of_nested(data, kind, caller)
    if isinstance(data, (np.ndarray, np.generic)):
        return cast_array(checked(np.asarray(data), caller), kind)
    if isinstance(data, (str, bytes)):
        raise TypeError(f"{caller}(): data is numbers, but got {type(data).__name__} {data[:20]!r}")
    if hasattr(data, "__array_interface__") or hasattr(data, "__array__"):
        return cast_array(checked(np.asarray(data), caller), kind)
    return _of_nested(data, kind, caller)


def cast_array(array: Any, kind: dtypes.dtype | None) -> Any:
    """A copy in the order of memory, of type ``kind``."""
    if kind is None or array.dtype == kind.numpy:
        return array.copy("K")
    if array.dtype.kind == "c" and kind.category != dtypes.COMPLEX:
        array = array.real if kind is not dtypes.bool_ else array != 0
    if dtypes.is_low_precision(kind.numpy) and array.dtype.itemsize > 4:
        array = array.astype(np.float32)  # twice rounded, as in PyTorch
    return array.astype(kind.numpy)


def checked(array: Any, caller: str) -> Any:
    """``array`` as a plain one, if a tensor may hold it.

    Raises ``TypeError`` for element types that tensors lack, and ``ValueError`` for foreign byte
    orders and steps that are negative or no multiple of the element's size.
    """
    kind = array.dtype
    dtypes.from_numpy(kind)
    if not kind.isnative:
        raise ValueError(
            f"{caller}: the array's byte order ({kind.str}) is not this machine's; "
            "convert it first: array.astype(array.dtype.newbyteorder('='))"
        )
    if array.size:
        for step in array.strides:
            if step < 0:
                raise ValueError(
                    f"{caller}: an array of shape {describe_shape(array.shape)} runs backwards "
                    "through memory, which tensors cannot; pass array.copy()"
                )
            if step % kind.itemsize:
                raise ValueError(
                    f"{caller}: the array's strides {array.strides} are no multiples of its "
                    f"element's {kind.itemsize} bytes; pass array.copy()"
                )
    return array if type(array) is np.ndarray else array.view(np.ndarray)


# -- nested lists -------------------------------------------------------------------------------


def _of_nested(data: Any, kind: dtypes.dtype | None, caller: str) -> Any:
    leaves: set[type] = set()
    _collect(data, leaves)
    if not leaves <= _NUMBERS:
        found: list[dtypes.dtype] = []
        data = _settle(data, found, caller, kind)
        if kind is None:
            kind = found[0] if found else dtypes.get_default_dtype()
            for other in found[1:]:
                kind = dtypes.promote_types(kind, other)
        leaves = set()
        _collect(data, leaves)
    elif kind is None:
        kind = _kind_of_numbers(leaves)
    return _store(data, leaves, kind, caller)


def _kind_of_numbers(leaves: set[type]) -> dtypes.dtype:
    if complex in leaves:
        return dtypes.get_default_dtype().to_complex()
    if float in leaves or not leaves:
        return dtypes.get_default_dtype()
    return dtypes.int64 if int in leaves else dtypes.bool_


def _collect(data: Any, leaves: set[type]) -> None:
    """Add the types of everything that is no list: 20 nanoseconds an element."""
    if type(data) not in _NESTS:
        leaves.add(type(data))
        return
    kinds = set(map(type, data))
    if kinds & _NESTS:
        for item in data:
            if type(item) in _NESTS:
                _collect(item, leaves)
        kinds -= _NESTS
    leaves |= kinds


def _settle(data: Any, found: list[dtypes.dtype], caller: str, kind: dtypes.dtype | None) -> Any:
    """``data`` with numbers and arrays only; the types that they bring are added to ``found``."""
    if type(data) in _NUMBERS:
        found.append(dtypes.of_number(data))
        return data
    if isinstance(data, Tensor):
        found.append(dtypes.of(data))
        return _only_element(data, caller)
    if isinstance(data, (np.ndarray, np.generic)):
        found.append(dtypes.of(checked(np.asarray(data), caller)))
        if dtypes.is_low_precision(data.dtype):
            data = data.astype(np.float32)
        return data if data.ndim else data.item()
    if isinstance(data, (bool, int, float, complex)):
        found.append(dtypes.of_number(data))
        return data + 0
    if isinstance(data, (str, bytes)):
        raise ValueError(f"{caller}(): too many dimensions: {data[:20]!r} is text, not numbers")
    if isinstance(data, (set, frozenset, dict)) or not (
        hasattr(data, "__len__") and hasattr(data, "__getitem__")
    ):
        if kind is not None and hasattr(data, "__float__"):  # a Decimal or Fraction
            found.append(kind)
            return float(data)
        raise (RuntimeError if kind is None else TypeError)(
            f"{caller}(): could not infer a dtype of {type(data).__name__}; "
            "data is numbers, lists of them, or an array"
        )
    return [_settle(item, found, caller, kind) for item in data]


def _only_element(tensor: Any, caller: str) -> Any:
    if tensor.numel() != 1:
        error = TypeError if dtypes.of(tensor).category < dtypes.FLOATING else ValueError
        raise error(
            f"{caller}(): a list may hold tensors of one element each, but one has shape "
            f"{describe_shape(tensor.shape)}; use stack() to join tensors"
        )
    return tensor.item()


def _store(data: Any, leaves: set[type], kind: dtypes.dtype, caller: str) -> Any:
    """The array, once the types of the leaves are known and the type to have is settled."""
    if complex in leaves and kind.category < dtypes.COMPLEX and kind is not dtypes.bool_:
        raise TypeError(f"{caller}(): complex numbers do not fit into {kind!r}; take their .real")
    try:
        if kind.category == dtypes.INTEGER and not leaves <= {int, bool}:
            return _integers_of_floats(np.array(data, np.float64), kind, caller)
        if kind is dtypes.float16 or kind is dtypes.bfloat16:
            return np.array(data, np.float32).astype(kind.numpy)
        return np.array(data, kind.numpy)
    except OverflowError as error:
        if kind is dtypes.uint8:
            return _negative_bytes(data, caller)
        if kind is dtypes.int64:
            raise ValueError(f"{caller}(): an integer lies beyond int64; {error}") from None
        raise RuntimeError(
            f"{caller}(): a number cannot be converted to {kind!r} without overflow"
        ) from None
    except ValueError:
        raise _ragged(data, caller) from None


def _integers_of_floats(values: Any, kind: dtypes.dtype, caller: str) -> Any:
    limits = np.iinfo(kind.numpy)
    low = float(limits.min) if kind.is_signed else -float(limits.max)
    fits = (values >= low) & (values <= limits.max) & (values < 2.0**63)
    if not fits.all():
        raise RuntimeError(f"{caller}(): a number cannot be converted to {kind!r} without overflow")
    return values.astype(np.int64).astype(kind.numpy)


def _negative_bytes(data: Any, caller: str) -> Any:
    """PyTorch lets -1 stand for 255 in uint8, and so on down to -255."""
    try:
        values = np.array(data, np.int64)
    except OverflowError:
        values = np.array(256)
    if not ((values >= -255) & (values <= 255)).all():
        raise RuntimeError(f"{caller}(): a number cannot be converted to uint8 without overflow")
    return values.astype(np.uint8)


def _ragged(data: Any, caller: str) -> Exception:
    """The error for lists that do not line up: where, and what was expected there."""
    lengths = []
    first = data
    while hasattr(first, "__len__"):
        lengths.append(len(first))
        if not len(first):
            break
        first = first[0]
    message = _first_misfit(data, lengths, 0)
    advice = "; pad the shorter lists, or keep a list of tensors"
    if message is None:
        return TypeError(f"{caller}(): a list where a number was expected{advice}")
    return type(message)(f"{caller}(): {message}{advice}")


def _first_misfit(data: Any, lengths: list[int], dim: int) -> Exception | None:
    if not hasattr(data, "__len__"):
        if dim == len(lengths):
            return None
        return TypeError(
            f"expected sequence of length {lengths[dim]} at dim {dim} (got {type(data).__name__})"
        )
    if dim == len(lengths):
        return None
    if len(data) != lengths[dim]:
        return ValueError(
            f"expected sequence of length {lengths[dim]} at dim {dim} (got {len(data)})"
        )
    for item in data:
        found = _first_misfit(item, lengths, dim + 1)
        if found is not None:
            return found
    return None
