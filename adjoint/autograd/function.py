"""``Function``: an operation with a backward (and jvp, and batching rule) of the user's own."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable
from typing import Any, ClassVar, NoReturn

from adjoint.array.value import tensor_level
from adjoint.autograd.function_backward import FunctionPlan
from adjoint.autograd.function_batches import VmapInfo
from adjoint.autograd.function_context import FunctionCtx, begin_turn, end_turn
from adjoint.autograd.function_node import BackwardCFunction, open_class, start_node
from adjoint.autograd.function_outputs import finish
from adjoint.autograd.function_transforms import (
    apply_lifted,
    highest_level,
    require_setup,
)
from adjoint.pytree import flatten
from adjoint.tape.forward import forward
from adjoint.tape.modes import modes, no_grad
from adjoint.tape.tensor import Tensor

__all__ = [
    "BackwardCFunction",
    "Function",
    "FunctionCtx",
    "FunctionMeta",
    "InplaceFunction",
    "NestedIOFunction",
    "VmapInfo",
    "once_differentiable",
]


class FunctionMeta(type):
    """Gives each ``Function`` the class of its nodes, named for it: ``ExpBackward`` for ``Exp``."""

    _backward_cls: type[BackwardCFunction]
    _open_cls: type[BackwardCFunction]
    _plans: dict[int, FunctionPlan]
    _rules: dict[Any, Any]  # made for vmap

    def __init__(cls, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> None:
        super().__init__(name, bases, attrs)
        node = type(
            name + "Backward", (BackwardCFunction,), {"_forward_cls": cls, "__module__": __name__}
        )
        cls._backward_cls = node
        cls._open_cls = open_class(node)
        cls._plans = {}
        cls._rules = {}


class Function(FunctionCtx, metaclass=FunctionMeta):
    """An operation whose derivatives the user writes; made by subclassing, used by ``apply``.

    ``forward(ctx, *args)`` computes, and keeps on ``ctx`` what ``backward(ctx, *grads)`` needs,
    which gives one gradient for each argument. Split into ``forward(*args)`` and
    ``setup_context(ctx, inputs, output)`` it also works inside ``func``'s transforms.

    >>> import adjoint as torch
    >>> class Cube(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x**3
    ...
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         (x,) = ctx.saved_tensors
    ...         return g * 3 * x**2
    >>> x = torch.tensor(2.0, requires_grad=True)
    >>> y = Cube.apply(x)
    >>> y
    tensor(8., grad_fn=<CubeBackward>)
    >>> torch.autograd.grad(y, x)
    (tensor(12.),)
    """

    _base_function: ClassVar[Any]
    # Make a rule for vmap by running forward, setup_context, backward and jvp on batches.
    generate_vmap_rule = False
    # Let go of what was saved as soon as backward has looked at ctx.saved_tensors.
    clear_saved_tensors_on_access = False
    # Call backward(ctx, grads) with one list, which it may empty as it goes.
    boxed_grads_call = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        warnings.warn(
            f"{type(self).__name__} should not be instantiated: its methods are static, and "
            f"{type(self).__name__}.apply(...) calls it",
            DeprecationWarning,
            stacklevel=2,
        )

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse: ``RuntimeError``, as a Function is not called but applied."""
        raise RuntimeError(
            "Legacy autograd function with non-static forward method is deprecated: write forward "
            f"and backward as static methods, and call {type(self).__name__}.apply(...)"
        )

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """To be overridden: compute the output, a Tensor or a tuple, of ``(ctx, *args)``.

        Without ``ctx`` where ``setup_context`` is overridden too.
        """
        raise NotImplementedError(
            "You must implement the forward function for custom autograd.Function."
        )

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        """May be overridden: keep on ``ctx`` what ``backward`` and ``jvp`` need."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """To be overridden: from one gradient for each output, one for each argument or None."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom "
            "autograd.Function to use it with backward mode AD: write a static method "
            "backward(ctx, *grad_outputs)"
        )

    vjp = backward

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """To be overridden for forward mode: from tangents of the arguments, one for each output.

        None stands for an argument that is no Tensor, and is returned for such an output.
        """
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with "
            "forward mode AD: write a static method jvp(ctx, *tangents)"
        )

    @staticmethod
    def vmap(info: VmapInfo, in_dims: tuple[Any, ...], *args: Any) -> Any:
        """To be overridden for ``vmap``: the output over whole batches, and its dims.

        ``info`` has ``batch_size`` and ``randomness``; ``in_dims`` has, for each argument, the
        dimension that numbers the examples, or None. Returns ``(output, out_dims)``.
        """
        raise NotImplementedError(
            "To use autograd.Function with vmap, you must either override the vmap staticmethod or "
            "set generate_vmap_rule=True."
        )

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Carry the Function out on ``args``, and record it where one of them needs a gradient.

        Arguments given by name take their places, as if by position, in ``needs_input_grad`` too.
        Raises ``RuntimeError`` inside a transform unless ``setup_context`` is overridden, and
        ``TypeError`` for a tensor that needs a gradient and can be given by name only.
        """
        split = cls.setup_context is not _BASE_SETUP
        if split:
            args, kwargs = _bound(cls.forward, args, kwargs)
        elif kwargs:
            args, kwargs = _by_position(cls.forward, args, kwargs)
        if kwargs:
            _check_keyword_only(cls, kwargs)
        level = 0
        for value in args:
            if isinstance(value, Tensor):
                if value._level > level:
                    level = value._level
            elif isinstance(value, (list, tuple, dict)):
                level = max(level, highest_level(flatten(value)[0]))
        if not split and tensor_level():
            require_setup(cls)
        if level:
            return apply_lifted(cls, args, kwargs, level)
        return cls._apply_at(level, split, args, kwargs)

    @classmethod
    def _apply_at(cls, level: int, split: bool, args: tuple[Any, ...], kwargs: Any) -> Any:
        """``apply`` where ``forward`` may see the arguments as they are."""
        node = start_node(cls._backward_cls, args, level)
        enabled, moving = modes.enabled, forward.enabled
        modes.enabled = forward.enabled = False
        before = begin_turn(node)
        try:
            if split:
                out = cls.forward(*args, **kwargs)
                cls.setup_context(node, args, out)
            else:
                out = cls.forward(node, *args, **kwargs)
        finally:
            end_turn(node, before)
            modes.enabled, forward.enabled = enabled, moving
        return finish(node, args, out, bool(enabled) and True in node.needs_input_grad)

    @classmethod
    def _has_setup(cls) -> bool:
        return cls.setup_context is not cls._base_function.setup_context

    @classmethod
    def _plan(cls, output_count: int) -> FunctionPlan:
        found = cls._plans.get(output_count)
        if found is None:
            found = cls._plans[output_count] = FunctionPlan(cls.__name__, output_count)
        return found


Function._base_function = Function
_BASE_SETUP = Function.setup_context


def _bound(
    forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Arguments by position with defaults filled in; ``TypeError`` for those that do not fit."""
    code = getattr(forward, "__code__", None)
    if (
        code is not None
        and not kwargs
        and code.co_argcount == len(args)
        and not code.co_kwonlyargcount
        and not code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS)
    ):
        return args, kwargs  # 10 microseconds less than asking `inspect`
    bound = inspect.signature(forward).bind(*args, **kwargs)
    bound.apply_defaults()
    return bound.args, bound.kwargs


