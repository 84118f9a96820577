"""Masks: elements chosen, replaced and found by a tensor of booleans, or by not being zero."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.value import Value
from adjoint.errors import describe_shape
from adjoint.ops.index_rows import infer_as_first, masked_select_row
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import public
from adjoint.ops.kinds.rules import batch_refused, infer_elementwise, infer_refused
from adjoint.ops.movement import expand_row
from adjoint.ops.scalars import cast_number
from adjoint.shapes import broadcast_shapes, product
from adjoint.tape.tensor import Tensor, wrap

# -- rows ---------------------------------------------------------------------------------------


def _masked_fill(x: Any, mask: Any, value: Any) -> Any:
    if x.shape == mask.shape and not value.shape:
        out = np.array(x, order="C")
    else:
        out = np.empty(np.broadcast_shapes(x.shape, mask.shape, value.shape), x.dtype)
        out[...] = x
    np.copyto(out, value, where=mask, casting="unsafe")
    return out


def _no(g: Any) -> Any:
    return np.zeros((), dtypes.of(g).numpy)


masked_fill_row, masked_fill_tensor_row, mask_put_row = (
    define(
        name, "elementwise", _masked_fill, inputs="x mask value",
        x=lambda g, mask: masked_fill_row(g, mask, _no(g)),
        value=lambda g, mask: masked_fill_row(g, ~mask, _no(g)),
        jvp=lambda mask, x_t, value_t: masked_fill_row(x_t, mask, value_t),
        batch="elementwise", infer=infer_elementwise, low_precision=False, conjugate=False,
        node_name=node_name, saved="mask=indices" if name == "mask_put" else "",
    )
    for name, node_name in (
        ("masked_fill", "MaskedFillBackward0"), ("masked_fill_tensor", "MaskedFillBackward1"),
        ("mask_put", "IndexPutBackward0"),
    )
)  # fmt: skip


def _masked_scatter(x: Any, mask: Any, source: Any) -> Any:
    out = x.copy()
    count = np.count_nonzero(mask)
    out[mask] = source.reshape(-1)[:count]
    return out


def _masked_scatter_backward(g: Any, mask: Any, shape: tuple[int, ...]) -> Any:
    out = np.zeros(product(shape), g.dtype)
    found = g[mask]
    out[: found.size] = found
    return out.reshape(shape)


masked_scatter_row = define(
    "masked_scatter", "indexing", _masked_scatter, inputs="x mask source",
    x=lambda g, mask: masked_fill_row(g, mask, _no(g)),
    source=lambda g, mask, source_shape: masked_scatter_backward(g, mask, source_shape),
    jvp=lambda x_t, mask, source_t: masked_scatter_row(x_t, mask, source_t),
    batch="loop", infer=infer_as_first, low_precision=False, conjugate=False,
)  # fmt: skip
masked_scatter_backward = define(
    "masked_scatter_backward", "indexing", _masked_scatter_backward, inputs="g mask",
    options="shape",
    g=lambda g, mask, g_shape: masked_scatter_row(
        np.zeros(g_shape, dtypes.of(g).numpy), mask, g
    ),
    jvp=lambda g_t, mask, shape: masked_scatter_backward(g_t, mask, shape),
    batch="loop", infer=lambda row, inputs, options: (options[0], dtypes.of(inputs[0])),
    low_precision=False, conjugate=False,
)  # fmt: skip
nonzero_row = define(
    "nonzero", "indexing", lambda x: np.argwhere(x), low_precision=False,
    batch=batch_refused("the shape of its result depends on the values"), infer=infer_refused,
)  # fmt: skip


def _nonzero_static(x: Any, size: int, fill_value: int, rank: int) -> Any:
    lead = x.shape[: x.ndim - rank]
    out = np.full((product(lead), size, rank), fill_value)
    for one, places in zip(x.reshape(product(lead), *x.shape[x.ndim - rank :]), out, strict=True):
        found = np.argwhere(one)[:size]
        places[: len(found)] = found
    return out.reshape(*lead, size, rank)


nonzero_static_row = define(
    "nonzero_static", "indexing", _nonzero_static, options="size fill_value rank",
    low_precision=False,
)  # fmt: skip

# -- reading ------------------------------------------------------------------------------------


def require_mask(name: str, mask: Any) -> None:
    """Raise ``RuntimeError`` for a mask that is not boolean."""
    if not hasattr(mask, "dtype"):
        raise TypeError(f"{name}(): argument 'mask' must be Tensor, not {type(mask).__name__}")
    if dtypes.of(mask) is not dtypes.bool_:
        raise RuntimeError(f"{name}: expected a boolean mask, but got {dtypes.of(mask)!r}")


def _require_tensor(name: str, input: Any) -> None:
    if not isinstance(input, (Value, np.ndarray)):
        raise TypeError(f"{name}(): argument 'input' must be Tensor, not {type(input).__name__}")


def _stretch(x: Any, shape: tuple[int, ...]) -> Any:
    return x if tuple(x.shape) == shape else expand_row(x, shape)


@public(out="exact")
def masked_select(input: Any, mask: Any) -> Any:
    """A vector of the elements where ``mask`` is true; the two broadcast.

    Raises ``RuntimeError`` for a mask that is not boolean or does not fit.

    >>> import adjoint as torch
    >>> torch.masked_select(torch.tensor([1, 2, 3]), torch.tensor([True, False, True]))
    tensor([1, 3])
    """
    require_mask("masked_select", mask)
    shape = broadcast_shapes(tuple(input.shape), tuple(mask.shape))
    return masked_select_row(_stretch(input, shape), _stretch(mask, shape), 0)


@public(out="exact")
def nonzero(input: Any, *, as_tuple: bool = False) -> Any:
    """Places of the elements that are not zero, a row for each, or a tensor for each dimension.

    >>> import adjoint as torch
    >>> torch.nonzero(torch.tensor([0, 5, 0, 7]))
    tensor([[1],
            [3]])
    """
    _require_tensor("nonzero", input)
    if not as_tuple:
        return nonzero_row(input)
    if not input.shape:
        input = expand_row(input, (1,))
    found = nonzero_row(input)
    level = found._level if isinstance(found, Tensor) else 0
    rows = found._array if isinstance(found, Tensor) else found
    return tuple(wrap(np.ascontiguousarray(column), level) for column in rows.T)


@public()
def argwhere(input: Any) -> Any:
    """Places of the elements that are not zero, a row for each.

    >>> import adjoint as torch
    >>> torch.argwhere(torch.tensor([[0, 1]]))
    tensor([[0, 1]])
    """
    _require_tensor("argwhere", input)
    return nonzero_row(input)


@public(out="exact")
def nonzero_static(input: Any, *, size: int, fill_value: int = -1) -> Any:
    """``nonzero`` with ``size`` rows: cut off, or filled up with ``fill_value``.

    Raises ``RuntimeError`` for a negative size.

    >>> import adjoint as torch
    >>> torch.nonzero_static(torch.tensor([0, 5, 0, 7]), size=3)
    tensor([[ 1],
            [ 3],
            [-1]])
    """
    if size < 0:
        raise RuntimeError(f"nonzero_static: 'size' must be a non-negative integer, not {size}")
    return nonzero_static_row(input, size, fill_value, len(input.shape))


# -- writing ------------------------------------------------------------------------------------


def fill_value(name: str, value: Any, input: Any) -> tuple[Any, bool]:
    """A number, or a tensor without dimensions, to fill with; and whether it was a tensor."""
    if isinstance(value, (Value, np.ndarray)):
        if value.shape:
            raise RuntimeError(
                f"{name} only supports a 0-dimensional value tensor, but got one of shape "
                f"{describe_shape(value.shape)}"
            )
        return value, True
    if not isinstance(value, (bool, int, float, complex, np.generic)):
        raise TypeError(f"{name}: a value to fill with is a number, not {type(value).__name__}")
    kind = dtypes.of(input)
    number = value.item() if isinstance(value, np.generic) else value
    level = input._level if isinstance(input, Tensor) else None
    found = np.asarray(cast_number(number, kind, name))
    return (found if level is None else wrap(found, level)), False


def refuse_imaginary(name: str, value: Any, input: Any) -> None:
    """Raise ``RuntimeError`` for a complex tensor that a real one would not hold."""
    if dtypes.of(value).is_complex and not dtypes.of(input).is_complex:
        array = value._array if isinstance(value, Tensor) else value
        if type(array) is np.ndarray and array.imag:
            raise RuntimeError(
                f"{name}: value cannot be converted to {dtypes.of(input)!r} without overflow, "
                f"since it is {array}; take its real part"
            )


@public(in_place=True)
def masked_fill(input: Any, mask: Any, value: Any) -> Any:
    """``input`` with ``value`` (a number or a 0-d tensor) where ``mask`` is true; they broadcast.

    Raises ``RuntimeError`` for a mask that is not boolean or does not fit, or a value with dims.

    >>> import adjoint as torch
    >>> torch.tensor([1, 2]).masked_fill(torch.tensor([True, False]), 0)
    tensor([0, 2])
    """
    require_mask("masked_fill", mask)
    if input.shape != mask.shape:
        broadcast_shapes(tuple(input.shape), tuple(mask.shape))
    number, is_tensor = fill_value("masked_fill", value, input)
    refuse_imaginary("masked_fill", number, input)
    return (masked_fill_tensor_row if is_tensor else masked_fill_row)(input, mask, number)


@public(in_place=True)
def masked_scatter(input: Any, mask: Any, source: Any) -> Any:
    """``input`` with the elements of ``source``, in order, where ``mask`` is true.

    Raises ``RuntimeError`` where ``source`` is of another type or has too few elements.

    >>> import adjoint as torch
    >>> mask = torch.tensor([True, False, True])
    >>> torch.zeros(3).masked_scatter(mask, torch.tensor([1.0, 2.0]))
    tensor([1., 0., 2.])
    """
    require_mask("masked_scatter", mask)
    if dtypes.of(input) is not dtypes.of(source):
        raise RuntimeError(
            "masked_scatter: expected self and source to have same dtypes but got "
            f"{dtypes.of(input)!r} and {dtypes.of(source)!r}"
        )
    shape = broadcast_shapes(tuple(input.shape), tuple(mask.shape))
    mask = _stretch(mask, shape)
    array = mask._array if isinstance(mask, Tensor) else mask
    have = product(source.shape)
    if isinstance(array, np.ndarray) and np.count_nonzero(array) > have:
        raise RuntimeError(
            f"masked_scatter: source has {have} elements for {np.count_nonzero(array)} places "
            "where the mask is true"
        )
    return masked_scatter_row(_stretch(input, shape), mask, source)
