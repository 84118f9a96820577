"""Random numbers in the place of what a tensor held, and tensors of them shaped like another.

Memory is filled in its own order, so a transposed tensor gets what its base would. Gradients with
respect to what was there before are zero.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from adjoint import dtypes
from adjoint.devices import Placement
from adjoint.lazy import LazyModule
from adjoint.ops.inplace import in_place
from adjoint.ops.kinds.public import public, publish
from adjoint.ops.kinds.random import (
    batch_distributed,
    batch_like,
    batch_written,
    define_random,
    read_generator,
)
from adjoint.ops.kinds.row import Row
from adjoint.ops.kinds.rules import Fact
from adjoint.ops.likes import empty_like_array, like
from adjoint.ops.making import read_int
from adjoint.ops.scalars import read_number
from adjoint.shapes import broadcast_shapes, product
from adjoint.tape import engine
from adjoint.tape.tensor import Tensor, require_differentiable, set_requires_grad

if TYPE_CHECKING:
    from adjoint.array import generator as draws
else:
    draws = LazyModule("adjoint.array.generator")

Shape = tuple[int, ...]


def _fill(x: Any, values: Any) -> Any:
    """``values``, as they were drawn, in an array like ``x``: along its memory."""
    if x.flags.c_contiguous:
        return values
    out = empty_like_array(x, dtypes.of(values))
    draws.store(out, values)
    return out


def _infer_same(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
    return tuple(inputs[0].shape), dtypes.of(inputs[0])


def _fill_row(
    name: str, draw: Any, options: str, *, node_name: str | None, batch: Any
) -> Callable[..., Any]:
    """A row that draws with ``draw(generator, shape, type, *options)`` into the place of ``x``.

    ``draw`` may be the name of a function of ``draws``, which is not to be loaded yet.
    """

    def compute(x: Any, _: Any, *args: Any) -> Any:
        *given, source = args
        function = getattr(draws, draw) if isinstance(draw, str) else draw
        return _fill(x, function(source, x.shape, x.dtype, *given))

    return define_random(
        name, compute, inputs="x", options=options, batch=batch, infer=_infer_same,
        node_name=node_name,
    )  # fmt: skip


def _normal(x: Any, _: Any, mean: float, std: float, source: Any) -> Any:
    dense = x.flags.c_contiguous or 0 in x.strides
    return _fill(x, draws.normal(source, x.shape, x.dtype, mean, std, contiguous=dense))


def _exponential(source: Any, shape: Shape, kind: Any, rate: float) -> Any:
    if not product(shape):  # PyTorch asks for the type only where there is something to draw
        return np.empty(shape, kind)
    return draws.exponential(source, shape, kind, rate)


def _bernoulli_scalar(source: Any, shape: Shape, kind: Any, p: float) -> Any:
    return draws.bernoulli_scalar(source, shape, p, kind)


def _bernoulli_tensor(x: Any, p: Any, _: Any, source: Any) -> Any:
    out = empty_like_array(x, dtypes.of(x))
    order = draws.memory_order(out)
    out.transpose(order)[...] = draws.bernoulli(source, p.transpose(order), x.dtype)
    return out


# -- rows ---------------------------------------------------------------------------------------

uniform_row = _fill_row(
    "uniform", "uniform", "low high", node_name="UniformBackward0", batch=batch_written
)
normal_row = define_random(
    "normal", _normal, inputs="x", options="mean std", batch=batch_written, infer=_infer_same,
    node_name="NormalBackward0",
)  # fmt: skip
random_row = _fill_row(
    "random", "random_", "low high", node_name="RandomBackward0", batch=batch_written
)
exponential_row = _fill_row(
    "exponential", _exponential, "rate", node_name="ExponentialBackward0", batch=batch_written
)
cauchy_row = _fill_row(
    "cauchy", "cauchy", "median sigma", node_name="CauchyBackward0", batch=batch_written
)
geometric_row = _fill_row(
    "geometric", "geometric", "p", node_name="GeometricBackward0", batch=batch_written
)
log_normal_row = _fill_row(
    "log_normal", "log_normal", "mean std", node_name="LogNormalBackward0", batch=batch_written
)
bernoulli_scalar_row = _fill_row(
    "bernoulli_scalar", _bernoulli_scalar, "p", node_name="BernoulliBackward2", batch=batch_written
)
bernoulli_tensor_row = define_random(
    "bernoulli_tensor", _bernoulli_tensor, inputs="x p", options="", batch=batch_distributed,
    infer=_infer_same, node_name="BernoulliBackward1",
)  # fmt: skip
rand_like_row = _fill_row("rand_like", "uniform", "", node_name=None, batch=batch_like)
randn_like_row = define_random(
    "randn_like", _normal, inputs="x", options="mean std", batch=batch_like, infer=_infer_same
)
randint_like_row = _fill_row(
    "randint_like", "random_", "low high", node_name=None, batch=batch_like
)


# -- in place -----------------------------------------------------------------------------------


def _number(caller: str, name: str, value: Any) -> float:
    return float(read_number(caller, name, value))


def _bounds(caller: str, low: Any, high: Any, named: dict[str, Any]) -> tuple[Any, Any]:
    """The ends of a range, which PyTorch names with Python's keyword ``from``, and ``to``."""
    if "from" in named:
        low = named.pop("from")
    if "to" in named:
        high = named.pop("to")
    for name in named:
        raise TypeError(f"{caller}() got an unexpected keyword argument {name!r}")
    return low, high


