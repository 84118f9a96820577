"""gradcheck: what passes, what fails, and what a failure says."""

from __future__ import annotations

import re
import warnings

import pytest

import adjoint as torch
from adjoint.autograd import gradcheck, gradgradcheck
from adjoint.autograd.checking.problem import Problem
from adjoint.autograd.checking.supplements import check_missing_cotangents
from adjoint.autograd.gradcheck import GradcheckError

DOUBLE = torch.float64


def leaf(*values: float, dtype=DOUBLE):
    return torch.tensor(values, dtype=dtype, requires_grad=True)


def wrong(change):
    """The square, with a gradient that ``change`` has been applied to."""

    def square(x):
        inner = x * 1
        inner.register_hook(lambda g: change(g, x.detach()))
        return inner * inner

    return square


def message_of(function, inputs, **options) -> str:
    assert gradcheck(function, inputs, raise_exception=False, **options) is False
    with pytest.raises(GradcheckError) as caught:
        gradcheck(function, inputs, **options)
    return str(caught.value)


EVERYTHING = {
    "check_forward_ad": True,
    "check_batched_grad": True,
    "check_batched_forward_grad": True,
    "check_grad_dtypes": True,
}


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize(
    ("function", "inputs"),
    [
        (torch.sin, lambda: leaf(0.3, 0.7)),
        (lambda x, y: ((x * y).sum(), x / y), lambda: (leaf(0.3, 0.7), leaf(1.5, 2.0))),
        (lambda x, n: x**n, lambda: (leaf(0.3, 0.7), 3)),
        (lambda x: x.exp().sum(), lambda: torch.zeros((), dtype=DOUBLE, requires_grad=True)),
        (lambda x: x * 2, lambda: torch.zeros(0, 3, dtype=DOUBLE, requires_grad=True)),
        (lambda z: z * z.conj(), lambda: leaf(1 + 2j, 0.5, dtype=torch.complex128)),
        (lambda z: z.abs(), lambda: leaf(1 + 2j, 0.5j, dtype=torch.complex128)),
        (lambda x: torch.complex(x, x * x).exp(), lambda: leaf(0.3, 0.7)),
        (lambda x: (x.sin(), (x > 0), x.detach()), lambda: leaf(0.3, -0.7)),
        (lambda x: x.t().reshape(-1)[1:], lambda: leaf(0.3, 0.7, 1.0, 2.0).detach().reshape(2, 2)
         .t().requires_grad_()),
    ],
)  # fmt: skip
def test_right_derivatives_pass(function, inputs, fast):
    assert gradcheck(function, inputs(), fast_mode=fast, **EVERYTHING)
    options = {"check_fwd_over_rev": True, "check_batched_grad": True, "fast_mode": fast}
    assert gradgradcheck(function, inputs(), gen_non_contig_grad_outputs=fast, **options)


def test_inputs_are_put_back_exactly():
    x = leaf(0.1, 1 / 3)
    before, version = x.tolist(), x._version
    assert gradcheck(torch.exp, x)
    assert x.tolist() == before
    assert x._version == version
    assert x.grad is None

    def fails(value):
        if value[0].item() != 0.1:
            raise KeyError
        return value.exp()

    with pytest.raises(KeyError):
        gradcheck(fails, x)
    assert x.tolist() == before


def test_a_function_may_use_its_inputs_through_a_closure():
    layer = torch.nn.Linear(2, 1, dtype=DOUBLE)
    x = leaf(0.3, 0.7)
    assert gradcheck(lambda *_: layer(x), (x, *layer.parameters()))


@pytest.mark.parametrize("fast", [False, True])
def test_the_worst_entry_is_named(fast):
    x = leaf(1.0, 2.0, 3.0)

    def rule(g, x):
        return g + torch.tensor([0.0, 0.0, 0.5 / 6], dtype=DOUBLE) * g

    text = message_of(lambda x: (x.sin(), wrong(rule)(x)), x, fast_mode=fast)
    assert "Jacobian mismatch for output 1 with respect to input 0" in text
    assert "1 of 9 entries" in text
    assert re.search(r"d output\[2\] / d input\[2\]: numerical (6|5\.99\d+), analytical 6\.5", text)
    assert "kink" not in text
    if fast:
        assert "along a random direction" in text


def test_indices_of_matrices_and_the_line_of_the_output():
    x = torch.ones(2, 2, dtype=DOUBLE, requires_grad=True)

    def rule(g, x):
        g = g.clone()
        g[1, 0] = 7.0
        return g

    text = message_of(wrong(rule), x)
    assert "d output[0, 0] / d input[1, 0]" in text or "d output[1, 1] / d input[1, 0]" in text
    assert "test_gradcheck.py:" in text


def test_a_factor_throughout_is_seen():
    assert "0.5 times the numerical ones" in message_of(wrong(lambda g, x: g / 2), leaf(1.0, 2.0))


