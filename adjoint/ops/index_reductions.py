"""Slices reduced into places along a dimension: ``index_reduce``, by way of ``scatter_reduce``."""

from __future__ import annotations

from typing import Any

from adjoint import dtypes
from adjoint.array.value import Value
from adjoint.errors import describe_shape
from adjoint.ops.kinds.public import public
from adjoint.ops.kinds.quick import rename
from adjoint.ops.movement import expand_row, reshape_row
from adjoint.ops.scatter import require_index, require_range, scatter_reduce
from adjoint.shapes import normalise_dim, product
from adjoint.tape.warning import warn

REDUCTIONS = ("prod", "mean", "amax", "amin")


@public(in_place=True, out="exact")
def index_reduce(
    input: Any, dim: int, index: Any, source: Any, reduce: str, *, include_self: bool = True
) -> Any:
    """``input`` with the slices of ``source`` that ``index`` sends to one place reduced there.

    ``reduce`` is "prod", "mean", "amax" or "amin"; without ``include_self`` the elements of
    ``input`` do not take part where others arrive. Raises ``IndexError`` for a place out of range,
    ``RuntimeError`` for another word, and a source of another type or shape.

    >>> import warnings
    >>> import adjoint as torch
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")  # a beta, as PyTorch says too
    ...     torch.ones(2).index_reduce(0, torch.tensor([0, 0]), torch.tensor([2.0, 3.0]), "prod")
    tensor([6., 1.])
    """
    warn("index_reduce() is in beta and the API may change at any time.")
    if reduce not in REDUCTIONS:
        raise RuntimeError(
            f"index_reduce(): Expected reduce to be one of {', '.join(REDUCTIONS)} but got {reduce}"
        )
    if not isinstance(source, Value) or dtypes.of(source) is not dtypes.of(input):
        raise RuntimeError(
            f"index_reduce(): self and source expected to have the same dtype, but got "
            f"{dtypes.of(input)!r} and {dtypes.of(source)!r}"
        )
    require_index("index_reduce", index)
    rank = len(input.shape)
    place = normalise_dim(dim, rank) + rank
    count = product(index.shape)
    wanted = (*input.shape[:place], count, *input.shape[place + 1 :])
    if len(index.shape) > 1:
        raise IndexError(
            f"index_reduce(): Index is supposed to be a vector, not {describe_shape(index.shape)}"
        )
    if not len(source.shape) and count != 1:
        raise IndexError(f"index_reduce(): {count} indices, but source has no dimensions")
    if tuple(source.shape) != (wanted if rank else ()):
        raise RuntimeError(
            f"index_reduce(): source has shape {describe_shape(source.shape)}, and with "
            f"{count} indices it must be {describe_shape(wanted if rank else ())}"
        )
    require_range("index_reduce", index, input.shape[place] if rank else 1, IndexError)
    ahead = (1,) * place + (count,) + (1,) * (rank - place - 1)
    places = expand_row(reshape_row(index, ahead), wanted) if rank else index
    out = scatter_reduce(input, dim, places, source, reduce, include_self=include_self)
    return rename(out, "IndexReduceBackward0")
