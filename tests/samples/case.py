"""How the samples of a row are written. The table test, the references and the parity suite read them.

A file of samples, one for each family of ``adjoint/ops``, registers a case for every public function::

    case(
        "cumsum",  # the function as PyTorch spells it
        rows="cumsum",  # rows of the table that it covers
        samples=lambda make: [
            sample(make(3, 4), 0),  # arrays stand for tensors, the rest is passed as it is
            sample(make(), dim=0),
            sample(make(0, 3), 1),
        ],
        errors=[
            wrong(IndexError, r"Dimension out of range", make_array(3), 2),
        ],
    )
"""

from __future__ import annotations

import importlib
import pkgutil
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Sample:
    """Arguments of one call; NumPy arrays in them stand for tensors, also inside lists and tuples."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


@dataclass(frozen=True)
class Wrong:
    """A call that must fail, with the type that PyTorch raises and words of our message."""

    error: type[Exception]
    message: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One public function: its samples, its bad inputs, and what holds of it."""

    function: str  # "add", "nn.functional.relu", "special.entr", "Tensor.expand", "fft.rfft"
    rows: tuple[str, ...]
    samples: Callable[[Maker], Iterable[Sample]]
    errors: tuple[Wrong, ...] = ()
    dtypes: tuple[str, ...] = ("float32", "float64")  # types to compare values in, by parity
    differentiable: bool = True
    in_place: bool = True  # compare ``name_`` too, where both libraries have it
    tolerance: float = 1e-6  # relative, of values in float64 against PyTorch's
    traced: bool = True  # False: the shape of the result depends on values, and is refused
    batched: bool = True  # False: cannot be batched, and is refused
    random: bool = False  # draws random numbers: the caller seeds both libraries alike
    note: str = ""  # the reason for anything switched off


class Maker:
    """Makes arrays, the same ones each time for one case, sample and place."""

    def __init__(self, seed: str, dtype: str = "float64") -> None:
        self.random = np.random.default_rng(zlib.crc32(seed.encode()))
        self.dtype = np.dtype(dtype)

    def __call__(
        self, *shape: int, low: float = -2.0, high: float = 2.0, dtype: str | None = None
    ) -> np.ndarray:
        """Uniform between ``low`` and ``high``, in the case's type unless ``dtype`` says another."""
        kind = self.dtype if dtype is None else np.dtype(dtype)
        if kind.kind == "b":
            return np.asarray(self.random.random(shape) < 0.5)
        if kind.kind in "iu":
            first = max(int(low), 0) if kind.kind == "u" else int(low)
            return np.asarray(self.random.integers(first, int(high) + 1, shape), kind)
        values = self.random.uniform(low, high, shape)
        if kind.kind == "c":
            values = values + 1j * self.random.uniform(low, high, shape)
        return np.asarray(values, kind)

    def distinct(self, *shape: int, dtype: str | None = None) -> np.ndarray:
        """Values at least 0.1 apart, in random order: for maxima, sorting and medians."""
        count = int(np.prod(shape, dtype=int))
        values = (self.random.permutation(count) - count / 2 + 0.3) * 0.1
        return np.asarray(values.reshape(shape), self.dtype if dtype is None else dtype)


def sample(*args: Any, **kwargs: Any) -> Sample:
    """One call's arguments."""
    return Sample(args, kwargs)


def wrong(error: type[Exception], message: str, *args: Any, **kwargs: Any) -> Wrong:
    """One call that must fail with ``error`` and a message that the pattern ``message`` finds."""
    return Wrong(error, message, args, kwargs)


CASES: dict[str, Case] = {}


def case(
    function: str,
    *,
    rows: str | Sequence[str] | None = None,
    samples: Callable[[Maker], Iterable[Sample]],
    errors: Iterable[Wrong] = (),
    variant: str = "",
    **facts: Any,
) -> None:
    """Register a case. ``rows`` is the function's own name by default; ``variant`` tells two cases
    of one function apart."""
    names = (
        (function.rpartition(".")[2],)
        if rows is None
        else tuple(rows.split() if isinstance(rows, str) else rows)
    )
    key = function + (f" ({variant})" if variant else "")
    assert key not in CASES, f"two cases named {key!r}"
    CASES[key] = Case(function, names, samples, tuple(errors), **facts)


def load_cases() -> dict[str, Case]:
    """All cases of all families."""
    package = importlib.import_module("tests.samples")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"tests.samples.{module.name}")
    return CASES


__all__ = [
    "CASES",
    "Case",
    "Maker",
    "Sample",
    "Wrong",
    "case",
    "field",
    "load_cases",
    "sample",
    "wrong",
]
