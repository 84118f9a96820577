"""The table of a profile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import Any, NamedTuple

GAP = "  "
_UNITS = {"s": 1e6, "ms": 1e3, "us": 1.0}


def format_time(microseconds: float, unit: str | None = None) -> str:
    """A time in a unit that reads well, or in the one given.

    >>> format_time(1500.0)
    '1.500ms'
    """
    if unit is None:
        unit = next((each for each, size in _UNITS.items() if microseconds >= size), "us")
    return f"{microseconds / _UNITS[unit]:.3f}{unit}"


def format_share(part: float, whole: float) -> str:
    """A part in percent."""
    return "NaN" if whole == 0 else f"{100.0 * part / whole:.2f}%"


def format_bytes(count: float) -> str:
    """A number of bytes in a unit that reads well.

    >>> format_bytes(2048)
    '2.00 KB'
    """
    for unit, size in (("GB", 1024**3), ("MB", 1024**2), ("KB", 1024)):
        if abs(count) >= size:
            return f"{count / size:.2f} {unit}"
    return f"{count} B"


class Column(NamedTuple):
    """One column: what stands above it, what it says of an event, and how wide it may be."""

    title: str
    text: Callable[[Any], str]
    width: int | None = None  # more than this is cut
    left: bool = False


def build_table(
    events: Any,
    *,
    sort_by: str | None,
    row_limit: int,
    widths: tuple[int, int, int],
    header: str | None,
    memory: bool,
    flops: bool,
    top_level_only: bool,
    time_unit: str | None,
) -> str:
    """The table as text; an empty text where there are no events."""
    if not events:
        return ""
    total = events.self_cpu_time_total
    shown = list(events)
    if sort_by is not None:
        attribute = sort_by.replace("cuda", "device").replace("xpu", "device")
        shown.sort(key=lambda event: getattr(event, attribute), reverse=True)
    if top_level_only:
        shown = [each for each in shown if each.cpu_parent is None]
    if row_limit >= 0:
        shown = shown[:row_limit]
    columns = _columns(shown, total, widths, memory, flops, time_unit)
    rows = [[_cut(column.text(each), column.width) for column in columns] for each in shown]
    lines = _lay_out(columns, rows)
    if header is not None:
        lines = [lines[0], header, *lines]
    lines.append(f"Self CPU time total: {format_time(total, time_unit)}")
    return "\n".join(lines) + "\n"


def _columns(
    events: Sequence[Any],
    total: float,
    widths: tuple[int, int, int],
    memory: bool,
    flops: bool,
    unit: str | None,
) -> list[Column]:
    columns = [
        Column("Name", lambda each: each.key, widths[0]),
        Column("Self CPU %", lambda each: format_share(each.self_cpu_time_total, total)),
        Column("Self CPU", lambda each: format_time(each.self_cpu_time_total, unit)),
        Column("CPU total %", lambda each: format_share(each.cpu_time_total, total)),
        Column("CPU total", lambda each: format_time(each.cpu_time_total, unit)),
        Column("CPU time avg", lambda each: format_time(each.cpu_time, unit)),
    ]
    if memory:
        columns += [
            Column("CPU Mem", lambda each: format_bytes(each.cpu_memory_usage)),
            Column("Self CPU Mem", lambda each: format_bytes(each.self_cpu_memory_usage)),
        ]
    columns.append(Column("# of Calls", lambda each: str(each.count)))
    if any(each.input_shapes for each in events):
        columns.append(Column("Input Shapes", lambda each: str(each.input_shapes), widths[1], True))
    if any(each.stack for each in events):
        columns.append(Column("Source Location", _source, widths[2], True))
    if flops and any(each.flops for each in events):
        columns.append(Column("Total FLOPs", lambda each: str(each.flops) if each.flops else "--"))
    return columns


def _source(event: Any) -> str:
    """The innermost frame, of its file only the name's end."""
    if not event.stack:
        return ""
    path, _, rest = event.stack[0].partition("(")
    return f"{'/'.join(PurePath(path).parts[-2:])}({rest}"


def _cut(text: str, width: int | None) -> str:
    return text if width is None or len(text) <= width else text[: max(width - 3, 0)] + "..."


def _lay_out(columns: list[Column], rows: list[list[str]]) -> list[str]:
    sizes = [
        max(len(column.title), 12, *(len(row[place]) for row in rows)) if rows else 12
        for place, column in enumerate(columns)
    ]

    def line(cells: Sequence[str]) -> str:
        return GAP.join(
            cell.ljust(size) if column.left else cell.rjust(size)
            for cell, size, column in zip(cells, sizes, columns, strict=True)
        ).rstrip()

    rule = GAP.join("-" * size for size in sizes)
    return [rule, line([each.title for each in columns]), rule, *map(line, rows), rule]
