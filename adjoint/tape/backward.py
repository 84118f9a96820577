"""``backward`` and ``grad``: what a user asks of the tape."""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.batch import Batch
from adjoint.array.memory import ones_like
from adjoint.array.symbol import Symbol
from adjoint.array.value import transform_level
from adjoint.errors import describe_shape
from adjoint.shapes import product
from adjoint.tape.cuts import cut_behind
from adjoint.tape.edges import GradientEdge, edge_of
from adjoint.tape.engine import rows, run
from adjoint.tape.forward import Attached
from adjoint.tape.hooks import retain_grad, show_accumulated
from adjoint.tape.node import AccumulateGrad, Loose
from adjoint.tape.passes import Capture, Pass, node_of
from adjoint.tape.tensor import Tensor, loose_end, memory_of, set_requires_grad, wrap

# Several threads may add to one leaf. Reentrant, for hooks that run backward themselves.
_accumulation = threading.RLock()


def as_sequence(value: Any) -> tuple[Any, ...]:
    """One tensor or edge or several, as a tuple."""
    if type(value) is tuple:
        return value
    if isinstance(value, (Tensor, GradientEdge)) or not isinstance(value, Iterable):
        return (value,)
    return tuple(value)


def _roots(
    tensors: tuple[Any, ...], gradients: tuple[Any, ...], record: bool
) -> tuple[list[tuple[Any, Any]], int]:
    """Edges to start from with their gradients, and the level they live on."""
    gradients = gradients[: len(tensors)]  # what is too many is not looked at, as in PyTorch
    if len(gradients) != len(tensors):
        raise RuntimeError(f"got {len(tensors)} tensors and {len(gradients)} gradients")
    roots = []
    level = max([each._level for each in tensors if isinstance(each, Tensor)], default=0)
    for number, (tensor, gradient) in enumerate(zip(tensors, gradients, strict=True)):
        edge = edge_of(tensor)
        if edge is None:
            raise RuntimeError(
                f"element {number} of tensors does not require grad and does not have a grad_fn: "
                f"it has shape {describe_shape(tensor.shape)} and nothing that made it was "
                "recorded; was an input's requires_grad left out, or the graph cut by detach(), "
                "no_grad() or an integer type?"
            )
        if isinstance(tensor, GradientEdge):
            tensor = _Output(edge, level)
        roots.append((edge, _start(tensor, gradient, record)))
    return roots, level


class _Output:
    """What is known of the tensor at an edge: enough to begin there."""

    def __init__(self, edge: Any, level: int) -> None:
        self._node = edge
        self._array = np.broadcast_to(np.zeros((), edge.dtype), edge.shape)
        self._level = level
        self.shape = edge.shape
        self.dtype = dtypes.from_numpy(edge.dtype)

    def numel(self) -> int:
        """How many elements it has."""
        return product(self.shape)


def _read_only_one(kind: str) -> Any:
    one = np.ones((), kind)
    one.flags.writeable = False
    return one


# Where a backward from a scalar starts; nobody writes into a gradient that is not theirs.
_ONES = {np.dtype(kind): _read_only_one(kind) for kind in ("float32", "float64")}


def _made(tensor: Any) -> str:
    """Where a tensor was computed, for messages."""
    node = node_of(tensor._node)
    where = None if node is None else node.where()
    return "" if where is None else f" and was made at {where}"