def uniform_(
    self: Any,
    low: float = 0.0,
    high: float = 1.0,
    /,
    *,
    generator: draws.Generator | None = None,
    **bounds: float,
) -> Any:
    """Uniform numbers from [low, high), which PyTorch names ``from`` and ``to``.

    Raises ``RuntimeError`` for ends out of order or beyond the type, ``NotImplementedError`` for
    types that are not floating.

    >>> _ = torch.manual_seed(0)
    >>> torch.empty(2).uniform_(2, 3)
    tensor([2.4963, 2.7682])
    """
    first, last = _bounds("uniform_", low, high, bounds)
    ends = _number("uniform_", "from", first), _number("uniform_", "to", last)
    return uniform_row(self, *ends, generator=read_generator("uniform_", generator))


def normal_(
    self: Any, mean: float = 0.0, std: float = 1.0, *, generator: draws.Generator | None = None
) -> Any:
    """Normal numbers.

    Raises ``RuntimeError`` for a negative ``std``, ``NotImplementedError`` for integer types.

    >>> _ = torch.manual_seed(0)
    >>> torch.empty(2).normal_()
    tensor([ 1.5410, -0.2934])
    """
    given = _number("normal_", "mean", mean), _number("normal_", "std", std)
    return normal_row(self, *given, generator=read_generator("normal_", generator))


def random_(
    self: Any,
    *ends: int | None,
    generator: draws.Generator | None = None,
    **bounds: int,
) -> Any:
    """Whole numbers: ``random_(to)`` from [0, to), ``random_(from, to)``, or all the type holds.

    Raises ``RuntimeError`` for an empty range or one beyond the type's.

    >>> _ = torch.manual_seed(0)
    >>> torch.empty(4).random_(10)
    tensor([4., 9., 3., 0.])
    """
    if len(ends) > 2:
        raise TypeError(f"random_() takes up to two ends, but got {len(ends)}")
    if len(ends) == 1 and not bounds:
        ends = (0, *ends)
    low, high, *_ = (*ends, None, None)
    first, last = _bounds("random_", low, high, bounds)
    first = None if first is None else read_int("random_", "from", first)
    last = None if last is None else read_int("random_", "to", last)
    return random_row(self, first, last, generator=read_generator("random_", generator))


def exponential_(self: Any, lambd: float = 1.0, *, generator: draws.Generator | None = None) -> Any:
    """Numbers of an exponential distribution of rate ``lambd``.

    Raises ``RuntimeError`` unless the rate is positive and the type floating.

    >>> _ = torch.manual_seed(0)
    >>> torch.empty(2).exponential_()
    tensor([3.5083, 1.2304])
    """
    rate = _number("exponential_", "lambd", lambd)
    return exponential_row(self, rate, generator=read_generator("exponential_", generator))


def cauchy_(
    self: Any, median: float = 0.0, sigma: float = 1.0, *, generator: draws.Generator | None = None
) -> Any:
    """Numbers of a Cauchy distribution.

    Raises ``RuntimeError`` unless ``sigma`` is positive and the type floating.

    >>> _ = torch.manual_seed(0)
    >>> torch.empty(2).cauchy_()
    tensor([10.5977,  0.7648])
    """
    given = _number("cauchy_", "median", median), _number("cauchy_", "sigma", sigma)
    return cauchy_row(self, *given, generator=read_generator("cauchy_", generator))


def geometric_(self: Any, p: float, *, generator: draws.Generator | None = None) -> Any:
    """How many trials it takes until the first success, each of probability ``p``.

    Raises ``RuntimeError`` unless ``p`` is in (0, 1).

    >>> _ = torch.manual_seed(0)
    >>> torch.empty(3).geometric_(0.25)
    tensor([1., 2., 3.])
    """
    chance = _number("geometric_", "p", p)
    return geometric_row(self, chance, generator=read_generator("geometric_", generator))


def log_normal_(
    self: Any, mean: float = 1.0, std: float = 2.0, *, generator: draws.Generator | None = None
) -> Any:
    """Numbers whose logarithms are normal, with this mean and standard deviation.

    Raises ``RuntimeError`` unless ``std`` is positive, ``NotImplementedError`` for integer types.

    >>> _ = torch.manual_seed(0)
    >>> torch.empty(2).log_normal_()
    tensor([59.2634,  1.5116])
    """
    given = _number("log_normal_", "mean", mean), _number("log_normal_", "std", std)
    return log_normal_row(self, *given, generator=read_generator("log_normal_", generator))


