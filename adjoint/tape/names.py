"""Under which names the saved values of a node are shown, and in which order hooks see them.

The names are PyTorch's. Most follow from those in the row's formulas by one rule; a row whose
values have other names there says so itself (``saved="y=mat2"``).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

RULE = {"x": "self", "y": "other", "input": "self", "base": "self", "out": "result", "dims": "dim"}
# Options that only Adjoint's rows have: how a kernel goes about it, or what it found on the way.
OWN = frozenset(
    (
        "count", "kept", "lines", "offsets", "order", "outs", "pads", "path", "place", "rank",
        "reverse", "tensors", "trailing", "width", "windows", "witness",
    )
)  # fmt: skip
SIZES = "_sym_sizes"


@cache
def saved_names(row: Any) -> dict[str, str]:
    """The name in the row's formulas of each saved value that is shown, by the name shown."""
    used: set[str] = set()
    for formula in row.formulas.values():
        used.update(_arguments(formula)[1:])
    if row.vjp is not None:
        used.update(_arguments(row.vjp)[2:])
    special: dict[str, str] = row.saved_as
    names = {}
    for own in (*row.inputs, *row.outputs, *row.options, *[f"{each}_shape" for each in row.inputs]):
        if own not in used and own not in special:
            continue
        shown = special.get(own)
        if shown is None and own not in OWN:
            shown = _shown(row, own, special)
        if shown:
            names[shown] = own
    return names


def _arguments(formula: Any) -> tuple[str, ...]:
    names: tuple[str, ...] = formula.__code__.co_varnames
    return names[: formula.__code__.co_argcount]


def _shown(row: Any, own: str, special: dict[str, str]) -> str:
    if own.endswith("_shape") and own.removesuffix("_shape") in row.inputs:
        name = own.removesuffix("_shape")
        return special.get(name, RULE.get(name, name)) + SIZES
    if own == "dims" and row.kind == "movement":
        return own
    return RULE.get(own, own)


@cache
def _with_gradients(row: Any) -> tuple[int, ...] | None:
    names = getattr(row, "formulas", None)
    if not names or row.variadic:
        return None
    return tuple([place for place, name in enumerate(row.inputs) if name in names])


def shown_edges(node: Any) -> Sequence[Any]:
    """The edges of a node to inputs that may have gradients: indices and masks have none."""
    edges: Sequence[Any] = node.edges
    places = _with_gradients(node.plan.row) if edges else None
    return edges if places is None else [edges[place] for place in places]


def shown_gradients(node: Any, gradients: Sequence[Any]) -> Sequence[Any]:
    """Those of the gradients of all inputs that belong to ``shown_edges``."""
    places = _with_gradients(node.plan.row)
    return gradients if places is None else [gradients[place] for place in places]


def all_gradients(node: Any, shown: Sequence[Any]) -> list[Any]:
    """Gradients of all inputs again, from those of ``shown_edges``."""
    places = _with_gradients(node.plan.row)
    if places is None:
        return list(shown)
    found = [None] * len(node.edges)
    for place, g in zip(places, shown, strict=True):
        found[place] = g
    return found


@cache
def _order(row: Any) -> tuple[int, ...]:
    special = row.saved_as
    own = ("tensors",) if row.variadic else row.inputs
    shown = [special.get(name, RULE.get(name, name)) for name in own]
    inputs = sorted(range(len(own)), key=shown.__getitem__)
    outputs = sorted(
        range(len(own), len(own) + len(row.outputs)),
        key=lambda place: row.outputs[place - len(own)],
    )
    start = len(own) + len(row.outputs)
    kept = [start + place for place, name in enumerate(row.options) if name == "kept"]
    return (*inputs, *outputs, *kept)


def saved_order(plan: Any) -> tuple[int, ...]:
    """The places of what a node of ``plan`` may have saved of tensors, as hooks see them."""
    if not hasattr(plan, "positions"):  # a user's Function: one tuple, in the user's order
        return (0,)
    return _order(plan.row)
