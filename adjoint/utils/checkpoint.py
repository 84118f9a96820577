"""Checkpoints: compute again in the backward pass instead of keeping, as ``torch.utils``."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from adjoint.autograd.function import Function
from adjoint.random import default_generator
from adjoint.tape.backward import backward
from adjoint.tape.hooks import running
from adjoint.tape.modes import enable_grad, modes, no_grad
from adjoint.tape.tensor import Tensor
from adjoint.tape.warning import warn
from adjoint.utils.checkpoint_frames import CheckpointError, Frame, GraphExecGroup
from adjoint.utils.checkpoint_policies import (
    SAC_IGNORED_OPS,
    CheckpointPolicy,
    SelectiveCheckpointContext,
    create_selective_checkpoint_contexts,
)

__all__ = [
    "SAC_IGNORED_OPS",
    "CheckpointError",
    "CheckpointFunction",
    "CheckpointPolicy",
    "DefaultDeviceType",
    "GraphExecGroup",
    "SelectiveCheckpointContext",
    "check_backward_validity",
    "checkpoint",
    "checkpoint_sequential",
    "create_selective_checkpoint_contexts",
    "detach_variable",
    "get_device_states",
    "noop_context_fn",
    "set_checkpoint_debug_enabled",
    "set_checkpoint_early_stop",
    "set_device_states",
]

CHECKS = ("default", "none")


class _Settings:
    debug: bool | None = None
    early_stop: bool | None = None


@contextlib.contextmanager
def set_checkpoint_debug_enabled(enabled: bool | None) -> Iterator[None]:
    """In the block, ``debug`` of every ``checkpoint`` is ``enabled``; None leaves it to each.

    A ``CheckpointError`` then lists the operations of both runs.

    >>> import adjoint as torch
    >>> x = torch.zeros(2, requires_grad=True)
    >>> with torch.utils.checkpoint.set_checkpoint_debug_enabled(True):
    ...     out = torch.utils.checkpoint.checkpoint(torch.exp, x, use_reentrant=False)
    >>> torch.autograd.grad(out.sum(), x)
    (tensor([1., 1.]),)
    """
    previous, _Settings.debug = _Settings.debug, enabled
    try:
        yield
    finally:
        _Settings.debug = previous


@contextlib.contextmanager
def set_checkpoint_early_stop(enable: bool) -> Iterator[None]:
    """In the block, ``early_stop`` of every ``checkpoint`` is ``enable``.

    Without it a function that runs again runs to its end, though its last values are not needed.

    >>> import adjoint as torch
    >>> x = torch.zeros(2, requires_grad=True)
    >>> with torch.utils.checkpoint.set_checkpoint_early_stop(False):
    ...     out = torch.utils.checkpoint.checkpoint(torch.exp, x, use_reentrant=False)
    >>> torch.autograd.grad(out.sum(), x)
    (tensor([1., 1.]),)
    """
    previous, _Settings.early_stop = _Settings.early_stop, enable
    try:
        yield
    finally:
        _Settings.early_stop = previous


class DefaultDeviceType:
    """The kind of device whose random state checkpoints keep; without devices, the CPU."""

    _default_device_type = "cpu"

    @staticmethod
    def set_device_type(device: str = "cpu") -> None:
        """Set it; other kinds than "cpu" have no state here."""
        DefaultDeviceType._default_device_type = device

    @staticmethod
    def get_device_type() -> str:
        """The kind that was set."""
        return DefaultDeviceType._default_device_type


def get_device_states(*args: Any) -> tuple[list[int], list[Any]]:
    """Random states of the devices of ``args``: none, as the CPU's is kept apart."""
    return [], []


def set_device_states(
    devices: Sequence[int], states: Sequence[Any], *, device_type: str | None = None
) -> None:
    """Set what ``get_device_states`` gave, which is nothing."""


def noop_context_fn() -> tuple[Any, Any]:
    """Two contexts that do nothing: the default ``context_fn``.

    >>> from adjoint.utils.checkpoint import noop_context_fn
    >>> forward, again = noop_context_fn()
    """
    return contextlib.nullcontext(), contextlib.nullcontext()


def check_backward_validity(inputs: Iterable[Any]) -> None:
    """Warn if none of ``inputs`` requires a gradient."""
    if not any(isinstance(each, Tensor) and each._node is not None for each in inputs):
        warn("None of the inputs have requires_grad=True. Gradients will be None")


