"""The step that most optimizers share: a formula for each element, applied to all parameters.

On plain floating arrays the formula runs in place, with work arrays that all parameters of the
optimizer share, and scalars that are made once a step. Everything else (arrays of a transform or
a trace, steps that are differentiated, 16-bit types) takes the same formula on Tensors.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import CodeType
from typing import Any, ClassVar

import numpy as np

from adjoint import dtypes
from adjoint.array.symbol import running
from adjoint.errors import describe_shape
from adjoint.ops.complex_parts import view_as_complex, view_as_real
from adjoint.ops.inplace import alias, store
from adjoint.optim import arrays, values
from adjoint.optim.optimizer import Closure, Group, Optimizer, evaluate
from adjoint.tape.modes import modes
from adjoint.tape.node import AccumulateGrad, clock, user_frame
from adjoint.tape.tensor import Tensor, memory_of, wrap

ndarray = np.ndarray

# A formula goes over its arrays several times, and over parts of this many elements at a time,
# which stay in the cache (128 KiB each in float32). Twice as many or half as many take as long;
# a quarter takes 1.5 times as long.
PIECE = 1 << 15
WORK_ARRAYS = 3
# Numbers that are kept as arrays, before all are forgotten: rates that change with every step.
MOST_NUMBERS = 256

_ONE = np.ones((), np.float32)
Numbers = tuple[Any, ...]


class Elementwise(Optimizer):
    """An optimizer whose step treats every element of a parameter alike, and by itself."""

    # Subclasses give these four.
    def _names(self, group: Group) -> tuple[str, ...]:
        """The parts of the state that are shaped like the parameter, in the formula's order."""
        raise NotImplementedError

    def _start(self, group: Group, param: Any) -> dict[str, Any]:
        """The state of a parameter before its first step."""
        state = {"step": count_of_steps()}
        state.update((name, zeros_like(param)) for name in self._names(group))
        return state

    def _numbers(self, group: Group, step: Any) -> Numbers:
        """What the formula needs besides arrays, from the group's options and the step."""
        raise NotImplementedError

    @staticmethod
    def _formula(kit: Any, numbers: Numbers, work: Any, x: Any, g: Any, *state: Any) -> Any:
        """The new parameter and the new state, from the old ones and the gradient."""
        raise NotImplementedError

    # -- the step -----------------------------------------------------------------------------

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            for name, default in self._late_options.items():
                group.setdefault(name, default)
        for state in self.state.values():
            # Where PyTorch has tensors now, its first versions had numbers.
            for name in ("step", "mu_product", "eta", "mu"):
                if isinstance(state, dict) and isinstance(state.get(name), (int, float)):
                    state[name] = count_of_steps(state[name])

    # Options that saved groups of earlier versions of PyTorch lack.
    _late_options: ClassVar[dict[str, Any]] = {
        "foreach": None, "maximize": False, "differentiable": False,
    }  # fmt: skip

    def step(self, closure: Closure | None = None) -> Any:
        """Change every parameter that has a gradient; returns what ``closure`` returned.

        >>> w = torch.tensor([3.0], requires_grad=True)
        >>> optimizer = torch.optim.SGD([w], lr=0.5)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w
        tensor([0.], requires_grad=True)
        """
        loss = None if closure is None else evaluate(closure)
        note = Note(sys._getframe(1))
        for group in self.param_groups:
            self._step_group(group, note)
        return loss

    def _step_group(self, group: Group, note: Note) -> None:
        if running.capture is not None:
            running.capture.step_group(self, group)
            return
        names = self._names(group)
        differentiable = group.get("differentiable")
        workspace = self.__dict__.get("_workspace")
        if workspace is None:
            workspace = self.__dict__["_workspace"] = Workspace()
        formula = self._formula
        numbers: Any = None
        kind = last = None
        for param in group["params"]:
            node = param._node
            grad = node.grad if type(node) is AccumulateGrad else param.grad
            if grad is None:
                continue
            state = self.state[param] if names else {}
            step = self._begin(group, param, state)
            x, g = param._array, grad._array
            if (
                differentiable
                or type(x) is not ndarray
                or type(g) is not ndarray
                or (x.dtype.char not in "fdFD")
            ):
                self._step_tensors(group, param, grad, state, names, step)
                continue
            if not x.flags.c_contiguous and 0 in x.strides:
                require_own_elements(x)
            if x.dtype is not kind or step != last:
                kind, last = x.dtype, step
                numbers = workspace.numbers(self._numbers(group, step), kind)
                space = workspace.space(kind)
            note.write(param)
            buffers = [x, g]
            for name in names:
                tensor = state[name]
                buffers.append(tensor._array)
                note.write(tensor)
            if kind.kind == "f" and x.size <= PIECE:
                shape = x.shape
                work = space.get(shape) or workspace.make(space, shape)
                formula(arrays, numbers, work, *buffers)
                continue
            for piece in pieces(*buffers):
                shape = piece[0].shape
                work = space.get(shape) or workspace.make(space, shape)
                formula(arrays, numbers, work, *piece)

    def _begin(self, group: Group, param: Any, state: dict[str, Any]) -> Any:
        """Make the state if there is none yet, and count the step."""
        if not state:
            state.update(self._start(group, param))
        return advance(state["step"])

    def _step_tensors(
        self, group: Group, param: Any, grad: Any, state: dict[str, Any], names: Any, step: Any
    ) -> None:
        """One parameter's step by operations of the table."""
        differentiable = bool(group.get("differentiable"))
        previous = modes.enabled
        modes.enabled = modes.recorder if differentiable else False
        try:
            operands = [alias(param), grad, *[state[name] for name in names]]
            is_complex = dtypes.of(param._array).is_complex
            if is_complex:
                operands = [view_as_real(each) for each in operands]
            work = (None,) * WORK_ARRAYS
            x, *rest = self._formula(values, self._numbers(group, step), work, *operands)
            if is_complex:
                x, *rest = [view_as_complex(each) for each in (x, *rest)]
            for name, new in zip(names, rest, strict=True):
                if differentiable:
                    state[name] = new  # the old one is part of the graph
                else:
                    store(state[name], new, "step")
            store(param, x, "step")
        finally:
            modes.enabled = previous


