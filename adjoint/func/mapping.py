"""``vmap``: a function over whole batches, from one over single examples."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from adjoint.array.batch import Batch
from adjoint.array.lifting import refusing_writes
from adjoint.array.randomness import check_mode, drawing
from adjoint.array.value import transform_level
from adjoint.errors import describe_shape
from adjoint.func.levels import lower, outside, raise_level, unwrap, write_back
from adjoint.func.pieces import Pieces
from adjoint.pytree import Structure, flatten, spread
from adjoint.random import get_rng_state, set_rng_state
from adjoint.tape.engine import rows as basic
from adjoint.tape.tensor import Tensor


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function over whole batches, from one over single examples.

    ``in_dims`` says which dimension of each argument numbers the examples (None for an argument
    that all share), ``out_dims`` where it goes in the results; each may be one for all, or a tree
    that follows the arguments as far as needed. ``randomness`` says what random numbers are
    inside: refused ("error"), drawn for each example ("different"), or shared ("same").
    ``chunk_size`` is how many examples to take at a time.

    Raises ``ValueError`` for dims that do not fit, and results that are no Tensors.

    >>> import adjoint as torch
    >>> torch.func.vmap(torch.dot)(torch.ones(3, 2), torch.ones(3, 2))
    tensor([2., 2., 2.])
    """
    check_mode(randomness)
    if chunk_size is not None and not chunk_size > 0:
        raise ValueError(f"vmap: chunk_size is a positive number or None, not {chunk_size}")

    @wraps(func)
    def batched(*args: Any, **kwargs: Any) -> Any:
        _check_out_dims(out_dims)
        leaves, structure = flatten(args)
        dims = _dims_of(in_dims, leaves, structure)
        size = _size_of(leaves, dims)
        if chunk_size is None or chunk_size >= size:
            with refusing_writes("vmap"):
                outs, rebuild, _ = map_once(
                    func, leaves, dims, structure, kwargs, size, out_dims, randomness
                )
            return rebuild(iter([outside(out) for out in outs]))
        state = get_rng_state() if randomness == "same" else None
        gathered: list[Pieces] = []
        for start in range(0, size, chunk_size):
            stop = min(start + chunk_size, size)
            if state is not None:
                set_rng_state(state)
            part = [
                leaf if dim is None else leaf.narrow(dim, start, stop - start)
                for leaf, dim in zip(leaves, dims, strict=True)
            ]
            with refusing_writes("vmap"):
                outs, rebuild, places = map_once(
                    func, part, dims, structure, kwargs, stop - start, out_dims, randomness
                )
            if not gathered:
                gathered = [Pieces(size, place) for place in places]
            for pieces, out in zip(gathered, outs, strict=True):
                pieces.add(out)
        return rebuild(iter([pieces.whole() for pieces in gathered]))

    return batched


def map_once(
    function: Callable[..., Any],
    leaves: list[Any],
    dims: list[int | None],
    structure: Structure,
    kwargs: dict[str, Any],
    size: int,
    out_dims: Any,
    randomness: str,
) -> tuple[list[Any], Structure, list[int | None]]:
    """Run ``function`` on one batch: its results, their structure, and where their batches are."""
    with transform_level() as level, drawing(level, size, randomness):
        inner = [
            value if dim is None else raise_level(Batch(level, to_front(value, dim)), level)
            for value, dim in zip(leaves, dims, strict=True)
        ]
        result = function(*structure(iter(inner)), **kwargs)
        outs, rebuild = flatten(result)
        places = _places_of(out_dims, result, rebuild)
        arrays = [
            from_batch(unwrap(out, level), level, size, place)
            for out, place in zip(outs, places, strict=True)
        ]
        for outer, within, dim in zip(leaves, inner, dims, strict=True):
            if dim is not None and within._memory is not None:
                write_back(outer, within, partial(_mapped, level, size, dim))
    return arrays, rebuild, places


def _mapped(level: int, size: int, dim: int, tensor: Any) -> Any:
    """All examples of a Tensor inside, as one array outside."""
    return from_batch(unwrap(tensor, level), level, size, dim)


