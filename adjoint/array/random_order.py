"""The order in which PyTorch fills memory that is not contiguous."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # 1 ms, and for nothing
    from numpy.typing import NDArray


def memory_order(out: NDArray[Any]) -> tuple[int, ...]:
    """The dimensions of ``out``, the one with the widest steps in memory first.

    >>> import numpy as np
    >>> memory_order(np.empty((2, 3)).T)
    (1, 0)
    """
    strides = out.strides
    return tuple(sorted(range(out.ndim), key=lambda dim: -strides[dim]))


def store(out: NDArray[Any], values: NDArray[Any]) -> None:
    """Write drawn ``values`` to ``out`` in the order of its memory, as PyTorch's fills do.

    For contiguous memory that is the order of the elements; a transposed array, or a result
    that keeps the layout of one (``rand_like``), is filled along its memory.

    >>> import numpy as np
    >>> out = np.empty((2, 2)).T
    >>> store(out, np.arange(4.0))
    >>> out
    array([[0., 2.],
           [1., 3.]])
    """
    by_memory = out.transpose(memory_order(out))
    by_memory[...] = values.reshape(by_memory.shape)
