"""What it costs to know where a node was made, and to check that saved values are unspoiled.

The two are taken out of a copy of the sources of the elementwise kind and the engine, and a small
operation is timed with and without them.
"""

from __future__ import annotations

import inspect
import re
import types
from typing import Any

import adjoint
from adjoint.ops.arithmetic import mul as row_of_mul
from adjoint.ops.kinds import elementwise
from adjoint.tape import engine
from benchmarks.timing import time_by_turns

_FRAME = re.compile(r"frame: Any = getframe\(1\)\n.*?node\.instruction = frame\.f_lasti", re.DOTALL)
_CHECK = re.compile(
    r"memory = value\._memory\n\s+if memory is not None and memory\.written > node\.sequence:\n"
    r"\s+raise spoiled\(value, node\)\n"
)


def _without(module: types.ModuleType, pattern: re.Pattern[str], instead: str) -> Any:
    """A copy of a module in whose source each match of ``pattern`` is replaced."""
    source, count = pattern.subn(instead, inspect.getsource(module))
    if not count:
        raise RuntimeError(f"{module.__name__} has nothing that looks like {pattern.pattern!r}")
    bare = types.ModuleType(module.__name__)
    bare.__dict__.update(__package__=module.__package__, __file__=module.__file__)
    exec(compile(source, f"<{module.__name__} without>", "exec"), bare.__dict__)
    return bare


def _chain(multiply: Any, run: Any, length: int = 100) -> Any:
    x = adjoint.tensor([0.9, 1.0, 1.1], requires_grad=True)
    y = adjoint.tensor([1.0, 0.9, 1.1])
    g = adjoint.ones(3).numpy()

    def step() -> None:
        z = x
        for _ in range(length):
            z = multiply(z, y)
        run([(z._node, g)], 0, keep_graph=False, record=False)

    return step


def share_of_provenance(rounds: int = 25) -> float:
    """By what part a multiplication of 3 elements, forward and backward, is longer for it."""
    row = row_of_mul.row  # type: ignore[attr-defined]
    bare = _without(elementwise, _FRAME, "node.code, node.instruction = None, 0")
    unchecked = _without(engine, _CHECK, "")
    unchecked.rows.__dict__.update(engine.rows.__dict__)
    full, plain = time_by_turns(
        [
            _chain(elementwise._binary(row, None), engine.run),
            _chain(bare._binary(row, None), unchecked.run),
        ],
        rounds,
    )
    return full / plain - 1