def _by_position(
    forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Arguments of ``forward(ctx, ...)`` by position, and those that it takes by name only."""
    signature = inspect.signature(forward)
    bound = signature.bind(None, *args, **kwargs)
    given = [*signature.parameters].index
    last = max((given(name) for name in kwargs if name in signature.parameters), default=0)
    defaults = [
        (name, parameter.default)
        for name, parameter in [*signature.parameters.items()][:last]
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
    ]
    bound.arguments = dict(defaults) | bound.arguments  # in the parameters' order
    return bound.args[1:], bound.kwargs


def _check_keyword_only(function: type[Function], kwargs: dict[str, Any]) -> None:
    """``TypeError`` for a tensor among them that a gradient would be lost for."""
    for name, value in kwargs.items():
        if isinstance(value, Tensor) and (value._node is not None or value._level):
            raise TypeError(
                f"{function.__name__}.forward takes {name!r} by name only, and backward gives "
                "gradients of arguments by position: let it be given by position"
            )


def once_differentiable(fn: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator for a ``backward`` that is not made of operations on Tensors.

    It runs without recording, and a gradient of its result is refused: ``RuntimeError``.

    >>> import adjoint as torch
    >>> class Double(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         return 2 * x
    ...
    ...     @staticmethod
    ...     @torch.autograd.function.once_differentiable
    ...     def backward(ctx, g):
    ...         return torch.from_numpy(2 * g.numpy())
    >>> x = torch.tensor([1.0], requires_grad=True)
    >>> torch.autograd.grad(Double.apply(x), x, torch.ones(1))
    (tensor([2.]),)
    """

    @functools.wraps(fn)
    def once(ctx: Any, *args: Any, **kwargs: Any) -> Any:
        with no_grad():
            outputs = fn(ctx, *args, **kwargs)
        arrived = [each for each in flatten(args)[0] if isinstance(each, Tensor)]
        if not modes.enabled or not any(each._node is not None for each in arrived):
            return outputs
        several = isinstance(outputs, tuple)
        given = outputs if several else (outputs,)
        refused = tuple(
            [_Once.apply(each, *arrived) if isinstance(each, Tensor) else each for each in given]
        )
        return refused if several else refused[0]

    return once


class _Once(Function):
    """The identity of its first argument, whose backward is an error."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Any, *_: Any) -> Any:
        return x.detach()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, *_: Any) -> NoReturn:
        raise RuntimeError(
            "trying to differentiate twice a function that was marked with @once_differentiable "
            f"(its backward ran at {ctx.where()}): write that backward with operations on Tensors, "
            "and take the mark off"
        )


for _kind in (_Once._backward_cls, _Once._open_cls):
    _kind.__name__ = _kind.__qualname__ = "Error"


class InplaceFunction(Function):
    """An old base class: an instance has ``inplace``. Use ``Function`` and ``ctx.mark_dirty``."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace


class NestedIOFunction(Function):
    """An old base class of Functions on nested tuples, which cannot be called any more.

    ``func.vmap`` and the other transforms take nested arguments; ``autograd.custom`` too.
    """
