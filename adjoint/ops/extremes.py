"""Largest and smallest elements, and where they are."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

import numpy as np

from adjoint import dtypes, return_types
from adjoint.array.value import Value, apply
from adjoint.errors import describe_shape
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import public
from adjoint.ops.kinds.row import Row
from adjoint.ops.kinds.rules import Fact
from adjoint.ops.picking import choice_jvp, choice_vjp, infer_choice, take_along
from adjoint.ops.reducing import (
    Dims,
    add_reduce,
    dim_or_none,
    flag,
    infer_reduced,
    infer_same_shape,
    keep_dims,
    no_such_dims,
    numpy_spelling,
    on_scalars,
    refuse_dtype,
    reshape,
    result_kinds,
    shape_of,
    spread,
)
from adjoint.ops.reduction import Dim, sum_row
from adjoint.ops.selection import maximum, minimum
from adjoint.shapes import normalise_dims, product

largest: Any = np.maximum.reduce
smallest: Any = np.minimum.reduce

# -- amax, amin: the value alone, of any dims; ties share the gradient ----------------------------


def _shares(x: Any, out: Any, dims: Dims, keepdim: bool, nans: bool) -> Any:
    out = keep_dims(out, x.shape, dims, keepdim)
    reached = x == out
    if nans:
        reached |= (x != x) & (out != out)
    count = add_reduce(reached, dims, np.int64, None, True)
    return reached.astype(x.dtype) / count.astype(x.dtype)


# The part of the gradient that each element gets: 1 / n for the n that reach ``out``. For ``max``
# and ``min`` NaNs are equal to each other (``nans``), for ``amax`` and ``amin`` they are not.
shares = define(
    "shares", "reduction", _shares,
    inputs="x out", options="dims keepdim nans", infer=infer_same_shape,
    vjp=lambda g, needs: (None, None), jvp=lambda: None,  # constant, but for jumps
)  # fmt: skip


def _amax(reduce: Any) -> Callable[..., Any]:
    return lambda x, dims, keepdim: reduce(x, dims, None, None, keepdim)


def _share_vjp(g: Any, x: Any, out: Any, dims: Dims, keepdim: bool) -> Any:
    return spread(g, x.shape, dims, keepdim) * shares(x, out, dims, keepdim, False)


def _share_jvp(x_t: Any, x: Any, out: Any, dims: Dims, keepdim: bool) -> Any:
    return sum_row(x_t * shares(x, out, dims, keepdim, False), dims, keepdim)


amax_row = define(
    "amax", "reduction", _amax(largest),
    options="dims keepdim", x=_share_vjp, jvp=_share_jvp, infer=infer_reduced,
)  # fmt: skip
amin_row = define(
    "amin", "reduction", _amax(smallest),
    options="dims keepdim", x=_share_vjp, jvp=_share_jvp, infer=infer_reduced,
)  # fmt: skip


def _some(name: str, shape: Dims, dims: Dims, given: Any) -> None:
    """Refuse to reduce nothing: ``RuntimeError`` where no dim was named, ``IndexError`` else."""
    if 0 in shape:
        if given is None or given == () or given == []:
            no_such_dims(name, shape, None)
        for dim in dims:
            if shape[dim] == 0:
                no_such_dims(name, shape, dim + len(shape))


def _extreme_dims(name: str, row: Any, input: Any, dim: Dim, keepdim: bool, names: Any) -> Any:
    if names:
        dim, keepdim = numpy_spelling(name, names, dim, keepdim)
    shape = shape_of(name, input)
    refuse_dtype(name, input, (dtypes.COMPLEX,), NotImplementedError)
    dims = normalise_dims(dim, len(shape))
    _some(name, shape, dims, dim)
    return row(input, dims, flag(name, keepdim))


@public(out="exact")
def amax(input: Any, dim: Dim = None, keepdim: bool = False, **numpy_names: Any) -> Any:
    """Largest element, of all or along ``dim`` (an int or several); NaN if there is one.

    Elements that tie share the gradient evenly. Raises ``IndexError`` for a dim of size 0 or that
    is not there, ``RuntimeError`` for no elements at all.

    >>> import adjoint as torch
    >>> torch.amax(torch.tensor([[1.0, 5.0], [3.0, 4.0]]), dim=0)
    tensor([3., 5.])
    """
    return _extreme_dims("amax", amax_row, input, dim, keepdim, numpy_names)


@public(out="exact")
def amin(input: Any, dim: Dim = None, keepdim: bool = False, **numpy_names: Any) -> Any:
    """Smallest element, of all or along ``dim`` (an int or several); NaN if there is one.

    Elements that tie share the gradient evenly. Raises ``IndexError`` for a dim of size 0 or that
    is not there, ``RuntimeError`` for no elements at all.

    >>> import adjoint as torch
    >>> torch.amin(torch.tensor([[1.0, 5.0], [3.0, 4.0]]), dim=0)
    tensor([1., 4.])
    """
    return _extreme_dims("amin", amin_row, input, dim, keepdim, numpy_names)


# -- aminmax --------------------------------------------------------------------------------------


def _aminmax_vjp(
    g: Any, needs: Any, x: Any, min: Any, max: Any, dims: Dims, keepdim: bool
) -> tuple[Any]:
    parts = [
        _share_vjp(each, x, out, dims, keepdim)
        for each, out in zip(g, (min, max), strict=True)
        if each is not None
    ]
    return (parts[0] if len(parts) == 1 else parts[0] + parts[1],)


aminmax_row = define(
    "aminmax", "reduction",
    lambda x, dims, keepdim: (
        smallest(x, dims, None, None, keepdim),
        largest(x, dims, None, None, keepdim),
    ),
    options="dims keepdim", outputs="min max",
    vjp=_aminmax_vjp,
    jvp=lambda x_t, x, min, max, dims, keepdim: (
        _share_jvp(x_t, x, min, dims, keepdim),
        _share_jvp(x_t, x, max, dims, keepdim),
    ),
    infer=infer_reduced,
)  # fmt: skip


@public(out="exact")
def aminmax(input: Any, *, dim: Any = None, keepdim: bool = False, **numpy_names: Any) -> Any:
    """Smallest and largest element as (min, max), of all or along one ``dim``.

    Raises ``IndexError`` for a dim of size 0 or that is not there, ``RuntimeError`` for nothing.

    >>> import adjoint as torch
    >>> torch.aminmax(torch.tensor([1.0, 5.0, 3.0])).max
    tensor(5.)
    """
    if numpy_names:
        dim, keepdim = numpy_spelling("aminmax", numpy_names, dim, keepdim)
    shape = shape_of("aminmax", input)
    refuse_dtype("aminmax", input, (dtypes.COMPLEX,), NotImplementedError)
    one = None if dim is None else dim_or_none("aminmax", dim, shape)
    dims = normalise_dims(None, len(shape)) if one is None else (one,)
    _some("aminmax", shape, dims, dim)
    return return_types.aminmax(*aminmax_row(input, dims, flag("aminmax", keepdim)))


# -- max, min -------------------------------------------------------------------------------------


def share_of_all(
    name: str, compute: Callable[..., Any], node_name: str | None = None
) -> Callable[..., Any]:
    """One value of all elements, whose gradient those share evenly that are equal to it.

    ``compute(x, lines)`` is of all elements, or of each line along the last dim: a batch of
    wholes, whatever their shapes were, is a matrix of lines.
    """

    def weights(x: Any, out: Any, lines: bool) -> Any:
        return shares(x, out, _line(x, lines), False, True)

    def batch(row: Row, size: int, values: list[Any], batched: Any, options: Any) -> Any:
        (x,) = values
        if not options[0]:
            x = reshape(x, (size, product(x.shape[1:])))
        return apply(row, (x,), (True,))

    def infer(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
        shape = tuple(inputs[0].shape[:-1]) if options[0] else ()
        return shape, result_kinds(row, inputs, options)[0]

    operation = define(
        name, "reduction", compute, options="lines",
        x=lambda g, x, out, lines: spread(g, x.shape, _line(x, lines), False)
        * weights(x, out, lines),
        jvp=lambda x_t, x, out, lines: sum_row(
            x_t * weights(x, out, lines), _line(x, lines), False
        ),
        batch=batch, infer=infer, node_name=node_name,
    )  # fmt: skip
    return lambda x: operation(x, False)


def _line(x: Any, lines: bool) -> Dims:
    return (-1,) if lines else tuple(range(-len(x.shape), 0))


def _extreme_of_all(name: str, reduce: Any) -> Callable[..., Any]:
    def compute(x: Any, lines: bool) -> Any:
        if not x.size:
            no_such_dims(name, x.shape, None)
        refuse_dtype(name, x, (dtypes.COMPLEX,), NotImplementedError)
        return reduce(x, -1 if lines else None)

    return share_of_all(name, compute, name.title() + "Backward1")


max_all = _extreme_of_all("max", largest)
min_all = _extreme_of_all("min", smallest)


def _along(choose: Any) -> Callable[..., Any]:
    def compute(x: Any, dim: int, keepdim: bool) -> tuple[Any, Any]:
        indices = choose(x)(dim, keepdims=True)
        values = take_along(x, indices, dim)
        if not keepdim:
            indices, values = indices.squeeze(dim), values.squeeze(dim)
        return values, indices

    return on_scalars(compute)


max_row = define(
    "max_dim", "reduction", _along(attrgetter("argmax")),
    options="dim keepdim", outputs="values indices", differentiable=1,
    x=choice_vjp, jvp=choice_jvp, infer=infer_choice, node_name="MaxBackward0",
)  # fmt: skip
min_row = define(
    "min_dim", "reduction", _along(attrgetter("argmin")),
    options="dim keepdim", outputs="values indices", differentiable=1,
    x=choice_vjp, jvp=choice_jvp, infer=infer_choice, node_name="MinBackward0",
)  # fmt: skip


def _one_dim(name: str, input: Any, dim: Any, keepdim: Any) -> tuple[int | None, bool]:
    """A dim with something along it, and keepdim, which is True for a zero-dimensional input."""
    shape = shape_of(name, input)
    place = dim_or_none(name, dim, shape)
    if place is not None and shape[place] == 0:
        no_such_dims(name, shape, place + len(shape))
    return place, flag(name, keepdim) or not shape


def _max_or_min(
    name: str, rows: tuple[Any, Any, Any], input: Any, dim: Any, keepdim: Any,
    other: Any, names: dict[str, Any], results: Any,
) -> Any:  # fmt: skip
    everything, along, of_two = rows
    if names:
        dim, keepdim = numpy_spelling(name, names, dim, keepdim)
    if isinstance(dim, Value):
        dim, other = ..., dim
    if (keepdim and dim is ...) or (other is not None and dim is not ...):
        raise TypeError(
            f"{name}() takes a dim with keepdim, another tensor, or neither; use a{name}() to "
            "reduce several dims"
        )
    if other is not None:
        return of_two(input, other)
    if dim is ...:
        return everything(input)
    refuse_dtype(name, input, (dtypes.COMPLEX,), NotImplementedError)
    place, keepdim = _one_dim(name, input, dim, keepdim)
    return results(*along(input, place, keepdim))


@public(out="cast")
def max(
    input: Any, dim: Any = ..., keepdim: bool = False, *, other: Any = None, **numpy_names: Any
) -> Any:
    """Largest of all elements; along ``dim``, (values, indices); or ``maximum(input, other)``.

    The first of equal elements is named along a dim; without one they share the gradient evenly.
    Raises ``IndexError`` for a dim of size 0 or that is not there, ``RuntimeError`` for nothing.

    >>> import adjoint as torch
    >>> torch.max(torch.tensor([[1.0, 5.0], [3.0, 4.0]]), dim=1).indices
    tensor([1, 1])
    """
    if dim is ... and other is None and not keepdim and not numpy_names:
        shape_of("max", input)
        return max_all(input)
    rows = (max_all, max_row, maximum)
    return _max_or_min("max", rows, input, dim, keepdim, other, numpy_names, return_types.max)


@public(out="cast")
def min(
    input: Any, dim: Any = ..., keepdim: bool = False, *, other: Any = None, **numpy_names: Any
) -> Any:
    """Smallest of all elements; along ``dim``, (values, indices); or ``minimum(input, other)``.

    The first of equal elements is named along a dim; without one they share the gradient evenly.
    Raises ``IndexError`` for a dim of size 0 or that is not there, ``RuntimeError`` for nothing.

    >>> import adjoint as torch
    >>> torch.min(torch.tensor([[1.0, 5.0], [3.0, 4.0]]), dim=1).values
    tensor([1., 3.])
    """
    if dim is ... and other is None and not keepdim and not numpy_names:
        shape_of("min", input)
        return min_all(input)
    rows = (min_all, min_row, minimum)
    return _max_or_min("min", rows, input, dim, keepdim, other, numpy_names, return_types.min)


# -- argmax, argmin -------------------------------------------------------------------------------

argmax_row = define(
    "argmax", "reduction",
    on_scalars(lambda x, dim, keepdim: x.argmax(dim, keepdims=keepdim)),
    options="dim keepdim", infer=infer_reduced,
)  # fmt: skip
argmin_row = define(
    "argmin", "reduction",
    on_scalars(lambda x, dim, keepdim: x.argmin(dim, keepdims=keepdim)),
    options="dim keepdim", infer=infer_reduced,
)  # fmt: skip


def _place(name: str, row: Any, input: Any, dim: Any, keepdim: bool, names: Any) -> Any:
    if names:
        dim, keepdim = numpy_spelling(name, names, dim, keepdim)
    shape = shape_of(name, input)
    refuse_dtype(name, input, (dtypes.BOOL, dtypes.COMPLEX), RuntimeError)
    if dim is not None:
        return row(input, *_one_dim(name, input, dim, keepdim))
    if 0 in shape:
        raise IndexError(
            f"{name}(): the input of shape {describe_shape(shape)} has no elements to choose from; "
            "name a dim of non-zero size with the 'dim' argument"
        )
    if not shape:
        return row(input, None, True)
    out = row(reshape(input, (product(shape),)), -1, False)
    return reshape(out, (1,) * len(shape)) if flag(name, keepdim) else out


@public(out="exact")
def argmax(input: Any, dim: Any = None, keepdim: bool = False, **numpy_names: Any) -> Any:
    """Where the largest element is, along ``dim`` or in the flattened input; of several the first.

    Raises ``IndexError`` where there is nothing to choose from or no such dim, ``RuntimeError`` for
    boolean and complex input.

    >>> import adjoint as torch
    >>> torch.argmax(torch.tensor([[1.0, 5.0], [3.0, 4.0]]), dim=0)
    tensor([1, 0])
    """
    return _place("argmax", argmax_row, input, dim, keepdim, numpy_names)


@public(out="exact")
def argmin(input: Any, dim: Any = None, keepdim: bool = False, **numpy_names: Any) -> Any:
    """Where the smallest element is, along ``dim`` or in the flattened input; of several the first.

    Raises ``IndexError`` where there is nothing to choose from or no such dim, ``RuntimeError`` for
    boolean and complex input.

    >>> import adjoint as torch
    >>> torch.argmin(torch.tensor([[1.0, 5.0], [3.0, 4.0]]), dim=0)
    tensor([0, 1])
    """
    return _place("argmin", argmin_row, input, dim, keepdim, numpy_names)