class Workspace:
    """Arrays to work in and scalars, by element type; they go from step to step."""

    def __init__(self) -> None:
        self._flat: dict[Any, Any] = {}
        self._spaces: dict[Any, dict[Any, Any]] = {}
        self._scalars: dict[Any, dict[Any, Any]] = {}

    def numbers(self, numbers: Numbers, kind: Any) -> Numbers:
        """Numbers as arrays without dimensions; None, True and False stay what they are."""
        known = self._scalars.get(kind)
        if known is None or len(known) > MOST_NUMBERS:
            known = self._scalars[kind] = {}
        found: list[Any] = []
        for number in numbers:
            if isinstance(number, tuple):
                found.append(self.numbers(number, kind))
                continue
            if number is not None and number is not True and number is not False:
                number = as_number(number)
                scalar = known.get(number)
                if scalar is None:
                    scalar = known[number] = np.array(number, real_kind(kind))
                number = scalar
            found.append(number)
        return tuple(found)

    def space(self, kind: Any) -> dict[Any, Any]:
        """The work arrays of a type, by shape."""
        found = self._spaces.get(kind)
        if found is None:
            found = self._spaces[kind] = {}
            self._flat[id(found)] = np.empty((WORK_ARRAYS, PIECE), real_kind(kind))
        return found

    def make(self, space: dict[Any, Any], shape: tuple[int, ...]) -> Any:
        """Work arrays of a shape, all on one memory; of their own where they are too large."""
        flat = self._flat[id(space)]
        size = int(np.prod(shape, dtype=np.int64))
        if size > PIECE:
            return tuple(np.empty((WORK_ARRAYS, *shape), flat.dtype))
        made = space[shape] = tuple([each[:size].reshape(shape) for each in flat])
        return made


