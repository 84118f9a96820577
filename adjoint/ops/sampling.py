"""Random numbers for users: for the same seed, those of PyTorch's CPU generator.

Uniform numbers, integers, permutations and Bernoulli numbers agree to the bit, normal ones within
2 units in the last place. Nothing here has a derivative but zero.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from adjoint import dtypes
from adjoint.array.randomness import for_each_example
from adjoint.devices import Placement, check_placement
from adjoint.lazy import LazyModule
from adjoint.ops.kinds.public import public
from adjoint.ops.kinds.random import (
    batch_distributed,
    define_random,
    read_generator,
    surface,
)
from adjoint.ops.kinds.row import Row
from adjoint.ops.kinds.rules import Fact
from adjoint.ops.likes import empty_like_array, require_tensor
from adjoint.ops.making import (
    finish,
    read_int,
    read_shape,
    read_size,
    type_for,
)
from adjoint.ops.scalars import read_number
from adjoint.shapes import broadcast_shapes
from adjoint.tape import engine
from adjoint.tape.tensor import Tensor, require_differentiable, set_requires_grad

if TYPE_CHECKING:
    from adjoint.array import generator as draws
else:
    draws = LazyModule("adjoint.array.generator")

Shape = tuple[int, ...]


def _check(caller: str, kind: dtypes.dtype, requires_grad: bool, placement: Placement) -> None:
    """Refuse before a number is drawn."""
    if placement:
        check_placement(caller, placement)
    if requires_grad:
        require_differentiable(kind)


def _made(caller: str, drawn: Any, out: Any, requires_grad: bool) -> Any:
    """The tensor over what was drawn, or ``out`` with it inside."""
    if out is not None:
        return finish(caller, drawn, out=out, requires_grad=requires_grad)
    result = surface(drawn)
    return set_requires_grad(result) if requires_grad else result


# -- uniform and normal -------------------------------------------------------------------------


@public(method=False)
def rand(
    *sizes: Any,
    size: Any = None,
    generator: draws.Generator | None = None,
    out: Any = None,
    dtype: dtypes.dtype | None = None,
    requires_grad: bool = False,
    **placement: Unpack[Placement],
) -> Any:
    """Uniform numbers of a shape from [0, 1), of a floating or complex type.

    Raises ``NotImplementedError`` for other types, ``RuntimeError`` for negative sizes.

    >>> _ = torch.manual_seed(0)
    >>> torch.rand(2)
    tensor([0.4963, 0.7682])
    """
    shape = read_size("rand", sizes, size)
    kind = type_for("rand", dtype, out)
    _check("rand", kind, requires_grad, placement)
    source = read_generator("rand", generator)
    drawn = for_each_example(
        lambda outer: draws.uniform(source, (*outer, *shape), kind.numpy), shape, kind
    )
    return _made("rand", drawn, out, requires_grad)


@public(method=False)
def randn(
    *sizes: Any,
    size: Any = None,
    generator: draws.Generator | None = None,
    out: Any = None,
    dtype: dtypes.dtype | None = None,
    requires_grad: bool = False,
    **placement: Unpack[Placement],
) -> Any:
    """Normal numbers of a shape with mean 0 and variance 1, of a floating or complex type.

    Raises ``NotImplementedError`` for other types, ``RuntimeError`` for negative sizes.

    >>> _ = torch.manual_seed(0)
    >>> torch.randn(3)
    tensor([ 1.5410, -0.2934, -2.1788])
    """
    shape = read_size("randn", sizes, size)
    kind = type_for("randn", dtype, out)
    _check("randn", kind, requires_grad, placement)
    source = read_generator("randn", generator)
    drawn = for_each_example(
        lambda outer: draws.normal(source, (*outer, *shape), kind.numpy), shape, kind
    )
    return _made("randn", drawn, out, requires_grad)


# -- normal numbers around tensors --------------------------------------------------------------


def _normal_around(mean: Any, std: Any, generator: Any) -> Any:
    kind = mean.dtype if isinstance(mean, np.ndarray) else std.dtype
    return draws.normal(generator, None, kind, mean, std)


def _infer_first(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
    return tuple(inputs[0].shape), dtypes.of(inputs[0])


normal_of_mean = define_random(
    "normal_of_mean", lambda mean, _, std, generator: _normal_around(mean, std, generator),
    inputs="mean", options="std", batch=batch_distributed, infer=_infer_first,
    node_name="NormalBackward1",
)  # fmt: skip
normal_of_std = define_random(
    "normal_of_std", lambda std, _, mean, generator: _normal_around(mean, std, generator),
    inputs="std", options="mean", batch=batch_distributed, infer=_infer_first,
    node_name="NormalBackward2",
)  # fmt: skip
normal_of_both = define_random(
    "normal_of_both", lambda mean, std, _, generator: _normal_around(mean, std, generator),
    inputs="mean std", options="", batch=batch_distributed, infer=_infer_first,
    node_name="NormalBackward3",
)  # fmt: skip


@public(method=False)
def normal(
    mean: Any,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: draws.Generator | None = None,
    out: Any = None,
    dtype: dtypes.dtype | None = None,
    requires_grad: bool = False,
    **placement: Unpack[Placement],
) -> Any:
    """Normal numbers with a mean and a standard deviation: two numbers, or tensors of them.

    Tensors broadcast, and the result has their shape and the mean's type; two numbers need a
    ``size``. Gradients with respect to both are zero. Raises ``RuntimeError`` for a negative
    ``std``, ``NotImplementedError`` for integer types.

    >>> _ = torch.manual_seed(0)
    >>> torch.normal(10.0, torch.tensor([1.0, 2.0, 3.0]))
    tensor([11.5410,  9.4131,  3.4636])
    """
    source = read_generator("normal", generator)
    if isinstance(mean, Tensor) or isinstance(std, Tensor):
        if size is not None or dtype is not None or requires_grad or placement:
            raise TypeError("normal(): tensors already say the size and type of the result")
        drawn = _normal_of_tensors(mean, std, source)
        return drawn if out is None else finish("normal", drawn._array, out=out)
    if size is None:
        raise TypeError("normal() needs a size where mean and std are numbers: normal(0, 1, (2,))")
    shape = read_shape("normal", size)
    kind = type_for("normal", dtype, out)
    _check("normal", kind, requires_grad, placement)
    mean, std = (float(read_number("normal", *each)) for each in (("mean", mean), ("std", std)))
    drawn = for_each_example(
        lambda outer: draws.normal(source, (*outer, *shape), kind.numpy, mean, std), shape, kind
    )
    return _made("normal", drawn, out, requires_grad)


def _normal_of_tensors(mean: Any, std: Any, generator: Any) -> Any:
    if not isinstance(std, Tensor):
        return normal_of_mean(mean, float(read_number("normal", "std", std)), generator=generator)
    if not isinstance(mean, Tensor):
        return normal_of_std(std, float(read_number("normal", "mean", mean)), generator=generator)
    if mean.shape != std.shape:
        shape = broadcast_shapes(mean.shape, std.shape)
        mean, std = engine.rows.expand(mean, shape), engine.rows.expand(std, shape)
    return normal_of_both(mean, std, generator=generator)


# -- whole numbers ------------------------------------------------------------------------------


@public(method=False)
def randint(
    *args: Any,
    low: Any = 0,
    high: Any = None,
    size: Any = None,
    generator: draws.Generator | None = None,
    out: Any = None,
    dtype: dtypes.dtype | None = None,
    requires_grad: bool = False,
    **placement: Unpack[Placement],
) -> Any:
    """Whole numbers from [low, high): ``randint(high, size)`` or ``randint(low, high, size)``.

    int64 unless ``dtype`` says another real type. Raises ``RuntimeError`` for an empty range or
    one beyond the type's, ``TypeError`` for bounds that are no ints.

    >>> _ = torch.manual_seed(0)
    >>> torch.randint(10, (4,))
    tensor([4, 9, 3, 0])
    """
    if size is None and args:
        *args, size = args  # type: ignore[assignment]
    if len(args) > 2 or (args and high is not None):
        low, *args = args  # type: ignore[assignment]
    if args:
        *lows, high = args
        low = lows[0] if lows else low
    if high is None or size is None:
        raise TypeError("randint() needs an upper end and a size: randint(10, (2,))")
    shape = read_shape("randint", size)
    bounds = (read_int("randint", "low", low), read_int("randint", "high", high))
    kind = type_for("randint", dtype, out, dtypes.int64)
    _check("randint", kind, requires_grad, placement)
    source = read_generator("randint", generator)
    drawn = for_each_example(
        lambda outer: draws.integers(source, (*outer, *shape), *bounds, kind.numpy), shape, kind
    )
    return _made("randint", drawn, out, requires_grad)


@public(method=False)
def randperm(
    n: int,
    *,
    generator: draws.Generator | None = None,
    out: Any = None,
    dtype: dtypes.dtype = dtypes.int64,
    requires_grad: bool = False,
    **placement: Unpack[Placement],
) -> Any:
    """The whole numbers below ``n`` in random order.

    Raises ``RuntimeError`` for a negative ``n`` or one that ``dtype`` cannot count to.

    >>> _ = torch.manual_seed(0)
    >>> torch.randperm(4)
    tensor([0, 1, 3, 2])
    """
    count = read_int("randperm", "n", n)
    kind = type_for("randperm", None if out is not None else dtype, out)
    _check("randperm", kind, requires_grad, placement)
    source = read_generator("randperm", generator)
    drawn = for_each_example(
        lambda outer: _permutations(source, outer, count, kind.numpy), (count,), kind
    )
    return _made("randperm", drawn, out, requires_grad)


def _permutations(source: Any, outer: Shape, count: int, kind: Any) -> Any:
    if not outer:
        return draws.permutation(source, count, kind)
    out = np.empty((*outer, count), kind)
    for place in np.ndindex(*outer):
        out[place] = draws.permutation(source, count, kind)
    return out


# -- choices ------------------------------------------------------------------------------------


def _bernoulli(x: Any, _: Any, generator: Any) -> Any:
    return along_memory(x, lambda chances: draws.bernoulli(generator, chances))


def along_memory(x: Any, draw: Callable[[Any], Any]) -> Any:
    """What ``draw`` makes of ``x`` with its dimensions as they lie in memory, put back in order."""
    if x.flags.c_contiguous:
        return draw(x)
    out = empty_like_array(x, dtypes.of(x))
    order = draws.memory_order(out)
    out.transpose(order)[...] = draw(x.transpose(order))
    return out


bernoulli_row = define_random(
    "bernoulli", _bernoulli, inputs="x", options="", batch=batch_distributed,
    infer=_infer_first, node_name="BernoulliBackward0",
)  # fmt: skip


@public(out="real")
def bernoulli(
    input: Any, p: float | None = None, *, generator: draws.Generator | None = None
) -> Any:
    """Ones with the probabilities in ``input`` and zeros elsewhere; or all with probability ``p``.

    The result has the shape and type of ``input``; gradients are zero. Raises ``RuntimeError``
    for a probability outside [0, 1], ``NotImplementedError`` where ``input`` is not floating.

    >>> _ = torch.manual_seed(0)
    >>> torch.bernoulli(torch.tensor([0.2, 0.9, 0.4]))
    tensor([0., 1., 1.])
    """
    require_tensor("bernoulli", input)
    source = read_generator("bernoulli", generator)
    if p is None:
        return bernoulli_row(input, generator=source)
    return input.clone().bernoulli_(p, generator=source)


def _multinomial(x: Any, _: Any, count: int, replacement: bool, generator: Any) -> Any:
    if 0 in x.strides:
        x = np.ascontiguousarray(x)
    if x.ndim <= 2:
        return draws.multinomial(generator, x, count, replacement)
    rows = x.reshape(-1, x.shape[-1])  # a batch, of vmap
    return draws.multinomial(generator, rows, count, replacement).reshape(*x.shape[:-1], count)


multinomial_row = define_random(
    "multinomial", _multinomial, inputs="x", options="num_samples replacement",
    batch=batch_distributed,
    infer=lambda row, inputs, options: (
        (*inputs[0].shape[:-1], options[0]), dtypes.int64
    ),
)  # fmt: skip


@public(out="exact")
def multinomial(
    input: Any,
    num_samples: int,
    replacement: bool = False,
    *,
    generator: draws.Generator | None = None,
) -> Any:
    """Indices drawn with probability proportional to ``input``, a row of it at a time.

    ``input`` has shape (categories,) or (rows, categories), and the result has ``num_samples``
    for categories. Raises ``RuntimeError`` for other shapes and types, for weights that are
    negative, infinite or all 0, and for more samples than categories without replacement.

    >>> _ = torch.manual_seed(0)
    >>> torch.multinomial(torch.tensor([0.1, 0.7, 0.2]), 2)
    tensor([1, 2])
    """
    require_tensor("multinomial", input)
    if len(input.shape) not in (1, 2):
        raise RuntimeError(
            f"multinomial: weights have 1 or 2 dimensions, but these have {len(input.shape)}"
        )
    count = read_int("multinomial", "num_samples", num_samples)
    source = read_generator("multinomial", generator)
    return multinomial_row(input, count, bool(replacement), generator=source)
