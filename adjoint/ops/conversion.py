"""Tensors of what there is already: Python data, arrays, buffers, other libraries' tensors."""

from __future__ import annotations

import warnings
from typing import Any, Unpack

import numpy as np

from adjoint import dtypes
from adjoint.array.value import Value
from adjoint.devices import Placement, require_cpu
from adjoint.ops.casting import to_dtype
from adjoint.ops.kinds.public import public
from adjoint.ops.making import finish
from adjoint.ops.reading import array_of, cast_array, checked
from adjoint.ops.scalars import cast_number
from adjoint.tape.modes import no_grad
from adjoint.tape.tensor import Tensor, set_requires_grad, wrap


def _optional_type(dtype: Any, caller: str) -> dtypes.dtype | None:
    return None if dtype is None else dtypes.as_dtype(dtype, caller)


@public(method=False)
def tensor(
    data: Any,
    *,
    dtype: dtypes.dtype | None = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Any:
    """A leaf tensor with a copy of ``data``: numbers, nested lists of them, an array, a tensor.

    The type is inferred unless ``dtype`` gives one. Raises ``ValueError`` for ragged lists,
    ``TypeError`` for what are no numbers, ``RuntimeError`` for numbers beyond ``dtype`` and for
    ``requires_grad`` with an integer type.

    >>> torch.tensor([[1, 2], [3, 4.5]])
    tensor([[1.0000, 2.0000],
            [3.0000, 4.5000]])
    """
    if device is not None or pin_memory:
        finish("tensor", (), placement={"device": device, "pin_memory": pin_memory})
    kind = None if dtype is None else dtypes.as_dtype(dtype, "tensor")
    if isinstance(data, Tensor):
        warnings.warn(
            "tensor(t) copies a tensor: write t.clone().detach(), which says so, "
            "and .requires_grad_() for a leaf",
            UserWarning,
            stacklevel=2,
        )
        out = copy_of(data, kind)
    else:
        out = wrap(array_of(data, kind, "tensor"))
    return set_requires_grad(out) if requires_grad else out


def copy_of(source: Any, kind: dtypes.dtype | None = None) -> Any:
    """A copy of a tensor without history, in another type if one is given."""
    if isinstance(source._array, Value):
        with no_grad():
            return to_dtype(source, kind or dtypes.of(source))
    return wrap(cast_array(source._array, kind), source._level)


@public(method=False)
def as_tensor(data: Any, *, dtype: dtypes.dtype | None = None, device: Any = None) -> Any:
    """``data`` as a tensor without a copy where there can be one: itself, or an array's memory.

    A tensor that is converted to another type keeps its history. Raises what ``tensor`` raises.

    >>> array = np.zeros(2)
    >>> torch.as_tensor(array)[0] = 1.0
    >>> array
    array([1., 0.])
    """
    require_cpu(device)
    kind = _optional_type(dtype, "as_tensor")
    if isinstance(data, Tensor):
        return data if kind is None or dtypes.of(data) is kind else to_dtype(data, kind)
    if isinstance(data, np.ndarray):
        array = share(data, "as_tensor")
        return wrap(array if kind is None or array.dtype == kind.numpy else cast_array(array, kind))
    return wrap(array_of(data, kind, "as_tensor"))


@public(method=False)
def asarray(
    obj: Any,
    *,
    dtype: dtypes.dtype | None = None,
    device: Any = None,
    copy: bool | None = None,
    requires_grad: bool | None = None,
) -> Any:
    """Anything as a tensor: a tensor, an array, a buffer, another library's tensor, Python data.

    ``copy`` says whether there must (True) or must not (False) be one; None copies where it has
    to. Raises ``ValueError`` where ``copy=False`` cannot be kept, and what ``tensor`` raises.

    >>> torch.asarray([1, 2.5])
    tensor([1.0000, 2.5000])
    """
    require_cpu(device)
    kind = _optional_type(dtype, "asarray")
    source = _alias_of(obj, kind)
    if source is None:
        if copy is False:
            raise ValueError(
                f"asarray(): a {type(obj).__name__} has no memory to share; leave copy=False out"
            )
        out = wrap(array_of(obj, kind, "asarray"))
    else:
        out = _converted(source, kind, copy)
    if requires_grad is None:
        return out
    if out._node is not None and not requires_grad:
        return out.detach()
    return set_requires_grad(out, requires_grad)


def _converted(source: Any, kind: dtypes.dtype | None, copy: bool | None) -> Any:
    found = dtypes.of(source)
    if kind is not None and kind is not found:
        if copy is False:
            raise ValueError(f"asarray(): {found!r} cannot become {kind!r} without a copy")
        return to_dtype(source, kind)
    return source.clone() if copy else source


def _alias_of(obj: Any, kind: dtypes.dtype | None) -> Any:
    """A tensor over the memory of ``obj``; None if it has none to share."""
    if isinstance(obj, Tensor):
        return obj
    if isinstance(obj, np.ndarray):
        return wrap(share(obj, "asarray"))
    if isinstance(obj, (np.generic, list, tuple, str)):
        return None
    if hasattr(obj, "__dlpack__") or _is_capsule(obj):
        return from_dlpack(obj)
    try:
        memoryview(obj).release()
    except TypeError:
        return None
    return frombuffer(obj, dtype=kind or dtypes.get_default_dtype())


def from_numpy(ndarray: Any) -> Any:
    """A tensor over an array's own memory: writing to one is writing to the other.

    Raises ``TypeError`` for what is no array or has an element type that tensors lack, and
    ``ValueError`` for foreign byte orders and negative strides.

    >>> torch.from_numpy(np.array([1.5, 2.5]))
    tensor([1.5000, 2.5000], dtype=torch.float64)
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"from_numpy(): expected np.ndarray, but got {type(ndarray).__name__}")
    return wrap(share(ndarray, "from_numpy"))


def share(array: Any, caller: str) -> Any:
    """Another array object over the same memory, so that reshaping the user's leaves it alone."""
    global _warned_of_read_only
    array = checked(array, caller).view()
    if array.flags.writeable:
        return array
    if not _warned_of_read_only:
        _warned_of_read_only = True
        warnings.warn(
            f"{caller}: the array is read-only, which tensors cannot be: writing to this one "
            "changes what was not to change; pass array.copy() if you mean to write. "
            "This is said once.",
            UserWarning,
            stacklevel=3,
        )
    return np.asarray(_Writable(array)) if array.size else array


_warned_of_read_only = False


def frombuffer(
    buffer: Any,
    *,
    dtype: dtypes.dtype,
    count: int = -1,
    offset: int = 0,
    requires_grad: bool = False,
) -> Any:
    """A one-dimensional tensor over the memory of a ``bytearray``, ``mmap`` or other buffer.

    ``count`` elements (all for -1) from ``offset`` bytes on. Raises ``ValueError`` where the
    buffer has no such elements, or is none.

    >>> torch.frombuffer(bytearray(b"abcd"), dtype=torch.uint8, offset=2)
    tensor([ 99, 100], dtype=torch.uint8)
    """
    kind = dtypes.as_dtype(dtype, "frombuffer")
    try:
        view = memoryview(buffer)
    except TypeError:
        raise ValueError(
            f"frombuffer(): a {type(buffer).__name__} does not implement the buffer protocol"
        ) from None
    length = view.nbytes
    if not length or not count:
        raise ValueError(f"frombuffer(): nothing to read: {length} bytes, count={count}")
    if not 0 <= offset < length:
        raise ValueError(f"frombuffer(): offset={offset} is not within the {length} bytes")
    if count < 0 and (length - offset) % kind.itemsize:
        raise ValueError(
            f"frombuffer(): {length - offset} bytes are no whole number of {kind!r}, "
            f"which has {kind.itemsize}; give a count"
        )
    if offset + count * kind.itemsize > length:
        raise ValueError(
            f"frombuffer(): {count} elements of {kind.itemsize} bytes after {offset} are beyond "
            f"the {length} bytes"
        )
    array = share(np.frombuffer(buffer, kind.numpy, count, offset), "frombuffer")
    return finish("frombuffer", array, requires_grad=requires_grad)


@public(method=False)
def scalar_tensor(
    s: Any,
    *,
    dtype: dtypes.dtype | None = None,
    requires_grad: bool = False,
    **placement: Unpack[Placement],
) -> Any:
    """A tensor without dimensions of one number, of the default type whatever the number's.

    Raises ``TypeError`` for what is no number, ``RuntimeError`` for one beyond the type.

    >>> torch.scalar_tensor(3)
    tensor(3.)
    """
    if not isinstance(s, (bool, int, float, complex, np.generic)):
        raise TypeError(f"scalar_tensor(): s is a number, not {type(s).__name__}")
    kind = _optional_type(dtype, "scalar_tensor") or dtypes.get_default_dtype()
    array = np.asarray(cast_number(s, kind, "scalar_tensor"))
    return finish("scalar_tensor", array, requires_grad=requires_grad, placement=placement)


# -- DLPack -------------------------------------------------------------------------------------


_ON_CPU = (1, 3)  # DLPack's numbers for memory that the CPU can read: its own, and pinned


class _Capsule:
    """What NumPy asks of a producer, around a bare capsule."""

    def __init__(self, capsule: Any) -> None:
        self.capsule = capsule

    def __dlpack__(self, **_: Any) -> Any:
        return self.capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return (1, 0)


class _Writable:
    """The memory of an array that NumPy took for read-only, and which it keeps alive."""

    def __init__(self, array: Any) -> None:
        self.array = array
        interface = array.__array_interface__
        self.__array_interface__ = {**interface, "data": (interface["data"][0], False)}


def _is_capsule(value: Any) -> bool:
    return type(value).__name__ == "PyCapsule"


def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Any:
    """A tensor over the memory of another library's, which it gives by DLPack; no copy is made.

    ``ext_tensor`` has ``__dlpack__``, or is a capsule, which can be read once. Raises
    ``RuntimeError`` for anything else and ``BufferError`` for memory that is not the CPU's.

    >>> torch.from_dlpack(np.arange(3.0))
    tensor([0., 1., 2.], dtype=torch.float64)
    """
    require_cpu(device)
    capsule = ext_tensor if _is_capsule(ext_tensor) else _ask_for_capsule(ext_tensor)
    try:
        array = np.from_dlpack(_Capsule(capsule))
    except ValueError as error:
        raise RuntimeError(
            f"from_dlpack(): {error}; a capsule, once read, cannot be read again"
        ) from error
    if not array.flags.writeable and "versioned" not in repr(capsule):
        # The first version of DLPack could not say whether memory is read-only: NumPy assumes
        # that it is, PyTorch that it is not.
        array = np.asarray(_Writable(array))
    array = checked(array, "from_dlpack")
    return wrap(array.copy("K") if copy else array)


def _ask_for_capsule(producer: Any) -> Any:
    if not hasattr(producer, "__dlpack__"):
        raise RuntimeError(
            f"from_dlpack(): a {type(producer).__name__} has no __dlpack__ and is no capsule"
        )
    place = producer.__dlpack_device__()
    if place[0] not in _ON_CPU:
        raise BufferError(f"from_dlpack(): the memory is on DLPack's device {place}, not the CPU")
    try:
        return producer.__dlpack__(max_version=(1, 0))
    except TypeError:  # a producer of the first version
        return producer.__dlpack__()


def to_dlpack(tensor: Any) -> Any:
    """A capsule by which another library can use the tensor's memory, once.

    Raises ``BufferError`` for a tensor that requires a gradient.

    >>> torch.from_dlpack(torch.to_dlpack(torch.ones(2)))
    tensor([1., 1.])
    """
    return tensor.__dlpack__()
