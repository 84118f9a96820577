"""The options that steer printing, and the checks that stand before them."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Real
from typing import Any, NamedTuple


class PrintOptions(NamedTuple):
    """How tensors are printed; replaced as a whole, so a refused change leaves no trace."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: float = 80
    sci_mode: bool | None = None


_PROFILES = {
    "default": PrintOptions(),
    "short": PrintOptions(precision=2, edgeitems=2),
    "full": PrintOptions(threshold=math.inf),
}
_options = PrintOptions()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: float | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Change how tensors are printed from here on; what is not given stays as it was.

    ``precision`` is the number of digits after the point; a tensor of more than ``threshold``
    elements shows ``edgeitems`` at each end of its dimensions; lines break at ``linewidth``
    characters. ``profile`` (``"default"``, ``"short"``, ``"full"``) sets those four at once,
    before the others apply; another name does nothing. ``sci_mode`` forces scientific notation on
    or off; unlike the others it returns to automatic when not given, as in PyTorch.

    Raises ``ValueError`` for an impossible precision, edge count or line width and ``TypeError``
    for an option that is no number, and then changes nothing: here, where PyTorch raises them when
    it next prints.

    >>> set_printoptions(profile="short", linewidth=100)
    >>> get_printoptions()["precision"]
    2
    >>> set_printoptions(profile="default")
    """
    global _options
    chosen = _options if profile is None else _profile(profile)
    if precision is not None:
        chosen = chosen._replace(precision=_digits(precision))
    if threshold is not None:
        chosen = chosen._replace(threshold=_number("threshold", threshold))
    if edgeitems is not None:
        chosen = chosen._replace(edgeitems=_edge_count(edgeitems))
    if linewidth is not None:
        chosen = chosen._replace(linewidth=_width(linewidth))
    _options = chosen._replace(sci_mode=None if sci_mode is None else bool(sci_mode))


def get_printoptions() -> dict[str, Any]:
    """The options in force, under the names that ``set_printoptions`` takes.

    >>> get_printoptions()["linewidth"]
    80
    """
    return _options._asdict()


def current() -> PrintOptions:
    """The options in force, as one immutable value.

    >>> current().edgeitems
    3
    """
    return _options


@contextmanager
def printoptions(**options: Any) -> Iterator[None]:
    """Inside ``with``, print with these options of ``set_printoptions``; restore them after.

    Raises what ``set_printoptions`` raises.

    >>> with printoptions(precision=8):
    ...     get_printoptions()["precision"]
    8
    """
    global _options
    before = _options
    set_printoptions(**options)
    try:
        yield
    finally:
        _options = before


def _profile(name: str) -> PrintOptions:
    """The options in force for a name that is no profile: PyTorch does nothing then."""
    return _PROFILES.get(name, _options)


def _digits(precision: int) -> int:
    """ValueError even for the wrong type: PyTorch raises it, though only when it next prints."""
    try:
        digits = operator.index(precision)
    except TypeError:
        digits = -1
    if digits < 0:
        raise ValueError(f"precision must be a whole number of digits from 0, got {precision!r}")
    return digits


def _edge_count(edgeitems: int) -> int:
    try:
        count = operator.index(edgeitems)
    except TypeError:
        raise TypeError(f"edgeitems must be a whole number, got {edgeitems!r}") from None
    if count < 0:
        raise ValueError(f"edgeitems must not be negative, got {edgeitems!r}")
    return count


def _width(linewidth: float) -> float:
    if math.isnan(_number("linewidth", linewidth)):
        raise ValueError("linewidth must be a number of characters, got nan")
    return linewidth


def _number(name: str, value: float) -> float:
    if not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, got {value!r}")
    return value
