"""What tensors from outside were before a trace, to be put back at its end."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.tape.handles import Hooks
from adjoint.tape.node import AccumulateGrad, Node
from adjoint.tape.tensor import Memory, Tensor, Untracked

ARRAY = Tensor.__dict__["_array"]
GRAD = AccumulateGrad.__dict__["grad"]
HOOKS = Node.__dict__["hooks"]
SAVED = Node.__dict__["saved"]
NODE = Tensor.__dict__["_node"]
SLOTS = {name: Tensor.__dict__[name] for name in ("_node", "_view", "_memory", "_level")}
KINDS = tuple(Hooks.__slots__)
ndarray = np.ndarray
MISSING = object()


class World:
    """Notes what is about to change, each thing once."""

    def __init__(self) -> None:
        self.slots: dict[tuple[int, str], tuple[Any, str, Any]] = {}
        self.facts: dict[int, tuple[Any, dict[str, Any]]] = {}
        self.memories: dict[int, tuple[Any, dict[str, Any]]] = {}
        self.hooks: dict[int, tuple[Any, Any, dict[str, dict[Any, Any]]]] = {}

    def note_slot(self, tensor: Any, name: str) -> None:
        """Before a slot of a tensor, or its class, is set."""
        key = id(tensor), name
        if key not in self.slots:
            old = type(tensor) if name == "__class__" else _slot(tensor, name)
            self.slots[key] = tensor, name, old

    def note_tensor(self, tensor: Any) -> None:
        """When a trace first looks at a tensor: its attributes, memory and hooks."""
        if id(tensor) in self.facts:
            return
        self.facts[id(tensor)] = tensor, dict(tensor.__dict__)
        memory = SLOTS["_memory"].__get__(tensor)
        if memory is not None and id(memory) not in self.memories:
            names = ["version"] if type(memory) is Untracked else list(Memory.__slots__)
            self.memories[id(memory)] = (
                memory,
                {name: getattr(memory, name) for name in names if name != "views"},
            )
        node = NODE.__get__(tensor)
        if node is not None:
            self.note_hooks(getattr(node, "node", node))  # of a port

    def note_hooks(self, node: Any) -> None:
        """Before a trace may hang something on a node from outside."""
        if id(node) not in self.hooks:
            hooks = HOOKS.__get__(node)
            kept = {} if hooks is None else {name: dict(getattr(hooks, name)) for name in KINDS}
            self.hooks[id(node)] = node, hooks, kept

    # -- what has changed ---------------------------------------------------------------------

    def before(self, tensor: Any, name: str) -> Any:
        """What a slot was."""
        found = self.slots.get((id(tensor), name))
        return _slot(tensor, name) if found is None else found[2]

    def writes(self, tensor: Any) -> int:
        """How often a tensor was written to since."""
        memory = SLOTS["_memory"].__get__(tensor)
        if memory is None:
            return 0
        known = self.memories.get(id(memory))
        return int(memory.version) - (0 if known is None else int(known[1]["version"]))

    def changed_facts(self) -> list[tuple[Any, str, Any]]:
        """Attributes of tensors that are other ones now: the tensor, the name, what there was."""
        found = []
        for tensor, old in self.facts.values():
            now = tensor.__dict__
            found += [
                (tensor, name, old.get(name, MISSING))
                for name in {*old, *now}
                if old.get(name, MISSING) is not now.get(name, MISSING)
            ]
        return found

    def changed_hooks(self) -> list[Any]:
        """Nodes from outside on which other functions hang now."""
        found = []
        for node, _, kept in self.hooks.values():
            now = HOOKS.__get__(node)
            there = {} if now is None else {name: getattr(now, name) for name in KINDS}
            if any(dict(there.get(name, ())) != kept.get(name, {}) for name in KINDS):
                found.append(node)
        return found

    # -- putting back -------------------------------------------------------------------------

    def put_back(self, born: Any) -> None:
        """Make everything what it was; ``born`` says whether a tensor was made since."""
        for tensor, name, old in self.slots.values():
            if name == "__class__":
                tensor.__class__ = old
            elif old is not MISSING:
                SLOTS[name].__set__(tensor, old)
        for tensor, old in self.facts.values():
            if tensor.__dict__ or old:
                tensor.__dict__.clear()
                tensor.__dict__.update(old)
        for memory, old in self.memories.values():
            for name, value in old.items():
                setattr(memory, name, value)
            views = memory.views
            if views:
                live = [(each, each()) for each in views]
                memory.views = [each for each, view in live if view is not None and not born(view)]
        for node, hooks, kept in self.hooks.values():
            HOOKS.__set__(node, hooks)
            for name, old in kept.items():
                present = getattr(hooks, name)
                present.clear()
                present.update(old)


def _slot(tensor: Any, name: str) -> Any:
    try:
        return SLOTS[name].__get__(tensor)
    except AttributeError:
        return MISSING
