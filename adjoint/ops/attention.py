"""Attention: values averaged with weights from how well queries and keys go together."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.value import apply
from adjoint.errors import describe_shape
from adjoint.ops.contraction import matmul_row, mismatch, require_same_type, swap_last
from adjoint.ops.dropout import dropout
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import FUNCTIONAL, public
from adjoint.ops.kinds.quick import finish, rename
from adjoint.ops.kinds.row import Row
from adjoint.ops.kinds.rules import Fact
from adjoint.ops.movement import expand_row, reshape_row
from adjoint.ops.normalisation import plain
from adjoint.ops.reduction import sum_all, sum_row
from adjoint.ops.selection import where_row
from adjoint.ops.softmax import (
    safe_softmax_array,
    safe_softmax_row,
    softmax_array,
    softmax_row,
)
from adjoint.shapes import broadcast_shapes
from adjoint.tape.tensor import Tensor, wrap

ndarray = np.ndarray
Shape = tuple[int, ...]


# -- the weights: softmax, but zeros for a query that may look at nothing --------------------------


def _weights_array(q: Any, k: Any, mask: Any, scale: float) -> Any:
    out = np.matmul(q * q.dtype.type(scale), k.swapaxes(-1, -2))
    if mask is None:
        return softmax_array(out, -1, out)
    out = out + mask
    return safe_softmax_array(out, -1, out)


def _weights_value(q: Any, k: Any, mask: Any, scale: float) -> Any:
    out = matmul_row(q * scale, swap_last(k))
    if not out.shape[-1]:
        return out
    return softmax_row(out, -1) if mask is None else safe_softmax_row(out + mask, -1)


def _weights(q: Any, k: Any, mask: Any, scale: float, kept: Any) -> Any:
    if type(q) is ndarray and type(k) is ndarray and (mask is None or type(mask) is ndarray):
        return _weights_array(q, k, mask, scale) if kept is None else kept
    return _weights_value(q, k, mask, scale)


def _softmax_moves(v: Any, weights: Any) -> Any:
    """The Jacobian of softmax times a cotangent or a tangent."""
    return weights * (v - sum_row(weights * v, (-1,), True))


# -- the row ------------------------------------------------------------------------------------


def _attention(q: Any, k: Any, v: Any, mask: Any, scale: float, kept: Any) -> Any:
    return np.matmul(_weights_array(q, k, mask, scale), v)


def _attention_vjp(
    g: Any, needs: Any, q: Any, k: Any, v: Any, mask: Any, scale: float, kept: Any
) -> list[Any]:
    weights = _weights(q, k, mask, scale, kept)
    found: list[Any] = [None] * 4
    if needs[2]:
        found[2] = matmul_row(swap_last(weights), g)
    if needs[0] or needs[1] or needs[3]:
        moved = _softmax_moves(matmul_row(g, swap_last(v)), weights)
        if needs[0]:
            found[0] = matmul_row(moved, k) * scale
        if needs[1]:
            found[1] = matmul_row(swap_last(moved), q) * scale
        if needs[3]:
            found[3] = moved
    return found


def _attention_jvp(
    row: Row, primals: tuple[Any, ...], tangents: tuple[Any, ...], out: Any, options: Any
) -> Any:
    q, k, v, mask = primals
    q_t, k_t, v_t, mask_t = tangents
    scale = options[0]
    weights = _weights_value(q, k, mask, scale)
    logits_t = []
    if q_t is not None:
        logits_t.append(matmul_row(q_t * scale, swap_last(k)))
    if k_t is not None:
        logits_t.append(matmul_row(q * scale, swap_last(k_t)))
    if mask_t is not None:
        logits_t.append(mask_t)
    parts = [] if v_t is None else [matmul_row(weights, v_t)]
    if logits_t:
        moved = logits_t[0]
        for part in logits_t[1:]:
            moved = moved + part
        parts.append(matmul_row(_softmax_moves(moved, weights), v))
    return parts[0] if len(parts) == 1 else parts[0] + parts[1]


def _batch_attention(
    row: Row, size: int, values: list[Any], batched: list[bool], options: tuple[Any, ...]
) -> Any:
    """Line up the dimensions in front behind the batch axis; broadcasting does the rest."""
    rank = max(
        len(x.shape) - inside for x, inside in zip(values, batched, strict=True) if x is not None
    )
    lined_up = []
    for x, inside in zip(values, batched, strict=True):
        if inside and len(x.shape) <= rank:
            missing = rank + 1 - len(x.shape)
            x = reshape_row(x, (size, *(1,) * missing, *x.shape[1:]))
        lined_up.append(x)
    return apply(row, tuple(lined_up), options)


def _infer_attention(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
    q, k, v, mask = inputs
    fronts = [tuple(each.shape[:-2]) for each in (q, k, v)]
    if mask is not None:
        fronts.append(tuple(mask.shape[:-2]))
    return (*broadcast_shapes(*fronts), q.shape[-2], v.shape[-1]), dtypes.of(q)


# ``kept`` are the weights that the forward pass has made, for a backward pass on plain tensors.
attention_row: Any = define(
    "scaled_dot_product_attention", "fused", _attention,
    inputs="q k v mask", options="scale kept",
    vjp=_attention_vjp, batch=_batch_attention, infer=_infer_attention,
    decompose=lambda q, k, v, mask, scale, kept: matmul_row(_weights_value(q, k, mask, scale), v),
    node_name="UnsafeViewBackward0", saved="q=query k=key v=value mask=attn_mask",
)  # fmt: skip
attention_row.row.jvp = _attention_jvp


# -- what users call ----------------------------------------------------------------------------


@public(namespaces=FUNCTIONAL, method=False)
def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    """``softmax(query @ key.mT * scale + attn_mask) @ value``.

    The shapes are (..., L, E), (..., S, E) and (..., S, V), the result's (..., L, V). ``scale`` is
    ``1 / sqrt(E)`` by default. A boolean mask (..., L, S) says where to look, another is added;
    ``is_causal`` looks at no key behind the query's place. A query that may look at nothing gets
    zeros. ``dropout_p`` drops weights. With ``enable_gqa`` groups of query heads share a head of
    keys and values. Raises ``RuntimeError`` where shapes or types do not match.

    >>> q, k = torch.zeros(1, 2), torch.zeros(2, 2)
    >>> torch.nn.functional.scaled_dot_product_attention(q, k, torch.tensor([[1.0], [3.0]]))
    tensor([[2.]])
    """
    if enable_gqa:
        key, value = (_shared_heads(each, query) for each in (key, value))
    _check_inputs(query, key, value)
    if 0 in query.shape:
        return _of_nothing(query, key, value)
    shape = _check_shapes(query, key, value, attn_mask)
    factor = 1 / math.sqrt(query.shape[-1] or 1) if scale is None else float(scale)
    mask = _additive(attn_mask, is_causal, query, shape)
    if dropout_p:
        weights = _weights_value(query, key, mask, factor)
        return matmul_row(dropout(weights, dropout_p, True), value)
    values = (query, key, value, mask)
    if plain(values):
        arrays: list[Any] = [None if each is None else each._array for each in values]
        with np.errstate(all="ignore"):
            kept = _weights_array(arrays[0], arrays[1], arrays[3], factor)
            out = np.matmul(kept, arrays[2])
        made = finish(attention_row.row, out, query._level, values, (factor, kept))
    else:
        made = attention_row(*values, factor, None)
    return rename(made, _node_name(query, key, value, attn_mask, shape))


def _node_name(query: Any, key: Any, value: Any, mask: Any, shape: Shape) -> str:
    """PyTorch's name for the last step, which depends on the kernel that it would choose."""
    heads = [tuple(each.shape[:-2]) for each in (query, key, value)]
    widths = {each.shape[-1] for each in (query, key, value)}
    fixed = not (isinstance(mask, Tensor) and mask._node is not None)
    if len(query.shape) == 4 and heads[0] == heads[1] == heads[2] and len(widths) == 1 and fixed:
        return "ScaledDotProductFlashAttentionForCpuBackward0"
    return "MmBackward0" if len(shape) == 2 else "UnsafeViewBackward0"