def test_a_transpose_is_seen():
    a = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=DOUBLE)

    def product(x):
        return (a @ x - a.t() @ x).detach() + a.t() @ x

    assert "transpose" in message_of(product, leaf(1.0, 2.0))


def test_a_missing_conjugate_is_seen():
    z = leaf(1 + 2j, 0.5 - 1j, dtype=torch.complex128)
    text = message_of(wrong(lambda g, z: g.conj()), z)
    assert "conjugate" in text
    assert "part of the complex output" in text


@pytest.mark.parametrize("at", [0.0, 1e-7, -3e-7])
@pytest.mark.parametrize("forward", [False, True])
def test_a_kink_is_seen(at, forward):
    options = {"check_forward_ad": forward, "check_backward_ad": not forward}
    text = message_of(torch.relu, leaf(0.5, at), **options)
    assert "the point is at a kink: from the left the slope is" in text
    assert "output[1] / d input[1]" in text


def test_a_jump_is_seen():
    assert "jumps at this point" in message_of(torch.round, leaf(0.5, 1.2))


def test_a_smooth_mistake_beside_a_large_curvature_is_no_kink():
    text = message_of(wrong(lambda g, x: g / 2), leaf(1e4))
    assert "kink" not in text
    text = message_of(lambda x: wrong(lambda g, x: 2 * g)(x * 100).exp(), leaf(0.01))
    assert "kink" not in text
    text = message_of(lambda x: 1 / wrong(lambda g, x: 2 * g)(x), leaf(2e-5))  # beside a pole
    assert "kink" not in text


def test_a_cut_graph_is_seen():
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    assert "no path leads" in message_of(lambda x, y: x * y.detach(), (x, y))
    text = message_of(lambda x: x.detach() * 2, x)
    assert "expected to be zero" in text
    assert gradcheck(lambda x: torch.ones(2, dtype=DOUBLE), x)
    assert "expected to be zero" in message_of(lambda x: x.detach() * 2, x, fast_mode=True)


def test_nan_never_passes():
    assert "NaN" in message_of(wrong(lambda g, x: g * torch.nan), leaf(1.0))


def test_two_passes_must_agree():
    count = iter(range(10**6))
    noisy = wrong(lambda g, x: g * (1 + 1e-7 * next(count)))
    assert "not reentrant" in message_of(noisy, leaf(1.0, 2.0))
    assert gradcheck(noisy, leaf(1.0), nondet_tol=1e-4)


def test_a_gradient_that_forgets_its_cotangent():
    assert "not multiplied by grad_output" in message_of(wrong(lambda g, x: g + 1e-6), leaf(1.0))


def test_fast_mode_that_alone_fails_says_so():
    # Each entry is off by less than it may, but in the sum the errors add up and the values do not.
    slightly_off = wrong(lambda g, x: g + 5e-4 * g.abs())
    x = leaf(1.0, -1.0, 1.01)
    assert gradcheck(slightly_off, x, rtol=5.5e-4, atol=1e-9)
    with pytest.raises(GradcheckError, match="would have passed with fast_mode=False"):
        gradcheck(slightly_off, x, rtol=5.5e-4, atol=1e-9, fast_mode=True)


def test_second_derivatives_are_checked():
    def once_right(x):
        inner = x * 1
        inner.register_hook(lambda g: g.detach())
        return inner**3

    assert gradcheck(once_right, leaf(1.0, 2.0))
    with pytest.raises(GradcheckError, match="expected to be zero"):
        gradgradcheck(once_right, leaf(1.0, 2.0))
    assert not gradgradcheck(once_right, leaf(1.0, 2.0), raise_exception=False)


def test_weights_of_gradgradcheck():
    x = leaf(1.0, 2.0)
    assert gradgradcheck(lambda x: x**3, x, leaf(0.5, 1.5))
    assert gradgradcheck(lambda x: (x**3, x.sin()), x, (leaf(0.5, 1.5), leaf(1.0, 0.0)))


def test_single_precision_warns_here():
    x = torch.tensor([1.0], requires_grad=True)
    with pytest.warns(UserWarning, match="Input #0 .* not a double precision") as caught:
        gradcheck(torch.sin, x, raise_exception=False)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert "torch.float32" in message_of(torch.sin, x)
        assert gradcheck(torch.sin, x, eps=1e-2, atol=1e-2)


