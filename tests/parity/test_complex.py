"""Complex numbers through the whole table against PyTorch: values and every derivative.

Each sample of each case is taken with complex numbers in place of all its real ones, and in place
of each tensor alone, which mixes complex with real. PyTorch's convention is that a gradient is that
of the conjugate: of a real loss it points uphill, and a real tensor's gradient is real.
"""

from __future__ import annotations

import dataclasses
import re
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
import torch.autograd.forward_ad as fwAD

import adjoint
from adjoint.tape.tensor import wrap
from tests.harness import CASES, Call, as_array, calls, forward, function_of_moving
from tests.harness_checks import ALL, close, each_call
from tests.harness_torch import (
    RefusedError,
    builtin_type,
    from_torch,
    is_torch_floating,
    outcome,
    same_gradients,
    same_outcome,
    spell,
    tape,
    to_torch,
    torch_forward,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning"),
]

# What PyTorch takes and Adjoint refuses, or has other numbers for, and why.
OTHER = {
    "cumprod (into a type)": "PyTorch differentiates as if there were no conversion to real",
    "lerp": "PyTorch takes a complex weight for real ends",
    "nn.functional.adaptive_avg_pool2d": "PyTorch averages complex numbers to size 1 alone",
    "nn.functional.adaptive_avg_pool3d": "PyTorch averages complex numbers to size 1 alone",
    "nn.functional.binary_cross_entropy_with_logits": "PyTorch takes complex targets, and has no "
    "derivative then",
    "nn.functional.instance_norm": "PyTorch looks at the types of statistics late",
    "nn.functional.soft_margin_loss": "PyTorch takes complex numbers, and has no derivative then",
    "index_reduce": "PyTorch has no kernel",
}  # fmt: skip
# PyTorch takes the real part of the tangent's product with the logarithm of a complex base.
OTHER_TANGENTS = {"pow", "float_power", "__pow__", "pow_"}


def of_nothing(call: Call) -> bool:
    """Whether PyTorch may look at no element, and so at no type."""
    return any(leaf.size == 0 for leaf in call.leaves)


def with_complex(call: Call) -> Iterator[Call]:
    """The call with complex numbers for all its real ones, and for one tensor alone."""
    places = [place for place, leaf in enumerate(call.leaves) if leaf.dtype == np.float64]
    for chosen in [places, *([place] for place in places if len(places) > 1)]:
        if not chosen:
            continue
        seed = zlib.crc32(f"{call.key}/{call.number}/{chosen}".encode())
        random = np.random.RandomState(seed)
        leaves = list(call.leaves)
        for place in chosen:
            imaginary = random.uniform(-1, 1, leaves[place].shape)
            leaves[place] = np.asarray(leaves[place] + 1j * imaginary)
        yield dataclasses.replace(call, leaves=leaves, dtype="complex128")


def samples(key: str) -> list[Call]:
    return [each for call in calls(key, "float64") for each in with_complex(call)]


KEYS = [
    key
    for key in ALL
    if not CASES[key].random
    and "limits" not in key
    and CASES[key].family != "factors"  # their matrices are Hermitian, or phases are free
    and key not in OTHER
    and CASES[key].function not in OTHER
    and samples(key)
]


@pytest.mark.parametrize("key", KEYS)
def test_table(key: str) -> None:
    """Values, types and errors; gradients, their gradients, and tangents."""

    def check(call: Call) -> None:
        theirs = outcome(lambda: torch_forward(call, call.leaves))
        ours = outcome(lambda: forward(call, list(map(wrap, call.leaves))))
        if isinstance(ours, NotImplementedError | RuntimeError) and (
            of_nothing(call) or not call.leaves[0].shape
        ):
            return
        if isinstance(theirs, Exception):
            assert isinstance(ours, Exception), f"PyTorch raises {spell(theirs)}"
            kind = builtin_type(theirs)  # that nobody wrote a kernel may be found late or early
            kind = RuntimeError if issubclass(kind, RuntimeError) else kind
            assert isinstance(ours, kind), (spell(theirs), spell(ours))
            return
        same_outcome(ours, theirs, call)
        if call.case.differentiable and call.moving:
            check_derivatives(call)

    each_call(key, check, samples(key))


def check_derivatives(call: Call) -> None:
    try:
        ours, theirs, outs, expected = tape(call)
    except RefusedError:  # PyTorch has no derivative for complex numbers
        return
    for out, wanted in zip(outs, expected, strict=True):
        if is_torch_floating(wanted):
            assert out.requires_grad == wanted.requires_grad
    if differentiates(call, theirs, expected):
        same_gradients(call, ours, theirs, outs, expected)
    if call.key.rpartition(".")[2].split(" ")[0] not in OTHER_TANGENTS:
        same_tangents(call)


