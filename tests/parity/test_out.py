"""``out=`` against PyTorch: every function of the table, in every type that ``out`` may have.

Where PyTorch takes ``out``, so does Adjoint; what it holds afterwards, its shape and version, what
is warned of and which types are refused are PyTorch's.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import adjoint
from adjoint.tape.tensor import wrap
from tests.harness import CASES, Call, as_array, calls, resolve, writes
from tests.harness_checks import close
from tests.harness_torch import ROUNDING, from_torch, lacks_kernel, to_torch, torch, translate

# Where PyTorch calls another of its functions with ``out``, which warns, or counts the write, in
# its own way: twice for some, not at all for ``kron``.
OTHER_WARNING = frozenset(
    (
        "addbmm", "arange", "matmul", "narrow_copy", "nn.functional.logsigmoid",
        "nn.functional.linear", "bernoulli", "multinomial",
    )
)  # fmt: skip
OTHER_VERSION = frozenset(("diff", "empty", "kron", "matmul", "nanmean", "randn", "svd"))
# What PyTorch writes there has no meaning, as the integers next to a float that is nearly whole;
# and to the power of 0 it takes types that it refuses otherwise.
POWERS = ("float16", "float64", "complex64")
NO_MEANING = {
    "matrix_power": POWERS, "linalg.matrix_power": POWERS,
    "all": ("uint8",), "linspace": ("bool", "uint8"),
    "logspace": ("bool", "uint8", "int32", "int64"),
}  # fmt: skip
# ``range`` ends the process; ``normal`` gives numbers for as many as ``out`` has; the vectors of
# ``eigh`` are known up to their sign.
LEFT_OUT = frozenset(("linalg.eigh", "normal", "range"))
KINDS = ("bool", "uint8", "int32", "int64", "float16", "float32", "float64", "complex64")

FUNCTIONS = sorted(
    {
        each.function
        for each in CASES.values()
        if not each.function.startswith("Tensor.")
        and not writes(each.function)
        and each.function not in LEFT_OUT
    }
)


class Libraries:
    """One call in both libraries."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.rounding = 0.0  # of the type that is computed in
        self.functions = {
            library: resolve(library, call.case.function) for library in (adjoint, torch)
        }

    def run(self, library: Any, recorded: bool = False, **named: Any) -> Any:
        """The result and the number of warnings, or an exception."""
        if self.call.case.random:
            library.manual_seed(0)
        make = wrap if library is adjoint else to_torch
        leaves = [make(leaf.copy()) for leaf in self.call.leaves]
        for leaf in leaves:
            if recorded and leaf.is_floating_point():
                leaf.requires_grad_()
        function = self.functions[library]
        with warnings.catch_warnings(record=True) as noted:
            warnings.simplefilter("always")
            try:
                with np.errstate(all="ignore"):
                    found = self.call.run(
                        lambda *args, **kwargs: function(*args, **kwargs, **named),
                        leaves,
                        translate if library is torch else lambda value: value,
                    )
            except Exception as error:  # noqa: BLE001 - the type is what is compared
                return error
        resized = [each for each in noted if "resized" in str(each.message)]
        return found, len(resized)


def of(array: Any) -> float:
    return ROUNDING.get(array.dtype.name, 0.0)


