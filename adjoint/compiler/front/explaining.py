"""What a compiled function has become, for people: kernels, products, calls, memory, time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from adjoint.compiler.front.function import CompiledModule, compile

PHASES = ("trace", "passes", "lowering", "grouping", "emission", "llvm", "loading")
SHOWN = 8  # operations of a kernel that are named


def explain(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Explanation:
    """What ``fn`` does when it is compiled and called so: a report to print, with attributes.

    The function is traced and compiled, if it has not been for such arguments, and not run.
    Raises what ``compile`` raises.

    >>> def f(x):
    ...     return (x * torch.sigmoid(x)).sum()
    >>> report = torch.compiler.explain(f, torch.ones(1000))
    >>> len(report.kernels), report.calls, report.bytes_read
    (1, [], 4000)
    """
    compiled: Any = fn
    if not isinstance(fn, CompiledModule) and not hasattr(fn, "prepare"):
        compiled = compile(fn)
    if isinstance(compiled, CompiledModule):
        compiled = compiled.compiled
    return Explanation(str(compiled.name), compiled.prepare(*args, **kwargs))


class Explanation:
    """A report on one program.

    ``program`` is what was traced; ``steps`` what is carried out in order, with ``kernels``
    (loops), ``products`` (of matrices, and other whole functions) and ``calls`` (of NumPy, each
    with a ``reason``) among them. ``bytes_read``, ``bytes_written`` and ``flops`` are of one call,
    ``arena`` the bytes between steps, ``seconds`` the time each phase of compiling took, and
    ``from_cache`` whether machine code was found on disk. ``backward`` is the report on the
    gradients of what is returned, None if there are none.
    """

    def __init__(self, name: str, compiled: Any, what: str = "") -> None:
        self.name = name
        self.what = what
        executable = compiled.executable
        code = executable.code
        self.program = executable.program
        self.steps = list(code.steps)
        self.kernels = [each for each in self.steps if each.kind == "kernel"]
        self.calls = [each for each in self.steps if each.kind == "call"]
        self.products = [each for each in self.steps if each.kind not in ("kernel", "call")]
        self.bytes_read = sum(each.reads for each in self.steps)
        self.bytes_written = sum(each.writes for each in self.steps)
        self.flops = sum(each.flops for each in self.steps)
        self.arena = code.arena
        self.from_cache = executable.from_cache
        own = {} if self.from_cache else code.seconds
        self.seconds = {"trace": getattr(compiled, "tracing", 0.0), **own}
        derivative = getattr(compiled, "derivative", None)
        self.backward: Explanation | None = None
        if derivative is not None:
            part = derivative.part((True,) * derivative.output_count)
            part.prepare()
            self.backward = Explanation(name, part, "the backward pass of ")

    def lines_of(self, step: Any) -> list[str]:
        """The lines of the user's code that a step carries out."""
        places = [self.program.equations[each].where for each in step.origins]
        return list(dict.fromkeys(str(each) for each in places if each is not None))

    def __str__(self) -> str:
        program = self.program
        spent = ", ".join(
            f"{phase} {1000 * self.seconds[phase]:.1f}"
            for phase in (*PHASES, *(self.seconds.keys() - {*PHASES}))
            if self.seconds.get(phase)
        )
        found = "machine code found on disk" if self.from_cache else "compiled"
        sizes = [
            _many(len(each), name)
            for each, name in (
                (program.inputs, "input"), (program.equations, "equation"),
                (program.outputs, "result"),
            )
        ]  # fmt: skip
        steps = f"{_many(len(self.kernels), 'kernel')}, {_many(len(self.products), 'product')}"
        moved = f"reads {_size(self.bytes_read)}, writes {_size(self.bytes_written)}"
        done = f"{_count(self.flops)} operations, {_size(self.arena)} between steps"
        lines = [
            f"{self.what}{self.name}: {', '.join(sizes)}",
            f"{steps} and {_many(len(self.calls), 'call')} of NumPy",
            f"a call {moved}; {done}",
            found + (f"; milliseconds: {spent}" if spent else ""),
        ]
        rows = [self._row(number, step) for number, step in enumerate(self.steps, 1)]
        widths = [max(map(len, column), default=0) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = [each.ljust(width) for each, width in zip(row, widths, strict=True)]
            lines.append("  " + "  ".join(cells).rstrip())
        if self.backward is not None:
            lines += ["", str(self.backward)]
        return "\n".join(lines)

    __repr__ = __str__

    def _row(self, number: int, step: Any) -> list[str]:
        what = _names(step.operations)
        if step.kind == "call":
            what = f"{what}: {step.reason}"
        return [
            str(number),
            step.kind,
            str(list(step.domain)),
            what,
            _size(step.reads + step.writes),
            ", ".join(self.lines_of(step)),
        ]


def _names(operations: Sequence[str]) -> str:
    shown = " ".join(operations[:SHOWN])
    more = len(operations) - SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def _size(count: int) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.4g} {unit}"
        count /= 1024  # type: ignore[assignment] # a number to print
    return f"{count:.4g} GiB"


def _count(number: float) -> str:
    for unit in ("", " thousand", " million", " billion"):
        if number < 1000 or unit == " billion":
            break
        number /= 1000
    return f"{number:.4g}{unit}"


__all__ = ["Explanation", "explain"]


def _many(count: int, name: str) -> str:
    """``1 kernel``, ``2 kernels``."""
    return f"{count} {name}{'' if count == 1 else 's'}"