def differentiates(call: Call, leaves: Any, outs: Any) -> bool:
    """Whether PyTorch can do it: mixtures end in an assertion of its own in a few functions."""
    outs = [out for out in outs if is_torch_floating(out) and out.requires_grad]
    gs = [torch.ones_like(out) for out in outs]
    xs = [leaves[place] for place in call.moving]
    found = outcome(lambda: torch.autograd.grad(outs, xs, gs, allow_unused=True, retain_graph=True))
    return not isinstance(found, Exception)


def same_tangents(call: Call) -> None:
    along = call.directions(call.moved, "direction")
    leaves = list(map(to_torch, call.leaves))
    with fwAD.dual_level():
        for place, t in zip(call.moving, along, strict=True):
            leaves[place] = fwAD.make_dual(leaves[place], to_torch(t))
        outs = outcome(lambda: torch_forward(call, leaves))
        if isinstance(outs, Exception):
            return
        expected = [fwAD.unpack_dual(out).tangent for out in outs if is_torch_floating(out)]
    function = function_of_moving(call)
    _, found = adjoint.func.jvp(function, tuple(map(wrap, call.moved)), tuple(map(wrap, along)))
    for t, wanted in zip(found, expected, strict=True):
        if wanted is None:
            assert not np.any(as_array(t))
            continue
        wanted = from_torch(wanted)
        assert as_array(t).dtype == wanted.dtype
        if np.isfinite(wanted).all():
            close(as_array(t), wanted, 1e-6, "tangent", floor=1e-3)


# -- single expressions --------------------------------------------------------------------------

POINTS = ([0j, 1j], [1 + 0j, -1 + 0j], [1 + 2j, -0.5 - 0.25j], [complex(-0.0, -0.0), -1 - 0.0j])
FUNCTIONS = (
    "abs", "angle", "sgn", "real", "imag", "exp", "log", "sqrt", "rsqrt", "reciprocal", "square",
    "sin", "cos", "tan", "tanh", "sinh", "cosh", "atan", "atanh", "sigmoid", "log2", "log10",
    "log1p", "expm1", "exp2", "conj", "neg", "prod", "cumprod", "sum", "mean", "var", "std",
    "norm", "sinc", "logsumexp", "logcumsumexp", "view_as_real", "resolve_conj",
    "conj_physical", "diff", "positive",
)  # fmt: skip


def gradient_at(library: Any, name: str, point: list[complex]) -> Any:
    """The gradient of a real loss made of a function of complex numbers."""
    x = library.tensor(point, dtype=library.complex128, requires_grad=True)
    function = getattr(library, name)
    y = function(x, 0) if name in ("cumprod", "logsumexp", "logcumsumexp") else function(x)
    if y.dtype.is_complex:
        loss = (y * library.tensor(1.5 - 0.5j, dtype=library.complex128)).real.sum()
    else:
        loss = (y * library.arange(1, y.numel() + 1).reshape(y.shape)).sum()
    (g,) = library.autograd.grad(loss, x)
    return g.resolve_conj().numpy()


@pytest.mark.parametrize("point", POINTS, ids=str)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients_at_corners(name: str, point: list[complex]) -> None:
    """At zeros, on the axes, and where functions have a cut: 0 at the zeros of abs and sgn."""
    expected, found = (gradient_at(library, name, point) for library in (torch, adjoint))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def z(lib: Any, *numbers: complex) -> Any:
    values = list(numbers) or [1 + 2j, 3 - 1j]
    return lib.tensor(values, dtype=lib.complex128, requires_grad=True)


def r(lib: Any, *numbers: float) -> Any:
    values = list(numbers) or [1.0, 2.0]
    return lib.tensor(values, dtype=lib.float64, requires_grad=True)


def after_backward(x: Any, y: Any, g: Any = None) -> Any:
    y.backward(g)
    return x.grad


def grad_of_grad(lib: Any, x: Any, loss: Any, part: str) -> Any:
    (g,) = lib.autograd.grad(loss, x, create_graph=True)
    return lib.autograd.grad(getattr(g, part).sum() if part else g.sum(), x)


