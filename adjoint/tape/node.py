"""Nodes of the graph: what was applied, to what, and where in the user's code."""

from __future__ import annotations

import itertools
import os
import sys
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

from adjoint.errors import GraphError
from adjoint.lazy import LazyModule
from adjoint.tape import names
from adjoint.tape.handles import Hooks, RemovableHandle
from adjoint.tape.names import saved_names

if TYPE_CHECKING:
    from adjoint.tape import attributes
else:
    attributes = LazyModule("adjoint.tape.attributes")

# One logical clock for everything on the tape. A node's inputs are always older than the node, so
# going from the youngest node to the oldest is a topological order; and a saved value was spoiled
# exactly if its memory was written after the node that saved it.
clock = itertools.count(1)

# Packages whose frames are not the user's. A dict lookup per frame: 0.1 microseconds with the walk.
INTERNAL_PACKAGES = frozenset(
    "adjoint" + suffix
    for suffix in (
        "", ".array", ".autograd", ".autograd.checking", ".compiler",
        ".compiler.codegen", ".compiler.front", ".compiler.functions", ".compiler.lowering",
        ".compiler.lowering.scalars", ".compiler.passes", ".compiler.runtime", ".face", ".func",
        ".nn", ".nn.modules", ".nn.utils", ".ops", ".ops.kinds", ".optim", ".optim.lr_scheduler",
        ".printing", ".tape", ".testing", ".utils", ".utils.data", ".viz",
    )
)  # fmt: skip


class Node:
    """One recorded operation. Its class's name is what ``grad_fn`` shows: ``AddBackward0``."""

    __slots__ = (
        "__dict__",
        "__weakref__",
        "code",
        "dtype",
        "edges",
        "hooks",
        "instruction",
        "plan",
        "saved",
        "sequence",
        "shape",
    )

    plan: Any
    edges: tuple[Any, ...]
    saved: Any  # a tuple, or what gives one by `unpacked(node)`
    sequence: int
    shape: tuple[int, ...]
    dtype: Any
    hooks: Hooks | None
    code: CodeType | None
    instruction: int

    def name(self) -> str:
        """The name shown in ``grad_fn``, such as ``AddBackward0``."""
        return type(self).__name__

    def __repr__(self) -> str:
        return f"<{type(self).__name__} object at {id(self):#x}>"

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """The nodes that made each input, with the number of their output; None for a constant."""
        return tuple(
            (edge.node, edge.index)
            if isinstance(edge, Port)
            else (None if type(edge) is Loose else edge, 0)
            for edge in names.shown_edges(self)
        )

    @property
    def metadata(self) -> dict[str, Any]:
        """A dictionary of the user's own, kept with the node."""
        found: dict[str, Any] = self.__dict__.setdefault("_metadata", {})
        return found

    def register_hook(self, fn: Any) -> RemovableHandle:
        """Call ``fn(grad_inputs, grad_outputs)`` when a backward pass has gone through this node.

        Both are tuples of Tensors or None; what it returns replaces the former.
        """
        if self.hooks is None:
            self.hooks = Hooks()
        return RemovableHandle(self.hooks.after, fn)

    def register_prehook(self, fn: Any) -> RemovableHandle:
        """Call ``fn(grad_outputs)`` before a backward pass goes through this node.

        It gets a tuple of Tensors or None; what it returns replaces it.
        """
        if self.hooks is None:
            self.hooks = Hooks()
        return RemovableHandle(self.hooks.before, fn)

    def __dir__(self) -> list[str]:
        return attributes.attribute_names(self)

    @property
    def requires_grad(self) -> bool:
        """True: nodes stand only where gradients are wanted."""
        return True

    @property
    def _input_metadata(self) -> tuple[Any, ...]:
        return attributes.input_metadata(self)

    def _sequence_nr(self) -> int:
        """When the node was made: later ones have larger numbers, leaves the largest of all."""
        return self.sequence if self.edges or self.plan is not None else 2**64 - 1

    def _register_hook_dict(self, tensor: Any) -> None:
        """Do nothing: a tensor's hooks are kept on its node from the beginning."""

    def unpack_saved(self) -> tuple[Any, ...]:
        """The saved values; ``GraphError`` if a backward pass has freed them."""
        saved = self.saved
        return saved if type(saved) is tuple else saved.unpacked(self)

    def where(self) -> str | None:
        """``file:line`` of the user's code that made this node, None if it is not known."""
        location = self.location()
        return None if location is None else f"{location[0]}:{location[1]}"

    def location(self) -> tuple[str, int] | None:
        """File and line of the user's code that made this node."""
        if self.code is None:
            return None
        return self.code.co_filename, line_of(self.code, self.instruction)


