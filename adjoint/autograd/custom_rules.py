"""``custom``: one derivative rule of the user's, for every transform."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import MethodType
from typing import Any

from adjoint import dtypes
from adjoint.autograd.function import Function, FunctionMeta
from adjoint.autograd.function_backward import stretches
from adjoint.errors import describe_shape
from adjoint.func.gradients import vjp as pullback_of
from adjoint.ops.creation import zeros
from adjoint.ops.joining import stack
from adjoint.pytree import Structure, flatten, spread
from adjoint.tape.engine import fit
from adjoint.tape.node import shorten
from adjoint.tape.tensor import Tensor

Rule = Callable[..., Any]
Fact = tuple[tuple[int, ...], dtypes.dtype]
BATCHES = ("through", "loop")


def custom(
    function: Callable[..., Any] | None = None,
    /,
    *,
    vjp: Rule | None = None,
    jvp: Rule | None = None,
    batch: str = "through",
) -> Any:
    """``function`` with a derivative of your own: one rule serves every transform.

    ``vjp(g, out, *inputs)`` gives one gradient for each input, or None, from the gradient ``g`` of
    the output ``out``. Written with operations on Tensors it serves reverse mode, forward mode (it
    is transposed), batches and derivatives of any order. ``jvp(tangents, out, *inputs)`` gives the
    output's tangent from a tuple of the inputs', and may stand in its place, or beside it. What a
    rule names with an underscore in front is not kept, and given as None, as is the derivative of
    what has none. Inputs and outputs may
    be nested in tuples, lists and dicts; keyword arguments are constants, which rules get as well.

    ``batch`` says what ``vmap`` does with ``function``: run it on batches (``"through"``), or on
    one example after the other (``"loop"``), which is for what leaves Adjoint, as NumPy does.
    Without ``function`` this is a decorator. Raises ``TypeError`` where no rule is given.

    >>> import adjoint as torch
    >>> @torch.autograd.custom(vjp=lambda g, _, x: g * torch.sigmoid(x))
    ... def softplus(x):
    ...     return torch.where(x > 20, x, torch.log1p(torch.exp(x)))
    >>> x = torch.tensor([0.0, 1000.0])
    >>> torch.func.vmap(torch.func.grad(softplus))(x)
    tensor([0.5000, 1.0000])
    >>> torch.func.jvp(softplus, (x,), (torch.ones(2),))[1]
    tensor([0.5000, 1.0000])
    """
    if function is None:
        return functools.partial(custom, vjp=vjp, jvp=jvp, batch=batch)
    for name, given in (("function", function), ("vjp", vjp), ("jvp", jvp)):
        if given is not None and not callable(given):
            raise TypeError(f"custom: {name} is a function, not a {type(given).__name__}")
    if vjp is None and jvp is None:
        raise TypeError("custom: give a rule, as vjp=lambda g, out, *inputs: ... or jvp=...")
    if batch not in BATCHES:
        raise ValueError(f"custom: batch is 'through' or 'loop', not {batch!r}")
    rules = _Rules(function, vjp, jvp, batch)

    @functools.wraps(function)
    def applied(*args: Any, **kwargs: Any) -> Any:
        leaves, structure = flatten(args)
        _require_constants(rules.name, kwargs)
        call = _Call(structure, kwargs)
        return call.rebuilt(rules.kind.apply(call, *leaves))

    return applied


class _Call:
    """What one call passes on beside tensors: its structure, and keyword arguments."""

    __slots__ = ("kwargs", "out_structure", "structure")

    def __init__(self, structure: Structure, kwargs: dict[str, Any]) -> None:
        self.structure = structure
        self.kwargs = kwargs
        self.out_structure: Structure | None = None  # known when the function has run

    def inputs(self, leaves: Any) -> Any:
        return self.structure(iter(leaves))

    def rebuilt(self, outs: Any) -> Any:
        assert self.out_structure is not None
        return self.out_structure(iter(outs))


class _Rules:
    """A function and its rules, as the methods of a ``Function`` on flat arguments."""

    def __init__(
        self, function: Callable[..., Any], vjp: Rule | None, jvp: Rule | None, batch: str
    ) -> None:
        self.function = function
        self.name = getattr(function, "__name__", "custom")
        self.vjp = vjp
        self.jvp = jvp
        members: dict[str, Any] = {
            "forward": staticmethod(self.forward),
            "setup_context": staticmethod(self.setup_context),
            "backward": staticmethod(self.backward),
            "jvp": staticmethod(self.move),
            "generate_vmap_rule": batch == "through",
        }
        if batch == "loop":
            members["vmap"] = staticmethod(self.loop)
        self.kind: Any = FunctionMeta(_camel(self.name), (Function,), members)

    def forward(self, call: _Call, *leaves: Any) -> Any:
        out = self.function(*call.inputs(leaves), **call.kwargs)
        outs, call.out_structure = flatten(out)
        return tuple(outs)

    def setup_context(self, ctx: Any, inputs: Any, output: Any) -> None:
        call, leaves = inputs[0], inputs[1:]
        rules = [rule for rule in (self.vjp, self.jvp) if rule is not None]
        kept: list[bool] = []
        for number, part in enumerate(call.structure.parts):
            kept += [any(_uses(rule, number + 2) for rule in rules)] * part.count
        kept += [any(_uses(rule, 1) for rule in rules)] * len(output)
        values = (*leaves, *output)
        ctx.save_for_backward(
            *[
                value if keep and isinstance(value, Tensor) else None
                for value, keep in zip(values, kept, strict=True)
            ]
        )
        ctx.call = call
        ctx.others = [None if isinstance(each, Tensor) else each for each in values]
        ctx.facts = [_fact(each) for each in values]
        ctx.count = len(leaves)

    def backward(self, ctx: Any, *grads: Any) -> Any:
        inputs, out = _values(ctx)
        facts = ctx.facts[ctx.count :]
        grads = tuple([g if fact else None for g, fact in zip(grads, facts, strict=True)])
        if self.vjp is None:
            return (None, *self._transposed_jvp(ctx, inputs, out, grads))
        return (None, *self._gradients(ctx, inputs, out, grads))

    def move(self, ctx: Any, _: None, *tangents: Any) -> Any:
        inputs, out = _values(ctx)
        if self.jvp is None:
            return tuple(self._transposed_vjp(ctx, inputs, out, tangents))
        return tuple(self._tangents(ctx, inputs, out, tangents))

    # -- the rules as functions of flat values --------------------------------------------------

    def _gradients(self, ctx: Any, inputs: Any, out: Any, grads: Any) -> list[Any]:
        """One gradient for each leaf of the inputs, or None."""
        assert self.vjp is not None
        parts = ctx.call.structure.parts
        answer = self.vjp(ctx.call.rebuilt(grads), out, *inputs, **ctx.call.kwargs)
        if not isinstance(answer, tuple):
            answer = (answer,)
        if len(answer) != len(parts):
            raise RuntimeError(
                f"the vjp of {self.name} returned {len(answer)} gradients for {len(parts)} inputs: "
                f"one for each is needed, None for those without{_origin(self.vjp)}"
            )
        found: list[Any] = []
        for number, (each, part) in enumerate(zip(answer, parts, strict=True)):
            below = spread(each, part)
            if below is None:
                raise RuntimeError(
                    f"the vjp of {self.name} returned a gradient for input {number} that is nested "
                    f"otherwise than the input, which is {part!r}{_origin(self.vjp)}"
                )
            found += below
        for number, (value, fact) in enumerate(zip(found, ctx.facts, strict=False)):
            found[number] = _fitted(value, fact, f"the vjp of {self.name}", self.vjp)
        return found

    def _tangents(self, ctx: Any, inputs: Any, out: Any, tangents: Any) -> list[Any]:
        """One tangent for each leaf of the output, or None."""
        assert self.jvp is not None
        moved = self.jvp(ctx.call.inputs(tangents), out, *inputs, **ctx.call.kwargs)
        found = spread(moved, ctx.call.out_structure)
        if found is None:
            raise RuntimeError(
                f"the jvp of {self.name} returned a tangent that is nested otherwise than the "
                f"output, which is {ctx.call.out_structure!r}{_origin(self.jvp)}"
            )
        facts = ctx.facts[ctx.count :]
        return [
            _fitted(value, fact, f"the jvp of {self.name}", self.jvp)
            for value, fact in zip(found, facts, strict=True)
        ]

    def _transposed_vjp(self, ctx: Any, inputs: Any, out: Any, tangents: Any) -> list[Any]:
        """Tangents of the outputs: the vjp is linear in the gradient, and this is its transpose."""
        return _transposed(
            lambda *grads: self._gradients(ctx, inputs, out, grads),
            ctx.facts[ctx.count :],
            tangents,
        )

    def _transposed_jvp(self, ctx: Any, inputs: Any, out: Any, grads: Any) -> list[Any]:
        """Gradients of the inputs: the transpose of the jvp, which is linear in the tangents."""
        return _transposed(
            lambda *tangents: self._tangents(ctx, inputs, out, tangents),
            ctx.facts[: ctx.count],
            grads,
        )

    def loop(self, info: Any, in_dims: Any, call: _Call, *leaves: Any) -> Any:
        """One example after the other."""
        if not info.batch_size:
            raise RuntimeError(
                f"vmap: {self.name} runs on one example after the other (batch='loop'), and there "
                "is none to tell the shape of its result"
            )
        results = [
            self.kind.apply(
                call,
                *[
                    value if dim is None else value.select(dim, number)
                    for value, dim in zip(leaves, in_dims[1:], strict=True)
                ],
            )
            for number in range(info.batch_size)
        ]
        outs, dims = [], []
        for column in zip(*results, strict=True):
            tensor = isinstance(column[0], Tensor)
            outs.append(stack(list(column)) if tensor else column[0])
            dims.append(0 if tensor else None)
        return tuple(outs), tuple(dims)


def _camel(name: str) -> str:
    spelled = "".join(part[:1].upper() + part[1:] for part in name.split("_"))
    return spelled if spelled.isidentifier() else "Custom"


def _require_constants(name: str, kwargs: dict[str, Any]) -> None:
    for key, value in kwargs.items():
        for leaf in flatten(value)[0]:
            if isinstance(leaf, Tensor) and (leaf._level or leaf._node is not None):
                raise TypeError(
                    f"{name}: keyword arguments are constants, and {key} is a Tensor whose "
                    "derivative may be asked for; pass it by position"
                )


def _uses(rule: Rule, place: int) -> bool:
    """Whether a rule looks at its argument of this number: not if its name has an underscore."""
    code = getattr(rule, "__code__", None)
    place += isinstance(rule, MethodType)  # whose first argument is its object
    if code is None or place >= code.co_argcount:
        return True
    return not code.co_varnames[place].startswith("_")


def _fact(value: Any) -> Fact | None:
    """Shape and type of what may have a derivative."""
    if not isinstance(value, Tensor) or dtypes.of(value).category < dtypes.FLOATING:
        return None
    return tuple(value.shape), dtypes.of(value)


def _values(ctx: Any) -> tuple[Any, Any]:
    """Inputs and output as they were, None for what no rule names."""
    values = [
        other if saved is None else saved
        for saved, other in zip(ctx.saved_tensors, ctx.others, strict=True)
    ]
    return ctx.call.inputs(values[: ctx.count]), ctx.call.rebuilt(values[ctx.count :])


def _origin(rule: Rule) -> str:
    code = getattr(rule, "__code__", None)
    return "" if code is None else f"; it is at {shorten(code.co_filename)}:{code.co_firstlineno}"


def _fitted(value: Any, fact: Fact | None, what: str, rule: Rule) -> Any:
    """A derivative in the shape and type of what it belongs to; ``RuntimeError`` if it cannot."""
    if value is None or fact is None:
        return None
    if not isinstance(value, Tensor):
        raise RuntimeError(
            f"{what} is to return Tensors or None, but returned a {type(value).__name__}"
            f"{_origin(rule)}"
        )
    shape, kind = fact
    found = tuple(value.shape)
    if found != shape and not stretches(shape, found):
        raise RuntimeError(
            f"{what} returned a Tensor of shape {describe_shape(found)} for one of shape "
            f"{describe_shape(shape)}{_origin(rule)}"
        )
    if dtypes.of(value).is_complex and not kind.is_complex:
        raise RuntimeError(
            f"{what} returned a complex Tensor for a real one ({kind!r}); return its real part"
            f"{_origin(rule)}"
        )
    return fit(value, shape, kind)


def _transposed(linear: Rule, facts: list[Fact | None], weights: Any) -> list[Any]:
    """The transpose of a linear map between flat lists, applied to ``weights``.

    ``facts`` says what the map takes: None stands for what has no derivative.
    """
    places = [number for number, fact in enumerate(facts) if fact is not None]
    answer: list[Any] = [None] * len(facts)
    used: list[int] = []

    def flat(*values: Any) -> Any:
        given: list[Any] = [None] * len(facts)
        for place, value in zip(places, values, strict=True):
            given[place] = value
        outs = linear(*given)
        used[:] = [n for n, out in enumerate(outs) if out is not None and weights[n] is not None]
        return tuple([outs[n] for n in used]) or (values[0],)

    if not places:
        return answer
    origin = [zeros(fact[0], dtype=fact[1]) for fact in facts if fact is not None]
    _, pull = pullback_of(flat, *origin)
    if used:
        moved = pull(tuple([weights[n] for n in used]))
        for place, value in zip(places, moved, strict=True):
            answer[place] = value
    return answer