EXPRESSIONS: dict[str, Any] = {
    "no gradient given for a complex scalar": lambda lib: z(lib).sum().backward(),
    "the same by grad": lambda lib: lib.autograd.grad((x := z(lib)).sum(), x),
    "real gradient of a complex result": lambda lib: (z(lib) * 1).backward(r(lib).detach()),
    "complex gradient of a real result": lambda lib: z(lib).abs().backward(z(lib).detach()),
    "narrower gradient": lambda lib: after_backward(
        x := z(lib), x * 2, lib.ones(2, dtype=lib.complex64)
    ),
    "complex gradient": lambda lib: after_backward(
        x := z(lib), x * (2 + 1j), z(lib, 1 + 1j, 2 - 1j).detach()
    ),
    "real leaf of a real loss": lambda lib: after_backward(
        x := r(lib), (x * (2 + 1j)).abs().sum()
    ),
    "real leaf of a complex result": lambda lib: after_backward(
        x := r(lib), x * z(lib).detach(), z(lib, 1 + 1j, 2 - 1j).detach()
    ),
    "real and complex leaves": lambda lib: lib.autograd.grad(
        ((x := r(lib)) * (y := z(lib))).abs().sum() + (x + y).abs().sum(), (x, y)
    ),
    "accumulated": lambda lib: [
        (x := z(lib)).abs().sum().backward(), x.abs().sum().backward(), x.grad
    ],
    "polar": lambda lib: lib.autograd.grad(
        (lib.polar(a := r(lib), b := r(lib, 0.3, 0.7)) * (1 + 2j)).real.sum(), (a, b)
    ),
    "complex": lambda lib: lib.autograd.grad(
        (lib.complex(a := r(lib), b := r(lib, 0.3, 0.7)) ** 2).imag.sum(), (a, b)
    ),
    "view_as_complex": lambda lib: lib.autograd.grad(
        (lib.view_as_complex(a := r(lib)) ** 2).imag, a
    ),
    "writes through real and imag": lambda lib: [
        (a := z(lib).detach()).real.mul_(2), a.imag.add_(1), a
    ],
    "history through imag": lambda lib: [
        setattr(y := (a := z(lib)) * 1, "imag", b := r(lib)),
        lib.autograd.grad((y * y).real.sum(), (a, b)),
    ],
    "view_as_real written to": lambda lib: [
        lib.view_as_real(a := z(lib).detach()).mul_(2), a
    ],
    "conversion to real": lambda lib: after_backward(x := z(lib), x.double().sum()),
    "conversion to complex": lambda lib: after_backward(
        x := r(lib), (x.to(lib.complex128) * (1 + 1j)).imag.sum()
    ),
    "matmul": lambda lib: after_backward(x := z(lib), (x @ x.conj()).real),
    "vdot": lambda lib: lib.autograd.grad(lib.vdot(a := z(lib), b := z(lib, 1, 1j)).abs(), (a, b)),
    "norms": lambda lib: [
        lib.autograd.grad(lib.norm(x := z(lib), p), x) for p in (0, 0.5, 1, 2, 3, float("inf"))
    ],
    "norms of zero": lambda lib: [
        lib.autograd.grad(lib.norm(x := z(lib, 0, 0), p), x) for p in (1, 2)
    ],
    "complex powers of real numbers": lambda lib: after_backward(
        x := r(lib), (x ** (1 + 1j)).real.sum() + ((1 + 1j) ** x).imag.sum()
    ),
    "real numbers to complex powers": lambda lib: after_backward(x := z(lib), (2**x).real.sum()),
    "second derivative": lambda lib: grad_of_grad(lib, x := z(lib), (x**3).real.sum(), "imag"),
    "second derivative of abs": lambda lib: grad_of_grad(lib, x := z(lib), x.abs().sum(), "imag"),
    "second derivative of a real leaf": lambda lib: grad_of_grad(
        lib, x := r(lib), (x * (1 + 1j)).abs().pow(2).sum(), ""
    ),
    "hook": lambda lib: [
        seen := [], (y := z(lib) * 2j).register_hook(seen.append), y.abs().sum().backward(), seen[0]
    ][-1],
    "real .grad of a complex leaf": lambda lib: setattr(z(lib), "grad", r(lib).detach()),
    "complex into real": lambda lib: r(lib).detach().add_(1j),
    "complex into real by copy_": lambda lib: r(lib).detach().copy_(z(lib).detach()),
    "copy_ of complex into real": lambda lib: after_backward(
        x := z(lib), r(lib).detach().copy_(x).sum()
    ),
    "abs_": lambda lib: z(lib).detach().abs_(),
    "sgn_": lambda lib: z(lib, 0, 3 - 4j).detach().sgn_(),
    "order": lambda lib: z(lib) < z(lib),
    "maximum": lambda lib: z(lib).max(),
    "sorted": lambda lib: z(lib).sort(),
    "rounded": lambda lib: z(lib).round(),
    "float()": lambda lib: float(z(lib, 1 + 1j)),
    "complex()": lambda lib: complex(z(lib, 1 + 1j)),
    "func.grad": lambda lib: lib.func.grad(lambda x: (x * x).real.sum())(z(lib).detach()),
    "func.grad of a complex loss": lambda lib: lib.func.grad(lambda x: x.sum())(z(lib).detach()),
    "func.vjp": lambda lib: lib.func.vjp(lambda x: x * x * (1 + 1j), z(lib).detach())[1](
        z(lib, 1j, 2).detach()
    ),
    "func.vjp of a real cotangent": lambda lib: lib.func.vjp(
        lambda x: x * (1 + 1j), z(lib).detach()
    )[1](r(lib).detach()),
    "func.jvp": lambda lib: lib.func.jvp(
        lambda x: x * x * (1 + 1j), (z(lib).detach(),), (z(lib, 1j, 2).detach(),)
    ),
    "func.jvp from real to complex": lambda lib: lib.func.jvp(
        lambda x: x * (1 + 1j), (r(lib).detach(),), (r(lib).detach(),)
    ),
    "vmap": lambda lib: lib.vmap(lambda x: x.abs() * 1j)(z(lib).detach()),
    "jacobian by forward mode": lambda lib: lib.autograd.functional.jacobian(
        lambda x, y: (x * x * y, x.abs().sum()), (z(lib).detach(), r(lib).detach()),
        strategy="forward-mode", vectorize=True,
    ),
    "jacobian by forward mode of a number": lambda lib: lib.autograd.functional.jacobian(
        lib.exp, z(lib).detach()[0], strategy="forward-mode", vectorize=True
    ),
    "gradcheck": lambda lib: lib.autograd.gradcheck(lambda x: (x * x).sum() * x.abs(), z(lib)),
    "gradients in batches": lambda lib: lib.autograd.grad(
        (x := z(lib)) * x, x, lib.eye(2, dtype=lib.complex128) * 1j, is_grads_batched=True
    ),
}  # fmt: skip


