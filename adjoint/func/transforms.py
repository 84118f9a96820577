"""``grad``, ``vjp``, ``jvp`` and ``vmap``: functions made of functions, nesting in any order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.batch import Batch
from adjoint.array.dual import Dual
from adjoint.array.memory import ones_like, zeros_like
from adjoint.array.randomness import check_mode, drawing
from adjoint.array.value import Value, transform_level
from adjoint.errors import TransformError, describe_shape
from adjoint.pytree import flatten, map_leaves
from adjoint.shapes import product
from adjoint.tape.engine import rows as basic
from adjoint.tape.engine import run
from adjoint.tape.modes import enable_grad
from adjoint.tape.passes import Capture
from adjoint.tape.tensor import Tensor, make_leaf, require_differentiable, wrap


def lower(value: Any) -> Any:
    """A Tensor as an array of a higher level: its bare memory where no tape needs to see it."""
    if isinstance(value, Tensor) and value._node is None and isinstance(value._array, np.ndarray):
        return value._array
    return value


def raise_level(value: Any, level: int) -> Any:
    """The Tensor that a user of a transform sees, over an array of the transform."""
    return wrap(value, level + 1)


def unwrap(value: Any, level: int) -> Any:
    """The array of a transform's Tensor; a constant from outside stays itself."""
    if isinstance(value, Tensor) and value._level == level + 1:
        return value._array
    return value


def outside(array: Any) -> Any:
    """A result as a Tensor that the caller outside the transform can use."""
    return array if isinstance(array, Tensor) else wrap(array, _level_of(array))


def _level_of(array: Any) -> int:
    """The level of the Tensor over an array: one above a transform's own kind, 0 for memory."""
    return array._level + 1 if isinstance(array, Value) else 0


