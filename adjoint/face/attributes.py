"""What a tensor is: its shape, its type, how it lies in memory."""

from __future__ import annotations

from typing import Any

from adjoint import devices, dtypes
from adjoint.array.dual import Dual
from adjoint.array.memory import dense_strides, is_contiguous, strides_of
from adjoint.array.symbol import running
from adjoint.array.value import Value
from adjoint.errors import describe_shape
from adjoint.face.size import Size, as_size
from adjoint.ops.resizing import flat_bytes
from adjoint.shapes import normalise_dim, product
from adjoint.tape.forward import array_of


def plain(tensor: Any, what: str) -> Any:
    """The NumPy array under a tensor; ``RuntimeError`` inside a transform, where there is none."""
    array = array_of(tensor)
    if isinstance(array, Value) and what in READING:
        array = _under(array)
    if isinstance(array, Value):
        if running.capture is not None:
            raise running.capture.unknown(what, array)
        raise RuntimeError(
            f"{what} inside a transform: a {type(array).__name__.lower()} of shape "
            f"{describe_shape(array.shape)} stands here for the numbers, which are not known; "
            "call it outside, or use operations on tensors instead"
        )
    return array


# What only reads numbers does so inside ``grad`` and ``jvp``, which know them, as in PyTorch.
READING = frozenset(("item()", "tolist()", "the truth of a tensor", "an index"))


def _under(array: Any) -> Any:
    """The numbers that a transform's array stands for, as far as they are known."""
    while isinstance(array, Value):
        if isinstance(array, Dual):
            array = array.primal
        elif hasattr(array, "_array"):
            array = array._array
        else:
            break
    return array


def dim_of_shape(dim: Any, ndim: int) -> int:
    """A dim within a shape, counted from the end; ``IndexError`` for a scalar, which has none."""
    if not ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    return normalise_dim(dim, ndim)


