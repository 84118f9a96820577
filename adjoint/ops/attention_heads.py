"""Attention by several heads, with the projections around it: what ``MultiheadAttention`` computes.

Queries are (L, N, E), keys and values (S, N, E); without N, one example.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from adjoint import dtypes
from adjoint.errors import describe_shape
from adjoint.ops.addition_products import baddbmm
from adjoint.ops.attention import scaled_dot_product_attention
from adjoint.ops.contraction import bmm, require_tensors, swap_last
from adjoint.ops.dimensions import squeeze_row
from adjoint.ops.dropout import functional_dropout as dropout
from adjoint.ops.joining import cat_row
from adjoint.ops.kinds.public import FUNCTIONAL, public
from adjoint.ops.linear import linear
from adjoint.ops.movement import expand_row, permute_row, reshape_row
from adjoint.ops.padding import pad
from adjoint.ops.reduction import mean
from adjoint.ops.selection import where_row
from adjoint.ops.slicing import slice_row
from adjoint.ops.softmax import softmax
from adjoint.shapes import product

NAME = "multi_head_attention_forward"


class _Sizes(NamedTuple):
    """Queries, examples, width, heads, width of a head."""

    targets: int
    examples: int
    width: int
    heads: int
    head: int


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise AssertionError(f"{NAME}: {message}")


# -- masks ----------------------------------------------------------------------------------------


def _additive(mask: Any, kind: dtypes.dtype, what: str) -> Any:
    """A mask to be added: minus infinity where a boolean one says True, which is not to look."""
    if mask is None:
        return None
    present = dtypes.of(mask)
    if present is dtypes.bool_:
        if kind.category != dtypes.FLOATING:
            raise RuntimeError(f"{NAME}: {kind!r} has no infinity, which {what} needs")
        return where_row(mask, np.array(-math.inf, kind.numpy), np.zeros((), kind.numpy))
    _require(present.category == dtypes.FLOATING, f"only bool and floating types of {what} go")
    return mask


def _attn_mask(mask: Any, sizes: _Sizes, sources: int) -> Any:
    """The mask of pairs as (1 or N * heads, L, S)."""
    if mask is None:
        return None
    shape: tuple[int, ...] = tuple(mask.shape)
    wanted: tuple[int, ...]
    pair = (sizes.targets, sources)
    if len(shape) == 2:
        fits, wanted = shape == pair, pair
    elif len(shape) == 3:
        wanted = (sizes.examples * sizes.heads, *pair)
        fits = shape == wanted
    else:
        raise RuntimeError(f"{NAME}: attn_mask has 2 or 3 dimensions, not {describe_shape(shape)}")
    if not fits:
        raise RuntimeError(
            f"{NAME}: the shape of the {len(shape)}D attn_mask is {shape}, but should be {wanted}"
        )
    return reshape_row(mask, (1, *shape)) if len(shape) == 2 else mask


def _merged(attn_mask: Any, padding: Any, sizes: _Sizes, sources: int) -> Any:
    """Both masks as one."""
    if padding is None:
        return attn_mask
    _require(
        tuple(padding.shape) == (sizes.examples, sources),
        f"expecting key_padding_mask shape of {(sizes.examples, sources)}, but got "
        f"{tuple(padding.shape)}",
    )
    each = expand_row(
        reshape_row(padding, (sizes.examples, 1, 1, sources)),
        (sizes.examples, sizes.heads, 1, sources),
    )
    padding = reshape_row(each, (sizes.examples * sizes.heads, 1, sources))
    return padding if attn_mask is None else attn_mask + padding


# -- projections ----------------------------------------------------------------------------------


def _parts(value: Any, count: int) -> list[Any]:
    """Equal parts of the first dimension; None for each part of None."""
    if value is None:
        return [None] * count
    rank = len(value.shape)
    if not rank:
        raise RuntimeError(f"{NAME}: the projections need at least one dimension")
    whole = value.shape[0]
    size = -(-whole // count)
    if whole and -(-whole // size) != count:
        raise ValueError(f"{NAME}: {describe_shape(value.shape)} does not make {count} parts")
    return [
        slice_row(value, -rank, place * size, min(place * size + size, whole), 1)
        for place in range(count)
    ]


def _check_separate(inputs: Any, weights: Any, biases: Any) -> None:
    width = inputs[0].shape[-1]
    for each, weight, bias in zip(inputs, weights, biases, strict=True):
        wanted = (width, each.shape[-1])
        _require(
            tuple(weight.shape) == wanted,
            f"expecting weights of shape {wanted}, but got {tuple(weight.shape)}",
        )
        _require(
            bias is None or tuple(bias.shape) == (width,),
            f"expecting a bias of shape {(width,)}, but got {bias is not None and bias.shape}",
        )


def _repeated(bias: Any, examples: int, width: int) -> Any:
    """A bias (1, 1, E), or of fewer dimensions, for each example."""
    shape = (1,) * (3 - len(bias.shape)) + tuple(bias.shape)
    if len(shape) != 3 or shape[1:] != (1, width):
        raise RuntimeError(
            f"{NAME}: a bias of shape {describe_shape(bias.shape)} is not [1, 1, {width}]"
        )
    return expand_row(reshape_row(bias, shape), (shape[0], examples, width))


def _by_heads(value: Any, sizes: _Sizes) -> Any:
    """(S, N, E) as (N * heads, S, head)."""
    wanted = (value.shape[0], sizes.examples * sizes.heads, sizes.head)
    if min(wanted) < 0 or product(wanted) != product(value.shape):
        raise RuntimeError(
            f"{NAME}: {describe_shape(value.shape)} does not have the shape {list(wanted)}"
        )
    flat = reshape_row(value, wanted)
    return permute_row(flat, (-2, -3, -1))


def _with_static(name: str, static: Any, value: Any, sizes: _Sizes) -> Any:
    if static is None:
        return _by_heads(value, sizes)
    wanted = (sizes.examples * sizes.heads, sizes.head)
    _require(
        static.shape[0] == wanted[0] and static.shape[2] == wanted[1],
        f"expecting {name} of shape ({wanted[0]}, S, {wanted[1]}), but got {tuple(static.shape)}",
    )
    return static


# -- what users call ------------------------------------------------------------------------------


@public(namespaces=FUNCTIONAL, method=False)
def multi_head_attention_forward(
    query: Any,
    key: Any,
    value: Any,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Any,
    in_proj_bias: Any,
    bias_k: Any,
    bias_v: Any,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Any,
    out_proj_bias: Any,
    training: bool = True,
    key_padding_mask: Any = None,
    need_weights: bool = True,
    attn_mask: Any = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Any = None,
    k_proj_weight: Any = None,
    v_proj_weight: Any = None,
    static_k: Any = None,
    static_v: Any = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> Any:
    """What ``nn.MultiheadAttention`` computes, of its parameters: the result, and the weights.

    Raises ``AssertionError`` and ``RuntimeError`` for shapes that do not match.

    >>> x, w = torch.ones(3, 1, 2), torch.eye(2)
    >>> out, weights = torch.nn.functional.multi_head_attention_forward(
    ...     x, x, x, 2, 1, torch.cat([w, w, w]), None, None, None, False, 0.0, w, None
    ... )
    >>> out.shape, weights.shape
    (torch.Size([3, 1, 2]), torch.Size([1, 3, 3]))
    """
    require_tensors(NAME, query, key, value)
    batched = _check_ranks(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not batched:
        query, key, value = (_with_example(each) for each in (query, key, value))
        if key_padding_mask is not None:
            key_padding_mask = reshape_row(key_padding_mask, (1, *key_padding_mask.shape))
    targets, examples, width = query.shape
    _require(
        width == embed_dim_to_check,
        f"was expecting embedding dimension of {embed_dim_to_check}, but got {width}",
    )
    _require(width % num_heads == 0, f"embed_dim {width} not divisible by num_heads {num_heads}")
    sizes = _Sizes(targets, examples, width, num_heads, width // num_heads)
    if is_causal and attn_mask is None:
        raise RuntimeError(f"{NAME}: Need attn_mask if specifying the is_causal hint.")
    padding = _additive(key_padding_mask, dtypes.of(query), "key_padding_mask")
    if is_causal and key_padding_mask is None and not need_weights:
        attn_mask = None  # the hint says it all
    else:
        attn_mask, is_causal = _additive(attn_mask, dtypes.of(query), "attn_mask"), False
    _check_keys(key, value, use_separate_proj_weight)
    separate = (q_proj_weight, k_proj_weight, v_proj_weight)
    weights = separate if use_separate_proj_weight else _parts(in_proj_weight, 3)
    _require(all(each is not None for each in weights), "a weight of the projections is None")
    biases = _parts(in_proj_bias, 3)
    if use_separate_proj_weight:
        _check_separate((query, key, value), weights, biases)
    q, k, v = (
        linear(each, weight, bias)
        for each, weight, bias in zip((query, key, value), weights, biases, strict=True)
    )
    attn_mask = _attn_mask(attn_mask, sizes, key.shape[0])
    _require((bias_k is None) == (bias_v is None), "one of bias_k and bias_v is None")
    if bias_k is not None:
        _require(static_k is None and static_v is None, "bias cannot be added to static key")
        k, v = (
            cat_row([each, _repeated(bias, examples, width)], -3)
            for each, bias in ((k, bias_k), (v, bias_v))
        )
        attn_mask, padding = _one_more(attn_mask), _one_more(padding)
    q = _by_heads(q, sizes)
    k = _with_static("static_k", static_k, k, sizes)
    v = _with_static("static_v", static_v, v, sizes)
    if add_zero_attn:
        nothing = np.zeros((examples * num_heads, 1, sizes.head), dtypes.of(k).numpy)
        k, v = cat_row([k, nothing], -2), cat_row([v, nothing], -2)
        attn_mask, padding = _one_more(attn_mask), _one_more(padding)
    mask = _merged(attn_mask, padding, sizes, k.shape[1])
    dropped = dropout_p if training else 0.0
    if need_weights:
        out, found = _with_weights(q, k, v, mask, dropped, sizes, average_attn_weights)
    else:
        out, found = _without_weights(q, k, v, mask, dropped, sizes, is_causal), None
    out = linear(out, out_proj_weight, out_proj_bias)
    out = reshape_row(out, (targets, examples, width))
    if batched:
        return out, found
    return squeeze_row(out, -2), None if found is None else squeeze_row(found, -len(found.shape))


def _with_example(value: Any) -> Any:
    return reshape_row(value, (value.shape[0], 1, *value.shape[1:]))


def _one_more(mask: Any) -> Any:
    """A mask with one source more, to look at."""
    return None if mask is None else pad(mask, (0, 1))


def _with_weights(
    q: Any, k: Any, v: Any, mask: Any, dropped: float, sizes: _Sizes, average: bool
) -> tuple[Any, Any]:
    q = q * math.sqrt(1.0 / sizes.head)
    scores = bmm(q, swap_last(k)) if mask is None else baddbmm(mask, q, swap_last(k))
    weights = softmax(scores, -1)
    if dropped > 0:
        weights = dropout(weights, dropped)
    out = permute_row(bmm(weights, v), (-2, -3, -1))
    out = reshape_row(out, (sizes.targets * sizes.examples, sizes.width))
    weights = reshape_row(weights, (sizes.examples, sizes.heads, *weights.shape[1:]))
    return out, mean(weights, 1) if average else weights


def _without_weights(
    q: Any, k: Any, v: Any, mask: Any, dropped: float, sizes: _Sizes, is_causal: bool
) -> Any:
    lead = (sizes.examples, sizes.heads)
    if mask is not None:
        whole = mask.shape[0] != 1 or sizes.examples * sizes.heads == 1
        shape = (*lead, *mask.shape[1:]) if whole else (1, *mask.shape)
        mask = reshape_row(mask, shape)
    q, k, v = (reshape_row(each, (*lead, *each.shape[1:])) for each in (q, k, v))
    out = scaled_dot_product_attention(q, k, v, mask, dropped, is_causal)
    out = permute_row(out, (-2, -4, -3, -1))
    return reshape_row(out, (sizes.targets * sizes.examples, sizes.width))


# -- checks ---------------------------------------------------------------------------------------


def _check_ranks(query: Any, key: Any, value: Any, padding: Any, mask: Any, heads: int) -> bool:
    """Whether there is a dimension of examples; all inputs must agree on that."""
    rank = len(query.shape)
    if rank not in (2, 3):
        raise AssertionError(
            f"{NAME}: query should be unbatched 2D or batched 3D tensor but received {rank}-D "
            "query tensor"
        )
    for name, each in (("key", key), ("value", value)):
        _require(len(each.shape) == rank, f"for a {rank}-D query, expected {name} to be {rank}-D "
                 f"but found {len(each.shape)}-D")  # fmt: skip
    if padding is not None:
        _require(
            len(padding.shape) == rank - 1,
            f"for a {rank}-D query, expected key_padding_mask to be None or {rank - 1}-D",
        )
    if mask is not None:
        _require(len(mask.shape) in (2, 3), "expected attn_mask to be None, 2-D or 3-D")
        if rank == 2 and len(mask.shape) == 3:
            wanted = (heads, query.shape[0], key.shape[0])
            _require(
                tuple(mask.shape) == wanted, f"expected attn_mask of shape {wanted} but got "
                f"{tuple(mask.shape)}",
            )  # fmt: skip
    return rank == 3


def _check_keys(key: Any, value: Any, separate: bool) -> None:
    if separate:
        fits = tuple(key.shape[:2]) == tuple(value.shape[:2])
    else:
        fits = tuple(key.shape) == tuple(value.shape)
    _require(fits, f"key shape {tuple(key.shape)} does not match value shape {tuple(value.shape)}")


__all__ = ["multi_head_attention_forward"]