class Note:
    """The count of writes in the memory of what a step changes, with the user's line."""

    __slots__ = ("code", "instruction", "when")

    def __init__(self, frame: Any) -> None:
        frame = user_frame(frame)
        self.code: CodeType | None = None if frame is None else frame.f_code
        self.instruction = 0 if frame is None else frame.f_lasti
        self.when = next(clock)

    def renew(self) -> None:
        """Note the writes that follow as later than what was recorded since."""
        self.when = next(clock)

    def write(self, tensor: Any) -> None:
        """As ``Memory.note_write``, with the frames walked once for the whole step; before it."""
        if modes.recorder is not True:
            modes.recorder.writing(tensor._array)
        memory = tensor._memory
        if memory is None:
            memory = memory_of(tensor)
        memory.version += 1
        memory.written = self.when
        memory.code = self.code
        memory.instruction = self.instruction


def pieces(*arrays: Any) -> Iterator[list[Any]]:
    """Arrays of one shape, a part at a time: real and imaginary, and no more than PIECE."""
    if arrays[0].dtype.kind == "c":
        yield from pieces(*[each.real for each in arrays])
        yield from pieces(*[each.imag for each in arrays])
        return
    size = arrays[0].size
    if size <= PIECE or not all(each.flags.c_contiguous for each in arrays):
        yield list(arrays)
        return
    flat = [each.reshape(-1) for each in arrays]
    for begin in range(0, size, PIECE):
        yield [each[begin : begin + PIECE] for each in flat]


def require_own_elements(array: Any) -> None:
    """Raise ``RuntimeError`` where several elements of a parameter are one in memory."""
    if any(stride == 0 < size - 1 for stride, size in zip(array.strides, array.shape, strict=True)):
        raise RuntimeError(
            f"a parameter of shape {describe_shape(array.shape)} was expanded, so that several of "
            "its elements are one in memory, and cannot be changed one by one; clone() it first"
        )


def advance(step: Any) -> Any:
    """Count a step, and return the count."""
    array = step._array
    if type(array) is ndarray:
        np.add(array, _ONE, array)
        return array.item()
    step.add_(1)
    return step


def as_number(value: Any) -> Any:
    """The number that an option is, which may be a tensor of one element."""
    return value.item() if isinstance(value, Tensor) else value


def real_kind(kind: Any) -> Any:
    """float32 for complex64, and float64 for complex128."""
    return {"F": np.float32, "D": np.float64}.get(kind.char, kind)


def count_of_steps(start: float = 0.0) -> Any:
    """A count of steps: float32, or float64 where that is the default type."""
    wide = dtypes.get_default_dtype() is dtypes.float64
    return wrap(np.array(start, np.float64 if wide else np.float32))


def full_like(param: Any, value: Any) -> Any:
    """A tensor shaped, typed and laid out like a parameter, with ``value`` in both parts."""
    value = as_number(value)
    if value and dtypes.of(param._array).is_complex:
        value = complex(value, value)
    array = param._array
    if type(array) is ndarray:
        return wrap(np.full_like(array, value))
    return param.detach() * 0 + value


def zeros_like(param: Any) -> Any:
    """Zeros shaped, typed and laid out like a parameter."""
    return full_like(param, 0)


def adjustments(group: Group) -> Numbers | None:
    """What precedes the formula: maximize, decay of the gradient, shrinking; None for nothing."""
    decay, maximize = group["weight_decay"], bool(group["maximize"])
    if decay == 0:
        return (True, None, None) if maximize else None
    if group.get("decoupled_weight_decay"):
        return maximize, None, 1 - group["lr"] * decay
    return maximize, decay, None


def both_ways(weight: Any) -> tuple[Any, Any]:
    """A weight below a half and None; or a greater one, and what it leaves."""
    return (weight, None) if abs(weight) < 0.5 else (weight, 1 - weight)
