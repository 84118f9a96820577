"""The nuclear norm: the sum of a matrix's singular values, and what it needs for its derivatives.

The gradient is the polar factor ``U V^H``. Rows take matrices in their last two dimensions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.errors import describe_shape
from adjoint.ops.kinds.formulas import missing
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.quick import rename
from adjoint.ops.movement import permute_row, reshape_row
from adjoint.shapes import normalise_dim

NAME = "norm(p='nuc')"


def _transposed(x: Any) -> Any:
    return np.conj(np.swapaxes(x, -1, -2))


def _polar(x: Any) -> Any:
    u, _, v = np.linalg.svd(x, full_matrices=False)
    return u @ v


def _polar_change(x: Any, t: Any) -> Any:
    """How the polar factor of ``x`` moves when ``x`` moves along ``t``."""
    u, s, v = np.linalg.svd(x, full_matrices=False)
    back, right = _transposed(u), _transposed(v)
    inner = back @ t @ right
    out = u @ ((inner - _transposed(inner)) / (s[..., :, None] + s[..., None, :])) @ v
    if x.shape[-2] > x.shape[-1]:
        out = out + (t - u @ (back @ t)) @ (right / s[..., None, :]) @ v
    elif x.shape[-2] < x.shape[-1]:
        out = out + u @ (back / s[..., :, None]) @ (t - (t @ right) @ v)
    return out


polar_change_row = define(
    "polar_factor_change", "linalg", _polar_change, inputs="x t",
    x=missing("the nuclear norm, three times over, where it"),
    t=lambda g, x: polar_change_row(x, g),
    jvp=lambda x, t, x_t, t_t: polar_change_row(x, t_t),
    batch="same", conjugate=False,
)  # fmt: skip
polar_row = define(
    "polar_factor", "linalg", _polar, x=lambda g, x: polar_change_row(x, g),
    jvp=lambda x, x_t: polar_change_row(x, x_t), batch="same", conjugate=False,
)  # fmt: skip
nuclear_norm_row = define(
    "nuclear_norm", "linalg", lambda x: np.linalg.svd(x, compute_uv=False).sum(-1),
    x=lambda g, x: reshape_row(g, (*g.shape, 1, 1)) * polar_row(x),
    batch="same", conjugate=False, node_name="SumBackward1",
)  # fmt: skip


def nuclear_norm(input: Any, dim: Any, keepdim: bool) -> Any:
    """Sums of singular values of the matrices along two dims, all of them for None.

    Raises ``RuntimeError`` for other numbers of dims, the same one twice, and types that are not
    floating or too coarse; ``IndexError`` for a dim out of range.
    """
    shape, kind = tuple(input.shape), dtypes.of(input)
    given = tuple(range(len(shape))) if dim is None else dim
    given = tuple(given) if isinstance(given, (tuple, list)) else (given,)
    if len(given) != 2:
        raise RuntimeError(
            f"{NAME} is the norm of a matrix, which has 2 dims, but got dim={given} for shape "
            f"{describe_shape(shape)}"
        )
    first, second = (normalise_dim(each, len(shape)) for each in given)
    if first == second:
        raise RuntimeError(f"{NAME}: dims must be different, but got {given}")
    if kind.category < dtypes.FLOATING or kind in (dtypes.float16, dtypes.bfloat16):
        raise RuntimeError(f"{NAME} is for float32, float64 and complex types, not {kind!r}")
    others = tuple(each for each in range(-len(shape), 0) if each not in (first, second))
    in_order = (first, second) == (-2, -1)
    out = nuclear_norm_row(input if in_order else permute_row(input, (*others, first, second)))
    if not keepdim:
        return out
    kept = tuple(1 if place in (first, second) else shape[place] for place in range(-len(shape), 0))
    return rename(reshape_row(out, kept), "PermuteBackward0")
