"""``rearrange``: permute, split and join dimensions by a pattern of names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from adjoint.errors import describe_shape
from adjoint.ops.joining import stack
from adjoint.shapes import product

TOKEN = re.compile(r"\.\.\.|[A-Za-z_]\w*|\d+|[()]|\S")
DOTS = "..."


class Side(NamedTuple):
    """One side of a pattern: for each dimension the names that it is made of."""

    groups: tuple[tuple[str, ...], ...]

    @property
    def names(self) -> list[str]:
        """All names in order."""
        return [name for group in self.groups for name in group]


def rearrange(tensor: Any, pattern: str, **axes_lengths: int) -> Any:
    """The tensor with its dimensions arranged as ``pattern`` says, ``"batch (h w) -> h batch w"``.

    Names stand for dimensions, brackets join several into one, ``...`` stands for any that are
    left, and 1 or () for one of size 1. ``axes_lengths`` gives sizes that cannot be found out. A
    list of tensors is stacked first. Raises ``ValueError`` for a pattern that does not fit.

    >>> import adjoint as torch
    >>> torch.func.rearrange(torch.arange(6).reshape(2, 3), "a b -> (b a)")
    tensor([0, 3, 1, 4, 2, 5])
    """
    if isinstance(tensor, (list, tuple)):
        tensor = stack(tensor)
    left, right = _parse(pattern, axes_lengths)
    shape = tuple(tensor.shape)
    left, right, anonymous = _without_dots(left, right, shape, pattern)
    sizes = _sizes(left, shape, axes_lengths, pattern) | anonymous
    elements = tensor.reshape([sizes[name] for name in left.names])
    order = [left.names.index(name) for name in right.names]
    joined = [product(sizes[name] for name in group) for group in right.groups]
    return elements.permute(order).reshape(joined)


def _parse(pattern: str, lengths: dict[str, int]) -> tuple[Side, Side]:
    sides = pattern.split("->")
    if len(sides) != 2:
        raise ValueError(f"rearrange: {pattern!r} needs one '->' between its two sides")
    left, right = (_parse_side(side, pattern) for side in sides)
    if DOTS in right.names and DOTS not in left.names:
        raise ValueError(f"rearrange: {pattern!r} has '...' on the right only")
    if any(DOTS in group and len(group) > 1 for group in left.groups):
        raise ValueError(f"rearrange: {pattern!r} has '...' in brackets on the left")
    if set(left.names) != set(right.names):
        alone = sorted(set(left.names) ^ set(right.names))
        raise ValueError(f"rearrange: {pattern!r} has {alone} on one side only")
    unknown = sorted(set(lengths) - set(left.names))
    if unknown:
        raise ValueError(f"rearrange: lengths are given for {unknown}, not in {pattern!r}")
    return left, right


def _parse_side(text: str, pattern: str) -> Side:
    groups: list[tuple[str, ...]] = []
    inside: list[str] | None = None
    for token in TOKEN.findall(text):
        if token == "(" and inside is None:
            inside = []
        elif token == ")" and inside is not None:
            groups.append(tuple(inside))
            inside = None
        elif token == "1":
            if inside is None:
                groups.append(())
        elif token == DOTS or token.isidentifier():
            if inside is None:
                groups.append((token,))
            else:
                inside.append(token)
        else:
            raise ValueError(f"rearrange: {token!r} has no meaning there in {pattern!r}")
    side = Side(tuple(groups))
    if inside is not None:
        raise ValueError(f"rearrange: a bracket is not closed in {pattern!r}")
    if len(set(side.names)) != len(side.names):
        raise ValueError(f"rearrange: a name stands twice on one side of {pattern!r}")
    return side


def _without_dots(
    left: Side, right: Side, shape: Sequence[int], pattern: str
) -> tuple[Side, Side, dict[str, int]]:
    """Names in place of the dots, for as many dimensions as they stand for."""
    extra = len(shape) - sum(DOTS not in group for group in left.groups)
    if (DOTS not in left.names and extra) or extra < 0:
        raise ValueError(
            f"rearrange: {pattern!r} does not fit a tensor of shape {describe_shape(shape)}"
        )
    names = tuple(f".{number}" for number in range(extra))
    first = next((n for n, group in enumerate(left.groups) if DOTS in group), 0)
    sizes = {name: shape[first + number] for number, name in enumerate(names)}
    left_groups: list[tuple[str, ...]] = []
    for group in left.groups:
        left_groups += [(name,) for name in names] if DOTS in group else [group]
    right_groups: list[tuple[str, ...]] = []
    for group in right.groups:
        if group == (DOTS,):
            right_groups += [(name,) for name in names]
        else:
            parts = [names if name == DOTS else (name,) for name in group]
            right_groups.append(tuple(name for part in parts for name in part))
    return Side(tuple(left_groups)), Side(tuple(right_groups)), sizes


def _sizes(
    left: Side, shape: Sequence[int], lengths: dict[str, int], pattern: str
) -> dict[str, int]:
    """The size of every name; one in each bracket may be found from the others."""
    sizes: dict[str, int] = {}
    for group, size in zip(left.groups, shape, strict=True):
        unknown = [name for name in group if name not in lengths]
        known = product(lengths[name] for name in group if name in lengths)
        if len(unknown) > 1:
            raise ValueError(
                f"rearrange: of the names {unknown} in {pattern!r} all but one need a length, "
                f"as {unknown[0]}=2"
            )
        fits = known == size if not unknown else known > 0 and size % known == 0
        if not fits:
            raise ValueError(
                f"rearrange: a dimension of size {size} is not made of {group} with the lengths "
                f"{ {name: lengths[name] for name in group if name in lengths} }"
            )
        sizes |= {name: lengths.get(name, size // max(known, 1)) for name in group}
    return sizes
