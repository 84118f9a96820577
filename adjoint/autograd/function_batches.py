"""The batching rule that is made for a ``Function``: its methods, run under their own ``vmap``.

What the user's methods keep on ``ctx`` are batches there, and whole tensors outside.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from adjoint import dtypes
from adjoint.array.batch import Batch
from adjoint.array.randomness import drawing
from adjoint.array.value import transform_level
from adjoint.autograd.function_backward import stretches
from adjoint.autograd.function_node import as_array, as_public, backward_of
from adjoint.pytree import flatten
from adjoint.tape.engine import fit, rows
from adjoint.tape.tensor import Tensor, wrap


class VmapInfo(NamedTuple):
    """What a ``vmap`` staticmethod is told: how many examples, and what random numbers are."""

    batch_size: int
    randomness: str


_serials = itertools.count(1)
LIMIT = 64  # of rules made for one Function, when all of them are forgotten


class _BatchedAttribute(NamedTuple):
    """An attribute of a ctx that is a batch of the rule with this number."""

    serial: int
    value: Any


class BatchedContext:
    """A ctx as the user's methods see it inside a made rule: what they save are batches."""

    __slots__ = ("_inner", "_known", "_level", "_saved", "_serial")

    def __init__(
        self, inner: Any, level: int, serial: int, known: Any = (), saved: Any = None
    ) -> None:
        put = object.__setattr__
        put(self, "_inner", inner)
        put(self, "_level", level)
        put(self, "_serial", serial)
        put(self, "_known", dict(known))
        put(self, "_saved", saved)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if isinstance(found, _BatchedAttribute) and found.serial == self._serial:
            return _as_batch(found.value, self._level)
        return found

    def __setattr__(self, name: str, value: Any) -> None:
        if _is_batch(value, self._level):
            value = _BatchedAttribute(self._serial, self._below(value)[0])
        setattr(self._inner, name, value)

    @property
    def saved_tensors(self) -> Any:
        """What was kept, as batches again."""
        if self._saved is None:
            return self._inner.saved_tensors
        flags = self._inner.__dict__ if not isinstance(self._inner, BatchedContext) else None
        inside = getattr(self._inner, self._saved) if flags is None else flags[self._saved]
        return tuple(
            [
                _as_batch(value, self._level) if flag else value
                for value, flag in zip(self._inner.saved_tensors, inside, strict=True)
            ]
        )

    def _below(self, value: Any) -> tuple[Any, bool]:
        if id(value) in self._known:
            return self._known[id(value)]  # type: ignore[no-any-return]
        if _is_batch(value, self._level):
            return as_public(value._array.value), True
        return value, False

    def save_for_backward(self, *tensors: Any) -> None:
        """As that of the ctx itself."""
        kept = [self._below(each) for each in tensors]
        self._inner.save_for_backward(*[value for value, _ in kept])
        setattr(self._inner, f"_backward_{self._serial}", [flag for _, flag in kept])

    def save_for_forward(self, *tensors: Any) -> None:
        """As that of the ctx itself."""
        kept = [self._below(each) for each in tensors]
        self._inner.save_for_forward(*[value for value, _ in kept])
        setattr(self._inner, f"_forward_{self._serial}", [flag for _, flag in kept])

    def mark_dirty(self, *args: Any) -> None:
        """As that of the ctx itself."""
        self._inner.mark_dirty(*[self._below(each)[0] for each in args])

    def mark_non_differentiable(self, *args: Any) -> None:
        """As that of the ctx itself."""
        self._inner.mark_non_differentiable(*[self._below(each)[0] for each in args])


def _is_batch(value: Any, level: int) -> bool:
    """Whether a value is a Tensor over a batch of the ``vmap`` of this level."""
    return (
        isinstance(value, Tensor)
        and value._level == level + 1
        and isinstance(value._array, Batch)
        and value._array._level == level
    )


def _as_batch(value: Any, level: int) -> Any:
    return wrap(Batch(level, as_array(value)), level + 1)


def _wrapped(values: list[Any], flags: list[bool], level: int) -> list[Any]:
    return [
        _as_batch(value, level) if flag and isinstance(value, Tensor) else value
        for value, flag in zip(values, flags, strict=True)
    ]


def vmapped(function: Any, args: tuple[Any, ...], flags: list[bool], kwargs: Any, info: Any) -> Any:
    """``function`` over whole batches, as a Function whose methods run the user's under ``vmap``.

    ``flags`` says of each leaf of ``args`` whether its first dimension numbers examples.
    """
    given = tuple(flags), tuple(per_item(flags, args)), info
    found = None if kwargs else function._rules.get(given)
    if found is not None:
        return found
    rule = _Rule(function, flags, given[1], kwargs, info)
    members = {
        "forward": staticmethod(rule.forward),
        "setup_context": staticmethod(rule.setup_context),
        "backward": staticmethod(rule.backward),
        "jvp": staticmethod(rule.jvp),
        "generate_vmap_rule": True,
    }
    name = f"Vmapped{function.__name__}"
    made = type(function)(name, (function._base_function,), members)
    if not kwargs:
        if len(function._rules) >= LIMIT:
            function._rules.clear()
        function._rules[given] = made
    return made


def per_item(flags: list[bool], items: Any) -> list[bool]:
    """Flags of the items themselves from those of all their leaves; False for containers."""
    found, place = [], 0
    for item in items:
        count = 1 if isinstance(item, Tensor) else len(flatten(item)[0])
        found.append(isinstance(item, Tensor) and flags[place])
        place += count
    return found


