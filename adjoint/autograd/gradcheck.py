"""``gradcheck`` and ``gradgradcheck``: derivatives against difference quotients.

This module is what ``import adjoint`` loads; the work is done by ``adjoint.autograd.checking``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from adjoint.lazy import LazyModule

if TYPE_CHECKING:
    from adjoint.autograd.checking import legacy, running
else:
    legacy = LazyModule("adjoint.autograd.checking.legacy")
    running = LazyModule("adjoint.autograd.checking.running")

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]

_LEGACY = (
    "get_analytical_jacobian",
    "get_numerical_jacobian",
    "get_numerical_jacobian_wrt_specific_input",
)


def __getattr__(name: str) -> Any:
    if name in _LEGACY:
        return getattr(legacy, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class GradcheckError(RuntimeError):
    """What ``gradcheck`` and ``gradgradcheck`` raise where derivatives do not agree."""


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Whether the derivatives of ``func`` at ``inputs`` agree with difference quotients.

    ``inputs`` is a tensor or a tuple, of which those that require gradients are moved, entry by
    entry, by ``eps``; they should be of type float64 or complex128. ``fast_mode`` compares one
    random direction only. Raises ``GradcheckError`` with the worst entry, or returns False with
    ``raise_exception=False``; ``ValueError`` if no input requires a gradient.

    >>> import adjoint as torch
    >>> x = torch.tensor([0.3, 0.7], dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradcheck(torch.sin, x, check_forward_ad=True)
    True
    """
    _require(
        check_forward_ad or check_backward_ad,
        "Expected at least one of check_forward_ad or check_backward_ad to be True",
    )
    _require(
        check_backward_ad or not check_batched_grad,
        "Setting check_batched_grad=True requires check_backward_ad to be True",
    )
    _require(
        check_forward_ad or not check_batched_forward_grad,
        "Setting check_batched_forward_grad=True requires check_forward_ad to be True",
    )
    options = {
        "atol": atol,
        "rtol": rtol,
        "nondet_tol": nondet_tol,
        "undefined": check_undefined_grad,
        "grad_dtypes": check_grad_dtypes,
        "batched": check_batched_grad,
        "batched_forward": check_batched_forward_grad,
        "forward": check_forward_ad,
        "backward": check_backward_ad,
        "fast": fast_mode,
        "masked": bool(masked),
    }
    try:
        running.check(func, inputs, eps, **options)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(message)


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Whether the second derivatives of ``func`` agree with quotients of its gradients.

    ``grad_outputs`` weigh the outputs; they are drawn at random where not given. The rest is as for
    ``gradcheck``, which is applied to the gradient as a function of inputs and ``grad_outputs``.

    >>> import adjoint as torch
    >>> x = torch.tensor([0.3, 0.7], dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradgradcheck(torch.sin, x, check_fwd_over_rev=True)
    True
    """
    _require(
        check_fwd_over_rev or check_rev_over_rev,
        "Expected at least one of check_fwd_over_rev or check_rev_over_rev to be True",
    )
    _require(
        check_rev_over_rev or not check_undefined_grad,
        "Setting check_undefined_grad=True requires check_rev_over_rev to be True",
    )
    _require(
        check_rev_over_rev or not check_batched_grad,
        "Setting check_batched_grad=True requires check_rev_over_rev to be True",
    )
    gradient, point = running.second_order(func, inputs, grad_outputs, gen_non_contig_grad_outputs)
    return gradcheck(
        gradient,
        point,
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad,
        check_grad_dtypes=check_grad_dtypes,
        check_batched_grad=check_batched_grad,
        check_forward_ad=check_fwd_over_rev,
        check_backward_ad=check_rev_over_rev,
        fast_mode=fast_mode,
        masked=masked,
    )
