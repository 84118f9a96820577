"""Embeddings: rows of a table, by number."""

from __future__ import annotations

from typing import Any, Self

from adjoint import dtypes
from adjoint.errors import describe_shape
from adjoint.nn import functional as F
from adjoint.nn import init
from adjoint.nn.module import Module
from adjoint.nn.modules.making import empty_parameter
from adjoint.nn.parameter import Parameter
from adjoint.tape.modes import no_grad


def _within(padding_idx: int | None, count: int) -> int | None:
    """The index of padding counted from the front; ``AssertionError`` for one there is not."""
    if padding_idx is None:
        return None
    if not -count <= padding_idx < count:
        raise AssertionError(
            f"padding_idx must be within the {count} embeddings, but got {padding_idx}"
        )
    return padding_idx % count


class Embedding(Module):
    """A table of vectors: integers of any shape give a vector each.

    The table begins with normal numbers. The row ``padding_idx`` begins as zeros and does not
    learn; with ``max_norm`` the rows that are used are scaled down to that norm. Raises
    ``AssertionError`` for a padding index that is not in the table.

    >>> torch.nn.Embedding(10, 3)(torch.tensor([[1, 2, 4]])).shape
    torch.Size([1, 3, 3])
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Any = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: dtypes.dtype | None = None,
    ) -> None:
        super().__init__()
        if sparse:
            raise NotImplementedError("sparse=True: there are no sparse gradients here")
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = _within(padding_idx, num_embeddings)
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse
        if _weight is None:
            self.weight = empty_parameter((num_embeddings, embedding_dim), device, dtype)
            self.weight.requires_grad_(not _freeze)
            self.reset_parameters()
        else:
            if tuple(_weight.shape) != (num_embeddings, embedding_dim):
                raise AssertionError(
                    f"a weight of shape {describe_shape(_weight.shape)} does not match "
                    f"num_embeddings={num_embeddings} and embedding_dim={embedding_dim}"
                )
            self.weight = Parameter(_weight, requires_grad=not _freeze)

    def reset_parameters(self) -> None:
        """Draw the table anew."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx].fill_(0)

    def forward(self, input: Any) -> Any:
        return F.embedding(
            input,
            self.weight,
            self.padding_idx,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.sparse,
        )

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Any,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Self:
        """An embedding of a given table (a matrix), which does not learn if ``freeze``."""
        if len(embeddings.shape) != 2:
            raise AssertionError(
                "Embeddings parameter is expected to be 2-dimensional, but got shape "
                f"{describe_shape(embeddings.shape)}"
            )
        rows, columns = embeddings.shape
        return cls(
            rows,
            columns,
            padding_idx,
            max_norm,
            norm_type,
            scale_grad_by_freq,
            sparse,
            _weight=embeddings,
            _freeze=freeze,
        )

    def extra_repr(self) -> str:
        parts = [f"{self.num_embeddings}, {self.embedding_dim}"]
        if self.padding_idx is not None:
            parts.append(f"padding_idx={self.padding_idx}")
        if self.max_norm is not None:
            parts.append(f"max_norm={self.max_norm}")
        if self.norm_type != 2:
            parts.append(f"norm_type={self.norm_type}")
        if self.scale_grad_by_freq:
            parts.append(f"scale_grad_by_freq={self.scale_grad_by_freq}")
        return ", ".join(parts)


class EmbeddingBag(Module):
    """Sums, means or maxima of the rows of a table that bags of integers name.

    The table begins with normal numbers. The options are those of ``Embedding`` and of
    ``nn.functional.embedding_bag``. Raises ``AssertionError`` for a padding index that is not in
    the table.

    >>> torch.nn.EmbeddingBag(10, 3, mode="sum")(torch.tensor([[1, 2], [4, 4]])).shape
    torch.Size([2, 3])
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Any = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: Any = None,
        dtype: dtypes.dtype | None = None,
    ) -> None:
        super().__init__()
        if sparse:
            raise NotImplementedError("sparse=True: there are no sparse gradients here")
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.padding_idx = _within(padding_idx, num_embeddings)
        self.mode = mode
        self.sparse = sparse
        self.include_last_offset = include_last_offset
        if _weight is None:
            self.weight = empty_parameter((num_embeddings, embedding_dim), device, dtype)
            self.reset_parameters()
        else:
            if tuple(_weight.shape) != (num_embeddings, embedding_dim):
                raise AssertionError(
                    f"a weight of shape {describe_shape(_weight.shape)} does not match "
                    f"num_embeddings={num_embeddings} and embedding_dim={embedding_dim}"
                )
            self.weight = Parameter(_weight)

    def reset_parameters(self) -> None:
        """Draw the table anew."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx].fill_(0)

    def forward(self, input: Any, offsets: Any = None, per_sample_weights: Any = None) -> Any:
        return F.embedding_bag(
            input,
            self.weight,
            offsets,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.mode,
            self.sparse,
            per_sample_weights,
            self.include_last_offset,
            self.padding_idx,
        )

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Any,
        freeze: bool = True,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
    ) -> Self:
        """Bags of a given table (a matrix), which does not learn if ``freeze``."""
        if len(embeddings.shape) != 2:
            raise AssertionError(
                "Embeddings parameter is expected to be 2-dimensional, but got shape "
                f"{describe_shape(embeddings.shape)}"
            )
        count, width = embeddings.shape
        found = cls(
            count,
            width,
            max_norm=max_norm,
            norm_type=norm_type,
            scale_grad_by_freq=scale_grad_by_freq,
            mode=mode,
            sparse=sparse,
            _weight=embeddings,
            include_last_offset=include_last_offset,
            padding_idx=padding_idx,
        )
        found.weight.requires_grad = not freeze
        return found

    def extra_repr(self) -> str:
        parts = [f"{self.num_embeddings}, {self.embedding_dim}"]
        if self.max_norm is not None:
            parts.append(f"max_norm={self.max_norm}")
        if self.norm_type != 2:
            parts.append(f"norm_type={self.norm_type}")
        if self.scale_grad_by_freq:
            parts.append(f"scale_grad_by_freq={self.scale_grad_by_freq}")
        parts.append(f"mode={self.mode!r}")
        if self.padding_idx is not None:
            parts.append(f"padding_idx={self.padding_idx}")
        return ", ".join(parts)


__all__ = ["Embedding", "EmbeddingBag"]