def detach_variable(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The tensors of a tuple as leaves that require what they did; ``RuntimeError`` if no tuple.

    >>> import adjoint as torch
    >>> torch.utils.checkpoint.detach_variable((torch.ones(1, requires_grad=True) * 2, "and"))
    (tensor([2.], requires_grad=True), 'and')
    """
    if not isinstance(inputs, tuple):
        raise RuntimeError(
            f"Only tuple of tensors is supported. Got Unsupported input type: "
            f"{type(inputs).__name__}"
        )
    return tuple(map(_as_leaf, inputs))


def _as_leaf(value: Any) -> Any:
    if not isinstance(value, Tensor):
        return value
    leaf = value.detach()
    leaf.requires_grad = value._node is not None
    return leaf


class CheckpointFunction(Function):
    """The re-entrant kind: a Function whose backward runs the forward again, recorded."""

    @staticmethod
    def forward(ctx: Any, run_function: Any, preserve_rng_state: bool, *args: Any) -> Any:
        """Run without recording, and keep the arguments alone."""
        check_backward_validity(args)
        ctx.run_function = run_function
        ctx.preserve_rng_state = preserve_rng_state
        ctx.random = default_generator.snapshot() if preserve_rng_state else None
        ctx.places = [place for place, value in enumerate(args) if isinstance(value, Tensor)]
        ctx.others = [None if isinstance(value, Tensor) else value for value in args]
        ctx.save_for_backward(*[args[place] for place in ctx.places])
        with no_grad():
            return run_function(*args)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """Run again, and go back through what that has recorded."""
        task = running.task
        if task is not None and task.capture is not None:
            raise RuntimeError(
                "When use_reentrant=True, checkpoint is incompatible with .grad() or passing an "
                "`inputs` parameter to .backward(): the graph inside is not known before. Pass "
                "use_reentrant=False, or call .backward() without `inputs`"
            )
        args = list(ctx.others)
        for place, tensor in zip(ctx.places, ctx.saved_tensors, strict=True):
            args[place] = tensor
        outside = default_generator.snapshot() if ctx.preserve_rng_state else None
        if ctx.preserve_rng_state:
            default_generator.restore(ctx.random)
        try:
            leaves = detach_variable(tuple(args))
            with enable_grad():
                outputs = ctx.run_function(*leaves)
        finally:
            if outside is not None:
                default_generator.restore(outside)
        if isinstance(outputs, Tensor):
            outputs = (outputs,)
        wanted = [
            (out, g)
            for out, g in zip(outputs, grads, strict=True)
            if isinstance(out, Tensor) and out._node is not None
        ]
        if not wanted:
            raise RuntimeError(
                "none of output has requires_grad=True, this checkpoint() is not necessary"
            )
        backward([out for out, _ in wanted], [g for _, g in wanted])
        return (
            None,
            None,
            *[leaf.grad if isinstance(leaf, Tensor) else None for leaf in leaves],
        )


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], tuple[Any, Any]] = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    **kwargs: Any,
) -> Any:
    """``function(*args, **kwargs)``, whose saved tensors are computed again when they are needed.

    The backward pass runs the function a second time, with the random state of the first
    (``preserve_rng_state=False`` leaves that out). With ``use_reentrant=False``, the kind to use,
    it stops as soon as it has all (``early_stop``), runs inside the two contexts of ``context_fn``,
    and raises ``CheckpointError`` where it does something else than the first time, unless
    ``determinism_check="none"``; with ``debug`` the error lists all operations. The re-entrant
    kind needs an argument that requires a gradient, and works with ``backward()`` alone. Raises
    ``ValueError`` for arguments that the kind does not take.

    >>> import adjoint as torch
    >>> from adjoint.utils.checkpoint import checkpoint
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> y = checkpoint(lambda x: x.exp().sin(), x, use_reentrant=False)
    >>> torch.autograd.graph.saved_memory(y).total
    0
    >>> y.sum().backward()
    >>> x.grad
    tensor([-2.4784,  3.3129])
    """
    if use_reentrant is None:
        warn(
            "checkpoint: the use_reentrant parameter should be passed explicitly. "
            "use_reentrant=False is recommended; without it the re-entrant kind is used, as with "
            "use_reentrant=True"
        )
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if use_reentrant:
        if kwargs:
            raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
        if context_fn is not noop_context_fn or debug:
            raise ValueError(
                "Passing `context_fn` or `debug` is only supported when use_reentrant=False."
            )
        return CheckpointFunction.apply(function, preserve, *args)
    if determinism_check not in CHECKS:
        raise ValueError(
            f"determinism_check should be one of {list(CHECKS)}, but got {determinism_check}"
        )
    if not modes.enabled:
        return function(*args, **kwargs)
    frame = Frame(
        function,
        args,
        kwargs,
        context_fn(),
        preserve_rng_state=preserve,
        early_stop=early_stop if _Settings.early_stop is None else _Settings.early_stop,
        check=determinism_check == "default",
        debug=debug if _Settings.debug is None else _Settings.debug,
    )
    return frame.run(args, kwargs)


def checkpoint_sequential(
    functions: Any,
    segments: int,
    input: Any,
    use_reentrant: bool | None = None,
    **kwargs: Any,
) -> Any:
    """Apply ``functions`` one after the other, in ``segments`` checkpoints but for the last part.

    ``functions`` is an ``nn.Sequential`` or a sequence of functions of one argument. Raises
    ``ValueError`` for more segments than functions, and for unknown keywords.

    >>> import adjoint as torch
    >>> from adjoint.utils.checkpoint import checkpoint_sequential
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> y = checkpoint_sequential([torch.sin, torch.cos, torch.exp, torch.sin], 2, x, False)
    >>> y.tolist() == x.sin().cos().exp().sin().tolist()
    True
    """
    if use_reentrant is None:
        warn(
            "checkpoint_sequential: the use_reentrant parameter should be passed explicitly. "
            "use_reentrant=False is recommended; without it the re-entrant kind is used, as with "
            "use_reentrant=True"
        )
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    parts = list(functions)  # an nn.Sequential gives its modules in their order
    size = len(parts) // segments if segments > 0 else 0
    if not size:
        raise ValueError(
            f"checkpoint_sequential: {len(parts)} functions cannot make {segments} segments"
        )
    last = size * (segments - 1)
    for start in range(0, last, size):
        input = checkpoint(
            _in_turn(parts[start : start + size]),
            input,
            use_reentrant=use_reentrant,
            preserve_rng_state=preserve,
        )
    return _in_turn(parts[last:])(input)


def _in_turn(functions: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    def run(value: Any) -> Any:
        for function in functions:
            value = function(value)
        return value

    return run
