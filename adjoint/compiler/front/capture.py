"""Running a function on symbols, whatever tensors it reaches.

While a function is traced, reading a Tensor's array gives a symbol in this thread: for a tensor
from outside one that becomes an input of the program, for one made inside of known numbers a
constant. Writes put another symbol in its place and leave the memory alone. So every operation is
traced, also those among tensors that the function closes over, and nothing is left changed by a
trace.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import numpy as np

from adjoint import dtypes
from adjoint.array.symbol import Symbol, running, strides_in
from adjoint.compiler.front import drawing, steps, swapping
from adjoint.compiler.front.equations import LEVEL, CaptureTrace, untraceable
from adjoint.compiler.front.leaks import Leaks
from adjoint.compiler.front.sources import Argument, Facts, GradOf, Number, Outside, Source
from adjoint.compiler.front.world import ARRAY, GRAD, World
from adjoint.errors import describe_shape
from adjoint.ops.movement import clone_row, detach_row
from adjoint.ops.rewriting import family, follow, path_of, root_of
from adjoint.tape.modes import modes
from adjoint.tape.node import AccumulateGrad, clock
from adjoint.tape.tensor import history_of, memory_of, wrap

ndarray = np.ndarray
get_array, set_array = ARRAY.__get__, ARRAY.__set__
get_grad, set_grad = GRAD.__get__, GRAD.__set__
_one_at_a_time = threading.RLock()
# What asks for numbers, in words that show it in the user's line.
ASKED = {
    "the truth of a tensor": "a branch (if, while, and, or, not, bool)",
    "an index": "a tensor that stands for a Python int",
}


class Again(BaseException):
    """An argument is reached otherwise too: the trace begins again with that known."""

    def __init__(self, tensor: Any) -> None:
        self.tensor = tensor


class Cell:
    """What a tensor from outside holds in the trace."""

    __slots__ = ("array", "base", "first", "others", "replaced", "source", "tensor")

    def __init__(self, tensor: Any, array: Any, source: Source | None, base: Any = None) -> None:
        self.tensor = tensor
        self.array = self.first = array
        self.source = source  # None for views, whose base is an input
        self.base = base
        self.others: list[Any] = []  # tensors that are the same look at the same memory
        self.replaced = False  # by `.data =`, which leaves the memory alone


class Gradient:
    """The ``.grad`` at a leaf from outside."""

    __slots__ = ("before", "looked", "node", "now")

    def __init__(self, node: Any, before: Any, looked: bool) -> None:
        self.node = node
        self.before = self.now = before
        self.looked = looked  # before anything was written


class Capture:
    """What a trace has reached and changed outside of itself."""

    def __init__(self) -> None:
        self.trace = CaptureTrace()
        self.thread = threading.get_ident()
        self.start = 0
        self.world = World()
        self.cells: dict[int, Cell] = {}  # by id of the tensor
        self.places: dict[Any, Cell] = {}  # by place in memory
        self.inputs: list[tuple[Source, Symbol]] = []
        self.born: dict[int, Any] = {}  # tensors made inside over plain memory
        self.given: dict[int, Any] = {}  # arguments in whose place others stand
        self.grads: dict[int, Gradient] = {}
        self.origins: dict[int, Any] = {}  # of tensors seen as a .grad: the leaf's source
        self.effects: list[Any] = []
        self.parked: dict[Any, Any] = {}  # states of optimizers that the trace has made
        self.counts: list[Any] = []  # of steps, with what they were
        self.leaks = Leaks()
        self.related: dict[int, Outside] = {}  # views and other looks at inputs
        self.pausing = 0

    def unknown(self, what: str, array: Any) -> Exception:
        """The error for asking for numbers, which a trace does not know."""
        return untraceable(
            f"{ASKED.get(what, what)} needs the numbers of a {dtypes.of(array)!r} tensor of shape "
            f"{describe_shape(array.shape)}, which are not known while the function is traced"
        )

    # -- tensors from outside -----------------------------------------------------------------

    def stand_in(self, tensor: Any, number: int) -> None:
        """Take ``tensor``, which stands in the place of an argument, for an input."""
        array = get_array(tensor)
        self.world.note_tensor(tensor)
        facts = Facts(tensor, array, history_of(tensor))
        self._input(tensor, array, Argument(number, facts))

    def _input(self, tensor: Any, array: Any, source: Source) -> Cell:
        symbol = self.trace.symbol(array.shape, dtypes.of(array), strides_in(array))
        self.inputs.append((source, symbol))
        cell = self.cells[id(tensor)] = Cell(tensor, symbol, source)
        return cell

    def drawn(self, draw: Any, sizes: Any, shape: Any, kind: Any) -> Any:
        """Random numbers made out of nothing, at each call."""
        return draw(sizes) if self.pausing else drawing.drawn(self.trace, draw, sizes, shape, kind)

    def witness(self, sizes: tuple[int, ...]) -> Any:
        """What lets a random row be traced whatever its inputs."""
        if self.pausing:
            return np.broadcast_to(np.zeros(()), sizes) if sizes else None
        return self.trace.symbol(sizes, dtypes.float64) if sizes else self.trace.token

    def number(self, effect: int, place: int, kind: Any) -> Symbol:
        """A number that an effect gives."""
        symbol = self.trace.symbol((), dtypes.from_numpy(kind))
        self.inputs.append((Number(effect, place), symbol))
        return symbol

    def step_group(self, optimizer: Any, group: Any) -> None:
        """The step of one group of an optimizer."""
        steps.trace_group(self, optimizer, group)

    def enter(self, tensor: Any) -> Cell:
        """The cell of a tensor from outside at which the trace looks for the first time."""
        if id(tensor) in self.given:
            raise Again(tensor)
        array = get_array(tensor)
        self.world.note_tensor(tensor)
        if tensor._view is not None:
            root, path = root_of(tensor), path_of(tensor, to_root=True)
            whole = get_array(root)
            if type(whole) is ndarray and place_of(follow(whole, path)) == place_of(array):
                cell = Cell(tensor, None, None, base=root)
                cell.array = cell.first = follow(self.read(root), path)
                self.cells[id(tensor)] = cell
                self.source_of(tensor)
                return cell
        place = place_of(array)
        same = self.places.get(place)
        if same is not None and same.base is None and not same.replaced:
            same.others.append(tensor)
            self.cells[id(tensor)] = same
            self.source_of(tensor)
            return same
        leaf = self.origins.get(id(tensor))
        facts = Facts(tensor, array, self.world.before(tensor, "_node"))
        source = Outside(tensor, facts) if leaf is None else GradOf(leaf, facts)
        cell = self.places[place] = self._input(tensor, array, source)
        return cell

    def cell_of(self, tensor: Any) -> Cell:
        """The cell of a tensor from outside."""
        return self.cells.get(id(tensor)) or self.enter(tensor)

    def source_of(self, tensor: Any) -> Source:
        """Where a tensor from outside is found at each call, whether it is an input or not."""
        cell = self.cell_of(tensor)
        if cell.source is not None and cell.tensor is tensor:
            return cell.source
        found = self.related.get(id(tensor))
        if found is None:
            facts = Facts(tensor, get_array(tensor), self.world.before(tensor, "_node"))
            found = self.related[id(tensor)] = Outside(tensor, facts)
        return found

    def read(self, tensor: Any) -> Any:
        """The array of a tensor, as the trace sees it."""
        return tensor._array

    def is_outside(self, tensor: Any) -> bool:
        """Whether a tensor was there before the trace, or stands for an argument."""
        try:
            array = get_array(tensor)
        except AttributeError:  # one that is being made
            return False
        return type(array) is ndarray and id(tensor) not in self.born

    # -- writes -------------------------------------------------------------------------------

    def write(self, tensor: Any, array: Any) -> None:
        """Another array for a tensor that has one."""
        old = get_array(tensor)
        if type(old) is not ndarray or id(tensor) in self.born:
            self._write_own(tensor, array)
            return
        if array.shape != old.shape or dtypes.of(array) is not dtypes.of(old):
            raise untraceable(
                f"a tensor of shape {describe_shape(old.shape)} from outside would get shape "
                f"{describe_shape(array.shape)} and type {dtypes.of(array)!r} by a write (it was "
                f"{dtypes.of(old)!r})",
                "return the new tensor, or change shapes outside of the compiled function",
            )
        cell = self.cell_of(tensor)
        array = self._symbol_of(array) if type(array) is ndarray else array
        cell.array = array if cell.replaced else self._laid(array, cell.first._strides)
        if cell.others and not cell.replaced:
            for other in (cell.tensor, *cell.others):
                if other is not tensor and other._memory is not None:
                    for view in self.seen(list(family(other)), other):
                        view._array = follow(cell.array, path_of(view, to_root=True))

    def before_write(self, tensor: Any) -> None:
        """Let the node that made a memory, and saved it, find it spoiled by a write."""
        root = root_of(tensor)
        node = history_of(root)
        node = getattr(node, "node", node)
        if node is None or isinstance(node, AccumulateGrad) or node.sequence <= self.start:
            return
        saved, whole = node.saved, root._array
        if type(saved) is tuple and any(each is whole for each in saved):
            witness = wrap(whole, root._level)
            witness._memory = memory_of(root)
            node.saved = tuple([witness if each is whole else each for each in saved])

    def seen(self, views: list[Any], root: Any) -> list[Any]:
        """The views of ``root`` that a write must renew; others will ask it what they are."""
        cells = self.cells
        return [
            each
            for each in views
            if (id(each) in cells or not self.is_outside(each)) and root_of(each) is root
        ]

    def _symbol_of(self, array: Any) -> Symbol:
        """A symbol that stands for known numbers."""
        row = clone_row.row  # type: ignore[attr-defined]
        made: Symbol = self.trace.record(row, (array,), ("K",))
        return made

    def _laid(self, array: Symbol, strides: tuple[int, ...] | None) -> Symbol:
        """A symbol that lies in memory as what was there before."""
        if array._strides == strides:
            return array
        made: Symbol = self.trace.record(clone_row.row, (array,), ("C",))  # type: ignore[attr-defined]
        made._strides = strides
        return made

    def lifted(self, tensor: Any) -> Any:
        """The array of a tensor at which another will look, which is no memory from now on."""
        array = tensor._array
        if type(array) is ndarray and id(tensor) in self.born and not self.pausing:
            root = root_of(tensor)
            whole = self._symbol_of(get_array(root))
            set_array(root, whole)
            for view in family(root):
                set_array(view, follow(whole, path_of(view, to_root=True)))
            array = tensor._array
        return array

    def bear(self, tensor: Any) -> None:
        """Note that a tensor over plain memory was made inside."""
        key, born = id(tensor), self.born
        born[key] = weakref.ref(tensor, lambda _: born.pop(key, None))

    def _write_own(self, tensor: Any, array: Any) -> None:
        """A write to a tensor that was made inside."""
        old = get_array(tensor)
        if type(array) is ndarray:
            self.bear(tensor)
        elif type(array) is Symbol and array.shape == old.shape:
            if type(old) is ndarray:
                array = self._laid(array, strides_in(old))
            elif type(old) is Symbol:
                array = self._laid(array, old._strides)
        set_array(tensor, array)

    def replace(self, tensor: Any, value: Any) -> bool:
        """Before ``tensor.data = value``: it gets memory of its own; or has it already.

        That it has where ``value`` is its own ``.data``, as after ``tensor.data -= step``.
        """
        view = value._view
        if view is not None and view.parent is tensor and view.row is detach_row.row:  # type: ignore[attr-defined]
            return True
        if not self.is_outside(tensor):
            tensor._view = None  # a view no more: no write to its base concerns it
            return False
        cell = self.cell_of(tensor)
        if tensor._view is not None or self.is_outside(root_of(value)):
            raise untraceable(
                "a .data is made to look at the memory of another tensor",
                "use copy_() under no_grad(), or a clone() of the other tensor",
            )
        self.places.pop(place_of(get_array(tensor)), None)
        own = Cell(tensor, cell.array, cell.source)
        own.first, own.replaced = cell.first, True
        if cell.others:
            raise untraceable(
                "the .data of a tensor is replaced that shares its memory with others",
                "use copy_() under no_grad()",
            )
        self.cells[id(tensor)] = own
        return False

    # -- gradients ----------------------------------------------------------------------------

    def read_grad(self, node: Any) -> Any:
        """The ``.grad`` at a leaf from outside."""
        found = self.grads.get(id(node))
        if found is None:
            present = get_grad(node)
            found = self.grads[id(node)] = Gradient(node, present, True)
            leaf = node.variable_reference()
            if present is not None and leaf is not None:
                self.note_origin(present, leaf)
        return found.now

    def note_origin(self, grad: Any, leaf: Any) -> None:
        """Remember that a tensor is the ``.grad`` of a leaf, which may have another next time."""
        if id(grad) not in self.cells and id(leaf) not in self.given:
            self.origins[id(grad)] = self.source_of(leaf)

    def write_grad(self, node: Any, grad: Any) -> None:
        """Another ``.grad`` for a leaf from outside."""
        found = self.grads.get(id(node))
        if found is None:
            found = self.grads[id(node)] = Gradient(node, get_grad(node), False)
        found.now = grad

    # -- running ------------------------------------------------------------------------------

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Inside ``with``, tensors are what they are outside."""
        self.pausing += 1
        try:
            yield
        finally:
            self.pausing -= 1

    def __enter__(self) -> Self:
        _one_at_a_time.acquire()
        self.start = next(clock)
        self.modes = modes.enabled, modes.inference
        swapping.install(self)
        drawing.install(self)
        running.capture = self
        return self

    def __exit__(self, *_: object) -> None:
        self.trace.failure = None  # whose traceback leads back here
        try:
            running.capture = None
            drawing.uninstall()
            swapping.uninstall()
            modes.enabled, modes.inference = self.modes
            steps.put_back(self.counts)
            self.world.put_back(self._is_born)
        finally:
            _one_at_a_time.release()

    def _is_born(self, tensor: Any) -> bool:
        return type(get_array(tensor)) is not ndarray or id(tensor) in self.born


def place_of(array: Any) -> tuple[Any, ...]:
    """Which elements of memory an array looks at."""
    return array.__array_interface__["data"][0], array.shape, array.strides, array.dtype


__all__ = ["LEVEL", "Again", "Capture", "Cell", "place_of"]
