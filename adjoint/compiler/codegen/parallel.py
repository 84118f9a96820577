"""Parallel regions: a function of pointers and a range of turns, called for every chunk of them.

How the turns are divided depends on the problem alone, and a result on its turn alone, or, for what
is combined over turns, on its chunk: so the number of threads changes no bit of a result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from adjoint.compiler.codegen.module import Module

REGION = "region"  # the name, in a module's table, of what computes a region
# A region costs 1 us while workers are awake, 3 us and a late start while they sleep. A chunk takes
# 10 us at least, and there are several for each thread, as others may use the machine as well.
CHUNK = 32_768  # units of work
MOST = 64  # chunks


class Division(NamedTuple):
    """Turns in chunks: all have ``share`` of them, but for the last."""

    turns: int
    chunks: int
    share: int


class Partial(NamedTuple):
    """Memory for partial results, of all turns or of each chunk, and what is made of them."""

    pointer: int  # which one the results are at
    bytes: int  # of a copy
    copies: int  # 1 for all turns
    size: int  # elements of the result
    combining: str  # the function that gets results, copies, and both numbers


def divide(turns: int, work: float, multiple: int = 1, most: int = MOST) -> Division:
    """Turns of a loop that are ``work`` together, in ``most`` chunks at most.

    The unit of work is what a simple loop does for one float32: load, add, store, some 0.3 ns; for
    products, 30 multiplications. Shares are multiples of ``multiple``.
    """
    chunks = max(1, min(int(work / CHUNK), turns, most))
    share = max(-(-turns // chunks), 1)
    share = min(-(-share // multiple) * multiple, turns)
    return Division(turns, max(-(-turns // share), 1), share)


def call(
    module: Module,
    name: str,
    pointers: Sequence[str],
    division: Division,
    partials: Sequence[Partial] = (),
) -> str:
    """Instructions of ``run`` that call ``@name(ptr, ..., i64 begin, i64 end)`` for all turns.

    ``pointers`` are names in ``run``; the function itself is among the module's. It gets partial
    results' memory before the last pointer.
    """
    given = ", ".join(f"ptr {each}" for each in pointers)
    if division.chunks == 1 and not partials:
        return f"  call void @{name}({given}, i64 0, i64 {division.turns})"
    names = [f"%p{place}" for place in range(len(pointers))]
    inside = [*names[:-1], *[f"%q{place}" for place in range(len(partials))], names[-1]]
    body = _partials(partials)
    if division.chunks == 1:
        arguments = ", ".join(f"ptr {each}" for each in inside)
        body.append(f"  call void @{name}({arguments}, i64 0, i64 {division.turns})")
    else:
        task = module.define(f"{name}_task", _task(name, len(names), partials, division))
        body += _region(task, inside, module.slot(REGION), division.chunks)
    for place, each in enumerate(partials):
        given = f"ptr {names[each.pointer]}, ptr %q{place}, i64 {each.size}, i64 {each.copies}"
        body.append(f"  call void @{each.combining}({given})")
    whole = module.define(f"{name}_whole", _function(names, body))
    all_pointers = ", ".join(f"ptr {each}" for each in pointers)
    return f"  call void @{whole}(ptr %table, {all_pointers})"


def _partials(partials: Sequence[Partial]) -> list[str]:
    return [
        f"  %q{place} = alloca [{each.bytes * each.copies} x i8], align 64"
        for place, each in enumerate(partials)
    ]


def _region(task: str, pointers: Sequence[str], slot: int, chunks: int) -> list[str]:
    """Instructions that hand pointers to a task, and have its chunks computed."""
    lines = [f"  %all = alloca [{len(pointers)} x ptr]"]
    for place, pointer in enumerate(pointers):
        lines += [
            f"  %a{place} = getelementptr inbounds ptr, ptr %all, i64 {place}",
            f"  store ptr {pointer}, ptr %a{place}",
        ]
    return [
        *lines,
        f"  %at = getelementptr inbounds ptr, ptr %table, i64 {slot}",
        "  %region = load ptr, ptr %at",
        f"  call void %region(ptr @{task}, ptr %all, i64 {chunks})",
    ]


def _task(
    name: str, count: int, partials: Sequence[Partial], division: Division
) -> Callable[[str], str]:
    """A function of packed pointers and a chunk's number."""
    lines = []
    for place in range(count + len(partials)):
        lines += [
            f"  %a{place} = getelementptr inbounds ptr, ptr %all, i64 {place}",
            f"  %p{place} = load ptr, ptr %a{place}",
        ]
    names = [f"%p{place}" for place in range(count + len(partials))]
    for place, each in enumerate(partials, count - 1):
        if each.copies > 1:
            names[place] = f"%q{place}"
            lines += [
                f"  %c{place} = mul nuw nsw i64 %chunk, {each.bytes}",
                f"  %q{place} = getelementptr inbounds i8, ptr %p{place}, i64 %c{place}",
            ]
    given = ", ".join(f"ptr {each}" for each in names)
    lines += [
        f"  %begin = mul nuw nsw i64 %chunk, {division.share}",
        f"  %after = add nuw nsw i64 %begin, {division.share}",
        f"  %last = icmp sgt i64 %after, {division.turns}",
        f"  %end = select i1 %last, i64 {division.turns}, i64 %after",
        f"  call void @{name}({given}, i64 %begin, i64 %end)",
    ]
    body = "\n".join(lines)
    head = "(ptr %all, i64 %chunk) {\nentry:\n"
    return lambda known: f"define internal void @{known}{head}{body}\n  ret void\n}}\n"


def _function(names: Sequence[str], lines: Sequence[str]) -> Callable[[str], str]:
    body = "\n".join(lines)
    parameters = ", ".join(f"ptr {each}" for each in names)
    head = f"(ptr %table, {parameters}) noinline {{\nentry:\n"
    return lambda known: f"define internal void @{known}{head}{body}\n  ret void\n}}\n"