def test_bad_arguments():
    x = leaf(1.0, 2.0)
    with pytest.raises(ValueError, match="at least one input tensor to require gradient"):
        gradcheck(torch.sin, torch.ones(2, dtype=DOUBLE))
    with pytest.raises(RuntimeError, match="stride 0"):
        gradcheck(torch.sin, torch.ones(1, dtype=DOUBLE).expand(3).requires_grad_())
    windows = torch.ones(3, dtype=DOUBLE).as_strided((2, 2), (1, 1)).requires_grad_()
    with pytest.raises(GradcheckError, match="overlaps itself"):
        gradcheck(torch.sin, windows)
    assert gradcheck(torch.sin, torch.ones(6, dtype=DOUBLE).as_strided((2, 2), (2, 3)).clone()
                     .requires_grad_())  # fmt: skip
    with pytest.raises(AssertionError, match="at least one of"):
        gradcheck(torch.sin, x, check_backward_ad=False)
    with pytest.raises(AssertionError, match="check_batched_grad"):
        gradcheck(torch.sin, x, check_backward_ad=False, check_forward_ad=True,
                  check_batched_grad=True)  # fmt: skip
    with pytest.raises(AssertionError, match="check_batched_forward_grad"):
        gradcheck(torch.sin, x, check_batched_forward_grad=True)
    with pytest.raises(AssertionError, match="at least one of"):
        gradgradcheck(torch.sin, x, check_rev_over_rev=False)
    with pytest.raises(AssertionError, match="same shape"):
        gradcheck(lambda x: x[: 1 + int(x[0].item() > 1)] * 1, x)
    with pytest.raises(AssertionError, match="same dtype"):
        gradcheck(lambda x: x.float() if x[0].item() > 1 else x * 1, x)


def test_the_module_and_the_function_share_a_name():
    from adjoint.autograd.gradcheck import get_numerical_jacobian  # noqa: F401 - that it can be imported

    assert callable(torch.autograd.gradcheck)
    assert issubclass(GradcheckError, RuntimeError)


def test_functions_of_old():
    from adjoint.autograd.gradcheck import (
        get_analytical_jacobian,
        get_numerical_jacobian,
        get_numerical_jacobian_wrt_specific_input,
    )

    x, y = leaf(0.3, 0.7), leaf(2.0)
    with pytest.warns(FutureWarning):
        found = get_numerical_jacobian(lambda inputs: inputs[0] * inputs[1], (x, y))
    assert torch.allclose(found[0], 2 * torch.eye(2, dtype=DOUBLE))
    assert torch.allclose(found[1], x.detach()[None])
    with pytest.warns(FutureWarning):
        jacobians, reentrant, sizes, types = get_analytical_jacobian((x, y), x * y)
    assert (reentrant, sizes, types) == (True, True, True)
    assert torch.allclose(jacobians[0], found[0])
    (one,) = get_numerical_jacobian_wrt_specific_input(torch.sin, 0, (x,), None, 1e-6)
    assert torch.allclose(one.diagonal(), x.detach().cos())


class Product(torch.autograd.Function):
    """Two results; both modes, in the style with one ``forward``."""

    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        ctx.save_for_forward(x, y)
        return x * y, x.exp()

    @staticmethod
    def backward(ctx, a, b):
        x, y = ctx.saved_tensors
        return a * y + b * x.exp(), a * x

    @staticmethod
    def jvp(ctx, t, s):
        x, y = ctx.saved_tensors
        return t * y + x * s, t * x.exp()


@pytest.mark.parametrize("fast", [False, True])
def test_functions_of_the_user(fast):
    inputs = leaf(0.3, 0.7), leaf(1.3, -0.7)
    assert gradcheck(Product.apply, inputs, check_forward_ad=True, fast_mode=fast)
    assert gradgradcheck(Product.apply, inputs, check_fwd_over_rev=True, fast_mode=fast)

    class Wrong(Product):
        @staticmethod
        def jvp(ctx, t, s):
            return t, s

    assert gradcheck(Wrong.apply, inputs, fast_mode=fast)
    text = message_of(Wrong.apply, inputs, check_forward_ad=True, fast_mode=fast)
    assert "in forward mode" in text

    class Nothing(Product):
        @staticmethod
        def backward(ctx, a, b):
            return None, None

    assert "no path leads" in message_of(Nothing.apply, inputs, fast_mode=fast)


def test_missing_cotangents():
    def given(rule):
        class Pair(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.set_materialize_grads(False)
                return x * 2, x * 3

            @staticmethod
            def backward(ctx, a, b):
                return rule(a, b)

        return Pair.apply

    def refuses(a, b):
        if a is None or b is None:
            raise RuntimeError("needs both")
        return 2 * a + 3 * b

    def invents(a, b):
        return torch.ones(1, dtype=DOUBLE) if a is None else 2 * a + (0 if b is None else 3 * b)

    def takes(a, b):
        return (0 if a is None else 2 * a) + (0 if b is None else 3 * b)

    def all_at_once(rule):
        return lambda x: torch.stack(given(rule)(x))

    assert gradcheck(given(takes), leaf(1.0))
    # Of outputs that both are differentiated the check comes last: let the others be one tensor.
    for rule, words in ((refuses, "needs both"), (invents, "undefined or zero")):
        assert gradcheck(all_at_once(rule), leaf(1.0))
        with pytest.raises(RuntimeError, match=words):
            check_missing_cotangents(Problem(given(rule), leaf(1.0), 1e-6))
