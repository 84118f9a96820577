"""Numbers at even steps: ``arange``, ``range``, ``linspace``, ``logspace``."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from adjoint import dtypes
from adjoint.devices import Placement
from adjoint.errors import describe_shape
from adjoint.lazy import LazyModule
from adjoint.ops.kinds.public import public
from adjoint.ops.making import allocate, finish, read_int, type_for
from adjoint.ops.scalars import read_number, require_fit
from adjoint.tape.tensor import Tensor

if TYPE_CHECKING:
    from adjoint.array import random_exact as exact
else:
    exact = LazyModule("adjoint.array.random_exact")


@public(method=False)
def arange(
    *bounds: Any,
    start: Any = None,
    end: Any = None,
    step: Any = 1,
    out: Any = None,
    dtype: dtypes.dtype | None = None,
    requires_grad: bool = False,
    **placement: Unpack[Placement],
) -> Any:
    """Numbers from ``start`` up to but without ``end``: ``arange(end)``, ``(start, end, step)``.

    int64 if all three are whole numbers, else the default type. Raises ``RuntimeError`` for a
    step of 0 or away from ``end`` and for infinite bounds, ``TypeError`` for what are no numbers.

    >>> torch.arange(1, 2, 0.25)
    tensor([1.0000, 1.2500, 1.5000, 1.7500])
    """
    first, last, step = _bounds("arange", bounds, start, end, step)
    whole = all(type(each) in (int, bool) for each in (first, last, step))
    inferred = dtypes.int64 if whole else dtypes.get_default_dtype()
    kind = _real_type("arange", type_for("arange", dtype, out, inferred))
    if kind is dtypes.int64:
        first, last, step = (_whole("arange", each) for each in (first, last, step))
        if not step:
            raise (RuntimeError if whole else ValueError)("arange: the step is 0 as an integer")
        length = -((first - last) // step)
    else:
        _check_span("arange", first, last, step)
        length = math.ceil((float(last) - float(first)) / float(step))
    if (last - first) * step < 0:
        raise RuntimeError(f"arange: a step of {step} does not lead from {first} to {last}")
    array = _steps("arange", first, step, length, kind)
    return finish("arange", array, out=out, requires_grad=requires_grad, placement=placement)


@public(method=False)
def range(
    start: Any = None,
    end: Any = None,
    step: Any = 1,
    *,
    out: Any = None,
    dtype: dtypes.dtype | None = None,
    requires_grad: bool = False,
    **placement: Unpack[Placement],
) -> Any:
    """Numbers from ``start`` to ``end``, which belongs to them; PyTorch advises ``arange`` instead.

    Always of the default type unless ``dtype`` is given. Raises what ``arange`` raises.
    """
    warnings.warn(
        "range() includes its end, unlike Python's, and PyTorch will drop it: use arange()",
        UserWarning,
        stacklevel=2,
    )
    if end is None:
        raise TypeError("range() needs a start and an end")
    first, last, step = _bounds("range", (0 if start is None else start, end), None, None, step)
    kind = _real_type("range", type_for("range", dtype, out))
    _check_span("range", first, last, step)
    length = math.floor((float(last) - float(first)) / float(step)) + 1
    array = _steps("range", first, step, length, kind)
    return finish("range", array, out=out, requires_grad=requires_grad, placement=placement)


def _bounds(caller: str, bounds: tuple[Any, ...], start: Any, end: Any, step: Any) -> Any:
    """The three numbers out of every way to give them."""
    if len(bounds) > 3:
        raise TypeError(f"{caller}() takes start, end and step, but got {len(bounds)} numbers")
    if len(bounds) == 3:
        step = bounds[2]
    if bounds and end is not None:
        start = bounds[0]
    elif len(bounds) == 1:
        end = bounds[0]
    elif bounds:
        start, end = bounds[:2]
    if end is None:
        raise TypeError(f"{caller}() needs an end")
    start = 0 if start is None else start
    return tuple(
        _real_number(caller, name, value)
        for name, value in (("start", start), ("end", end), ("step", step))
    )


def _real_number(caller: str, name: str, value: Any) -> Any:
    number = read_number(caller, name, value)
    if isinstance(number, complex):
        require_fit(number, dtypes.float64, caller)
        return number.real
    return number


def _whole(caller: str, number: Any) -> int:
    require_finite(caller, number)
    require_fit(number, dtypes.int64, caller)
    return int(number)


def require_finite(caller: str, number: Any) -> None:
    """Raise ``RuntimeError`` for infinities and NaN."""
    if not math.isfinite(number):
        raise RuntimeError(f"{caller}: a range is finite, but got {number}")


def _check_span(caller: str, first: Any, last: Any, step: Any) -> None:
    if not step or math.isnan(step):
        raise RuntimeError(f"{caller}: the step is not 0, but got {step}")
    require_finite(caller, first)
    require_finite(caller, last)
    if (last - first) * step < 0:
        raise RuntimeError(f"{caller}: a step of {step} does not lead from {first} to {last}")


def _real_type(caller: str, kind: dtypes.dtype) -> dtypes.dtype:
    if kind.category in (dtypes.BOOL, dtypes.COMPLEX):
        raise NotImplementedError(f"{caller} does not count in {kind!r}")
    return kind


# How many numbers PyTorch's kernel makes at once: the first of them is rounded to the type, and the
# others are counted on from it. Below two such blocks, and after the last two, each is counted from
# the start. So it is on processors with AVX2 for ranges that one thread makes, and here always.
_LANES = {"float64": 4, "float32": 8, "float16": 16, "bfloat16": 16}


def _steps(caller: str, first: Any, step: Any, length: int, kind: dtypes.dtype) -> Any:
    """``first + step * place``, worked out in a wider type as PyTorch does."""
    if kind.category == dtypes.INTEGER:
        first, step = int(first), int(step)
        if not step:
            raise ValueError(f"{caller}: the step is 0 as an integer")
        end = first + step * length
        steps = allocate(lambda *_: np.arange(first, end, step), (length,), kind, caller)
        return steps.astype(kind.numpy, copy=False)
    wide: Any = np.float32 if dtypes.is_low_precision(kind.numpy) else np.float64
    first, step = float(wide(first)), float(wide(step))
    lanes = _LANES[kind.name]
    blocks = length // (2 * lanes) * 2
    array = allocate(np.empty, (length,), kind, caller)
    rest = np.arange(blocks * lanes, length, dtype=wide)
    array[blocks * lanes :] = exact.multiply_add(rest, step, first)
    if blocks:
        starts = exact.multiply_add(np.arange(0, blocks * lanes, lanes, dtype=wide), step, first)
        starts = starts.astype(kind.numpy).astype(wide)[:, None]
        array[: blocks * lanes] = (starts + np.arange(lanes, dtype=wide) * wide(step)).reshape(-1)
    return array


@public(method=False)
def linspace(
    start: Any,
    end: Any,
    steps: int,
    *,
    out: Any = None,
    dtype: dtypes.dtype | None = None,
    requires_grad: bool = False,
    **placement: Unpack[Placement],
) -> Any:
    """``steps`` numbers from ``start`` to ``end``, both of which belong to them.

    Raises ``RuntimeError`` for a negative number of steps, ``TypeError`` for what are no numbers.

    >>> torch.linspace(0, 1, 5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """
    first, last, kind, count = _ends("linspace", start, end, steps, dtype, out)
    array = allocate(np.empty, (count,), kind, "linspace")
    if kind.category == dtypes.INTEGER:
        array[...] = _between(int(first), int(last), count, dtypes.float64)
    else:
        array[...] = _between(first, last, count, kind)
    return finish("linspace", array, out=out, requires_grad=requires_grad, placement=placement)


@public(method=False)
def logspace(
    start: Any,
    end: Any,
    steps: int,
    base: float = 10.0,
    *,
    out: Any = None,
    dtype: dtypes.dtype | None = None,
    requires_grad: bool = False,
    **placement: Unpack[Placement],
) -> Any:
    """``base`` to the powers that ``linspace(start, end, steps)`` gives.

    Raises ``RuntimeError`` for a negative number of steps, ``TypeError`` for what are no numbers.

    >>> torch.logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    first, last, kind, count = _ends("logspace", start, end, steps, dtype, out)
    radix = read_number("logspace", "base", base)
    array = allocate(np.empty, (count,), kind, "logspace")
    if kind.category == dtypes.COMPLEX:
        powers = np.power(kind.numpy.type(radix), _between(first, last, count, kind))
    else:
        powers = np.power(float(radix), _exponents(first, last, count, kind))
    if dtypes.is_low_precision(kind.numpy):
        powers = powers.astype(np.float32)  # twice rounded, as in PyTorch
    np.copyto(array, powers, casting="unsafe")
    return finish("logspace", array, out=out, requires_grad=requires_grad, placement=placement)


def _ends(caller: str, start: Any, end: Any, steps: Any, dtype: Any, out: Any) -> Any:
    """The two numbers, the type, and how many steps."""
    numbers = []
    for name, value in (("start", start), ("end", end)):
        if isinstance(value, Tensor) and len(value.shape):
            raise RuntimeError(
                f"{caller}: {name} is a number or a tensor without dimensions, but has shape "
                f"{describe_shape(value.shape)}"
            )
        if isinstance(value, Tensor):
            value = value.item()
        numbers.append(read_number(caller, name, value))
    count = read_int(caller, "steps", steps)
    if count < 0:
        raise RuntimeError(f"{caller}: the number of steps is not negative, but got {count}")
    inferred = dtypes.get_default_dtype()
    if any(isinstance(number, complex) for number in numbers):
        inferred = inferred.to_complex()
    kind = type_for(caller, dtype, out, inferred)
    if kind is dtypes.bool_:
        raise NotImplementedError(f"{caller} does not count in {kind!r}")
    for number in numbers:
        require_fit(number, kind, caller)
    return (*numbers, kind, count)


def _between(first: Any, last: Any, count: int, kind: dtypes.dtype) -> Any:
    """Evenly spaced numbers, reckoned from the nearer end and rounded once, as PyTorch does."""
    if count < 2:
        return np.full(count, kind.numpy.type(first))
    if kind.category == dtypes.COMPLEX:
        first, last = complex(first), complex(last)
        out = np.empty(count, kind.numpy)
        out.real = _between(first.real, last.real, count, kind.to_real())
        out.imag = _between(first.imag, last.imag, count, kind.to_real())
        return out
    half = dtypes.is_low_precision(kind.numpy)
    real: Any = kind.numpy.type
    forward, backward = _places(count, np.float32 if half else real)
    first, last = real(first), real(last)
    step = (last - first) / real(count - 1)
    if half:  # each operation is one of float32 and is rounded
        return np.concatenate(
            (first + step * forward.astype(real), last - step * backward.astype(real))
        )
    step, first, last = float(step), float(first), float(last)
    down = exact.multiply_add(backward, -step, last)
    down += 0.0  # an end of 0 is not -0
    return np.concatenate((exact.multiply_add(forward, step, first), down))


def _places(count: int, kind: Any) -> tuple[Any, Any]:
    """How far each number of the first half is from the start, and of the second from the end."""
    return np.arange(count // 2, dtype=kind), np.arange(count - count // 2 - 1, -1, -1, dtype=kind)


def _exponents(first: Any, last: Any, count: int, kind: dtypes.dtype) -> Any:
    """As ``_between`` of the ends in their type, but in float64, and rounded twice."""
    if count < 2:
        return np.full(count, float(first))
    if kind.category == dtypes.INTEGER:
        first, last = int(first), int(last)
    else:
        first, last = kind.numpy.type(first), kind.numpy.type(last)
    step = float(last - first) / (count - 1)
    forward, backward = _places(count, np.float64)
    return np.concatenate((float(first) + step * forward, float(last) - step * backward))