# -- dims in ------------------------------------------------------------------------------------


def _dims_of(in_dims: Any, leaves: list[Any], structure: Structure) -> list[int | None]:
    """One dim for each leaf, counted from the front."""
    if not isinstance(in_dims, (int, tuple)):
        raise ValueError(
            f"vmap: in_dims is an int, or a tuple that follows the arguments, not {in_dims!r}"
        )
    if not structure.parts:
        raise ValueError("vmap: the function was called without an argument to map over")
    dims = spread(in_dims, structure)
    if dims is None:
        raise ValueError(
            f"vmap: in_dims={in_dims!r} does not follow the arguments, whose structure is "
            f"{structure}"
        )
    return [_front_dim(value, dim) for value, dim in zip(leaves, dims, strict=True)]


def _front_dim(value: Any, dim: Any) -> int | None:
    if dim is None:
        return None
    if not isinstance(dim, int):
        raise ValueError(f"vmap: in_dims holds ints and None, not {dim!r}")
    if not isinstance(value, Tensor):
        raise ValueError(
            f"vmap: in_dims={dim} for a {type(value).__name__}, which is not a Tensor; "
            "its in_dim must be None"
        )
    rank = len(value.shape)
    if not -rank <= dim < rank:
        raise ValueError(
            f"vmap: in_dim {dim} for a tensor of shape {describe_shape(value.shape)}, which has "
            f"{rank} dimensions"
        )
    return dim % rank


def _size_of(leaves: list[Any], dims: list[int | None]) -> int:
    sizes = [value.shape[dim] for value, dim in zip(leaves, dims, strict=True) if dim is not None]
    if not sizes:
        raise ValueError("vmap: at least one input needs a dimension to map over")
    if len(set(sizes)) > 1:
        raise ValueError(
            f"vmap: Expected all tensors to have the same size in the mapped dimension, got {sizes}"
        )
    return int(sizes[0])


def to_front(value: Any, dim: int) -> Any:
    """A value with dimension ``dim`` moved to the front, lowered into an array."""
    rank = len(value.shape)
    value = lower(value)
    if dim == 0:
        return value
    order = (dim, *(place for place in range(rank) if place != dim))
    return basic.permute(value, tuple(place - rank for place in order))


# -- dims out -----------------------------------------------------------------------------------


def _check_out_dims(out_dims: Any) -> None:
    if out_dims is None or isinstance(out_dims, int):
        return
    for each in flatten(out_dims)[0]:
        if each is not None and not isinstance(each, int):
            raise ValueError(f"vmap: out_dims holds ints and None, not {each!r}")


def _places_of(out_dims: Any, result: Any, structure: Structure) -> list[int | None]:
    """One dim for each result."""
    if isinstance(result, Tensor) and isinstance(out_dims, tuple) and len(out_dims) == 1:
        out_dims = out_dims[0]
    places = spread(out_dims, structure)
    if places is None:
        raise ValueError(
            f"vmap: out_dims={out_dims!r} does not follow the results, whose structure is "
            f"{structure}"
        )
    return places


def from_batch(array: Any, level: int, size: int, place: Any) -> Any:
    """A result of the mapped function, an array, with its batch axis at ``place``."""
    inside = isinstance(array, Batch) and array._level == level
    if place is None:
        if inside:
            raise ValueError("vmap: out_dims=None for a result that differs between examples")
        return array
    value = array.value if inside else array
    if not hasattr(value, "shape"):
        raise ValueError(
            f"vmap: the function must return Tensors, not {type(value).__name__}; out_dims=None "
            "passes other results on as they are"
        )
    rank = len(value.shape) + (not inside)
    if not -rank <= place < rank:
        raise IndexError(
            f"vmap: out_dims={place} for a result that has {rank} dimensions with its batch: "
            f"it must be from {-rank} to {rank - 1}"
        )
    if not inside:
        value = basic.expand(value, (size, *value.shape))
    place %= rank
    if place:
        order = [*range(1, place + 1), 0, *range(place + 1, rank)]
        value = basic.permute(value, tuple(each - rank for each in order))
    return value
