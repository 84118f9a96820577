"""gradcheck against PyTorch's: the same verdicts, on right and wrong derivatives."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch

import adjoint

LIBRARIES = (torch, adjoint)
FUNCTIONS = (
    "x.sin()", "x * y", "x @ y.t()", "(x.exp(), (x * y).sum())", "x.relu()", "x.abs()", "x.round()",
    "x.detach() * y", "x.sum().detach() + 0 * y", "(x > 0).to(x.dtype)", "x.view(-1)[::2]",
    "x.softmax(-1)", "x.max(-1).values", "x.clamp(0, 1)", "torch.where(x > 0, x * y, y)", "x.t()",
    "x.cumsum(0)", "x.norm()", "x.prod()", "x[0]", "x.sort(-1)[0]", "(x * y).float()", "x.sqrt()",
)  # fmt: skip
COMPLEX = (
    "x * y", "x.abs()", "x * x.conj()", "x.real", "x.imag * y.real", "x.exp()", "x.conj()",
    "(x * y).sum()", "x @ y.t()", "x.angle()", "x.detach() * y", "torch.view_as_real(x)",
)  # fmt: skip
POINTS = {
    "ordinary": ([[0.3, -0.7, 1.2], [0.9, 0.4, -1.4]], [[1.1, 0.2, -0.6], [-0.8, 0.5, 0.7]]),
    "zeros": ([[0.0, -0.7, 0.5], [1.0, 0.4, 0.4]], [[1.1, 0.0, -0.6], [-0.8, 0.5, 0.7]]),
    "empty": (np.zeros((0, 3)), np.zeros((0, 3))),
}
OPTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"fast_mode": True},
    {"check_forward_ad": True, "check_backward_ad": False},
    {"check_forward_ad": True, "check_backward_ad": False, "fast_mode": True},
    {"check_batched_grad": True, "check_forward_ad": True, "check_batched_forward_grad": True},
)


# Where PyTorch's own check breaks: a fast one of an output that is constant, or of another type.
BROKEN = {("(x > 0).to(x.dtype)", "forward"), ("(x * y).float()", "reverse")}


def verdict(library: Any, code: str, values: Any, kind: str, name: str, options: Any) -> Any:
    function = eval(f"lambda x, y: {code}", {"torch": library})
    dtype = getattr(library, kind)
    inputs = tuple(library.tensor(each, dtype=dtype, requires_grad=True) for each in values)
    check = getattr(library.autograd, name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return check(function, inputs, raise_exception=False, **options)
        except Exception as error:  # noqa: BLE001 - its type is what is compared
            return type(error).__name__


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("code", FUNCTIONS)
def test_real_functions(code: str, options: dict[str, Any]):
    mode = "reverse" if options.get("check_backward_ad", True) else "forward"
    if options.get("fast_mode") and (code, mode) in BROKEN:
        return
    for name, point in POINTS.items():
        if name == "empty" and (len(options) > 2 or "max" in code or "[0]" in code):
            continue  # vmap of nothing, and what has no first element
        values = [np.array(each).reshape(-1, 3) for each in point]
        ours, theirs = (verdict(lib, code, values, "float64", "gradcheck", options)
                        for lib in reversed(LIBRARIES))  # fmt: skip
        assert ours == theirs, (name, options)


@pytest.mark.parametrize("options", OPTIONS[:4], ids=str)
@pytest.mark.parametrize("code", COMPLEX)
def test_complex_functions(code: str, options: dict[str, Any]):
    values = [np.array(each) * (1 + 0.5j) + 0.3j for each in POINTS["ordinary"]]
    ours, theirs = (verdict(lib, code, values, "complex128", "gradcheck", options)
                    for lib in reversed(LIBRARIES))  # fmt: skip
    assert ours == theirs


SECOND: tuple[dict[str, Any], ...] = (
    {},
    {"fast_mode": True},
    {"gen_non_contig_grad_outputs": True},
    {"check_fwd_over_rev": True, "check_rev_over_rev": False, "check_undefined_grad": False},
    {"check_batched_grad": True},
)


@pytest.mark.parametrize("options", SECOND, ids=str)
@pytest.mark.parametrize("code", [*FUNCTIONS[:8], "x**3", "x * x.detach() * y", "x.sigmoid() * y"])
def test_second_derivatives(code: str, options: dict[str, Any]):
    values = [np.array(each) for each in POINTS["ordinary"]]
    ours, theirs = (verdict(lib, code, values, "float64", "gradgradcheck", options)
                    for lib in reversed(LIBRARIES))  # fmt: skip
    assert ours == theirs


@pytest.mark.parametrize("kind", ["float32", "complex64"])
def test_single_precision(kind: str):
    for code in ("x * y", "x.sin()"):
        for options in ({}, {"eps": 1e-3, "atol": 1e-2, "rtol": 1e-2}):
            values = [np.array(each) for each in POINTS["ordinary"]]
            ours, theirs = (verdict(lib, code, values, kind, "gradcheck", options)
                            for lib in reversed(LIBRARIES))  # fmt: skip
            assert ours == theirs, (code, options)


def raised(library: Any, code: str) -> str:
    names = {
        "torch": library,
        "x": library.ones(2, dtype=library.float64, requires_grad=True),
        "check": library.autograd.gradcheck,
        "twice": library.autograd.gradgradcheck,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return str(eval(code, names))
        except Exception as error:  # noqa: BLE001 - its type is what is compared
            return type(error).__name__


@pytest.mark.parametrize(
    "code",
    [
        "check(torch.sin, x.detach())",
        "check(torch.sin, (x.detach(), 3))",
        "check(torch.sin, x.detach()[:1].expand(3).requires_grad_())",
        "check(torch.sin, x, check_backward_ad=False)",
        "check(torch.sin, x, check_batched_forward_grad=True)",
        "check(torch.sin, x, check_batched_grad=True, check_backward_ad=False)",
        "twice(torch.sin, x, check_rev_over_rev=False)",
        "twice(torch.sin, x, check_rev_over_rev=False, check_fwd_over_rev=True)",
        "twice(torch.sin, x, check_fwd_over_rev=True, check_undefined_grad=False)",
        "check(torch.relu, x * 0)",
        "check(torch.relu, torch.zeros(2, dtype=torch.float64, requires_grad=True))",
        "check(torch.sin, [x, x])",
        "check(lambda x: [x.sin()], [x])",
        "check(lambda x: x[:int(x[0] > 1) + 1], x)",
        "check(lambda x: x.float() if x[0] > 1 else x * 1, x)",
        "check(torch.sin, x, eps=1e-3, atol=0, rtol=1e-12)",
        "check(torch.sin, x, True)",
        "check(torch.sin, x, nondet_tol=1.0, masked=True, check_grad_dtypes=True)",
    ],
)
def test_errors(code: str):
    ours, theirs = (raised(library, code) for library in reversed(LIBRARIES))
    assert ours == theirs


def test_random_weights_are_pytorchs():
    """gradgradcheck draws its weights from the same numbers."""
    seen = []
    for library in LIBRARIES:
        library.manual_seed(3)
        x = library.ones(3, dtype=library.float64, requires_grad=True)
        library.autograd.gradgradcheck(lambda x: x**2, x, gen_non_contig_grad_outputs=True)
        seen.append(library.rand(2).tolist())
    assert seen[0] == seen[1]
