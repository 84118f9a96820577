"""Arithmetic on shapes and dimensions, with the errors that users of PyTorch know.

Inside the library a dimension is counted from the end (``-1`` is the last), so that a batch
axis put in front never changes what a dimension means.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from operator import index as as_index
from operator import mul

from adjoint.errors import describe_shape

Shape = tuple[int, ...]


def product(sizes: Iterable[int]) -> int:
    """Number of elements of a shape; 1 for the empty one."""
    total = 1
    for size in sizes:
        total *= size
    return total


def broadcast_shapes(*shapes: Sequence[int]) -> Shape:
    """The shape that all of ``shapes`` stretch to.

    Raises ``RuntimeError`` naming both sizes and the dimension if they do not fit.

    >>> broadcast_shapes((3, 1), (4,))
    (3, 4)
    """
    out: list[int] = []
    for shape in shapes:
        if len(shape) > len(out):
            out[:0] = [1] * (len(shape) - len(out))
        for offset in range(1, len(shape) + 1):
            size, present = shape[-offset], out[-offset]
            if present == 1:
                out[-offset] = size
            elif size not in (1, present):
                raise RuntimeError(
                    f"The size of tensor a ({present}) must match the size of tensor b ({size}) "
                    f"at non-singleton dimension {len(out) - offset}: shapes "
                    + " and ".join(describe_shape(each) for each in shapes)
                    + " do not broadcast; sizes must be equal, or one of them 1"
                )
    return tuple(out)


def normalise_dim(dim: int, ndim: int) -> int:
    """Count ``dim`` from the end; raises ``IndexError`` where it is out of range.

    >>> normalise_dim(0, 3), normalise_dim(-1, 3)
    (-3, -1)
    """
    try:
        dim = as_index(dim)
    except TypeError:
        raise TypeError(f"dim must be an int, not {type(dim).__name__}") from None
    span = ndim or 1  # a zero-dimensional tensor accepts 0 and -1, as in PyTorch
    if not -span <= dim < span:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-span}, {span - 1}], "
            f"but got {dim})"
        )
    return dim - span if dim >= 0 else dim


def normalise_dims(dim: int | Sequence[int] | None, ndim: int) -> tuple[int, ...]:
    """All dims of a reduction, counted from the end; ``None`` and ``()`` mean every dim.

    Raises ``IndexError`` out of range and ``RuntimeError`` for a dim named twice.
    """
    if dim is None:
        return tuple(range(-ndim, 0))
    if not isinstance(dim, (tuple, list)):
        return (normalise_dim(dim, ndim),) if ndim else _checked_zero_dim(dim)  # type: ignore[arg-type]
    if not dim:
        return tuple(range(-ndim, 0))
    dims = tuple(normalise_dim(each, ndim) for each in dim)
    for position, each in enumerate(dims):
        if each in dims[:position]:
            raise RuntimeError(f"dim {each + ndim} appears multiple times in the list of dims")
    return dims if ndim else ()


def _checked_zero_dim(dim: int) -> tuple[int, ...]:
    normalise_dim(dim, 0)
    return ()


def reduced_shape(shape: Shape, dims: tuple[int, ...], keepdim: bool) -> Shape:
    """Shape after reducing ``dims`` (counted from the end)."""
    gone = {dim + len(shape) for dim in dims}
    if keepdim:
        return tuple(1 if place in gone else size for place, size in enumerate(shape))
    return tuple(size for place, size in enumerate(shape) if place not in gone)


def infer_size(shape: Sequence[int], numel: int) -> Shape:
    """Fill in the one ``-1`` of a ``reshape``.

    Raises ``RuntimeError`` where the sizes do not hold ``numel`` elements.

    >>> infer_size((2, -1), 6)
    (2, 3)
    """
    sizes = tuple(as_index(size) for size in shape)
    unknown = [place for place, size in enumerate(sizes) if size == -1]
    if len(unknown) > 1:
        raise RuntimeError(f"only one dimension can be inferred, but got {describe_shape(sizes)}")
    for size in sizes:
        if size < -1:
            raise RuntimeError(f"invalid shape dimension {size} in {describe_shape(sizes)}")
    known = product(size for size in sizes if size != -1)
    if unknown:
        if known == 0:
            raise RuntimeError(
                f"cannot reshape tensor of {numel} elements into shape {describe_shape(sizes)} "
                "because the unspecified dimension size -1 can be any value and is ambiguous"
            )
        if numel % known == 0:
            place = unknown[0]
            return (*sizes[:place], numel // known, *sizes[place + 1 :])
    elif known == numel:
        return sizes
    raise RuntimeError(f"shape '{describe_shape(sizes)}' is invalid for input of size {numel}")


def flatten_ints(args: tuple[object, ...]) -> tuple[int, ...]:
    """``f(2, 3)``, ``f((2, 3))`` and ``f([2, 3])`` all mean the sizes ``(2, 3)``."""
    if len(args) == 1 and isinstance(args[0], (tuple, list)):
        args = tuple(args[0])
    return tuple(as_index(size) for size in args)  # type: ignore[arg-type]


def keeps_memory(shape: Sequence[int], strides: Sequence[int], wanted: Sequence[int]) -> bool:
    """Whether memory of ``shape`` and ``strides`` can be seen as ``wanted`` without a copy.

    Memory falls into runs of dimensions that follow each other without a jump; a new shape may
    divide runs but not join them.

    >>> keeps_memory((2, 3), (3, 1), (6,)), keeps_memory((3, 2), (1, 3), (6,))
    (True, False)
    """
    if 0 in shape:
        return True
    cuts, count, previous = [], 1, None
    for size, stride in zip(shape, strides, strict=True):
        if size == 1:
            continue
        if previous is not None and previous != size * stride:
            cuts.append(count)
        count *= size
        previous = stride
    reached = set(accumulate(wanted, mul))
    return all(cut in reached for cut in cuts)