class Attributes:
    """Attributes that only look."""

    _array: Any
    _level: int
    _memory: Any
    _view: Any

    # -- shape --------------------------------------------------------------------------------

    @property
    def shape(self) -> Size:
        """Sizes of the dimensions."""
        return as_size(self._array.shape)  # type: ignore[no-any-return]

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one dimension; ``IndexError`` for a dim there is not."""
        shape = self._array.shape
        return as_size(shape) if dim is None else shape[dim_of_shape(dim, len(shape))]

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self._array.shape)

    def dim(self) -> int:
        """Number of dimensions."""
        return len(self._array.shape)

    ndimension = dim
    dense_dim = dim

    def sparse_dim(self) -> int:
        """Number of sparse dimensions: 0."""
        return 0

    def numel(self) -> int:
        """Number of elements."""
        return product(self._array.shape)

    nelement = numel

    # -- type ---------------------------------------------------------------------------------

    @property
    def dtype(self) -> dtypes.dtype:
        """The element type."""
        return dtypes.FROM_NUMPY.get(self._array.dtype) or dtypes.of(self._array)

    @property
    def itemsize(self) -> int:
        """Bytes of an element."""
        return dtypes.of(self._array).itemsize

    def element_size(self) -> int:
        """Bytes of an element."""
        return dtypes.of(self._array).itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return product(self._array.shape) * dtypes.of(self._array).itemsize

    # -- memory -------------------------------------------------------------------------------

    def stride(self, dim: int | None = None) -> Any:
        """How many elements apart neighbours lie in memory, along each dimension or one.

        Raises ``IndexError`` for a dim there is not.
        """
        array = self._array
        if 0 in array.shape:  # NumPy says 0 of these, PyTorch what it would be for sizes of 1
            steps = dense_strides(array.shape)
        else:
            steps = strides_of(array)
            if 0 in steps and 1 in array.shape:
                steps = _of_new_dims(array.shape, steps)
        return steps if dim is None else steps[dim_of_shape(dim, len(steps))]

    def storage_offset(self) -> int:
        """How many elements of the memory lie before the first one of this tensor."""
        array, owner = plain(self, "storage_offset()"), owner_of(self)
        return 0 if owner is array else int((address(array) - address(owner)) // array.itemsize)

    def untyped_storage(self) -> UntypedStorage:
        """The memory that this tensor and its views look at."""
        plain(self, "untyped_storage()")
        return UntypedStorage(owner_of(self))

    def data_ptr(self) -> int:
        """The address of the first element."""
        array = plain(self, "data_ptr()")
        return address(array) if array.size else 0

    def is_contiguous(self, memory_format: Any = devices.contiguous_format) -> bool:
        """Whether elements follow each other in memory, in the order of ``memory_format``."""
        if memory_format is devices.channels_last or memory_format is devices.channels_last_3d:
            array = plain(self, "is_contiguous(channels_last)")
            if array.ndim != (4 if memory_format is devices.channels_last else 5):
                return False
            return bool(array.transpose(0, *range(2, array.ndim), 1).flags.c_contiguous)
        return bool(is_contiguous(self._array))

    def is_set_to(self, tensor: Any) -> bool:
        """Whether the other tensor is the same look at the same memory."""
        mine, other = plain(self, "is_set_to()"), plain(tensor, "is_set_to()")
        return (
            address(mine) == address(other)
            and mine.shape == other.shape
            and mine.strides == other.strides
            and mine.dtype == other.dtype
        )

    # -- place --------------------------------------------------------------------------------

    @property
    def device(self) -> devices.device:
        """Where the memory is: the CPU."""
        return devices.CPU

    @property
    def layout(self) -> devices.layout:
        """How the elements are kept: ``strided``."""
        return devices.strided

    def get_device(self) -> int:
        """-1, PyTorch's number for the CPU."""
        return -1

    is_cpu = True
    is_cuda = is_meta = is_mkldnn = is_mps = is_mtia = is_nested = is_quantized = is_sparse = False
    is_sparse_csr = is_ipu = is_maia = is_vulkan = is_xla = is_xpu = False

    def is_pinned(self, device: Any = None) -> bool:
        """False: pinned memory is for accelerators."""
        return False

    def is_shared(self) -> bool:
        """False: memory belongs to this process."""
        return False

    def is_coalesced(self) -> bool:
        """Refuse: ``RuntimeError``, as for every tensor that is not sparse."""
        raise RuntimeError("is_coalesced() is for sparse tensors, and this one is strided")

    def cpu(self, memory_format: Any = None) -> Any:
        """The tensor itself: it is on the CPU."""
        return self

    def cuda(
        self, device: Any = None, non_blocking: bool = False, memory_format: Any = None
    ) -> Any:
        """Refuse: ``AssertionError``, as Adjoint computes on the CPU."""
        devices.require_cpu("cuda")

    def pin_memory(self) -> Any:
        """Refuse: ``RuntimeError``, as there is no accelerator to copy to."""
        raise RuntimeError("pin_memory() speeds up copies to an accelerator, and there is none")


class UntypedStorage:
    """A piece of memory, without a type: where it is, and how many bytes it has."""

    __slots__ = ("_owner",)

    def __init__(self, owner: Any) -> None:
        self._owner = owner

    def data_ptr(self) -> int:
        """The address of the first byte."""
        return address(self._owner) if self._owner.size else 0

    def nbytes(self) -> int:
        """Number of bytes."""
        return int(self._owner.nbytes)

    def bytes(self) -> Any:
        """The memory itself, as a vector of ``uint8``."""
        return flat_bytes(self._owner)

    size = __len__ = nbytes

    @property
    def device(self) -> devices.device:
        """Where the memory is: the CPU."""
        return devices.CPU


def _of_new_dims(shape: tuple[int, ...], steps: tuple[int, ...]) -> tuple[int, ...]:
    """Steps along dimensions that indexing with None made: NumPy says 0, PyTorch a whole row."""
    found, row = list(steps), 1
    for place in range(len(shape) - 1, -1, -1):
        if shape[place] == 1 and not found[place]:
            found[place] = row
        row = shape[place] * found[place]
    return tuple(found)


def root_of(tensor: Any) -> Any:
    """The tensor whose memory this one looks at, through however many views."""
    while tensor._view is not None:
        tensor = tensor._view.parent
    return tensor


def owner_of(tensor: Any) -> Any:
    """The array over all of the memory that a tensor looks at."""
    memory = tensor._memory
    if memory is not None:
        if memory.storage is not None:
            return memory.storage
        if memory.array is not None:  # the root was detached: this may be all that is left of it
            return getattr(memory.array, "primal", memory.array)
    return array_of(root_of(tensor))


def address(array: Any) -> int:
    """Where an array's first element is; a fifth of the time that ``array.ctypes`` takes."""
    return int(array.__array_interface__["data"][0])
