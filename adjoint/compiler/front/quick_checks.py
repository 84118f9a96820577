"""The first half of a call that is written for one program: whether the program fits."""

from __future__ import annotations

from typing import Any

from adjoint import dtypes
from adjoint.array.value import tensor_level
from adjoint.compiler.front.calling import Compiled, root_of
from adjoint.compiler.front.differentiable import IN_ORDER
from adjoint.compiler.front.guards import PLAIN
from adjoint.compiler.front.keys import Arguments, hooks_of
from adjoint.compiler.front.sources import Argument, GradOf, Outside
from adjoint.pytree import Structure
from adjoint.tape.modes import modes
from adjoint.tape.node import AccumulateGrad
from adjoint.tape.tensor import Tensor

WRITABLE = IN_ORDER | 1024  # and may be written to


class NotSimpleError(Exception):
    """Raised for a program that only the general way can call."""


class Checks:
    """Lines of source that give ``MISS``, or leave names for what the program needs."""

    def __init__(self, compiled: Compiled, given: Arguments) -> None:
        self.compiled = compiled
        self.traced = compiled.traced
        self.given = given
        self.names: dict[str, Any] = {}
        self.lines: list[str] = []
        self.known: dict[int, str] = {}  # names of the tensors of sources, by the source's id
        self.count = 0
        self.written = {id(each.source) for each in self.traced.written}

    def add(self, *lines: str) -> None:
        """Lines inside the function."""
        self.lines += [f"    {line}" for line in lines]

    def miss(self, condition: str) -> None:
        """Give up this way if a condition holds."""
        self.add(f"    if {condition}: return MISS")

    def name_of(self, source: Any) -> str:
        """The name of a source's tensor."""
        name = self.known.get(id(source))
        if name is None:
            raise NotSimpleError
        return name

    def home_of_grad(self, source: Any) -> str:
        """What has the ``.grad`` of a source's tensor: its node, or where it is no leaf, itself."""
        name = self.name_of(source)
        if type(source.find(self.given.tensors)._node) is not AccumulateGrad:
            return name
        return f"node_{name}" if isinstance(source, Outside) else f"{name}._node"

    def require_simple(self) -> None:
        """Raise ``NotSimpleError`` for what this way does not know at all."""
        traced, derivative = self.traced, self.compiled.derivative
        if (
            traced.flags
            or traced.bound
            or traced.made_grads
            or any(each.rebinds for each in traced.written)
            or any(getattr(each, "retains", False) for each in traced.made)
            or (derivative is not None and (derivative.copied or derivative.draws))
        ):
            raise NotSimpleError
        for each in traced.sources:
            tensor = each.find(self.given.tensors)
            if tensor is not None and tensor._array.flags.num & IN_ORDER != IN_ORDER:
                raise NotSimpleError

    # -- arguments ----------------------------------------------------------------------------

    def check_arguments(self) -> None:
        """Take the arguments apart, and look at each leaf."""
        outside = [each.tensor for each in self.compiled.outside]
        arrays = [id(root_of(each._array)) for each in outside]
        self.names["closed"] = {*map(id, outside), *arrays}
        args, kwargs = self.given.structure.parts
        self.leaves = list(zip(self.given.leaves, self.given.places, strict=True))
        self.seen: dict[int, str] = {}  # names of distinct tensors, by their number
        if not args.count and not kwargs.count:
            self.miss("args or kwargs")
            return
        self._take_apart("args", args)
        if kwargs.count:
            self._take_apart("kwargs", kwargs)
        else:
            self.miss("kwargs")

    def _take_apart(self, name: str, structure: Structure) -> None:
        """Names for the parts of a container, and of those that are in it."""
        parts = [f"a{self.count + number}" for number in range(len(structure.parts))]
        self.count += len(parts)
        kind = structure.kind
        if kind is dict:
            keys = structure.context
            self.names[f"keys_{name}"] = tuple(keys)
            self.miss(f"type({name}) is not dict or tuple({name}) != keys_{name}")
            for key, part in zip(keys, parts, strict=True):
                if type(key) not in (str, int):
                    raise NotSimpleError
                self.add(f"    {part} = {name}[{key!r}]")
        elif isinstance(kind, type) and issubclass(kind, (tuple, list)):
            if name != "args":
                self.names[f"container_{name}"] = kind
                self.miss(f"type({name}) is not container_{name}")
            if parts:
                self.add(f"    {', '.join(parts)}, = {name}")
            else:
                self.miss(name)
        else:
            raise NotSimpleError
        for part, below in zip(parts, structure.parts, strict=True):
            if below.kind is not None:
                self._take_apart(part, below)
                continue
            leaf, place = self.leaves.pop(0)
            if place < 0:
                self._value(part, leaf)
            else:
                self._argument(part, leaf, place)

    def _value(self, name: str, leaf: Any) -> None:
        if not isinstance(leaf, PLAIN):
            raise NotSimpleError
        self.names[f"value_{name}"], self.names[f"kind_{name}"] = leaf, type(leaf)
        if type(leaf) in (float, complex):
            self.miss(f"type({name}) is not kind_{name} or repr({name}) != {repr(leaf)!r}")
        elif leaf is None:
            self.miss(f"{name} is not None")
        else:
            self.miss(f"type({name}) is not kind_{name} or {name} != value_{name}")

    def _argument(self, name: str, leaf: Any, place: int) -> None:
        if place in self.seen:  # one tensor twice
            self.miss(f"{name} is not {self.seen[place]}")
            return
        for other in self.seen.values():
            self.miss(f"{name} is {other}")
        self.seen[place] = name
        source = self.traced.sources[place]
        assert isinstance(source, Argument)
        assert source.number == place
        self._tensor(name, leaf, source)

    def _tensor(self, name: str, tensor: Any, source: Any) -> None:
        """Everything about a tensor that may be another one at each call."""
        self.known[id(source)] = name
        array, node = tensor._array, tensor._node
        written = id(source) in self.written
        bits = WRITABLE if written else IN_ORDER
        self.names.update(
            {
                f"kind_{name}": type(tensor),
                f"shape_{name}": array.shape,
                f"type_{name}": array.dtype,
            }
        )
        self.add(f"    array_{name} = {name}._array")
        parts = [
            f"type({name}) is not kind_{name}",
            f"array_{name}.shape != shape_{name}",
            f"array_{name}.dtype is not type_{name}",
            f"array_{name}.flags.num & {bits} != {bits}",
            f"{name}._view is {'not ' if tensor._view is None else ''}None",
            f"id({name}) in closed",
        ]
        if node is None:
            parts.append(f"{name}._node is not None")
        elif type(node) is AccumulateGrad:
            if hooks_of(tensor):
                raise NotSimpleError
            parts.append(f"type({name}._node) is not AccumulateGrad")
            parts.append(f"{name}._node.hooks is not None")
        else:
            parts.append(f"{name}._node is None or isinstance({name}._node, AccumulateGrad)")
        if written:
            if tensor._view is not None:
                raise NotSimpleError
            if not modes.inference:
                parts.append(f"type({name}._memory) is Untracked")
        self.miss(f"({' or '.join(parts)})")
        if self.traced.written:
            self.add(f"    root_{name} = array_{name}.base")
            self.add(f"    if root_{name} is None: root_{name} = array_{name}")
            self.miss(f"id(root_{name}) in closed or root_{name}.base is not None")
            for other in self.known.values():
                if other != name:
                    self.miss(f"root_{name} is root_{other}")

    # -- the world around ---------------------------------------------------------------------

    def check_world(self) -> None:
        """Modes, guards, and the tensors that are closed over, with what is in their ``.grad``."""
        if modes.enabled:
            self.miss("modes.enabled is not True")
        else:
            inference = bool(modes.inference)
            self.miss("modes.enabled or modes.recorder is not True")
            self.miss(f"modes.inference is not {inference}")
        self.names["level"] = tensor_level  # tensors of func.grad look like ordinary ones
        self.miss("level()")
        self.names["kind"] = dtypes.get_default_dtype()
        self.names["count"] = self.compiled.changes
        self.miss("dtypes._default is not kind or changes.count != count")
        quick = self.compiled.guards.expression(self.names)
        if quick:
            self.add(f"    if not ({quick}): return MISS")
        grads = {id(each): each for each in self.traced.sources if isinstance(each, GradOf)}
        for number, grad in enumerate(grads.values()):
            if not isinstance(grad.leaf, Outside):
                raise NotSimpleError
            self._grad(f"g{number}", grad)
        for number, outside in enumerate(self.compiled.outside):
            name, tensor = f"t{number}", outside.tensor
            self.known[id(outside)] = name
            facts = {name: tensor, f"array_{name}": tensor._array, f"node_{name}": tensor._node}
            self.names.update(facts)
            self.miss(f"{name}._array is not array_{name} or {name}._node is not node_{name}")
        for source, there in self.traced.grad_guards:
            self.miss(f"{self.home_of_grad(source)}.grad is {'' if there else 'not '}None")

    def _grad(self, name: str, source: GradOf) -> None:
        """What is in the ``.grad`` of a leaf, which may be another tensor at each call."""
        leaf: Any = source.leaf.find(self.given.tensors)
        if type(leaf._node) is not AccumulateGrad:
            raise NotSimpleError
        self.names[f"leaf_{name}"] = leaf._node
        self.add(f"    {name} = leaf_{name}.grad")
        tensor = leaf._node.grad
        if not isinstance(tensor, Tensor):
            raise NotSimpleError
        self._tensor(name, tensor, source)


__all__ = ["Checks", "NotSimpleError"]
