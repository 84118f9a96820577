"""assert_close and make_tensor against PyTorch's: same verdicts and messages, same numbers."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import pytest
import torch

import adjoint

VALUES = (
    "None", "True", "False", "1", "1.0", "1 + 0j", "2", "float('nan')", "'a'", "np.float32(1)",
    "np.bool_(True)", "[1]", "(1.0,)", "[]", "{}", "{'a': 1}", "{'a': 1.0, 'b': 2}", "[1, [2]]",
    "torch.ones(2)", "torch.ones(2) + 1e-5", "torch.ones(2) * 1.1", "torch.ones(2).double()",
    "torch.tensor([1, 1])", "torch.tensor([1, 2])", "torch.tensor([True, True])", "np.ones(2)",
    "torch.tensor(1.0)", "torch.tensor(1.5)", "torch.tensor([1.0, float('nan')])", "torch.ones(0)",
    "torch.ones(1, 2)", "torch.nn.Parameter(torch.ones(2))", "torch.ones(2) + 0j",
    "torch.tensor([float('inf'), 1])", "[torch.ones(2)]", "{'a': torch.zeros(2)}", "np.zeros(2)",
    "torch.ones(2).half()", "torch.ones(2).bfloat16() * 1.01", "torch.tensor([-2.0, 0.0])",
)  # fmt: skip
OPTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"equal_nan": True, "check_dtype": False},
    {"rtol": 0.0, "atol": 0.15},
    {"atol": 1.0},
    {"allow_subclasses": False},
)


def verdict(library: Any, actual: str, expected: str, options: Any) -> Any:
    names = {"torch": library, "np": np}
    try:
        library.testing.assert_close(eval(actual, names), eval(expected, names), **options)
    except Exception as error:  # noqa: BLE001 - its type and text are what is compared
        return type(error).__name__, str(error)
    return "close", ""


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_all_pairs(options: dict[str, Any]):
    """The type of the error always, and the figures in the message where there are any."""
    for actual, expected in itertools.product(VALUES, repeat=2):
        ours, theirs = (verdict(lib, actual, expected, options) for lib in (adjoint, torch))
        if theirs[1].startswith("Originating"):  # PyTorch's own error for True against a number
            continue
        assert ours[0] == theirs[0], (actual, expected, ours, theirs)
        if "are not" in theirs[1]:
            assert ours[1] == theirs[1], (actual, expected)


KINDS = (
    "bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64",
    "complex64", "complex128",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_make_tensor_draws_the_same_numbers(kind: str):
    for shape, options in itertools.product(
        [(5,), (2, 3), (), (0, 2), (1,)],
        [{}, {"noncontiguous": True}, {"low": 0, "high": 2}, {"exclude_zero": True},
         {"low": -1e30}, {"high": 1e30}, {"low": 0.5, "high": 1.7}, {"low": 300, "high": 400},
         {"low": float("nan")}, {"low": 3, "high": 2}, {"low": 2, "high": 2}],
    ):  # fmt: skip
        found = []
        for library in (adjoint, torch):
            library.manual_seed(7)
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    x = library.testing.make_tensor(
                        shape, dtype=getattr(library, kind), device="cpu", **options
                    )
                found.append((x.tolist(), x.stride(), tuple(x.shape)))
            except Exception as error:  # noqa: BLE001 - its type is what is compared
                found.append(type(error).__name__)
        assert repr(found[0]) == repr(found[1]), (shape, options)