class _SavedAttribute:
    """A saved value under the name that users know."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, node: Any, kind: Any = None) -> Any:
        return self if node is None else attributes.attribute(node, self.name)


def class_of_nodes(name: str, row: Any) -> type[Node]:
    """A class of nodes called ``name`` that shows what ``row`` saves.

    Each has descriptors of its own, as a ``__getattr__`` in ``Node`` would make every attribute of
    every node slower: 0.1 microseconds a node in a backward pass.
    """
    members: dict[str, Any] = {"__slots__": ()}
    for shown, own in saved_names(row).items():
        members[f"_saved_{shown}"] = _SavedAttribute(f"_saved_{shown}")
        if own in row.inputs or own in row.outputs:
            members[f"_raw_saved_{shown}"] = _SavedAttribute(f"_raw_saved_{shown}")
    return type(name, (Node,), members)


class Port:
    """One output of a node that has several: what its tensor, and edges to it, point to."""

    __slots__ = ("dtype", "index", "node", "sequence", "shape")

    def __init__(self, node: Node, index: int, shape: tuple[int, ...], dtype: Any) -> None:
        self.node = node
        self.index = index
        self.shape = shape
        self.dtype = dtype
        self.sequence = node.sequence


class AccumulateGrad(Node):
    """The end of the graph at a leaf: keeps the leaf's ``.grad``."""

    __slots__ = ("grad", "variable_reference")

    grad: Any
    variable_reference: Any

    def name(self) -> str:
        """PyTorch's full name."""
        return "torch::autograd::AccumulateGrad"

    @property
    def variable(self) -> Any:
        """The leaf tensor, None if it is gone."""
        return self.variable_reference()


class _Nowhere:
    """The plan of a node behind which there is nothing."""

    direct = row = None
    holds = 0

    def pull(self, node: Node, saved: Any, g: Any, level: int, record: bool) -> tuple[Any, ...]:
        """No gradients for no edges."""
        return ()


class Loose(AccumulateGrad):
    """The end at a view that wants a gradient because its base does, and has no way to it.

    Such is a view made under ``no_grad``, or before its base was made to require a gradient. It
    shows as a leaf, and gets no ``.grad``.
    """

    __slots__ = ()

    plan = _Nowhere()


class Refused(Node):
    """What stands for the history of a view that a write has made ambiguous: an error to use."""

    __slots__ = ("reason",)

    reason: str

    def error(self) -> GraphError:
        """What to tell whoever uses it."""
        return GraphError(
            f"A view that {self.reason}, and its base or another view of its base has been "
            "modified inplace since: what its gradient would be is ambiguous. Take the view "
            "again after the write, or use an operation that is not in place"
        )

    @property
    def plan(self) -> Any:
        """Raises: a backward pass has come here."""
        raise self.error()


Edge = Node | Port | None


def line_of(code: CodeType, instruction: int) -> int:
    """The source line of an instruction offset; done only when somebody asks."""
    for start, end, line in code.co_lines():
        if start <= instruction < end and line is not None:
            return line
    return code.co_firstlineno


def user_frame(frame: FrameType | None) -> FrameType | None:
    """The innermost frame at or above ``frame`` that is not Adjoint's own."""
    while frame is not None and frame.f_globals.get("__package__") in INTERNAL_PACKAGES:
        frame = frame.f_back
    return frame


def user_location() -> str:
    """``file:line`` of the user's code that is running now, for error messages."""
    frame = user_frame(sys._getframe(1))
    if frame is None:
        return "<unknown>"
    return f"{shorten(frame.f_code.co_filename)}:{frame.f_lineno}"


def shorten(path: str) -> str:
    """A path relative to the working directory where it lies below it."""
    try:
        relative = os.path.relpath(path)
    except ValueError:  # another drive
        return path
    return path if relative.startswith("..") else relative
