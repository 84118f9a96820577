"""Attention by several heads as a layer."""

from __future__ import annotations

from typing import Any

from adjoint import dtypes
from adjoint.nn import functional as F
from adjoint.nn import init
from adjoint.nn.module import Module
from adjoint.nn.modules.linear import Linear
from adjoint.nn.modules.making import empty_parameter


class NonDynamicallyQuantizableLinear(Linear):
    """``Linear`` under the name that PyTorch prints for the last projection of attention."""


class MultiheadAttention(Module):
    """Attention of ``num_heads`` heads, each over a part of ``embed_dim``, with its projections.

    Queries are (L, N, E), keys (S, N, ``kdim``) and values (S, N, ``vdim``), with N first if
    ``batch_first``, or without it; the result is (L, N, E). Returns the result and the weights, of
    (N, L, S) and means over heads by default, or None with ``need_weights=False``. Masks that are
    boolean are True where not to look. Raises ``ValueError`` for sizes below 1, and
    ``AssertionError`` where ``num_heads`` does not divide ``embed_dim``.

    >>> attention = torch.nn.MultiheadAttention(4, 2)
    >>> x = torch.ones(3, 1, 4)
    >>> out, weights = attention(x, x, x)
    >>> out.shape, weights.shape
    (torch.Size([3, 1, 4]), torch.Size([1, 3, 3]))
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: dtypes.dtype | None = None,
    ) -> None:
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                f"embed_dim and num_heads must be greater than 0, but got embed_dim={embed_dim} "
                f"and num_heads={num_heads}"
            )
        super().__init__()
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        if embed_dim % num_heads:
            raise AssertionError(
                f"embed_dim must be divisible by num_heads, but got {embed_dim} and {num_heads}"
            )
        widths = {"q": embed_dim, "k": self.kdim, "v": self.vdim}
        for name, width in widths.items():
            weight = None
            if not self._qkv_same_embed_dim:
                weight = empty_parameter((embed_dim, width), device, dtype)
            self.register_parameter(f"{name}_proj_weight", weight)
        packed = None
        if self._qkv_same_embed_dim:
            packed = empty_parameter((3 * embed_dim, embed_dim), device, dtype)
        self.register_parameter("in_proj_weight", packed)
        in_bias = empty_parameter((3 * embed_dim,), device, dtype) if bias else None
        self.register_parameter("in_proj_bias", in_bias)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias, device, dtype)
        self.bias_k = self.bias_v = None
        if add_bias_kv:
            self.bias_k = empty_parameter((1, 1, embed_dim), device, dtype)
            self.bias_v = empty_parameter((1, 1, embed_dim), device, dtype)
        self.add_zero_attn = add_zero_attn
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the projections of the inputs anew; biases become zeros."""
        if self._qkv_same_embed_dim:
            init.xavier_uniform_(self.in_proj_weight)
        else:
            for weight in (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None:
            init.zeros_(self.in_proj_bias)
            init.zeros_(self.out_proj.bias)
        for each in (self.bias_k, self.bias_v):
            if each is not None:
                init.xavier_normal_(each)

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Any, Any]:
        turned = self.batch_first and len(query.shape) == 3
        if turned:
            query, key, value = (each.transpose(1, 0) for each in (query, key, value))
        out, weights = F.multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            training=self.training,
            key_padding_mask=key_padding_mask,
            need_weights=need_weights,
            attn_mask=attn_mask,
            use_separate_proj_weight=not self._qkv_same_embed_dim,
            q_proj_weight=self.q_proj_weight,
            k_proj_weight=self.k_proj_weight,
            v_proj_weight=self.v_proj_weight,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
        )
        return (out.transpose(1, 0) if turned else out), weights


__all__ = ["MultiheadAttention"]