class _Rule:
    """The methods of a made rule, and what they know in common."""

    def __init__(
        self,
        function: Any,
        flags: list[bool],
        arg_flags: tuple[bool, ...],
        kwargs: Any,
        info: VmapInfo,
    ) -> None:
        self.function = function
        self.flags = flags
        self.arg_flags = arg_flags
        self.kwargs = kwargs
        self.info = info
        self.serial = next(_serials)

    @contextmanager
    def entered(self) -> Iterator[int]:
        """A level of its own, on which the examples are drawn for as outside."""
        with transform_level() as level, drawing(level, *self.info):
            yield level

    def forward(self, *args: Any) -> Any:
        leaves, structure = flatten(args)
        with self.entered() as level:
            inside = _wrapped(leaves, self.flags, level)
            given = [value._array if isinstance(value, Tensor) else None for value in inside]
            out = self.function.forward(*structure(iter(inside)), **self.kwargs)
            found, out_structure = flatten(out)
            known = {id(high): number for number, high in enumerate(inside)}
            results = [
                leaves[known[id(value)]] if id(value) in known else self._whole(value, level)
                for value in found
            ]
            for value, outer, array, flag in zip(inside, leaves, given, self.flags, strict=True):
                if flag and value._array is not array:
                    outer.copy_(as_public(value._array.value))
        return out_structure(iter(results))

    def _whole(self, value: Any, level: int) -> Any:
        """A result with its batch axis in front, which is made where there is none."""
        if not isinstance(value, Tensor):
            return value
        if _is_batch(value, level):
            return as_public(value._array.value)
        array = value._array if value._level == level + 1 else value
        return rows.expand(as_public(array), (self.info.batch_size, *array.shape))

    def setup_context(self, ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        leaves, structure = flatten(inputs)
        outs, out_structure = flatten(output)
        # All results are batched but arguments that are not.
        constant = {id(x) for x, flag in zip(leaves, self.flags, strict=True) if not flag}
        out_flags = [isinstance(each, Tensor) and id(each) not in constant for each in outs]
        items = output if isinstance(output, tuple) else (output,)
        setattr(ctx, f"_outputs_{self.serial}", per_item(out_flags, items))
        with self.entered() as level:
            inside = _wrapped(leaves, self.flags, level)
            known = dict(zip(map(id, leaves), inside, strict=True))
            results = [
                known.get(id(low), high)
                for low, high in zip(outs, _wrapped(outs, out_flags, level), strict=True)
            ]
            pairs = [
                (id(high), (low, flag))
                for high, low, flag in zip(
                    [*inside, *results], [*leaves, *outs], [*self.flags, *out_flags],
                    strict=True,
                )
            ]  # fmt: skip
            shapes = [
                tuple(value.shape) if isinstance(value, Tensor) else None
                for value in structure(iter(inside))
            ]
            setattr(ctx, f"_shapes_{self.serial}", shapes)
            batched = BatchedContext(ctx, level, self.serial, pairs)
            self.function.setup_context(
                batched, structure(iter(inside)), out_structure(iter(results))
            )

    def backward(self, ctx: Any, *grads: Any) -> Any:
        with self.entered() as level:
            given = _wrapped(list(grads), getattr(ctx, f"_outputs_{self.serial}"), level)
            batched = BatchedContext(ctx, level, self.serial, (), f"_backward_{self.serial}")
            result = backward_of(self.function)(batched, *given)
            if not isinstance(result, tuple):
                result = (result,)
            shapes = getattr(ctx, f"_shapes_{self.serial}")
            return tuple(
                [
                    self._gradient(value, shape, flag, level)
                    for value, shape, flag in itertools.zip_longest(result, shapes, self.arg_flags)
                ][: len(result)]
            )

    def _gradient(self, value: Any, shape: Any, flag: bool, level: int) -> Any:
        """A gradient of an argument: summed over the examples that share it."""
        if not isinstance(value, Tensor):
            return value
        inside = _is_batch(value, level)
        if flag:
            if (
                shape is not None
                and tuple(value.shape) != shape
                and stretches(shape, tuple(value.shape))
            ):
                value = fit(value, shape, dtypes.of(value))
            return self._whole(value, level)
        if not inside:
            return value if value._level != level + 1 else as_public(value._array)
        return as_public(value._array.value).sum(0)

    def jvp(self, ctx: Any, *tangents: Any) -> Any:
        with self.entered() as level:
            given = _wrapped(list(tangents), list(self.arg_flags), level)
            saved = f"_forward_{self.serial}"
            if not hasattr(ctx, saved):
                saved = f"_backward_{self.serial}"
            batched = BatchedContext(
                ctx, level, self.serial, (), saved if hasattr(ctx, saved) else None
            )
            moves = self.function.jvp(batched, *given)
            results = []
            for value in moves if isinstance(moves, tuple) else (moves,):
                number = next((n for n, t in enumerate(given) if t is value), None)
                if number is None or not _is_batch(value, level):
                    results.append(self._whole(value, level))
                    continue
                tangent = tangents[number]  # itself, as it may have been written to in place
                if value._array.value is not tangent._array:
                    tangent.copy_(as_public(value._array.value))
                results.append(tangent)
        return tuple(results) if isinstance(moves, tuple) else results[0]