def several(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def takers(function: str) -> Iterator[tuple[Libraries, tuple[Any, ...], bool]]:
    """Calls of a function to which PyTorch takes an ``out``, with their results."""
    for key, case in CASES.items():
        if case.function != function:
            continue
        for kind in ("float32", "int64"):
            try:
                samples = list(calls(key, kind))
            except Exception:  # noqa: BLE001 - samples that cannot be made of integers
                continue
            for call in samples:
                pair = Libraries(call)
                plain = pair.run(torch)
                if isinstance(plain, Exception):
                    continue
                many = isinstance(plain[0], (tuple, list))
                results = several(plain[0])
                if results and all(isinstance(each, torch.Tensor) for each in results):
                    pair.rounding = max(of(from_torch(each)) for each in results)
                    yield pair, results, many


Make = Callable[[Any], Any]


def zeros(library: Any, shape: tuple[int, ...], kind: str) -> Any:
    return library.zeros(shape, dtype=getattr(library, kind.removeprefix("torch.")))


def outs(results: Any, many: bool, shape: tuple[int, ...] | None = None, **kinds: str) -> Make:
    """What makes ``out`` in a library: of the results' types and shapes, or others."""

    def make(library: Any) -> Any:
        found = tuple(
            zeros(
                library,
                tuple(each.shape) if shape is None else shape,
                kinds.get(f"kind{place}", str(each.dtype)),
            )
            for place, each in enumerate(results)
        )
        return found if many else found[0]

    return make


def compare(pair: Libraries, make: Make, what: str) -> Any:
    """One call with ``out`` in both; gives PyTorch's ``out``, or its exception."""
    given = {library: make(library) for library in (adjoint, torch)}
    ours, theirs = (pair.run(library, out=given[library]) for library in given)
    label = f"{pair.call}, {what}"
    if isinstance(theirs, Exception) and lacks_kernel(theirs):
        return theirs
    if isinstance(ours, NotImplementedError) and any(x.size == 0 for x in pair.call.leaves):
        return theirs  # PyTorch looks for a kernel only where there is something to compute
    if isinstance(theirs, Exception):
        assert isinstance(ours, Exception), f"{label}: PyTorch raises {theirs!r}, not {ours!r}"
        same = isinstance(ours, type(theirs)) or isinstance(theirs, type(ours))
        assert same, f"{label}: PyTorch raises {theirs!r}, not {ours!r}"
        return theirs
    assert not isinstance(ours, Exception), f"{label}: raises {ours!r}"
    function = pair.call.case.function
    if function not in OTHER_WARNING:
        assert ours[1] == theirs[1], f"{label}: {ours[1]} warnings, PyTorch {theirs[1]}"
    for mine, wanted, returned in zip(
        several(given[adjoint]), several(given[torch]), several(ours[0]), strict=True
    ):
        assert returned is mine, f"{label}: returns another tensor"
        assert tuple(mine.shape) == tuple(wanted.shape), f"{label}: shape {mine.shape}"
        assert str(mine.dtype) == str(wanted.dtype), label
        if function not in OTHER_VERSION:
            versions = mine._version, wanted._version
            assert versions[0] == versions[1], f"{label}: versions {versions}"
        found, expected = as_array(mine), from_torch(wanted)
        if function == "empty":
            continue
        if expected.dtype.kind in "fc":
            close(found, expected, 8 * max(pair.rounding, of(expected)), label, floor=1.0)
        else:
            np.testing.assert_array_equal(found, expected, err_msg=label)
    return given[torch]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_out(function: str) -> None:
    """What is written, into which types and shapes."""
    tried = 0
    for pair, results, many in takers(function):
        empty = outs(results, many, (0,))
        if isinstance(pair.run(torch, out=empty(torch)), Exception):
            continue  # no form with ``out``, where Adjoint may have one
        compare(pair, empty, "empty out")
        if tried >= 4 or any(isinstance(each, complex) for each in pair.call.args):
            continue
        tried += 1
        for place in range(len(results)):
            for kind in KINDS:
                if kind not in NO_MEANING.get(function, ()):
                    make = outs(results, many, **{f"kind{place}": kind})
                    compare(pair, make, f"{place} as {kind}")
        compare(pair, outs(results, many, (7,)), "of another shape")


# Where PyTorch writes all the same and the gradient is lost without a word: Adjoint refuses.
UNNOTICED = frozenset(
    (
        "diag", "floor_divide", "heaviside", "histc", "inner", "linalg.cond", "linalg.matrix_norm",
        "linalg.matrix_power", "linalg.norm", "linalg.tensorinv", "linalg.tensorsolve",
        "log_softmax", "matrix_power", "nanquantile",
        "quantile", "slice_scatter", "softmax", "special.ndtr", "tensordot",
    )
)  # fmt: skip
# Functions without a derivative take an ``out`` that requires grad; so does ``empty``, which
# refuses it under ``no_grad`` too, as does ``randn``.
ANY_OUT = ("special.", "empty", "randn", "histc")
# Sorts also where only the order is asked for.
WITH_VALUES = frozenset(("argsort",))


def outcomes(pair: Libraries, make: Make, enabled: bool, wanted: bool) -> list[Any]:
    """What both libraries raise, None for nothing, where arguments, or ``out``, require grad."""
    found = []
    for library in (adjoint, torch):
        given = make(library)
        for each in several(given):
            if wanted and each.is_floating_point():
                each.requires_grad_()
        with library.set_grad_enabled(enabled):
            answer = pair.run(library, recorded=not wanted, out=given)
        found.append(type(answer) if isinstance(answer, Exception) else None)
        if library is adjoint and found[0] is not None:
            assert not any(each._version for each in several(given)), f"{pair.call}: half done"
    return found


@pytest.mark.parametrize("function", FUNCTIONS)
def test_out_is_not_recorded(function: str) -> None:
    """Arguments or an ``out`` that require grad are refused, but where nothing is recorded."""
    for pair, results, many in takers(function):
        make = outs(results, many)
        if isinstance(pair.run(torch, out=make(torch)), Exception):
            continue
        for enabled in (True, False):
            if not (enabled and function in WITH_VALUES):
                ours, theirs = outcomes(pair, make, enabled, False)
                if enabled and function in UNNOTICED:
                    assert theirs is None, f"{pair.call}: PyTorch refuses, too"
                    assert ours in (None, RuntimeError), f"{pair.call}: {ours}"
                else:
                    assert ours == theirs, f"{pair.call}, arguments: {ours}, {theirs}"
            if not function.startswith(ANY_OUT):
                ours, theirs = outcomes(pair, make, enabled, True)
                assert ours == theirs, f"{pair.call}, out: {ours}, PyTorch {theirs}"
        break
