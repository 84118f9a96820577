"""Rows that draw random numbers: the generator is an option, and ``vmap`` decides how to draw.

The last input of such a row is the witness (see ``adjoint.array.randomness``): None outside
``vmap``. Nothing is drawn while shapes are inferred for tracing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adjoint.array.memory import zeros_like
from adjoint.array.random_engine import Generator, default_generator
from adjoint.array.randomness import witness
from adjoint.array.value import Value, apply
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.row import Row
from adjoint.ops.kinds.rules import stretch
from adjoint.tape.engine import rows as basic
from adjoint.tape.tensor import Tensor, wrap


def define_random(
    name: str,
    compute: Callable[..., Any],
    *,
    inputs: str,
    options: str,
    batch: Callable[..., Any],
    infer: Callable[..., Any],
    node_name: str | None = None,
) -> Callable[..., Any]:
    """A random row, as a function of its inputs and options, with ``generator=`` by name.

    ``compute`` gets the inputs, the witness, the options and the generator. With a ``node_name``
    it is one of those that PyTorch records, with gradients of zero.
    """
    names = tuple(inputs.split())
    formulas: dict[str, Any] = dict.fromkeys(names, _zero) if node_name else {}
    row = define(
        name,
        "random",
        compute,
        inputs=(*names, "witness"),
        options=(*options.split(), "generator"),
        jvp=_no_tangent,
        batch=batch,
        infer=infer,
        low_precision=False,
        node_name=node_name,
        **formulas,
    )
    count = len(names)

    def operation(*args: Any, generator: Any = None) -> Any:
        seen = witness()
        source = default_generator if generator is None else generator
        return surface(row(*args[:count], seen, *args[count:], source))

    operation.row = row.row  # type: ignore[attr-defined]
    operation.__name__ = operation.__qualname__ = name
    return operation


def _zero(g: Any) -> Any:
    return zeros_like(g)


def _no_tangent(out: Any) -> Any:
    return zeros_like(out)


def surface(value: Any) -> Any:
    """A value as a Tensor: itself, or one above the level of what it is."""
    if isinstance(value, Tensor):
        return value
    return wrap(value, int(value._level + 1) if isinstance(value, Value) else 0)


def read_generator(caller: str, generator: Any) -> Generator:
    """The generator to draw from; ``TypeError`` for what is none."""
    if generator is None:
        return default_generator
    if not isinstance(generator, Generator):
        raise TypeError(
            f"{caller}(): generator is a Generator, not {type(generator).__name__}; "
            "Generator().manual_seed(0) makes one"
        )
    return generator


# -- what vmap does -----------------------------------------------------------------------------


def batch_like(
    row: Row, size: int, values: list[Any], batched: list[bool], options: tuple[Any, ...]
) -> Any:
    """For rows that draw numbers in the shape of an input, whatever its values."""
    x, seen = values
    if batched[1]:
        return apply(row, (stretch(x, size, batched[0]), seen), options)
    one = apply(row, (basic.select(x, 0), seen), options)
    return basic.expand(one, (size, *one.shape))


def batch_written(
    row: Row, size: int, values: list[Any], batched: list[bool], options: tuple[Any, ...]
) -> Any:
    """For what is drawn in place: as ``batch_like``, but a shared tensor cannot hold a batch."""
    if batched[1] and not batched[0]:
        raise RuntimeError(
            f"vmap: {row.name} draws different numbers for each example, but writes them into a "
            "tensor that all share; use the function that returns a new tensor, as rand_like, or "
            "randomness='same'"
        )
    return batch_like(row, size, values, batched, options)


def batch_distributed(
    row: Row, size: int, values: list[Any], batched: list[bool], options: tuple[Any, ...]
) -> Any:
    """For rows whose inputs say how the numbers are distributed: different for each example."""
    if not batched[-1]:
        raise RuntimeError(
            f"vmap: {row.name} cannot draw the same numbers for examples whose distributions "
            "differ; use randomness='different'"
        )
    inputs = [stretch(x, size, inside) for x, inside in zip(values[:-1], batched[:-1], strict=True)]
    return apply(row, (*inputs, values[-1]), options)