def bernoulli_(self: Any, p: Any = 0.5, *, generator: draws.Generator | None = None) -> Any:
    """Ones with probability ``p``, a number or a tensor that broadcasts to this one, and zeros.

    Raises ``RuntimeError`` for a probability outside [0, 1].

    >>> _ = torch.manual_seed(0)
    >>> torch.empty(5).bernoulli_(0.5)
    tensor([0., 0., 1., 0., 0.])
    """
    source = read_generator("bernoulli_", generator)
    if not isinstance(p, Tensor):
        return bernoulli_scalar_row(self, _number("bernoulli_", "p", p), generator=source)
    if p.shape != self.shape:
        if broadcast_shapes(self.shape, p.shape) != tuple(self.shape):
            raise RuntimeError(
                f"bernoulli_: probabilities of shape {list(p.shape)} do not expand to the "
                f"tensor's {list(self.shape)}"
            )
        p = engine.rows.expand(p, tuple(self.shape))
    return bernoulli_tensor_row(self, p, generator=source)


for _function in (
    uniform_, normal_, random_, exponential_, cauchy_, geometric_, log_normal_, bernoulli_
):  # fmt: skip
    _operation = in_place(_function, _function.__name__)
    _operation.__doc__ = _function.__doc__
    _operation.__wrapped__ = _function  # type: ignore[attr-defined]
    publish(_function.__name__, _operation, namespaces=())


# -- like another -------------------------------------------------------------------------------


def _model(
    caller: str,
    input: Any,
    dtype: Any,
    requires_grad: bool,
    memory_format: Any,
    placement: Placement,
) -> Any:
    """Memory for what is to be drawn, and whether a gradient can be wanted of it."""
    model = like(caller, input, None, dtype, False, placement, memory_format)
    if requires_grad:
        require_differentiable(dtypes.of(model))
    return model


@public(method=False)
def rand_like(
    input: Any,
    *,
    generator: draws.Generator | None = None,
    dtype: dtypes.dtype | None = None,
    requires_grad: bool = False,
    memory_format: Any = None,
    **placement: Unpack[Placement],
) -> Any:
    """Uniform numbers from [0, 1) of the shape and, unless given, the type of ``input``.

    Raises ``NotImplementedError`` for types that are not floating.

    >>> _ = torch.manual_seed(0)
    >>> torch.rand_like(torch.zeros(2))
    tensor([0.4963, 0.7682])
    """
    model = _model("rand_like", input, dtype, requires_grad, memory_format, placement)
    out = rand_like_row(model, generator=read_generator("rand_like", generator))
    return set_requires_grad(out) if requires_grad else out


@public(method=False)
def randn_like(
    input: Any,
    *,
    generator: draws.Generator | None = None,
    dtype: dtypes.dtype | None = None,
    requires_grad: bool = False,
    memory_format: Any = None,
    **placement: Unpack[Placement],
) -> Any:
    """Normal numbers of the shape and, unless given, the type of ``input``.

    Raises ``NotImplementedError`` for integer types.

    >>> _ = torch.manual_seed(0)
    >>> torch.randn_like(torch.zeros(2))
    tensor([ 1.5410, -0.2934])
    """
    model = _model("randn_like", input, dtype, requires_grad, memory_format, placement)
    out = randn_like_row(model, 0.0, 1.0, generator=read_generator("randn_like", generator))
    return set_requires_grad(out) if requires_grad else out


@public(method=False)
def randint_like(
    input: Any,
    *args: Any,
    low: Any = 0,
    high: Any = None,
    generator: draws.Generator | None = None,
    dtype: dtypes.dtype | None = None,
    requires_grad: bool = False,
    memory_format: Any = None,
    **placement: Unpack[Placement],
) -> Any:
    """Whole numbers from [low, high) like ``input``: ``(input, high)`` or ``(input, low, high)``.

    Raises ``RuntimeError`` for an empty range or one beyond the type's.

    >>> _ = torch.manual_seed(0)
    >>> torch.randint_like(torch.zeros(4), 10)
    tensor([4., 9., 3., 0.])
    """
    if args:
        *lows, high = args if high is None else (*args, high)
        low = lows[0] if lows else low
    if high is None:
        raise TypeError("randint_like() needs an upper end")
    bounds = read_int("randint_like", "low", low), read_int("randint_like", "high", high)
    model = _model("randint_like", input, dtype, requires_grad, memory_format, placement)
    out = randint_like_row(model, *bounds, generator=read_generator("randint_like", generator))
    return set_requires_grad(out) if requires_grad else out
