"""Where graphs were cut: remembered for a while, for the errors about inputs that were not reached.

A cut is noted by ``detach()``, by a cast to integers, and by the first few operations of each block
that records nothing. It costs 1 to 6 microseconds there and nothing elsewhere; only weak references
to the nearest nodes are kept, so that no graph lives longer.
"""

from __future__ import annotations

import sys
import weakref
from collections import deque
from types import CodeType
from typing import Any

from adjoint.tape.modes import NOTING, modes
from adjoint.tape.node import Port, clock, line_of, shorten, user_frame

_NODES = 24  # of the graph behind a cut that are remembered
_PER_BLOCK = 4  # cuts noted in one block


class Cut:
    """One place where a tensor that needs gradients gave one that does not."""

    __slots__ = ("code", "how", "instruction", "nodes", "time")

    code: CodeType | None
    instruction: int

    def __init__(self, how: str, edge: Any) -> None:
        self.how = how
        frame = user_frame(sys._getframe(2))
        self.code = None if frame is None else frame.f_code
        self.instruction = 0 if frame is None else frame.f_lasti
        self.time = next(clock)
        self.nodes = _nearest(edge.node if type(edge) is Port else edge)

    def comes_from(self, node: Any) -> bool:
        """Whether what was cut off had been computed from ``node``."""
        found = self.nodes.get(id(node))
        return found is not None and found() is node

    def __str__(self) -> str:
        where = "<unknown>"
        if self.code is not None:
            where = f"{shorten(self.code.co_filename)}:{line_of(self.code, self.instruction)}"
        return f"{self.how} at {where}"


def _nearest(node: Any) -> dict[int, weakref.ref[Any]]:
    """Weak references to a node and the nearest behind it, by id."""
    found = {id(node): weakref.ref(node)}
    line = [node]
    for each in line:  # which grows
        for edge in each.edges:
            before = edge.node if type(edge) is Port else edge
            key = id(before)
            if before is not None and key not in found:
                found[key] = weakref.ref(before)
                if len(found) == _NODES:
                    return found
                line.append(before)
    return found


_recent: deque[Cut] = deque(maxlen=256)


def note_cut(how: str, edge: Any) -> None:
    """Remember that ``how`` has made a tensor without history from one whose edge is ``edge``."""
    _recent.append(Cut(how, edge))


def note_unrecorded(edge: Any) -> None:
    """Remember an operation in a block without recording, if it is among the first there."""
    _recent.append(Cut("inference_mode" if modes.inference else "no_grad", edge))
    modes.noted += 1
    if modes.noted >= _PER_BLOCK:
        modes.enabled = False


def cut_behind(edge: Any) -> Cut | None:
    """The latest cut of something computed from ``edge``, None if none is remembered."""
    node = edge.node if isinstance(edge, Port) else edge
    for cut in reversed(_recent):
        if cut.comes_from(node):
            return cut
    return None


__all__ = ["NOTING", "Cut", "cut_behind", "note_cut", "note_unrecorded"]
