"""``Tensor(2, 3)`` and ``FloatTensor([1, 2])``: the constructors from before ``tensor``."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.devices import require_cpu
from adjoint.face.size import Size
from adjoint.ops.creation import empty
from adjoint.ops.reading import array_of
from adjoint.tape import engine
from adjoint.tape.tensor import Tensor, wrap


def construct(cls: type, *args: Any, device: Any = None, size: Any = None, data: Any = None) -> Any:
    """A tensor of the default type: ``Tensor(2, 3)`` any numbers, ``Tensor([1, 2])`` these.

    Raises ``TypeError`` for a number that is no size; ``tensor(2.5)`` takes those.
    """
    require_cpu(device)
    if size is not None:
        args = (Size(size),)
    elif data is not None:
        args = (data,)
    out = make(args, dtypes.get_default_dtype(), "Tensor")
    if cls is not Tensor:
        out.__class__ = cls
    return out


def make(args: tuple[Any, ...], kind: dtypes.dtype, caller: str) -> Any:
    """What a constructor makes of its arguments."""
    if not args:
        return wrap(np.empty(0, kind.numpy))
    first = args[0]
    if len(args) == 1:
        if isinstance(first, Tensor):
            return engine.rows.reshape(first, first.shape)
        if isinstance(first, (float, bool, complex, np.floating)):
            raise TypeError(
                f"{caller}(): {first!r} is neither a size nor a sequence; "
                f"adjoint.tensor({first!r}) takes numbers"
            )
        if not isinstance(first, (Size, int, np.integer)):
            return wrap(array_of(first, kind, caller))
    return empty(*args, dtype=kind)


def new(self: Any, *args: Any, device: Any = None) -> Any:
    """A tensor of the same type as this one, made as ``Tensor`` makes them.

    Raises ``TypeError`` for a number that is no size; ``new_tensor`` takes those.
    """
    require_cpu(device)
    return make(args, dtypes.of(self), "new")


def as_subclass(self: Any, cls: type) -> Any:
    """A tensor's memory and history in a tensor of the class ``cls``, a subclass of Tensor.

    Raises ``TypeError`` for other classes.
    """
    if not (isinstance(cls, type) and issubclass(cls, Tensor)):
        raise TypeError(f"as_subclass() takes a subclass of Tensor, not {cls!r}")
    out = engine.rows.reshape(self, tuple(self.shape))
    out.__class__ = cls
    return out


class _LegacyType(type):
    """The class of ``FloatTensor`` and its kin: calling one makes a tensor of its type."""

    element_type: dtypes.dtype

    def __call__(cls, *args: Any, device: Any = None) -> Any:
        require_cpu(device)
        if args and isinstance(args[0], Tensor) and dtypes.of(args[0]) is not cls.element_type:
            raise TypeError(
                f"{cls.__name__}(): a {dtypes.of(args[0])!r} tensor is converted by "
                f".to({cls.element_type!r}), not by a constructor"
            )
        return make(args, cls.element_type, cls.__name__)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and dtypes.of(instance) is cls.element_type

    def __repr__(cls) -> str:
        return f"<class 'torch.{cls.__name__}'>"


def _legacy(name: str, kind: dtypes.dtype) -> Any:
    doc = f"Tensors of type {kind.name}, made as ``Tensor`` makes them; ``tensor`` is newer."
    made = _LegacyType(name, (), {"element_type": kind, "__doc__": doc, "__module__": "adjoint"})
    dtypes.PYTHON_TYPES[made] = kind  # x.type(torch.LongTensor)
    return made


LEGACY = {
    name: _legacy(name, kind)
    for name, kind in (
        ("FloatTensor", dtypes.float32), ("DoubleTensor", dtypes.float64),
        ("HalfTensor", dtypes.float16), ("BFloat16Tensor", dtypes.bfloat16),
        ("LongTensor", dtypes.int64), ("IntTensor", dtypes.int32), ("ShortTensor", dtypes.int16),
        ("CharTensor", dtypes.int8), ("ByteTensor", dtypes.uint8), ("BoolTensor", dtypes.bool_),
    )
}  # fmt: skip
