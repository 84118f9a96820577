"""Questions about tensors, and settings that PyTorch has and Adjoint answers for the CPU."""

from __future__ import annotations

from typing import Any

from adjoint import devices, dtypes
from adjoint.array import threads
from adjoint.errors import describe_shape
from adjoint.face.attributes import UntypedStorage
from adjoint.face.construction import LEGACY
from adjoint.tape.tensor import Tensor


def is_inference(input: Any) -> bool:
    """Whether a tensor was made inside ``inference_mode``.

    Raises ``TypeError`` for what is no Tensor.

    >>> import adjoint as torch
    >>> with torch.inference_mode():
    ...     torch.is_inference(torch.ones(1))
    True
    """
    if not isinstance(input, Tensor):
        raise TypeError(f"is_inference(): input must be Tensor, not {type(input).__name__}")
    return bool(input.is_inference())


def is_tensor(obj: Any) -> bool:
    """Whether an object is a tensor.

    >>> torch.is_tensor(torch.ones(2)), torch.is_tensor(np.ones(2))
    (True, False)
    """
    return isinstance(obj, Tensor)


def is_storage(obj: Any) -> bool:
    """Whether an object is a storage, as ``untyped_storage()`` gives.

    >>> torch.is_storage(torch.ones(2).untyped_storage())
    True
    """
    return isinstance(obj, UntypedStorage)


def numel(input: Any) -> int:
    """Number of elements; ``TypeError`` for what is no tensor.

    >>> torch.numel(torch.zeros(2, 3))
    6
    """
    return int(_tensor("numel", input).numel())


def is_nonzero(input: Any) -> bool:
    """Whether the only element is not zero; ``RuntimeError`` if there are more.

    >>> torch.is_nonzero(torch.tensor([0.5]))
    True
    """
    if _tensor("is_nonzero", input).numel() != 1:
        raise RuntimeError(
            "the truth of a tensor of several elements is ambiguous: this one has shape "
            f"{describe_shape(input.shape)}; use .any() or .all()"
        )
    return bool(input)


def is_same_size(input: Any, other: Any) -> bool:
    """Whether two tensors have the same shape.

    >>> torch.is_same_size(torch.zeros(2), torch.zeros(3))
    False
    """
    return bool(_tensor("is_same_size", input).shape == _tensor("is_same_size", other).shape)


def typename(obj: Any) -> str:
    """The name of an object's type, as PyTorch prints it.

    >>> torch.typename(torch.ones(2))
    'torch.FloatTensor'
    """
    if isinstance(obj, Tensor):
        return str(obj.type())
    kind = obj if isinstance(obj, type) else type(obj)
    module = "" if kind.__module__ in ("builtins", "__builtin__") else kind.__module__ + "."
    return module + kind.__qualname__


def _tensor(caller: str, value: Any) -> Any:
    if not isinstance(value, Tensor):
        raise TypeError(f"{caller}(): input is a Tensor, not {type(value).__name__}")
    return value


# -- settings -----------------------------------------------------------------------------------


def get_num_threads() -> int:
    """What ``set_num_threads`` was told, at first the number of cores that there are to run on.

    Compiled programs use so many. NumPy decides for itself how many threads its matrix products
    use, when it is imported; the environment variables ``OPENBLAS_NUM_THREADS`` and
    ``OMP_NUM_THREADS`` tell it.
    """
    return threads.count()


def set_num_threads(num_threads: int) -> None:
    """Set what ``get_num_threads`` reports; see there what it changes and what not.

    Results do not depend on it, not by a bit.

    Raises ``RuntimeError`` unless it is a positive int.
    """
    if not isinstance(num_threads, int) or num_threads < 1:
        raise RuntimeError(f"a number of threads is a positive int, but got {num_threads!r}")
    threads.set_count(num_threads)


def get_num_interop_threads() -> int:
    """1: operations are carried out one after the other."""
    return 1


def set_default_tensor_type(t: Any) -> None:
    """Set the default floating type by a tensor type, such as ``torch.DoubleTensor`` or its name.

    Raises ``TypeError`` for what is none; ``set_default_dtype`` is newer.
    """
    if isinstance(t, str):
        t = LEGACY.get(t.removeprefix("torch."), t)
    dtypes.set_default_dtype(dtypes.as_dtype(t, "set_default_tensor_type"))


def get_default_device() -> devices.device:
    """Where tensors are made: the CPU.

    >>> torch.get_default_device()
    device(type='cpu')
    """
    return devices.CPU


def set_default_device(device: Any) -> None:
    """Accept the CPU, where tensors are made anyway.

    Raises ``AssertionError`` for a GPU, ``RuntimeError`` for another device.
    """
    devices.require_cpu(device)
