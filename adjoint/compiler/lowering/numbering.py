"""Bodies of nodes by value: two that compute the same from the same memory have the same number."""

from __future__ import annotations

from typing import Any

from adjoint.compiler.nodes import Buffer, Scalar


class Numbering:
    """Numbers for scalars, the same for those that are equal."""

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}
        # By identity, with the scalars themselves, so that no identity is used again.
        self._known: dict[int, tuple[Scalar, int | None]] = {}

    def number(self, scalar: Scalar) -> int | None:
        """The number of a scalar; None if it looks at memory that is written to again."""
        stack = [scalar]
        while stack:  # operands first, without recursion
            each = stack[-1]
            if id(each) in self._known:
                stack.pop()
                continue
            missing = [arg for arg in each.args if id(arg) not in self._known]
            if missing:
                stack.extend(missing)
                continue
            stack.pop()
            self._known[id(each)] = each, self._of(each)
        if any(_rewritten(each) for each in scalar.walk()):
            return None
        return self._known[id(scalar)][1]

    def _of(self, scalar: Scalar) -> int | None:
        args = tuple([self._known[id(arg)][1] for arg in scalar.args])
        if None in args:
            return None
        value: Any = scalar.value
        if scalar.name == "load":
            value = (value.buffer.number, value.offset, value.strides, value.shape)
        elif isinstance(value, Buffer):
            value = value.number
        elif scalar.name == "number":
            value = repr(value)
        try:
            key = (scalar.name, scalar.kind.str, args, value)
            return self._numbers.setdefault(key, len(self._numbers))
        except TypeError:  # a value without a hash
            return None


def _rewritten(scalar: Scalar) -> bool:
    if scalar.name == "load":
        return bool(scalar.value.buffer.rewritten)
    return isinstance(scalar.value, Buffer) and scalar.value.rewritten