def _start(tensor: Any, gradient: Any, record: bool) -> Any:
    if gradient is None:
        array = tensor._array
        if type(array) is np.ndarray and array.shape == () and not record:
            one = _ONES.get(array.dtype)
            if one is not None:
                return one
        if dtypes.of(tensor._array).is_complex and tensor.numel() == 1:
            raise RuntimeError(
                "grad can be implicitly created only for real scalar outputs but got "
                f"{dtypes.of(tensor)!r}"
            )
        if product(tensor._array.shape) != 1:
            raise RuntimeError(
                "grad can be implicitly created only for scalar outputs: this one has shape "
                f"{describe_shape(tensor.shape)}{_made(tensor)}; reduce it (as with .sum()), or "
                "give backward() a gradient of that shape"
            )
        start = ones_like(tensor._array)
        return wrap(start, tensor._level) if record else start
    if not isinstance(gradient, Tensor):
        raise TypeError(
            f"gradients can be either Tensors or None, but got {type(gradient).__name__}"
        )
    if tuple(gradient.shape) != tuple(tensor.shape):
        raise RuntimeError(
            f"Mismatch in shape: grad_output has a shape of {describe_shape(gradient.shape)} and "
            f"output has a shape of {describe_shape(tensor.shape)}{_made(tensor)}"
        )
    if dtypes.of(gradient).is_complex != dtypes.of(tensor).is_complex:
        raise RuntimeError(
            "For complex Tensors, both grad_output and output are required to have the same "
            f"dtype: got {dtypes.of(gradient)!r} and {dtypes.of(tensor)!r}; convert the gradient, "
            "as in g.to(out.dtype)"
        )
    if record:
        return gradient
    return gradient._array if gradient._level == tensor._level else gradient


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Any = None,
) -> None:
    """Accumulate gradients of the sum of ``tensors`` into the leaves' ``.grad``.

    ``grad_tensors`` weigh them (needed unless scalar); ``inputs`` restricts what is written to.
    ``grad_variables`` is an old name of ``grad_tensors``.
    Raises ``RuntimeError`` for tensors that were not recorded, and for a graph that was freed.

    >>> import adjoint as torch
    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> torch.autograd.backward(x * x)
    >>> x.grad
    tensor(6.)
    """
    if grad_variables is not None:
        grad_tensors = _old_name(grad_tensors, grad_variables)
    tensors = as_sequence(tensors)
    if not tensors:
        return
    tensor = tensors[0]
    node = getattr(tensor, "_node", None) if len(tensors) == 1 else None
    if grad_tensors is None and node is not None and type(node) is not Loose:
        roots, level = [(node, _start(tensor, None, create_graph))], tensor._level
    else:
        gradients = (None,) * len(tensors) if grad_tensors is None else as_sequence(grad_tensors)
        roots, level = _roots(tensors, gradients, create_graph)
    keep_graph = create_graph if retain_graph is None else retain_graph
    if inputs is None:
        arrived = run(
            roots, level, keep_graph=keep_graph, record=create_graph, accumulate=accumulate
        )
        with _accumulation:
            for leaf, g, _ in arrived.values():
                _add_to_leaf(leaf, g, level, create_graph)
        return
    inputs = as_sequence(inputs)
    if not inputs:
        raise RuntimeError("`inputs` argument to `backward` cannot be empty.")
    edges = [_edge_of(each, "backward") for each in inputs]
    for tensor in inputs:
        if isinstance(tensor, Tensor):
            retain_grad(tensor)  # nothing for a leaf; any other keeps its gradient from now on
    capture = Capture(edges)
    run(
        roots,
        level,
        keep_graph=keep_graph,
        record=create_graph,
        capture=capture,
        accumulate=accumulate,
    )
    with _accumulation:
        for edge in dict.fromkeys(edges):
            g = capture.get(edge)
            if g is not None and isinstance(edge, AccumulateGrad):
                accumulate(edge, g, level, create_graph)


def _edge_of(tensor: Any, caller: str) -> Any:
    edge = edge_of(tensor)
    if edge is None and isinstance(tensor, Tensor) and tensor._node is not None:
        return loose_end(tensor)  # where nothing will arrive
    if edge is None:
        raise RuntimeError(
            f"One of the differentiated Tensors given as 'inputs' to {caller} does not require "
            f"grad (it has shape {describe_shape(tensor.shape)})"
        )
    return edge


def _old_name(grad_tensors: Any, grad_variables: Any) -> Any:
    if grad_tensors is not None:
        raise RuntimeError(
            "backward() got both grad_tensors and grad_variables, its old name: give the first"
        )
    warnings.warn("grad_variables is deprecated: use grad_tensors", FutureWarning, stacklevel=3)
    return grad_variables


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """Gradients of the sum of ``outputs`` with respect to ``inputs``; no ``.grad`` changes.

    With ``is_grads_batched`` each of ``grad_outputs`` holds many along its first dimension, which
    go through the graph at once; so do the results. Outputs and inputs may be ``GradientEdge``.
    ``only_inputs`` is there for old programs, and has no effect.
    Raises ``RuntimeError`` for an input that the outputs do not depend on, unless ``allow_unused``.

    >>> import adjoint as torch
    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> torch.autograd.grad(x * x, x)
    (tensor(6.),)
    """
    if not only_inputs:
        warnings.warn(
            "only_inputs is deprecated and has no effect: gradients are those of the inputs",
            FutureWarning,
            stacklevel=2,
        )
    if materialize_grads and allow_unused is False:
        raise ValueError("Expected allow_unused to be True or not passed when materialize_grads")
    outputs, inputs = as_sequence(outputs), as_sequence(inputs)
    if not inputs:
        raise RuntimeError("`inputs` argument to `grad` cannot be empty.")
    gradients = (None,) * len(outputs) if grad_outputs is None else as_sequence(grad_outputs)
    edges = [_edge_of(tensor, "grad") for tensor in inputs]
    keep_graph = create_graph if retain_graph is None else retain_graph
    capture = Capture(edges)
    if is_grads_batched:
        level = _run_batched(outputs, gradients, capture, keep_graph, create_graph)
    else:
        roots, level = _roots(outputs, gradients, create_graph)
        run(roots, level, keep_graph=keep_graph, record=create_graph, capture=capture)
    found = []
    for number, edge in enumerate(edges):
        g = capture.get(edge)
        if g is not None:
            found.append(_as_tensor(g, level, create_graph))
        elif materialize_grads:
            shape = tuple(edge.shape)  # of a single one even in a batch, as in PyTorch
            zeros = wrap(np.zeros(shape, dtypes.from_numpy(edge.dtype).numpy), level)
            found.append(set_requires_grad(zeros, create_graph))
        elif allow_unused:
            found.append(None)
        else:
            raise RuntimeError(
                "One of the differentiated Tensors appears to not have been used in the graph: "
                f"input {number}, of shape {describe_shape(edge.shape)}. {_reason(edge)}Set "
                "allow_unused=True if this is the desired behavior."
            )
    return tuple(found)


