"""What ``detect_anomaly`` says: where an operation was recorded, and what its values were."""

from __future__ import annotations

import cmath
import linecache
import sys
import traceback
import warnings
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.batch import Batch
from adjoint.array.dual import Dual
from adjoint.errors import describe_shape
from adjoint.tape.node import INTERNAL_PACKAGES, Node, Port, line_of
from adjoint.tape.tensor import Tensor

_DEPTH = 4  # frames of the user's that are remembered for each operation: 0.1 microseconds each
_SMALL = 8192  # up to which the sum of squares is the quickest look at all elements

Frame = tuple[CodeType, int]


def is_surely_finite(value: Any) -> bool:
    """Whether one quick look shows that all elements of an array are finite: 0.2 to 0.5 µs."""
    if type(value) is not np.ndarray or value.dtype.kind not in "fc" or value.size > _SMALL:
        return False
    if value.ndim == 1:
        return cmath.isfinite(sum(value.tolist()) if value.size <= 8 else value.dot(value))
    return cmath.isfinite(value.item() if value.size == 1 else np.vdot(value, value))


def is_bad(value: Any, inf: bool) -> bool:
    """Whether a value has a NaN, or with ``inf`` an infinity."""
    array = plain(value)
    if array is None:
        return False
    found = ~np.isfinite(array) if inf else np.isnan(array)
    return bool(found.any())


def plain(value: Any) -> Any:
    """The floating numbers beneath a value of any kind, None if there are none."""
    while not isinstance(value, np.ndarray):
        if isinstance(value, Tensor):
            value = value._array
        elif isinstance(value, Batch):
            value = value.value
        elif isinstance(value, Dual):
            value = value.primal
        elif isinstance(value, np.generic):
            value = np.asarray(value)
        else:
            return None
    if value.dtype.kind in "fc":
        return value
    return value if dtypes.from_numpy(value.dtype).category >= dtypes.FLOATING else None


def describe(value: Any) -> str:
    """Type, shape, range, and how many elements are no finite numbers."""
    array = plain(value)
    if array is None:
        shape = getattr(value, "shape", None)
        return repr(value) if shape is None else f"{value.dtype} {describe_shape(shape)}"
    found = f"{dtypes.from_numpy(array.dtype)!r} {describe_shape(array.shape)}"
    if array.dtype.kind == "V":  # bfloat16: no minimum in NumPy
        array = array.astype(np.float32)
    size = np.abs(array) if array.dtype.kind == "c" else array
    finite = size[np.isfinite(size)]
    if finite.size:
        of = "abs " if array.dtype.kind == "c" else ""
        found += f", {of}min {finite.min():.6g}, {of}max {finite.max():.6g}"
    return f"{found}, {int(np.isnan(array).sum())} nan, {int(np.isinf(array).sum())} inf"


def remember_stack(node: Node, parent: Node | None) -> None:
    """Keep the user's frames, innermost first; ``parent`` is the node in whose backward we are."""
    frames: list[Frame] = []
    frame: FrameType | None = sys._getframe(3)
    while frame is not None:
        if frame.f_globals.get("__package__") not in INTERNAL_PACKAGES:
            frames.append((frame.f_code, frame.f_lasti))
            if len(frames) == _DEPTH:
                break
        frame = frame.f_back
    node.__dict__["_stack"] = frames if parent is None else (*frames, parent)


def stack_of(node: Node) -> str | None:
    """The stack as Python prints it, None for a node that was recorded without being watched."""
    frames: Any = node.__dict__.get("_stack")
    if frames is None:
        return None
    lines = []
    for code, instruction in reversed([each for each in frames if type(each) is tuple]):
        line = line_of(code, instruction)
        source = linecache.getline(code.co_filename, line)
        lines.append(traceback.FrameSummary(code.co_filename, line, code.co_name, line=source))
    return "".join(traceback.StackSummary.from_list(lines).format())


def show_origin(node: Node) -> None:
    """Warn with the stack of the forward call, and of those whose backward made that call."""
    warnings.warn(_origin(node), stacklevel=_outside())


def _origin(node: Node) -> str:
    stack = stack_of(node)
    if stack is None:
        where = node.where()
        at = "" if where is None else f" It was recorded at {where}."
        return (
            f"Error detected in {node.name()}.{at} No forward pass information available: switch "
            "anomaly detection on during the forward pass too for the calls that led there."
        )
    found = f"Error detected in {node.name()}. Traceback of forward call:\n{stack}"
    while (parent := _parent(node)) is not None:
        found += f"\nIt was recorded in the backward of {parent.name()}. Traceback of its call:\n"
        found += stack_of(parent) or f"  {parent.where()}\n"
        node = parent
    return found


