"""The names under which users meet the operations: namespaces, methods, in-place forms.

Each operation says them where it is defined; ``adjoint``, ``adjoint.nn.functional`` and the Tensor
class read them off this list, so that adding an operation is a change in one place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from adjoint.ops.kinds.out import taking_out
from adjoint.ops.kinds.strict import for_users

Function = TypeVar("Function", bound=Callable[..., Any])


class Public(NamedTuple):
    """One name: where it is found, whether the Tensor has it as a method and in place, ``out=``."""

    name: str
    function: Callable[..., Any]
    namespaces: tuple[str, ...]
    method: bool
    in_place: bool
    out: str


PUBLIC: list[Public] = []
PROPERTIES: dict[str, Callable[[Any], Any]] = {}  # attributes of the Tensor: ``x.T``
TOP = ("",)
FUNCTIONAL = ("nn.functional",)


def public(
    *,
    namespaces: Sequence[str] = TOP,
    method: bool = True,
    in_place: bool = False,
    aliases: Sequence[str] = (),
    name: str = "",
    out: str = "",
) -> Callable[[Function], Function]:
    """Decorate a function that users call: ``namespaces`` are those of PyTorch ("" the top level).

    ``aliases`` are further names for the same function, with the same places; ``name`` is PyTorch's
    where the function has another one here. With ``out``, what users find in the namespaces takes
    ``out=``, of the types that the word says (see ``kinds.out``); the method does not.
    """

    def register(function: Function) -> Function:
        if name:
            function.__name__ = function.__qualname__ = name
        publish(function.__name__, function, namespaces, method, in_place, aliases, out)
        return function

    return register


def publish(
    name: str,
    function: Callable[..., Any],
    namespaces: Sequence[str] = TOP,
    method: bool = True,
    in_place: bool = False,
    aliases: Sequence[str] = (),
    out: str = "",
) -> None:
    """Put a function on the list; see ``public``."""
    places = tuple(namespaces)
    PUBLIC.extend(
        Public(each, function, places, method, in_place, out) for each in (name, *aliases)
    )


def publish_property(name: str, function: Callable[[Any], Any]) -> None:
    """Make ``function`` an attribute of every Tensor, computed when it is read."""
    PROPERTIES[name] = function


def namespace(name: str) -> dict[str, Callable[..., Any]]:
    """All that is found in one of PyTorch's namespaces, such as "nn.functional"."""
    return {each.name: as_found(each) for each in PUBLIC if name in each.namespaces}


def as_found(each: Public) -> Callable[..., Any]:
    """A function as users find it: one that takes ``out``, or a row that takes no plain arrays."""
    if each.out:
        return taking_out(each.function, each.out)  # type: ignore[no-any-return]
    if hasattr(each.function, "row") and hasattr(each.function, "__wrapped__"):
        return for_users(each.function)  # type: ignore[no-any-return]
    return each.function
