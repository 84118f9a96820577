"""Parallel regions: a function of pointers and a range of turns, called for every chunk of them.

How the turns are divided depends on the problem alone, and a result on its turn alone, or, for what
is combined over turns, on its chunk: so the number of threads changes no bit of a result.
"""

from __future__ import annotations

from collections.abc import Sequence
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


def divide(turns: int, work: float, multiple: int = 1) -> Division:
    """Turns of a loop that are ``work`` together, divided in chunks.

    The unit of work is what a simple loop does for one float32: load, add, store, some 0.3 ns; for
    products, 30 multiplications. Shares are multiples of ``multiple``.
    """
    chunks = max(1, min(int(work / CHUNK), turns, MOST))
    share = max(-(-turns // chunks), 1)
    share = -(-share // multiple) * multiple
    return Division(turns, max(-(-turns // share), 1), share)


def call(
    module: Module,
    name: str,
    pointers: Sequence[str],
    division: Division,
) -> str:
    """Instructions of ``run`` that call ``@name(ptr, ..., i64 begin, i64 end)`` for all turns.

    ``pointers`` are names in ``run``; the function itself is among the module's.
    """
    turns, chunks, share = division
    given = ", ".join(f"ptr {each}" for each in pointers)
    if chunks == 1:
        return f"  call void @{name}({given}, i64 0, i64 {turns})"
    pack, unpack = [f"  %all = alloca [{len(pointers)} x ptr]"], []
    for place in range(len(pointers)):
        at = f"getelementptr inbounds ptr, ptr %all, i64 {place}"
        pack += [f"  %a{place} = {at}", f"  store ptr %p{place}, ptr %a{place}"]
        unpack += [f"  %a{place} = {at}", f"  %p{place} = load ptr, ptr %a{place}"]
    names = ", ".join(f"ptr %p{place}" for place in range(len(pointers)))
    task = module.define(f"{name}_task", lambda own: "\n".join([
        f"define internal void @{own}(ptr %all, i64 %chunk) {{",
        *unpack,
        f"  %begin = mul nuw nsw i64 %chunk, {share}",
        f"  %after = add nuw nsw i64 %begin, {share}",
        f"  %last = icmp sgt i64 %after, {turns}",
        f"  %end = select i1 %last, i64 {turns}, i64 %after",
        f"  call void @{name}({names}, i64 %begin, i64 %end)",
        "  ret void\n}\n",
    ]))  # fmt: skip
    whole = module.define(f"{name}_region", lambda own: "\n".join([
        f"define internal void @{own}(ptr %region, {names}) {{",
        *pack,
        f"  call void %region(ptr @{task}, ptr %all, i64 {chunks})",
        "  ret void\n}\n",
    ]))  # fmt: skip
    slot, number = module.slot(REGION), module.count()
    return "\n".join([
        f"  %slot{number} = getelementptr inbounds ptr, ptr %table, i64 {slot}",
        f"  %region{number} = load ptr, ptr %slot{number}",
        f"  call void @{whole}(ptr %region{number}, {given})",
    ])  # fmt: skip
