"""Forward mode on ordinary tensors: ``make_dual`` attaches a tangent, and operations move it along.

>>> import adjoint as torch
>>> import adjoint.autograd.forward_ad as fwAD
>>> with fwAD.dual_level():
...     x = fwAD.make_dual(torch.tensor(3.0), torch.tensor(1.0))
...     print(fwAD.unpack_dual(x * x).tangent)
tensor(6.)
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, NamedTuple, TypeVar

from adjoint import dtypes
from adjoint.array.value import tensor_level
from adjoint.errors import describe_shape
from adjoint.ops.tangents import dual_row, join, split
from adjoint.tape.forward import Attached, DualLevel, forward, is_moving
from adjoint.tape.modes import decorated
from adjoint.tape.tensor import Tensor

Function = TypeVar("Function", bound=Callable[..., Any])
NO_LEVEL = -1


class UnpackedDualTensor(NamedTuple):
    """What ``unpack_dual`` gives: the tensor without its tangent, and the tangent or None."""

    primal: Any
    tangent: Any


def enter_dual_level() -> int:
    """Begin a level, inside which tensors may have tangents; returns its number, 0.

    Raises ``RuntimeError`` inside another level: differentiate twice with ``func.jvp``, which
    nests, or take the gradient of a tangent.

    >>> import adjoint as torch
    >>> level = torch.autograd.forward_ad.enter_dual_level()
    >>> torch.autograd.forward_ad.exit_dual_level(level=level)
    """
    if forward.level is not None:
        raise RuntimeError(
            "Nested forward mode AD is not supported at the moment: a dual level is open already. "
            "func.jvp nests, and the gradient of a tangent is a second derivative too"
        )
    forward.level = DualLevel(tensor_level())
    return 0


def exit_dual_level(*, level: int | None = None) -> None:
    """End the level: every tensor loses its tangent, and is what it is without it.

    Raises ``RuntimeError`` where no level is open, or not the one given.

    >>> import adjoint as torch
    >>> torch.autograd.forward_ad.enter_dual_level()
    0
    >>> torch.autograd.forward_ad.exit_dual_level()
    """
    open_level = NO_LEVEL if forward.level is None else 0
    if level is not None and level != open_level:
        raise RuntimeError(
            "Trying to exit a forward AD level that was not the last one that was created: "
            f"got level={level}, and the open one is {open_level}"
        )
    if forward.level is None:
        raise RuntimeError("exit_dual_level: no dual level is open; enter_dual_level() opens one")
    closing, forward.level = forward.level, None
    closing.close()


def make_dual(tensor: Any, tangent: Any, *, level: int | None = None) -> Any:
    """A tensor over the memory of ``tensor`` that moves along ``tangent``, of the same shape.

    It is a view of ``tensor``, so a gradient with respect to either is one of both. The tangent is
    kept without a copy if it lies in memory as ``tensor`` does. Raises ``RuntimeError`` outside a
    level, for another shape, and for a tensor or a tangent that has a tangent already, and
    ``ValueError`` for types that are neither floating nor complex.

    >>> import adjoint as torch
    >>> with torch.autograd.forward_ad.dual_level():
    ...     torch.autograd.forward_ad.make_dual(torch.ones(2), torch.tensor([3.0, 4.0]))
    tensor([1., 1.], tangent=tensor([3., 4.]))
    """
    home = forward.level
    if home is None or (level is not None and level < 0):
        raise RuntimeError(
            "Trying to create a dual Tensor for forward AD but no level exists: "
            "make it inside `with dual_level():`"
        )
    _check_level(level)
    for name, value in (("primal", tensor), ("tangent", tangent)):
        if not isinstance(value, Tensor):
            raise AttributeError(f"make_dual: the {name} is a Tensor, not {type(value).__name__}")
        if dtypes.of(value).category < dtypes.FLOATING:
            raise ValueError(
                f"Expected {name} to be floating point or complex, but got: {dtypes.of(value)!r}"
            )
    if not is_moving():
        return dual_row(tensor)
    for name, value in (("tensor", tensor), ("tangent", tangent)):
        if type(value._array) is Attached:
            raise RuntimeError(
                f"make_dual: the {name} already has a forward gradient at this level, and tangents "
                "do not nest; unpack_dual() takes it off"
            )
    if tuple(tensor.shape) != tuple(tangent.shape):
        raise RuntimeError(
            "make_dual: a forward gradient has the size of its tensor, but the tensor has shape "
            f"{describe_shape(tensor.shape)} and the tangent {describe_shape(tangent.shape)}"
        )
    return join(tensor, tangent, home)


def unpack_dual(tensor: Any, *, level: int | None = None) -> UnpackedDualTensor:
    """A tensor without its tangent, and the tangent: None where it has none.

    Both keep their history. Raises ``TypeError`` for what is not a tensor.

    >>> import adjoint as torch
    >>> torch.autograd.forward_ad.unpack_dual(torch.ones(2))
    UnpackedDualTensor(primal=tensor([1., 1.]), tangent=None)
    """
    if not isinstance(tensor, Tensor):
        raise TypeError(f"unpack_dual: argument is to be a Tensor, not {type(tensor).__name__}")
    home = forward.level
    if home is None or (level is not None and level < 0):
        return UnpackedDualTensor(tensor, None)
    _check_level(level)
    primal, tangent = split(tensor, home)
    return UnpackedDualTensor(primal, tangent if is_moving() else None)


def _check_level(level: int | None) -> None:
    if level:
        raise RuntimeError(f"Invalid level {level}: dual levels do not nest, so the only one is 0")


class dual_level:  # noqa: N801 - PyTorch's name
    """A level as a block, or as a decorator; what has a tangent inside has none afterwards.

    >>> import adjoint as torch
    >>> import adjoint.autograd.forward_ad as fwAD
    >>> with fwAD.dual_level():
    ...     fwAD.make_dual(torch.tensor(0.0), torch.tensor(2.0)).sin()
    tensor(0., tangent=2.0)
    """

    def __enter__(self) -> int:
        return enter_dual_level()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        exit_dual_level()

    def clone(self) -> dual_level:
        """Another such block."""
        return type(self)()

    def __call__(self, orig_func: Function) -> Function:
        return decorated(self.clone, orig_func)


class set_fwd_grad_enabled:  # noqa: N801 - PyTorch's name
    """Switch the carrying of tangents on or off at once; as a block, put it back afterwards.

    While it is off, tensors keep the tangents that they have, but do not show them.

    >>> import adjoint as torch
    >>> import adjoint.autograd.forward_ad as fwAD
    >>> with fwAD.dual_level():
    ...     x = fwAD.make_dual(torch.tensor(0.0), torch.tensor(2.0))
    ...     with fwAD.set_fwd_grad_enabled(False):
    ...         y = x.sin()
    ...     fwAD.unpack_dual(y).tangent is None
    True
    """

    def __init__(self, mode: bool) -> None:
        super().__init__()
        self.prev = forward.enabled
        self.mode = bool(mode)
        forward.enabled = self.mode

    def __enter__(self) -> None:
        forward.enabled = self.mode

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        forward.enabled = self.prev

    def clone(self) -> set_fwd_grad_enabled:
        """Another of the same mode, which it sets."""
        return type(self)(self.mode)

    def __call__(self, orig_func: Any) -> Any:
        forward.enabled = self.prev
        return decorated(self.clone, orig_func)


_set_fwd_grad_enabled = set_fwd_grad_enabled


def _is_fwd_grad_enabled() -> bool:
    return is_moving()


__all__ = [
    "UnpackedDualTensor", "dual_level", "enter_dual_level", "exit_dual_level", "make_dual",
    "set_fwd_grad_enabled", "unpack_dual",
]  # fmt: skip
