"""How the samples of a row are written, for the table test, the references and the parity suite.

A file of samples, one for each family of ``adjoint/ops``, registers a case for each function::

    case(
        "cumsum",  # the function as PyTorch spells it
        rows="cumsum",  # rows of the table that it covers
        samples=lambda make: [
            sample(make(3, 4), 0),  # arrays stand for tensors, the rest is passed as it is
            sample(make(), dim=0),
            sample(make(0, 3), 1),
        ],
        errors=[
            wrong(IndexError, r"Dimension out of range", np.ones(3), 2),
        ],
    )

``samples`` is called with a ``Maker`` of each element type in turn, and again with other seeds: it
must give the same shapes each time, and take every floating array that is to be differentiated from
``make``. Element types are written as ``adjoint.dtypes`` has them (``dtype=dtypes.float32``).
A sample where the function has a corner (a tie, a zero of relu, an infinity) is a ``kink``: finite
differences have no say there, PyTorch has.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from adjoint import dtypes


@dataclass(frozen=True)
class Sample:
    """Arguments of one call; NumPy arrays in them stand for tensors, also inside lists."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    smooth: bool = True  # False at a corner: the derivative is PyTorch's choice


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
    tolerance: float = 1e-10  # relative, of values in float64 against PyTorch's
    traced: bool = True  # False: the shape of the result depends on values, and is refused
    batched: bool = True  # False: cannot be batched, and is refused
    layouts: bool = True  # False: asks for memory in a certain order
    random: bool = False  # draws random numbers: the caller seeds both libraries alike
    constants: tuple[int | str, ...] = ()  # arguments that have no derivative in PyTorch either
    errorless: str = ""  # the reason why no input is wrong, where there are no ``errors``
    note: str = ""  # the reason for anything switched off
    family: str = ""  # the file of samples, filled in


class Maker:
    """Makes arrays, the same ones each time for one case, sample and place."""

    def __init__(self, seed: str, dtype: str = "float64") -> None:
        # The frozen generator: its numbers are the same in every version of NumPy, for ever.
        self.random = np.random.RandomState(zlib.crc32(seed.encode()))
        self.dtype = numpy_type(dtype)

    def __call__(
        self, *shape: int, low: float = -2.0, high: float = 2.0, dtype: str | None = None
    ) -> np.ndarray:
        """Uniform between ``low`` and ``high``, in the case's type unless ``dtype`` is given."""
        kind = self.dtype if dtype is None else numpy_type(dtype)
        if kind.kind == "b":
            return np.asarray(self.random.uniform(size=shape) < 0.5)
        if kind.kind in "iu":
            first = max(int(low), 0) if kind.kind == "u" else int(low)
            return np.asarray(self.random.randint(first, int(high) + 1, shape), kind)
        values = self.random.uniform(low, high, shape)
        if kind.kind == "c":
            values = values + 1j * self.random.uniform(low, high, shape)
        return np.asarray(values, kind)

    def distinct(self, *shape: int, dtype: str | None = None) -> np.ndarray:
        """Values at least 0.1 apart and never 0, in random order: for maxima and sorting."""
        count = int(np.prod(shape, dtype=int))
        kind = self.dtype if dtype is None else numpy_type(dtype)
        order = self.random.permutation(count)
        if kind.kind in "iub":
            values = order + self.random.randint(0, 3)
        else:
            values = (order - count // 2 + self.random.uniform(0.2, 0.8)) * 0.1
        return np.asarray(values.reshape(shape), kind)


def numpy_type(name: str) -> np.dtype[Any]:
    """The NumPy type of a name in ``adjoint.dtypes``, ``bfloat16`` among them."""
    found: np.dtype[Any] = getattr(dtypes, name).numpy
    return found


def sample(*args: Any, **kwargs: Any) -> Sample:
    """One call's arguments."""
    return Sample(args, kwargs)


def kink(*args: Any, **kwargs: Any) -> Sample:
    """A sample at a corner of the function, where finite differences are not its derivative."""
    return Sample(args, kwargs, smooth=False)


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
    family = sys._getframe(1).f_globals["__name__"].rpartition(".")[2]
    CASES[key] = Case(function, names, samples, tuple(errors), family=family, **facts)


def load_cases() -> dict[str, Case]:
    """All cases of all families, by name."""
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
    "kink",
    "load_cases",
    "numpy_type",
    "sample",
    "wrong",
]