def vjp(function: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """``function(*primals)`` and a function from the output's cotangent to those of the primals.

    >>> import adjoint as torch
    >>> out, pull = torch.func.vjp(torch.sin, torch.tensor(0.0))
    >>> pull(torch.tensor(2.0))
    (tensor(2.),)
    """
    if not primals:
        raise RuntimeError("vjp(f, *primals): Expected f to be passed at least one primal")
    leaves, rebuild = flatten(primals)
    with transform_level() as level, enable_grad():
        inner = [_leaf(value, level) for value in leaves]
        result = function(*rebuild(iter(inner)))
        result, aux = _split_aux(result, has_aux)
        outs, rebuild_out = flatten(result)
        nodes = [
            out._node if isinstance(out, Tensor) and out._level == level + 1 else None
            for out in outs
        ]
        shapes = [getattr(out, "shape", None) for out in outs]
    values = [outside(unwrap(out, level)) for out in outs]
    edges = [each._node for each in inner]

    def pull(*cotangents: Any, retain_graph: bool = True) -> Any:
        given = cotangents[0] if len(cotangents) == 1 else cotangents
        arrived = flatten(given)[0]
        if len(arrived) != len(outs):
            raise RuntimeError(f"vjp: {len(outs)} outputs but {len(arrived)} cotangents")
        for g, shape in zip(arrived, shapes, strict=True):
            if tuple(g.shape) != tuple(shape or ()):
                raise RuntimeError(
                    f"vjp: a cotangent has shape {describe_shape(g.shape)}, its output "
                    f"{describe_shape(shape or ())}"
                )
        found = _pull(nodes, [lower(g) for g in arrived], edges, leaves, level, retain_graph)
        return rebuild(iter(found))

    answer = (rebuild_out(iter(values)), pull)
    return (*answer, _out_of(aux, level)) if has_aux else answer


def _leaf(value: Any, level: int) -> Any:
    if not isinstance(value, Tensor):
        raise RuntimeError(f"expected Tensors as inputs, got {type(value).__name__}")
    inner = raise_level(lower(value), level)
    if dtypes.of(value).category >= dtypes.FLOATING:
        make_leaf(inner)
    return inner


def _split_aux(result: Any, has_aux: bool) -> tuple[Any, Any]:
    if not has_aux:
        return result, None
    if not (isinstance(result, tuple) and len(result) == 2):
        raise RuntimeError("has_aux=True: the function must return a pair (output, aux)")
    return result


def _out_of(tree: Any, level: int) -> Any:
    return map_leaves(
        lambda value: outside(unwrap(value, level)) if isinstance(value, Tensor) else value, tree
    )


def _pull(
    nodes: list[Any],
    gradients: list[Any],
    edges: list[Any],
    leaves: list[Any],
    level: int,
    keep: bool,
) -> list[Any]:
    """Run the tape of one level backward; zeros where no path leads."""
    roots = [(node, g) for node, g in zip(nodes, gradients, strict=True) if node is not None]
    capture = Capture([edge for edge in edges if edge is not None])
    run(roots, level + 1, keep_graph=keep, record=False, capture=capture)
    found = []
    for edge, value in zip(edges, leaves, strict=True):
        g = None if edge is None else capture.get(edge)
        if g is None:
            g = zeros_like(value).copy()
        elif isinstance(g, np.ndarray) and (
            g.base is not None or any(g is given for given in gradients)
        ):
            g = g.copy()
        found.append(outside(g))
    return found


def grad_and_value(
    function: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that gives the gradient of a scalar-valued one, and its value."""

    def gradient(*args: Any, **kwargs: Any) -> Any:
        places = (argnums,) if isinstance(argnums, int) else argnums
        for place in places:
            if not -len(args) <= place < len(args):
                raise RuntimeError(
                    f"argnums={argnums} for a call with {len(args)} positional arguments"
                )
        chosen = tuple(args[place] for place in places)
        leaves, rebuild = flatten(chosen)
        with transform_level() as level, enable_grad():
            inner = [_leaf(value, level) for value in leaves]
            for value in leaves:
                require_differentiable(dtypes.of(value))
            full = list(args)
            for place, value in zip(places, rebuild(iter(inner)), strict=True):
                full[place] = value
            out, aux = _split_aux(function(*full, **kwargs), has_aux)
            if not isinstance(out, Tensor):
                raise RuntimeError(
                    f"grad: the function must return a Tensor, not {type(out).__name__}"
                )
            if product(out.shape) != 1 or len(out.shape):
                raise RuntimeError(
                    "grad: the function must return a scalar tensor, got one of shape "
                    f"{describe_shape(out.shape)}; reduce it, or use jacrev"
                )
            node = out._node if out._level == level + 1 else None
            array = unwrap(out, level)
            found = _pull(
                [node], [ones_like(array)], [each._node for each in inner], leaves, level, False
            )
        gradients = rebuild(iter(found))
        if isinstance(argnums, int):
            gradients = gradients[0]
        value = outside(array)
        return (gradients, (value, _out_of(aux, level))) if has_aux else (gradients, value)

    return gradient


def grad(
    function: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that gives the gradient of a scalar-valued one with respect to ``argnums``.

    >>> import adjoint as torch
    >>> torch.func.grad(torch.func.grad(torch.sin))(torch.tensor(0.5))
    tensor(-0.4794)
    """
    both = grad_and_value(function, argnums, has_aux)

    def gradient(*args: Any, **kwargs: Any) -> Any:
        gradients, rest = both(*args, **kwargs)
        return (gradients, rest[1]) if has_aux else gradients

    return gradient


def jvp(function: Callable[..., Any], primals: Any, tangents: Any, *, has_aux: bool = False) -> Any:
    """``function(*primals)`` and how it moves when the primals move along ``tangents``.

    >>> import adjoint as torch
    >>> torch.func.jvp(torch.sin, (torch.tensor(0.0),), (torch.tensor(2.0),))
    (tensor(0.), tensor(2.))
    """
    if not isinstance(primals, tuple) or not isinstance(tangents, tuple):
        raise RuntimeError("jvp(f, primals, tangents): primals and tangents are to be tuples")
    leaves, rebuild = flatten(primals)
    directions = flatten(tangents)[0]
    if len(directions) != len(leaves):
        raise RuntimeError(f"jvp: {len(leaves)} primals but {len(directions)} tangents")
    with transform_level() as level:
        inner = []
        for value, t in zip(leaves, directions, strict=True):
            if tuple(value.shape) != tuple(t.shape):
                raise RuntimeError(
                    f"jvp: a tangent has shape {describe_shape(t.shape)}, its primal "
                    f"{describe_shape(value.shape)}"
                )
            inner.append(raise_level(Dual(level, lower(value), lower(t)), level))
        result, aux = _split_aux(function(*rebuild(iter(inner))), has_aux)
        outs, rebuild_out = flatten(result)
        duals = [unwrap(out, level) for out in outs]
    values, moves = [], []
    for dual in duals:
        inside = isinstance(dual, Dual) and dual._level == level
        values.append(outside(dual.primal if inside else dual))
        t = dual.tangent if inside else None
        moves.append(outside(zeros_like(values[-1]).copy() if t is None else t))
    answer = (rebuild_out(iter(values)), rebuild_out(iter(moves)))
    if not has_aux:
        return answer

    def primal(value: Any) -> Any:
        inside = unwrap(value, level)
        if isinstance(inside, Dual) and inside._level == level:
            inside = inside.primal
        return outside(inside)

    return (*answer, map_leaves(primal, aux))


def vmap(
    function: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function over whole batches, from one over single examples.

    ``in_dims`` says which dimension of each argument numbers the examples (None for an argument
    that all share), ``out_dims`` where it goes in the results. ``randomness`` says what random
    numbers are inside: refused ("error"), drawn for each example ("different"), or shared ("same").

    >>> import adjoint as torch
    >>> torch.func.vmap(torch.dot)(torch.ones(3, 2), torch.ones(3, 2))
    tensor([2., 2., 2.])
    """
    check_mode(randomness)

    def batched(*args: Any, **kwargs: Any) -> Any:
        leaves, rebuild = flatten(args)
        dims = _spread(in_dims, args, len(leaves))
        sizes = {
            value.shape[check_dim(value, dim)]
            for value, dim in zip(leaves, dims, strict=True)
            if dim is not None
        }
        if len(sizes) != 1:
            raise ValueError(
                "vmap: at least one input needs a dimension to map over"
                if not sizes
                else "vmap: Expected all tensors to have the same size in the mapped dimension, "
                f"got {sorted(sizes)}"
            )
        size = sizes.pop()
        with transform_level() as level, drawing(level, size, randomness):
            inner = [
                value if dim is None else raise_level(Batch(level, to_front(value, dim)), level)
                for value, dim in zip(leaves, dims, strict=True)
            ]
            result = function(*rebuild(iter(inner)), **kwargs)
            outs, rebuild_out = flatten(result)
            arrays = [unwrap(out, level) for out in outs]
        places = _spread(out_dims, result, len(outs)) if outs else []
        return rebuild_out(
            iter(
                [from_batch(a, level, size, place) for a, place in zip(arrays, places, strict=True)]
            )
        )

    return batched


def _spread(dims: Any, tree: Any, count: int) -> list[Any]:
    """One dim for every leaf, from a tree of dims that may stop early."""
    if dims is None or isinstance(dims, int):
        return [dims] * count
    if isinstance(tree, (tuple, list)) and isinstance(dims, (tuple, list)):
        if len(tree) != len(dims):
            raise ValueError(f"vmap: {len(dims)} dims for {len(tree)} values")
        pairs = zip(dims, tree, strict=True)
    elif isinstance(tree, dict) and isinstance(dims, dict):
        pairs = ((dims[key], tree[key]) for key in tree)  # type: ignore[assignment]
    else:
        raise ValueError(f"vmap: dims {dims!r} do not have the structure of the values")
    return [dim for part, value in pairs for dim in _spread(part, value, len(flatten(value)[0]))]


def check_dim(value: Any, dim: int) -> int:
    """``dim`` counted from the front; ``ValueError`` for one that ``value`` has not."""
    if not isinstance(value, Tensor):
        raise ValueError(f"vmap: in_dims={dim} for a {type(value).__name__}, which is not a Tensor")
    rank = len(value.shape)
    if not -rank <= dim < rank:
        raise ValueError(f"vmap: in_dim {dim} for a tensor of shape {describe_shape(value.shape)}")
    return dim % rank


def to_front(value: Any, dim: int) -> Any:
    """A value with dimension ``dim`` moved to the front, lowered into an array."""
    rank = len(value.shape)
    value, dim = lower(value), check_dim(value, dim)
    if dim == 0:
        return value
    order = (dim, *(place for place in range(rank) if place != dim))
    return basic.permute(value, tuple(place - rank for place in order))


def from_batch(array: Any, level: int, size: int, place: Any) -> Any:
    """A result of the mapped function with its batch axis at ``place``."""
    inside = isinstance(array, Batch) and array._level == level
    value = array.value if inside else array
    if not hasattr(value, "shape"):
        raise TransformError(f"vmap: the function must return Tensors, not {type(value).__name__}")
    if place is None:
        if inside:
            raise ValueError("vmap: out_dims=None for a result that differs between examples")
        return outside(value)
    if not inside:
        value = basic.expand(value, (size, *value.shape))
    rank = len(value.shape)
    place %= rank
    if place:
        order = [*range(1, place + 1), 0, *range(place + 1, rank)]
        value = basic.permute(value, tuple(each - rank for each in order))
    return outside(value)
