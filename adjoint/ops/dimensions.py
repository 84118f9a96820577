"""Dimensions: their order, and those of size 1. Views all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.errors import describe_shape
from adjoint.ops.kinds.public import public, publish_property
from adjoint.ops.kinds.viewing import look, viewing
from adjoint.ops.movement import alias_row, permute_row, reshape_row, sizes_from
from adjoint.shapes import normalise_dim
from adjoint.tape import engine
from adjoint.tape.tensor import Tensor

ALL = slice(None)

# -- rows ---------------------------------------------------------------------------------------

transpose_row = viewing(
    "transpose", lambda x, dim0, dim1: x.swapaxes(dim0, dim1), options="dim0 dim1",
    x=lambda g, dim0, dim1: transpose_row(g, dim0, dim1),
)  # fmt: skip
transpose_scalar_row = viewing(
    "transpose_scalar", lambda x: x[...], x=lambda g: g, node_name="TransposeBackward0"
)
t_row = viewing("t", lambda x: x.swapaxes(-2, -1), x=lambda g: t_row(g))
t_vector_row = viewing("t_vector", lambda x: x[...], x=lambda g: g, node_name="TBackward0")

squeeze_all_row, squeeze_row, squeeze_several_row = (
    viewing(
        name, lambda x, dims: x.squeeze(dims), options="dims",
        x=lambda g, x_shape: reshape_row(g, x_shape), node_name=f"SqueezeBackward{number}",
    )
    for number, name in enumerate(("squeeze_all", "squeeze", "squeeze_several"))
)  # fmt: skip
unsqueeze_row = viewing(
    "unsqueeze", lambda x, dim: x[(..., None, *(ALL,) * (-dim - 1))], options="dim",
    x=lambda g, x_shape: reshape_row(g, x_shape), saved="x_shape=",
)  # fmt: skip

# -- order --------------------------------------------------------------------------------------


def _at_once(x: Any, order: tuple[int, ...], rank: int) -> Any:
    """Plain memory permuted as NumPy does; None for all that needs a look."""
    array = x._array if isinstance(x, Tensor) else None
    if type(array) is not np.ndarray or len(order) != rank:
        return None
    try:
        out = array.transpose(order)
    except ValueError:
        return None
    dims = tuple([dim if dim < 0 else dim - rank for dim in order])
    return look(permute_row.row, x, out, (dims,))  # type: ignore[attr-defined]


@public()
def permute(input: Any, *axes: Any, dims: Any = None) -> Any:
    """A view whose dimension ``i`` is dimension ``dims[i]`` of ``input``.

    Raises ``RuntimeError`` unless every dimension is named once, ``IndexError`` out of range.

    >>> import adjoint as torch
    >>> torch.zeros(2, 3, 4).permute(2, 0, 1).shape
    torch.Size([4, 2, 3])
    """
    rank = len(input.shape)
    order = sizes_from("permute", axes, dims)
    out = _at_once(input, order, rank)
    if out is not None:
        return out
    if len(order) != rank:
        raise RuntimeError(
            f"permute: {len(order)} dims {describe_shape(order)} for a tensor of {rank} "
            f"dimensions, of shape {describe_shape(input.shape)}; name each dimension once"
        )
    places = tuple(normalise_dim(dim, rank) for dim in order)
    if len(set(places)) != rank:
        raise RuntimeError(
            f"permute: duplicate dims are not allowed, but got {describe_shape(order)} "
            f"for shape {describe_shape(input.shape)}"
        )
    return permute_row(input, places)


@public(aliases=("swapdims",))
def transpose(input: Any, dim0: int, dim1: int) -> Any:
    """A view with two dimensions exchanged; ``IndexError`` out of range.

    >>> import adjoint as torch
    >>> torch.zeros(2, 3, 4).transpose(0, -1).shape
    torch.Size([4, 3, 2])
    """
    rank = len(input.shape)
    first, second = normalise_dim(dim0, rank), normalise_dim(dim1, rank)
    return transpose_row(input, first, second) if rank else transpose_scalar_row(input)


@public()
def swapaxes(input: Any, axis0: int, axis1: int) -> Any:
    """``transpose`` under NumPy's name; ``IndexError`` out of range.

    >>> import adjoint as torch
    >>> torch.zeros(2, 3).swapaxes(0, 1).shape
    torch.Size([3, 2])
    """
    return transpose(input, axis0, axis1)


@public()
def t(input: Any) -> Any:
    """The transpose of a matrix; a vector or a number as it is.

    Raises ``RuntimeError`` from three dimensions on.

    >>> import adjoint as torch
    >>> torch.zeros(2, 3).t().shape
    torch.Size([3, 2])
    """
    rank = len(input.shape)
    if rank > 2:
        raise RuntimeError(
            f"t() expects a tensor with <= 2 dimensions, but got {rank}: "
            f"shape {describe_shape(input.shape)}; use transpose(dim0, dim1)"
        )
    return t_row(input) if rank == 2 else t_vector_row(input)


def _dims_of(value: Any, rank: int) -> tuple[int, ...]:
    listed = value if isinstance(value, (tuple, list)) else (value,)
    return tuple(normalise_dim(dim, rank) for dim in listed)


@public(aliases=("moveaxis",))
def movedim(input: Any, source: Any, destination: Any) -> Any:
    """A view with dimensions ``source`` moved to ``destination``, the others in order.

    Raises ``RuntimeError`` for a dimension named twice or unequal numbers of them.

    >>> import adjoint as torch
    >>> torch.zeros(2, 3, 4).movedim(0, -1).shape
    torch.Size([3, 4, 2])
    """
    rank = len(input.shape)
    origin, goal = _dims_of(source, rank), _dims_of(destination, rank)
    if len(origin) != len(goal):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: {len(origin)} of them in source "
            f"{source}, {len(goal)} in destination {destination}"
        )
    for name, dims in (("source", origin), ("destination", goal)):
        if len(set(dims)) != len(dims):
            raise RuntimeError(f"movedim: repeated dim in `{name}` ({source} to {destination})")
    if not rank:
        return alias_row(input)
    rest = iter([dim for dim in range(-rank, 0) if dim not in origin])
    taken = dict(zip(goal, origin, strict=True))
    return permute_row(
        input, tuple(taken[dim] if dim in taken else next(rest) for dim in range(-rank, 0))
    )


# -- attributes ---------------------------------------------------------------------------------


def transposed(input: Any) -> Any:
    """All dimensions in reverse order."""
    return permute_row(input, tuple(range(-1, -len(input.shape) - 1, -1)))


def _matrices(name: str) -> Callable[[Any], Any]:
    def attribute(input: Any) -> Any:
        rank = len(input.shape)
        if rank == 1 or (name == ".H" and rank > 2):
            kind = "matrices (2-D tensors)" if name == ".H" else "matrices or batches of matrices"
            raise RuntimeError(
                f"tensor{name} is only supported on {kind}, not for shape "
                f"{describe_shape(input.shape)}"
            )
        out = transpose_row(input, -2, -1) if rank else input
        return engine.rows.conj(out) if name != ".mT" and dtypes.of(out).is_complex else out

    attribute.__doc__ = "The last two dimensions exchanged" + (
        "." if name == ".mT" else ", and the elements conjugated."
    )
    return attribute


publish_property("T", transposed)
for _name in ("mT", "H", "mH"):
    publish_property(_name, _matrices("." + _name))
_conjugate_transpose = _matrices(".adjoint()")


@public()
def adjoint(input: Any) -> Any:
    """The conjugate transpose of a matrix, or of each of a batch.

    Raises ``RuntimeError`` for a vector.

    >>> import adjoint as torch
    >>> torch.zeros(2, 3).adjoint().shape
    torch.Size([3, 2])
    """
    return _conjugate_transpose(input)


# -- dimensions of size 1 -----------------------------------------------------------------------


@public()
def squeeze(input: Any, dim: Any = None) -> Any:
    """A view without dimensions of size 1: all of them, or those among ``dim``.

    Raises ``IndexError`` out of range, ``RuntimeError`` for a dimension named twice.

    >>> import adjoint as torch
    >>> torch.zeros(1, 3, 1).squeeze(0).shape
    torch.Size([3, 1])
    """
    shape = input.shape
    rank = len(shape)
    if dim is None:
        return squeeze_all_row(input, tuple(d for d in range(-rank, 0) if shape[d] == 1))
    row = squeeze_several_row if isinstance(dim, (tuple, list)) else squeeze_row
    dims = _dims_of(dim, rank)
    if len(set(dims)) != len(dims):
        raise RuntimeError(f"squeeze: a dim appears multiple times in the list of dims {dim}")
    return row(input, tuple(d for d in dims if rank and shape[d] == 1))


@public()
def unsqueeze(input: Any, dim: int) -> Any:
    """A view with a dimension of size 1 put in at ``dim``; ``IndexError`` out of range.

    >>> import adjoint as torch
    >>> torch.zeros(3).unsqueeze(-1).shape
    torch.Size([3, 1])
    """
    return unsqueeze_row(input, normalise_dim(dim, len(input.shape) + 1))
