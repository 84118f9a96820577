"""``torch.autograd.functional``: derivatives of functions of one or several Tensors.

All of them work on the ordinary tape, so what a function captures is differentiated too with
``create_graph``. Whole Jacobians go through it many rows at a time, as many as memory allows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from adjoint.autograd.functional_checks import (
    as_tuple,
    check_direction,
    filled,
    finished,
    prepared,
    require_one_number,
    require_recorded,
    unpacked,
)
from adjoint.autograd.functional_jacobian import columns, rows
from adjoint.ops.likes import zeros_like
from adjoint.tape.backward import grad
from adjoint.tape.modes import enable_grad, set_grad_enabled

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

STRATEGIES = ("forward-mode", "reverse-mode")
Tensors = tuple[Any, ...]
Function = Callable[..., Any]


def vjp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """``func(*inputs)``, and its Jacobian multiplied from the left by ``v``.

    ``v`` has the shapes of the outputs, and may be left out for one of one element. With
    ``create_graph`` both results have a history; with ``strict`` an input that the output does not
    depend on is an error, else its product is zeros. Raises ``RuntimeError`` for a ``v`` that does
    not fit, ``TypeError`` for inputs and outputs that are no Tensors.

    >>> import adjoint as torch
    >>> torch.autograd.functional.vjp(torch.sin, torch.tensor(0.0), torch.tensor(2.0))
    (tensor(0.), tensor(2.))
    """
    with enable_grad():
        several, inputs = as_tuple(inputs, "inputs", "vjp")
        inputs = prepared(inputs, create_graph)
        several_out, outputs = as_tuple(func(*inputs), "outputs of the function", "vjp")
        require_recorded(outputs, "output", strict)
        v = check_direction(v, outputs, several_out, create_graph, "vjp", "output of the function")
    with set_grad_enabled(create_graph):
        found = _grad(outputs, inputs, v, create_graph)
        product = filled(found, inputs, strict, create_graph, "input", "output")
    return (
        unpacked(finished(outputs, create_graph), several_out),
        unpacked(finished(product, create_graph), several),
    )


def jvp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """``func(*inputs)``, and its Jacobian multiplied from the right by ``v``.

    ``v`` has the shapes of the inputs, and may be left out for one of one element. The product is
    the derivative of a backward pass, so every operation that has a second derivative will do;
    ``torch.func.jvp`` is faster. The flags and errors are those of ``vjp``.

    >>> import adjoint as torch
    >>> torch.autograd.functional.jvp(torch.sin, torch.tensor(0.0), torch.tensor(2.0))
    (tensor(0.), tensor(2.))
    """
    with enable_grad():
        several, inputs = as_tuple(inputs, "inputs", "jvp")
        inputs = prepared(inputs, create_graph)
        v = check_direction(v, inputs, several, create_graph, "jvp", "input")
        several_out, outputs = as_tuple(func(*inputs), "outputs of the function", "jvp")
        require_recorded(outputs, "output", strict)
        # A backward pass is linear in what it starts from, so where it starts does not matter.
        starts = tuple([zeros_like(out, requires_grad=True) for out in outputs])
        pulled = _grad(outputs, inputs, starts, True)
        require_recorded(pulled, "gradient", strict)
    with set_grad_enabled(create_graph):
        found = _grad(pulled, starts, v, create_graph)
        product = filled(found, outputs, strict, create_graph, "output", "tangent")
    return (
        unpacked(finished(outputs, create_graph), several_out),
        unpacked(finished(product, create_graph), several_out),
    )


def jacobian(
    func: Function,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The Jacobian of a function of one Tensor or a tuple of them, with as many outputs.

    For output i and input j it has the shape of the first followed by that of the second; in a
    tuple for each output if there are several, of tuples for each input if there are several.
    Rows go through the graph together in any case; ``vectorize`` says that what users wrote to run
    there (hooks and Functions) may be given batches too. ``strategy`` "forward-mode" needs it.

    Raises ``RuntimeError`` with ``strict`` for an output that does not depend on an input,
    ``TypeError`` for inputs and outputs that are no Tensors.

    >>> import adjoint as torch
    >>> torch.autograd.functional.jacobian(torch.sin, torch.zeros(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    _check_strategy(strategy, "strategy")
    if strategy == "forward-mode":
        if create_graph:
            raise NotImplementedError(
                "jacobian: create_graph=True is for strategy='reverse-mode'; or use "
                "torch.func.jacfwd, which always keeps the graph"
            )
        if strict:
            raise RuntimeError("jacobian: strict=True is for strategy='reverse-mode'")
        several, inputs = as_tuple(inputs, "inputs", "jacobian")
        if not vectorize:
            raise NotImplementedError(
                "jacobian: strategy='forward-mode' needs vectorize=True; or use torch.func.jacfwd"
            )
        return columns(func, inputs, several)
    with enable_grad():
        several, inputs = as_tuple(inputs, "inputs", "jacobian")
        inputs = prepared(inputs, create_graph)
        several_out, outputs = as_tuple(func(*inputs), "outputs of the function", "jacobian")
        require_recorded(outputs, "output", strict)
        if vectorize and strict:
            raise RuntimeError("jacobian: strict=True is for vectorize=False")
        table = rows(outputs, inputs, create_graph, strict, vectorize)
    lines = [unpacked(finished(line, create_graph), several) for line in table]
    return unpacked(tuple(lines), several_out)


def hessian(
    func: Function,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The second derivative of a function of one Tensor or a tuple of them that gives one number.

    For inputs i and j it has the shape of the first followed by that of the second, in a tuple of
    tuples if there are several. It is the Jacobian of the gradient, whose rows go through the
    graph together; flags and errors are those of ``jacobian``, and ``RuntimeError`` is raised for a
    function that gives more than one number.

    >>> import adjoint as torch
    >>> torch.autograd.functional.hessian(lambda x: (x**3).sum(), torch.ones(2))
    tensor([[6., 0.],
            [0., 6.]])
    """
    several, inputs = as_tuple(inputs, "inputs", "hessian")
    _check_strategy(outer_jacobian_strategy, "outer_jacobian_strategy")

    def gradient(*args: Any) -> Tensors:
        several_out, outputs = as_tuple(func(*args), "outputs of the function", "hessian")
        require_recorded(outputs, "output", strict)
        require_one_number(outputs, several_out, "hessian")
        found = _grad(outputs, args, None, True)
        require_recorded(found, "jacobian", strict)
        return filled(found, args, False, True, "input", "output")

    if outer_jacobian_strategy == "forward-mode":

        def moving(*args: Any) -> Tensors:
            return gradient(*[each.requires_grad_(True) for each in args])

        table = jacobian(moving, inputs, create_graph, strict, vectorize, "forward-mode")
        return table if several else table[0][0]
    with enable_grad():
        inputs = prepared(inputs, create_graph)
        if vectorize and strict:
            raise RuntimeError("hessian: strict=True is for vectorize=False")
        outputs = gradient(*inputs)
        lines = rows(outputs, inputs, create_graph, strict, vectorize)
    lines = [unpacked(finished(line, create_graph), several) for line in lines]
    return unpacked(tuple(lines), several)