def _reason(edge: Any) -> str:
    """Where the path from ``edge`` was cut, if that is known."""
    cut = cut_behind(edge)
    return "" if cut is None else f"Something computed from it was last cut off by {cut}. "


def _run_batched(
    outputs: tuple[Any, ...],
    gradients: tuple[Any, ...],
    capture: Capture,
    keep_graph: bool,
    record: bool,
) -> int:
    """Many gradients through the graph at once; gives the level of the results."""
    with transform_level() as batch_level:
        singles: list[Any] = []
        counts: set[int] = set()
        for g in gradients:
            if g is None:
                singles.append(None)
                continue
            if not isinstance(g, Tensor) or not g.shape:
                raise RuntimeError(
                    "is_grads_batched: each of grad_outputs is a Tensor whose first dimension "
                    "numbers the gradients"
                )
            inside = g if g._node is not None or not isinstance(g._array, np.ndarray) else g._array
            singles.append(wrap(Batch(batch_level, inside), batch_level + 1))
            counts.add(g.shape[0])
        if len(counts) != 1:
            raise RuntimeError(
                "is_grads_batched: the first dimensions of grad_outputs must agree, but they are "
                f"{sorted(counts)}"
            )
        roots, level = _roots(outputs, tuple(singles), False)
        roots = [(edge, g._array if isinstance(g, Tensor) else g) for edge, g in roots]
        run(roots, level, keep_graph=keep_graph, record=record, capture=capture)
        for key, g in capture.found.items():
            if isinstance(g, Batch) and g._level == batch_level:
                capture.found[key] = g.value
            else:  # a constant, the same for all
                capture.found[key] = rows.expand(g, (*counts, *g.shape))
    return level


def _as_tensor(g: Any, level: int, record: bool) -> Any:
    """A gradient as a Tensor; where formulas gave constants, a recorded pass ends in an array."""
    return g if record and isinstance(g, Tensor) else wrap(_own(g), level)


def _own(g: Any) -> Any:
    """Memory that nothing else looks at."""
    return g.copy() if isinstance(g, (np.ndarray, Attached)) else g


def _count_of_fresh() -> int:
    """What ``getrefcount`` says in ``_add_to_leaf`` of an array that only the pass has known."""
    counts: list[int] = []

    def probe(g: Any) -> None:
        counts.append(sys.getrefcount(g))

    arrived = {0: [0, np.ones(1), False]}
    for _, g, _ in arrived.values():
        probe(g)
    return counts[0]


_FRESH = _count_of_fresh()


def accumulate(
    leaf: AccumulateGrad, g: Any, level: int, record: bool, task: Pass | None = None
) -> None:
    """Add ``g`` to the leaf's ``.grad``, which never shares memory with anything else."""
    with _accumulation:
        _add_to_leaf(leaf, g, level, record)
    show_accumulated(leaf, g, task)


def _add_to_leaf(leaf: AccumulateGrad, g: Any, level: int, record: bool) -> None:
    present = leaf.grad
    if type(g) is Attached:
        g = g.copy().primal  # a `.grad` outlives the dual level
    if present is None:
        if record:
            leaf.grad = g + 0 if isinstance(g, Tensor) else wrap(g, level)
        elif type(g) is np.ndarray and (
            # What arrived at the leaf, the loop variable, this parameter: ours alone if fresh.
            sys.getrefcount(g) > _FRESH or g.base is not None or not g.flags.writeable
        ):
            leaf.grad = wrap(g.copy(), level)
        else:
            leaf.grad = wrap(g, level)
    elif record:
        leaf.grad = present + g
    elif (
        (type(g) is np.ndarray or isinstance(g, np.generic))
        and type(present._array) is np.ndarray
        and present._array.flags.writeable
    ):
        try:
            np.add(present._array, g, out=present._array)
        except ValueError:
            raise RuntimeError(
                f"a gradient of shape {describe_shape(g.shape)} arrived at a leaf whose .grad has "
                f"shape {describe_shape(present.shape)}: its .data was replaced since; set .grad "
                "to None first"
            ) from None
        memory_of(present).note_write()  # a node may have saved it
    elif type(present._array) is Symbol and present._level == level:
        if present._view is None and not memory_of(present).views:
            present._array = present._array + g  # the tensor stays, as it would over memory
            memory_of(present).note_write()
        else:
            leaf.grad = wrap(present._array + g, level)
    else:
        total = (present._array if present._level == level else present) + g
        leaf.grad = wrap(total, level)
