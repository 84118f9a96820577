"""``out=``: functions that put their result into a tensor of the caller's.

A row of one or two inputs looks for ``out`` itself. It stands behind a parameter that nobody gives
by position, so that one comparison finds both ``out=`` and an argument too many: 5 nanoseconds, a
seventh of what a parameter by name alone costs. Every other function that takes ``out`` is found by
users through a function of the same parameters that passes them on by position (35 nanoseconds, 60
where there are parameters by name). Methods and formulas call the operation itself.

``out`` is said where the operation is defined:

* "cast": any type that the result's can be cast to without losing its kind;
* "exact": the result's own type;
* "follow": the type to compute in is that of ``out``, unless a ``dtype`` is given;
* "joined": as "cast", with another error; "real": any but complex types;
* "flag": truth values, also as ``uint8``.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

Function = Callable[..., Any]
ANY_NUMBER, ANY_NAMES = 0x04, 0x08  # flags of code: ``*args`` and ``**named``


class _Writing:
    """What carries ``out=`` out; the layer that knows how to write fills it in."""

    into: Callable[[Function, str, Any, tuple[Any, ...], dict[str, Any]], Any]


writing = _Writing()


def elementwise_out(operation: Any, excess: Any, out: Any, args: tuple[Any, ...]) -> Any:
    """A row called with ``out``, or with an argument too many."""
    row = operation.row
    if excess is not None:
        raise too_many(row.name, len(args))
    if not row.out:
        raise TypeError(f"{row.name}() got an unexpected keyword argument 'out'")
    return writing.into(operation, row.out, out, args, {})


def too_many(name: str, count: int) -> TypeError:
    """The error for one argument more than ``count`` by position."""
    return TypeError(
        f"{name}() takes {count} positional argument{'s' * (count > 1)} but {count + 1} were given"
    )


# What type checkers and ``help`` see of a row's parameters.


def unary(input: Any) -> Any: ...


def unary_with_out(input: Any, *, out: Any = None) -> Any: ...


def binary(input: Any, other: Any) -> Any: ...


def binary_with_out(input: Any, other: Any, *, out: Any = None) -> Any: ...


SHOWN = {
    (1, False): unary, (1, True): unary_with_out,
    (2, False): binary, (2, True): binary_with_out,
}  # fmt: skip

# -- functions that are not rows ------------------------------------------------------------------

# By the number of parameters before ``out``; they are given the names of the function's. Where all
# can be given by position, a second one that nobody gives stands before ``out``, as in rows: so it
# is 35 nanoseconds for the second frame, and not 60.
_BY_POSITION: tuple[Callable[[Function, Function], Function], ...] = (
    lambda f, into: (
        lambda excess=None, out=None: f() if out is excess is None else into(excess, out)
    ),
    lambda f, into: (
        lambda a, excess=None, out=None: f(a) if out is excess is None else into(excess, out, a)
    ),
    lambda f, into: (
        lambda a, b, excess=None, out=None: (
            f(a, b) if out is excess is None else into(excess, out, a, b)
        )
    ),
    lambda f, into: (
        lambda a, b, c, excess=None, out=None: (
            f(a, b, c) if out is excess is None else into(excess, out, a, b, c)
        )
    ),
    lambda f, into: (
        lambda a, b, c, d, excess=None, out=None: (
            f(a, b, c, d) if out is excess is None else into(excess, out, a, b, c, d)
        )
    ),
    lambda f, into: (
        lambda a, b, c, d, e, excess=None, out=None: (
            f(a, b, c, d, e) if out is excess is None else into(excess, out, a, b, c, d, e)
        )
    ),
    lambda f, into: (
        lambda a, b, c, d, e, g, excess=None, out=None: (
            f(a, b, c, d, e, g) if out is excess is None else into(excess, out, a, b, c, d, e, g)
        )
    ),
    lambda f, into: (
        lambda a, b, c, d, e, g, h, excess=None, out=None: (
            f(a, b, c, d, e, g, h)
            if out is excess is None
            else into(excess, out, a, b, c, d, e, g, h)
        )
    ),
)
_BY_NAME: tuple[Callable[[Function, Function], Function], ...] = (
    lambda f, into: lambda out=None: f() if out is None else into(None, out),
    lambda f, into: lambda a, out=None: f(a) if out is None else into(None, out, a),
    lambda f, into: lambda a, b, out=None: f(a, b) if out is None else into(None, out, a, b),
    lambda f, into: (
        lambda a, b, c, out=None: f(a, b, c) if out is None else into(None, out, a, b, c)
    ),
    lambda f, into: (
        lambda a, b, c, d, out=None: f(a, b, c, d) if out is None else into(None, out, a, b, c, d)
    ),
    lambda f, into: (
        lambda a, b, c, d, e, out=None: (
            f(a, b, c, d, e) if out is None else into(None, out, a, b, c, d, e)
        )
    ),
    lambda f, into: (
        lambda a, b, c, d, e, g, out=None: (
            f(a, b, c, d, e, g) if out is None else into(None, out, a, b, c, d, e, g)
        )
    ),
    lambda f, into: (
        lambda a, b, c, d, e, g, h, out=None: (
            f(a, b, c, d, e, g, h) if out is None else into(None, out, a, b, c, d, e, g, h)
        )
    ),
)
# The same where the function takes further names, which travel in one dictionary.
_FURTHER: tuple[Callable[[Function, Function], Function], ...] = (
    lambda f, into: lambda out=None, **n: f(n) if out is None else into(None, out, n),
    lambda f, into: lambda a, out=None, **n: f(a, n) if out is None else into(None, out, a, n),
    lambda f, into: (
        lambda a, b, out=None, **n: f(a, b, n) if out is None else into(None, out, a, b, n)
    ),
    lambda f, into: (
        lambda a, b, c, out=None, **n: f(a, b, c, n) if out is None else into(None, out, a, b, c, n)
    ),
    lambda f, into: (
        lambda a, b, c, d, out=None, **n: (
            f(a, b, c, d, n) if out is None else into(None, out, a, b, c, d, n)
        )
    ),
    lambda f, into: (
        lambda a, b, c, d, e, out=None, **n: (
            f(a, b, c, d, e, n) if out is None else into(None, out, a, b, c, d, e, n)
        )
    ),
    lambda f, into: (
        lambda a, b, c, d, e, g, out=None, **n: (
            f(a, b, c, d, e, g, n) if out is None else into(None, out, a, b, c, d, e, g, n)
        )
    ),
)
_made: dict[Function, Function] = {}


def given_out(function: Function, out: Any, *args: Any, **named: Any) -> Any:
    """``function`` was called with ``out``, which it looks for itself: where 60 ns are too many."""
    return writing.into(function, "cast", out, args, named)


def taking_out(function: Any, rule: str) -> Any:
    """``function`` with a last parameter ``out``, by name; the same one for the same function."""
    found = _made.get(function)
    if found is None:
        code = function.__code__
        if "out" in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]:
            return function
        general = code.co_flags & ANY_NUMBER
        found = _made[function] = (_general if general else _exact)(function, rule)
    return found


def _exact(function: FunctionType, rule: str) -> Function:
    """A function of the same parameters: two frames instead of one, and nothing is packed."""
    code = function.__code__
    names = code.co_flags & ANY_NAMES
    by_position, by_name = code.co_argcount, code.co_kwonlyargcount
    count = by_position + by_name
    parameters = code.co_varnames[:count]
    # In a frame, parameters by name follow those by position, and the dictionary of further names
    # follows both: so all of them can be passed on by position.
    inner = FunctionType(
        code.replace(
            co_argcount=count + bool(names),
            co_kwonlyargcount=0,
            co_flags=code.co_flags & ~ANY_NAMES,
        ),
        function.__globals__, function.__name__, None, function.__closure__,
    )  # fmt: skip

    def into(excess: Any, out: Any, *args: Any) -> Any:
        if excess is not None:
            raise too_many(function.__name__, by_position)
        named = dict(zip(parameters[by_position:], args[by_position:], strict=False))
        return writing.into(
            function, rule, out, args[:by_position], {**named, **args[-1]} if names else named
        )

    defaults, of_names = function.__defaults__ or (), function.__kwdefaults__ or {}
    shown = (*parameters, "out", "named") if names else (*parameters, "out")
    if names or by_name:
        found: Any = (_FURTHER if names else _BY_NAME)[count](inner, into)
        outer = _named(found, function, shown, by_position, by_name + 1)
        outer.__defaults__, outer.__kwdefaults__ = defaults, {**of_names, "out": None}
        return _like(outer, function)
    outer = _named(
        _BY_POSITION[count](inner, into), function, (*parameters, "excess", "out"), count + 2, 0
    )
    outer.__defaults__ = (*defaults, None, None)
    seen = _named(_BY_NAME[count](inner, into), function, shown, count, 1)  # never called
    seen.__defaults__, seen.__kwdefaults__ = defaults, {"out": None}
    outer.__wrapped__ = _like(seen, function)
    return _like(outer, function)


def _named(
    template: Any, function: FunctionType, names: tuple[str, ...], by_position: int, by_name: int
) -> Any:
    """A template with the name and the parameters of ``function``."""
    code = template.__code__.replace(
        co_argcount=by_position, co_kwonlyargcount=by_name, co_varnames=names,
        co_name=function.__name__, co_qualname=function.__qualname__,
    )  # fmt: skip
    return FunctionType(code, function.__globals__, function.__name__, None, template.__closure__)


def _general(function: FunctionType, rule: str) -> Function:
    """For functions of any number of arguments."""

    def outer(*args: Any, out: Any = None, **named: Any) -> Any:
        if out is None:
            return function(*args, **named)
        return writing.into(function, rule, out, args, named)

    outer.__qualname__, outer.__name__ = function.__qualname__, function.__name__
    return _like(outer, function)


def _like(outer: Any, function: Any) -> Function:
    outer.__module__, outer.__doc__ = function.__module__, function.__doc__
    outer.__annotations__ = {**function.__annotations__, "out": "Any"}
    outer.__dict__.update(function.__dict__)
    outer.operation = function
    made: Function = outer
    return made