# -- writes through the parts of complex numbers -------------------------------------------------


def to_imag(lib: Any, v: Any, w: Any) -> Any:
    c = v.clone()
    c.imag.copy_(w)
    c.real[0] = 7
    return c


def kept_imag(lib: Any, v: Any, w: Any) -> Any:
    c = v.clone()
    part = c.imag
    part.copy_(w)
    return part * 2 + c.real


def to_pairs(lib: Any, v: Any, w: Any) -> Any:
    c = v.clone()
    lib.view_as_real(c)[..., 1].add_(3)
    lib.view_as_real(c)[0] = w[0]
    return c * c


def base_of_part(lib: Any, v: Any, w: Any) -> Any:
    c = v.clone()
    part = c.real[1:]
    c.mul_(w)
    return part * part


def to_complex(lib: Any, v: Any, w: Any) -> Any:
    c = lib.stack([w, w + 1])
    z = lib.view_as_complex(c)
    z.mul_(1j).add_(v)
    return c * w


WRITES = (to_imag, kept_imag, to_pairs, base_of_part, to_complex)


@pytest.mark.parametrize("write", WRITES)
def test_writes_through_parts(write: Any) -> None:
    """Values, gradients, tangents, and all of them in batches."""
    numbers = np.random.RandomState(0)
    v = numbers.randn(3, 2) + 1j * numbers.randn(3, 2)
    w = numbers.randn(3, 2)

    def results(lib: Any) -> list[Any]:
        vs, ws = lib.tensor(v.tolist()).to(lib.complex128), lib.tensor(w.tolist()).double()
        f = lambda v, w: write(lib, v, w)  # noqa: E731 - of this library
        out, pull = lib.func.vjp(f, vs[0], ws[0])
        batched, pull_all = lib.func.vjp(lib.func.vmap(f), vs, ws)
        rows = lib.func.vmap(lambda v, w: lib.func.vjp(f, v, w)[1](lib.ones_like(f(v, w))))
        return [
            out, *pull(lib.ones_like(out)), batched, *pull_all(lib.ones_like(batched)),
            *rows(vs, ws), *lib.func.jvp(f, (vs[0], ws[0]), (vs[1], ws[1])),
            *lib.func.vmap(lambda v, w: lib.func.jvp(f, (v, w), (v * 1j, w)))(vs, ws),
        ]  # fmt: skip

    for found, expected in zip(results(adjoint), results(torch), strict=True):
        expected = from_torch(expected)
        assert as_array(found).dtype == expected.dtype
        np.testing.assert_allclose(as_array(found), expected, rtol=1e-6, atol=1e-6)


def spelled(expression: Any, library: Any) -> str:
    """What an expression prints, without the signs of zeros, or the type of its error."""
    try:
        found = repr(expression(library)).replace(" ", "").replace("\n", "")
    except Exception as error:  # noqa: BLE001 - compared
        return builtin_type(error).__name__
    return re.sub(r"[+-]0\.(?=j)", "+0.", found).replace("-0.", "0.")


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_expression(name: str) -> None:
    expected, found = (spelled(EXPRESSIONS[name], library) for library in (torch, adjoint))
    assert found == expected
