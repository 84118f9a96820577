"""Buffers that may take the memory of others: what is overwritten element by element.

A map may store into the memory of a buffer that it looks at, if nothing looks there afterwards: its
own kernel goes to each element before, or at the same time, as it is overwritten.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from adjoint.compiler.frames import accesses, checks
from adjoint.compiler.kernels import Kernel, Step, nodes_of
from adjoint.compiler.nodes import Buffer, Call, Looped, Map, strides_of


def last_looks(steps: Sequence[Step]) -> dict[Buffer, int]:
    """The last step that looks at each buffer, or makes it."""
    last: dict[Buffer, int] = {}
    for at, step in enumerate(steps):
        for node in nodes_of(step):
            for buffer in node.buffers:
                last[buffer] = at
            for look in node.looks():
                last[look.buffer] = at
    return last


def may_overwrite(kernel: Kernel, new: Buffer, old: Buffer) -> bool:
    """Whether what makes ``new`` in a kernel may store it where ``old`` is, useless afterwards."""
    node = kernel.made.get(new)
    if type(node) is not Map or kernel.updates or old in kernel.made or kernel.empty:
        return False
    if new.bytes != old.bytes or new.kind != old.kind:
        return False
    arranged = kernel.arranged(node)
    own = strides_of(new.shape)
    store = arranged.over_outer(own), arranged.over_inner(own)
    phase, seen = kernel.phase(node), False
    for each in kernel.nodes:
        for access in accesses(each):
            if access.buffer is not old:
                continue
            if access.strides is None or access.offset or kernel.phase(each) > phase:
                return False
            there = kernel.arranged(each)
            if (there.over_outer(access.strides), there.over_inner(access.strides)) != store:
                return False
            before = kernel.nodes.index(each) <= kernel.nodes.index(node)
            seen |= before and kernel.phase(each) == phase
            if not before and not seen:
                return False  # it would be loaded after it is overwritten
    return True


def direct(
    steps: Sequence[Step], writes: Mapping[Buffer, Buffer], read: Collection[Buffer] = ()
) -> dict[Buffer, Buffer]:
    """Which of the buffers that are ``writes`` to inputs may be stored there at once.

    Not those of inputs that are ``read`` in the end, or looked at later, nor before all that may go
    wrong: calls, and checks.
    """
    risks = [at for at, step in enumerate(steps) if isinstance(step, Call) or _checks(step)]
    safe = max(risks, default=-1) + 1
    last, found = last_looks(steps), dict[Buffer, Buffer]()
    targets = list(writes.values())
    for at, step in enumerate(steps[safe:], safe):
        for new in step.made if isinstance(step, Kernel) else ():
            old = writes.get(new)
            if old is None or old in read or targets.count(old) > 1 or last.get(old, -1) > at:
                continue
            if isinstance(step, Kernel) and may_overwrite(step, new, old):
                found[new] = old
    return found


def _checks(step: Step) -> bool:
    return any(isinstance(node, Looped) and checks(node) for node in nodes_of(step))


def reused(
    steps: Sequence[Step], arena: Collection[Buffer], lasting: Collection[Buffer]
) -> dict[Buffer, Buffer]:
    """Buffers of the arena that lie where another one did, which is of no use any more."""
    last, found = last_looks(steps), dict[Buffer, Buffer]()
    taken: set[Buffer] = set()
    for at, step in enumerate(steps):
        if not isinstance(step, Kernel):
            continue
        olds = dict.fromkeys(
            access.buffer
            for node in step.nodes
            for access in accesses(node)
            if access.buffer in arena and last[access.buffer] == at
        )
        for new in step.made:
            if new not in arena:
                continue
            for old in olds:
                if old in taken or old in lasting or old.rewritten or new.rewritten:
                    continue
                if may_overwrite(step, new, old):
                    found[new] = old
                    taken.add(old)
                    break
    return found
