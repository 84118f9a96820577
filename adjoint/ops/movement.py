"""Movement: the same elements in another shape, mostly without copying."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.rules import batch_prefixed
from adjoint.tape import engine

# -- reshape, expand ----------------------------------------------------------------------------

reshape_row = define(
    "reshape",
    "movement",
    np.reshape,
    options="shape",
    x=lambda g, x_shape: reshape_row(g, x_shape),
    jvp="linear",
    batch=batch_prefixed("shape"),
    low_precision=False,
    view=True,
    node_name="ViewBackward0",
)
expand_row = define(
    "expand",
    "movement",
    np.broadcast_to,
    options="shape",
    x=lambda g, x_shape: engine.sum_to_shape(g, x_shape),
    jvp="linear",
    batch=lambda row, size, values, batched, options: _batch_expand(size, values[0], options[0]),
    low_precision=False,
    view=True,
)


def _batch_expand(size: int, value: Any, shape: tuple[int, ...]) -> Any:
    missing = len(shape) - len(value.shape) + 1
    aligned = reshape_row(value, (size, *(1,) * missing, *value.shape[1:]))
    return expand_row(aligned, (size, *shape))


# -- permute, transpose -------------------------------------------------------------------------

permute_row = define(
    "permute",
    "movement",
    np.transpose,
    options="dims",
    x=lambda g, dims: permute_row(g, _inverse(dims)),
    jvp="linear",
    batch=lambda row, size, values, batched, options: permute_row(
        values[0], (-len(values[0].shape), *options[0])
    ),
    low_precision=False,
    view=True,
)


def _inverse(dims: tuple[int, ...]) -> tuple[int, ...]:
    out = [0] * len(dims)
    for place, dim in enumerate(dims):
        out[dim] = place - len(dims)
    return tuple(out)


engine.rows.reshape = reshape_row
engine.rows.expand = expand_row
engine.rows.permute = permute_row