def vhp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """``func(*inputs)``, one number, and its Hessian multiplied from the left by ``v``.

    ``v`` has the shapes of the inputs, and may be left out for one of one element. The flags and
    errors are those of ``vjp``.

    >>> import adjoint as torch
    >>> x = torch.tensor([1.0, 2.0])
    >>> torch.autograd.functional.vhp(lambda x: (x**3).sum(), x, torch.ones(2))
    (tensor(9.), tensor([ 6., 12.]))
    """
    with enable_grad():
        inputs, several, v, outputs, gradient = _gradient(
            func, inputs, v, create_graph, strict, "vhp"
        )
    with set_grad_enabled(create_graph):
        found = _grad(gradient, inputs, v, create_graph)
        product = filled(found, inputs, strict, create_graph, "input", "jacobian")
    return (
        unpacked(finished(outputs, create_graph), False),
        unpacked(finished(product, create_graph), several),
    )


def hvp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """``func(*inputs)``, one number, and its Hessian multiplied from the right by ``v``.

    Where second derivatives are continuous this is ``vhp``, which takes one pass less. The flags
    and errors are those of ``vjp``.

    >>> import adjoint as torch
    >>> x = torch.tensor([1.0, 2.0])
    >>> torch.autograd.functional.hvp(lambda x: (x**3).sum(), x, torch.ones(2))
    (tensor(9.), tensor([ 6., 12.]))
    """
    with enable_grad():
        inputs, several, v, outputs, gradient = _gradient(
            func, inputs, v, create_graph, strict, "hvp"
        )
        starts = tuple([zeros_like(each, requires_grad=True) for each in inputs])
        pulled = _grad(gradient, inputs, starts, True)
        require_recorded(gradient, "hessian", strict)
    with set_grad_enabled(create_graph):
        found = _grad(pulled, starts, v, create_graph)
        product = filled(found, inputs, strict, create_graph, "input", "hessian")
    return (
        unpacked(finished(outputs, create_graph), False),
        unpacked(finished(product, create_graph), several),
    )


def _gradient(
    func: Function, inputs: Any, v: Any, create_graph: bool, strict: bool, caller: str
) -> tuple[Tensors, bool, Any, Tensors, Tensors]:
    """What both products with a Hessian begin with: prepared inputs, and the recorded gradient."""
    several, inputs = as_tuple(inputs, "inputs", caller)
    inputs = prepared(inputs, create_graph)
    v = check_direction(v, inputs, several, create_graph, caller, "input")
    several_out, outputs = as_tuple(func(*inputs), "outputs of the function", caller)
    require_recorded(outputs, "output", strict)
    require_one_number(outputs, several_out, caller)
    gradient = _grad(outputs, inputs, None, True)
    require_recorded(gradient, "jacobian", strict)
    return inputs, several, v, outputs, gradient


def _grad(outputs: Tensors, inputs: Tensors, v: Any, create_graph: bool) -> Tensors:
    """``autograd.grad`` of the outputs that have a history; None for inputs they do not reach."""
    starts: Sequence[Any] = (None,) * len(outputs) if v is None else v
    pairs = [
        (out, start)
        for out, start in zip(outputs, starts, strict=True)
        if out is not None and out.requires_grad
    ]
    if not pairs:
        return (None,) * len(inputs)
    chosen, given = zip(*pairs, strict=True)
    return grad(chosen, inputs, given, create_graph=create_graph, allow_unused=True)


def _check_strategy(strategy: str, name: str) -> None:
    if strategy not in STRATEGIES:
        raise AssertionError(f"{name} is one of {STRATEGIES}, not {strategy!r}")