def _of_nothing(query: Any, key: Any, value: Any) -> Any:
    """Without queries PyTorch checks no shapes: zeros, and gradients of zero."""
    total = (sum_all(query) + sum_all(key) + sum_all(value)) * 0
    shape = (*query.shape[:-1], value.shape[-1])
    return rename(expand_row(total, shape), "AddBackward0")


def _check_inputs(query: Any, key: Any, value: Any) -> None:
    name = "scaled_dot_product_attention"
    require_same_type(name, query, key, value)
    if min(len(each.shape) for each in (query, key, value)) < 2:
        raise RuntimeError(
            f"{name}: query, key and value have at least 2 dimensions, but their shapes are "
            + " and ".join(describe_shape(each.shape) for each in (query, key, value))
        )


def _check_shapes(query: Any, key: Any, value: Any, mask: Any) -> Shape:
    """The shape of the weights; ``RuntimeError`` for what does not fit."""
    name = "scaled_dot_product_attention"
    if dtypes.of(query).category < dtypes.FLOATING:
        raise RuntimeError(f"{name}: expected floating types, but got {dtypes.of(query)!r}")
    if dtypes.of(query).is_complex:
        raise NotImplementedError(f"{name} is not implemented for {dtypes.of(query)!r}")
    if query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        raise mismatch(name, query, key, value)
    fronts = (tuple(each.shape[:-2]) for each in (query, key, value))
    shape = (*broadcast_shapes(*fronts), query.shape[-2], key.shape[-2])
    if mask is not None:
        kind = dtypes.of(mask)
        if kind not in (dtypes.bool_, dtypes.float32, dtypes.of(query)):
            raise RuntimeError(
                f"{name}: attn_mask is boolean or of the query's type, but its type is {kind!r}"
            )
        if broadcast_shapes(tuple(mask.shape), shape) != shape:
            raise RuntimeError(
                f"{name}: attn_mask of shape {describe_shape(mask.shape)} does not stretch to "
                f"the weights' {describe_shape(shape)}"
            )
    return shape


def _additive(mask: Any, is_causal: bool, query: Any, shape: Shape) -> Any:
    """What is added to the logits: the mask, a boolean one as zeros and minus infinities."""
    kind = dtypes.of(query).numpy
    if mask is not None and dtypes.of(mask) is dtypes.bool_:
        away = wrap(np.full((), -math.inf, kind))
        mask = where_row(mask, wrap(np.zeros((), kind)), away)
    if is_causal:
        seen = np.where(np.tri(*shape[-2:], dtype=np.bool_), 0, -math.inf).astype(kind)
        mask = wrap(seen) if mask is None else mask + wrap(seen)
    return mask


def _shared_heads(x: Any, query: Any) -> Any:
    """Each head of keys or values as often as there are query heads for it."""
    heads, wanted = x.shape[-3], query.shape[-3]
    if heads == wanted:
        return x
    if not heads or wanted % heads:
        raise RuntimeError(
            f"scaled_dot_product_attention: {wanted} query heads cannot share {heads} heads of "
            "keys and values evenly"
        )
    shape = tuple(x.shape)
    apart = reshape_row(x, (*shape[:-2], 1, *shape[-2:]))
    spread = expand_row(apart, (*shape[:-2], wanted // heads, *shape[-2:]))
    return reshape_row(spread, (*shape[:-3], wanted, *shape[-2:]))