def _parent(node: Node) -> Node | None:
    """The node in whose backward ``node`` was recorded."""
    frames = node.__dict__.get("_stack")
    return frames[-1] if type(frames) is tuple else None


def _outside() -> int:
    """How many frames up the user's code stands, for the caller of the caller."""
    level, frame = 1, sys._getframe(2)
    while frame is not None and frame.f_globals.get("__package__") in INTERNAL_PACKAGES:
        level, frame = level + 1, frame.f_back  # type: ignore[assignment]
    return level + 1


class Findings:
    """What was seen of an operation whose result is not finite: kept as text, not as values."""

    def __init__(self, node: Node, inputs: tuple[Any, ...], out: Any) -> None:
        self.name = node.name()
        self.where = node.where()
        self.sequence = node.sequence
        self.nan = is_bad(out, inf=False)
        self.out = describe(out)
        names = _input_names(node, len(inputs))
        self.inputs = [
            f"{name}: {describe(value)}"
            for name, value in zip(names, inputs, strict=False)
            if value is not None
        ]
        self.clean = not any(is_bad(value, inf=True) for value in inputs)

    def refused(self, settings: Any) -> bool:
        """Whether what was found is what is looked for."""
        return bool((self.nan and settings.check_nan) or settings.check_inf)


def _input_names(node: Node, count: int) -> list[str]:
    names = list(getattr(getattr(node.plan, "row", None), "inputs", ()))
    if len(names) == count:
        return names
    return [f"input {place}" for place in range(count)]


def forward_error(findings: Findings) -> RuntimeError:
    """The error for a result that is no number."""
    what = "nan" if findings.nan else "inf"
    why = (
        "its inputs have none"
        if findings.clean
        else "its inputs are not finite either: look at what made them"
    )
    lines = [f"{findings.name} at {findings.where} made {what} in the forward pass; {why}."]
    lines += [f"  {each}" for each in findings.inputs]
    lines.append(f"  result: {findings.out}")
    return RuntimeError("\n".join(lines))


def backward_error(node: Node, place: int, part: Any, g: Any) -> RuntimeError:
    """The error for a gradient that is no number."""
    what = "nan" if is_bad(part, inf=False) else "inf"
    head = f"Function '{node.name()}' returned {what} values in its {place}th output"
    lines = [f"{head}: the gradient of what was recorded at {node.where()}."]
    lines += [f"  saved {name}: {describe(value)}" for name, value in _saved(node)]
    for number, each in enumerate(g if isinstance(g, list) else [g]):
        if each is not None:
            of = f" of result {number}" if isinstance(g, list) else ""
            lines.append(f"  gradient that arrived{of}: {describe(each)}")
    lines.append(f"  gradient that it gave: {describe(part)}")
    first = _first_bad_result(node)
    if first is not None:
        lines.append(
            f"In the forward pass {first.name} at {first.where} had already made "
            f"{'nan' if first.nan else 'inf'} (result: {first.out}) of"
        )
        lines += [f"  {each}" for each in first.inputs]
    return RuntimeError("\n".join(lines))


def _saved(node: Node) -> Iterator[tuple[str, Any]]:
    """Names and values of what a node has saved, where it is still there."""
    saved = node.saved
    if type(saved) is not tuple:
        return
    row = getattr(node.plan, "row", None)
    names = () if row is None else (*row.inputs, *row.outputs)
    if row is None or row.variadic:
        names = tuple(f"value {place}" for place in range(len(saved)))
    for name, value in zip(names, saved, strict=False):
        for each in value if isinstance(value, tuple) else (value,):
            if plain(each) is not None:
                yield name, each


def _first_bad_result(node: Node) -> Findings | None:
    """The oldest operation that led to ``node`` whose result was found not to be finite."""
    oldest: Findings | None = None
    seen = {id(node)}
    waiting = [node]
    while waiting:
        present = waiting.pop()
        found = present.__dict__.get("_anomaly")
        if found is not None and (oldest is None or found.sequence < oldest.sequence):
            oldest = found
        for edge in present.edges:
            before = edge.node if isinstance(edge, Port) else edge
            if before is not None and id(before) not in seen:
                seen.add(id(before))
                waiting.append(before)
    return oldest


def note_failure(node: Node, error: BaseException) -> None:
    """Say on an error from a backward, and in a warning, which operation it belongs to."""
    error.add_note(f"In the backward of {node.name()}, which was recorded at {node.where()}:")
    for name, value in _saved(node):
        error.add_note(f"  saved {name}: {describe(value)}")
    show_origin(node)
