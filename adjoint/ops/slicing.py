"""Parts of a tensor along a dimension, as views: one place, a range of places."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.rules import batch_prefixed
from adjoint.tape import engine

ALL = slice(None)


def along(dim: int, part: Any) -> tuple[Any, ...]:
    """NumPy's index for ``part`` of dimension ``dim``, which counts from the end."""
    return (..., part, *(ALL,) * (-dim - 1))


# -- one place ----------------------------------------------------------------------------------


def _select_backward(g: Any, shape: tuple[int, ...], dim: int, index: int) -> Any:
    out = np.zeros(shape, g.dtype)
    out[along(dim, index)] = g
    return out


select_row = define(
    "select", "movement", lambda x, dim, index: x[along(dim, index)],
    options="dim index",
    x=lambda g, x_shape, dim, index: select_backward(g, x_shape, dim, index),
    jvp="linear", low_precision=False, view=True,
)  # fmt: skip
select_backward = define(
    "select_backward", "movement", _select_backward,
    options="shape dim index",
    x=lambda g, dim, index: select_row(g, dim, index),
    jvp="linear", batch=batch_prefixed("shape"), low_precision=False,
    node_name="SelectBackwardBackward0",
)  # fmt: skip

# -- a range of places --------------------------------------------------------------------------


def _slice_backward(
    g: Any, shape: tuple[int, ...], dim: int, start: int, stop: int, step: int
) -> Any:
    out = np.zeros(shape, g.dtype)
    out[along(dim, slice(start, stop, step))] = g
    return out


slice_row = define(
    "slice", "movement",
    lambda x, dim, start, stop, step: x[along(dim, slice(start, stop, step))],
    options="dim start stop step",
    x=lambda g, x_shape, dim, start, stop, step: slice_backward(
        g, x_shape, dim, start, stop, step
    ),
    jvp="linear", low_precision=False, view=True,
)  # fmt: skip
slice_backward = define(
    "slice_backward", "movement", _slice_backward,
    options="shape dim start stop step",
    x=lambda g, dim, start, stop, step: slice_row(g, dim, start, stop, step),
    jvp="linear", batch=batch_prefixed("shape"), low_precision=False,
    node_name="SliceBackwardBackward0",
)  # fmt: skip

engine.rows.select = lambda x, place: select_row(x, -len(x.shape), place)
