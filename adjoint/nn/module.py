"""Module: the base of all layers and networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from adjoint.lazy import LazyModule
from adjoint.nn import hooks
from adjoint.nn.conversion import Convertible
from adjoint.nn.state import Stateful
from adjoint.tape.handles import RemovableHandle

if TYPE_CHECKING:
    from adjoint.compiler.front import function as compiling
else:
    compiling = LazyModule("adjoint.compiler.front.function")


class Module(Convertible, Stateful):
    """A function with parameters: subclasses make these in ``__init__`` and say ``forward``.

    Parameters and modules that are assigned as attributes are listed, saved and converted with it.

    >>> class Scale(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.factor = torch.nn.Parameter(torch.tensor(2.0))
    ...
    ...     def forward(self, x):
    ...         return self.factor * x
    >>> Scale()(torch.tensor([1.0, 2.0]))
    tensor([2., 4.], grad_fn=<MulBackward0>)
    """

    dump_patches = False
    call_super_init = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Begin without parameters; a subclass calls this before it assigns any."""
        if not self.call_super_init and (args or kwargs):
            raise TypeError(
                f"{type(self).__name__}.__init__() takes no arguments, but got "
                f"{[*map(repr, args), *kwargs]}"
            )
        self._begin()
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes: every subclass defines it."""
        raise NotImplementedError(
            f'Module [{type(self).__name__}] is missing the required "forward" function'
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """``forward``, with the hooks around it."""
        own = self._hooks
        if own is None and hooks.everywhere is None:
            return self.forward(*args, **kwargs)
        return hooks.call(self, own, args, kwargs)

    def compile(self, **options: Any) -> None:
        """Let calls of this module run as machine code; the ``options`` are those of ``compile``.

        >>> layer = torch.nn.Linear(2, 1)
        >>> layer.compile()
        >>> layer(torch.ones(3, 2)).shape
        torch.Size([3, 1])
        """
        compiling.compile_in_place(self, **options)

    # -- hooks --------------------------------------------------------------------------------

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before ``forward``; what it returns replaces the arguments.

        With ``with_kwargs`` it gets and returns the keyword arguments too.
        """
        table = self._own_hooks().forward_pre
        return hooks.add(table, hook, with_kwargs=with_kwargs, prepend=prepend)

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after ``forward``; what it returns replaces that.

        With ``always_call`` it is called after an error too, with None for the output.
        """
        table = self._own_hooks().forward
        return hooks.add(
            table, hook, with_kwargs=with_kwargs, always_call=always_call, prepend=prepend
        )

    def register_full_backward_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` when the outputs' gradients have arrived."""
        return hooks.add(self._own_hooks().backward_pre, hook, prepend=prepend)

    def register_full_backward_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` when the inputs' gradients are known.

        What it returns replaces those; they are tuples with a place for each argument.
        """
        return hooks.add(self._own_hooks().backward, hook, prepend=prepend)

    register_backward_hook = register_full_backward_hook

    @property
    def _forward_hooks(self) -> dict[int, Any]:
        return self._own_hooks().forward

    @property
    def _forward_pre_hooks(self) -> dict[int, Any]:
        return self._own_hooks().forward_pre

    @property
    def _backward_hooks(self) -> dict[int, Any]:
        return self._own_hooks().backward

    # -- the whole tree -----------------------------------------------------------------------

    def apply(self, fn: Callable[[Any], None]) -> Self:
        """Call ``fn`` on every module below and then on this one, as to initialise; returns it."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Self:
        """Set ``training`` here and below, which dropout and batch norm look at; returns it.

        Raises ``ValueError`` unless ``mode`` is a boolean.
        """
        if not isinstance(mode, bool):
            raise ValueError(f"training mode is expected to be boolean, but got {mode!r}")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Self:
        """The same as ``train(False)``."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Whether gradients are wanted for all parameters; returns the module."""
        for param in self.parameters():
            param.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the parameters' gradients, or fill them with zeros."""
        for param in self.parameters():
            g = param.grad
            if g is None:
                continue
            if set_to_none:
                param.grad = None
            elif g.grad_fn is not None:
                param.grad = g.detach().zero_()
            else:
                g.requires_grad_(False)
                g.zero_()

    # -- printing -----------------------------------------------------------------------------

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What stands in the parentheses of the printed module: to be overridden."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [
            f"({name}): " + repr(module).replace("\n", "\n  ")
            for name, module in self._modules.items()
        ]
        if not children and len(lines) <= 1:
            return f"{self._get_name()}({extra})"
        return f"{self._get_name()}(\n  " + "\n  ".join(lines + children) + "\n)"


__all__ = ["Module"]
