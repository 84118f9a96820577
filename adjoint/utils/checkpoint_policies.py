"""Selective checkpoints: a policy says of each operation whether its result is kept."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any

import numpy as np

from adjoint.array.memory import owner_of
from adjoint.tape.modes import modes
from adjoint.tape.node import Node, clock, user_location
from adjoint.tape.tensor import wrap
from adjoint.tape.watching import Observer, Recorder, Watching

# Operations that no policy is asked about: they compute nothing.
SAC_IGNORED_OPS = {"alias", "detach"}


class CheckpointPolicy(enum.Enum):
    """What to do with the result of an operation: keep it, or compute it again.

    There is one memory only, so results that are to be moved to the CPU's are kept. What PREFER
    leaves open is for compilers.

    >>> from adjoint.utils.checkpoint import CheckpointPolicy
    >>> def keep_products(context, operation, *args, **kwargs):
    ...     if str(operation) in ("mm", "bmm", "addmm"):
    ...         return CheckpointPolicy.MUST_SAVE
    ...     return CheckpointPolicy.PREFER_RECOMPUTE
    """

    MUST_SAVE = 0
    PREFER_SAVE = 1
    MUST_RECOMPUTE = 2
    PREFER_RECOMPUTE = 3
    MUST_CPU_OFFLOAD = 4
    PREFER_CPU_OFFLOAD = 5


KEEPING = frozenset(
    (
        CheckpointPolicy.MUST_SAVE,
        CheckpointPolicy.PREFER_SAVE,
        CheckpointPolicy.MUST_CPU_OFFLOAD,
        CheckpointPolicy.PREFER_CPU_OFFLOAD,
    )
)


class SelectiveCheckpointContext:
    """What a policy is told: whether the operation runs again, and what it has just given."""

    def __init__(self, *, is_recompute: bool, op_output: Any = None) -> None:
        self.is_recompute = is_recompute
        self.op_output = op_output


class _Kept:
    """A tensor that a policy keeps; refused if somebody has written to it since."""

    __slots__ = ("owner", "policy", "sequence", "tensor")

    def __init__(self, tensor: Any, policy: _Asking) -> None:
        self.tensor = wrap(tensor._array, tensor._level)
        self.tensor._memory = tensor._memory
        self.policy = policy
        self.sequence = next(clock)

    def get(self) -> Any:
        """The tensor; ``RuntimeError`` if it was written to."""
        policy, memory = self.policy, self.tensor._memory
        if not policy.allow_mutation:
            where = policy.mutated.get(id(owner_of(self.tensor._array)))
            if where is None and memory is not None and memory.written > self.sequence:
                where = memory.where
            if where is not None:
                raise RuntimeError(
                    "Tensor cached during selective activation checkpoint has been mutated, at "
                    f"{where}. Write into a copy, let the policy recompute it, or pass "
                    "allow_cache_entry_mutation=True"
                )
        return self.tensor


class _Asking(Watching, Observer):
    """Asks the policy about each operation that is recorded in the block."""

    def __init__(self, policy: Callable[..., Any], is_recompute: bool, allow: bool) -> None:
        super().__init__()
        self.policy = policy
        self.is_recompute = is_recompute
        self.allow_mutation = allow
        self.owners: dict[int, Any] = {}  # of the memory of results that are kept
        self.mutated: dict[int, str] = {}

    def _changed(self, present: Recorder) -> Recorder:
        return Recorder(present.hooks, (*present.observers, self), present.disabled)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, trace)
        self.owners.clear()  # what has been saved is held by the graph

    def recorded(self, node: Node, inputs: tuple[Any, ...], out: Any) -> None:
        """Ask, and remember the result's memory if it is to be kept."""
        name = node.plan.row.name
        if name in SAC_IGNORED_OPS:
            return
        several = isinstance(out, (tuple, list))
        outs = [wrap(_plain(each)) for each in (out if several else (out,))]
        enabled = modes.enabled
        modes.enabled = False
        try:
            answer = self.policy(
                SelectiveCheckpointContext(
                    is_recompute=self.is_recompute, op_output=tuple(outs) if several else outs[0]
                ),
                name,
                *inputs,
            )
        finally:
            modes.enabled = enabled
        if isinstance(answer, bool):
            answer = CheckpointPolicy.MUST_SAVE if answer else CheckpointPolicy.PREFER_RECOMPUTE
        if not isinstance(answer, CheckpointPolicy):
            raise TypeError(
                f"the policy of a selective checkpoint must return a CheckpointPolicy, but for "
                f"{name} it has returned a {type(answer).__name__}"
            )
        if answer in KEEPING and not self.is_recompute:
            for each in outs:
                if isinstance(each._array, np.ndarray):
                    owner = owner_of(each._array)
                    self.owners[id(owner)] = owner

    def keeps(self, tensor: Any) -> _Kept | None:
        """What keeps ``tensor``, if it looks at a result that is to be kept."""
        array = tensor._array
        if isinstance(array, np.ndarray) and id(owner_of(array)) in self.owners:
            return _Kept(tensor, self)
        return None

    def writing(self, array: Any) -> None:
        """``array`` is about to be written to."""
        owner = owner_of(array)
        if id(owner) in self.owners:
            self.mutated[id(owner)] = user_location()


def _plain(array: Any) -> Any:
    while hasattr(array, "_array"):
        array = array._array
    return array


def create_selective_checkpoint_contexts(
    policy_fn_or_list: Any, allow_cache_entry_mutation: bool = False
) -> tuple[Any, Any]:
    """The contexts for ``checkpoint(..., context_fn=...)`` that keep what a policy chooses.

    A policy is a list of operations whose results are kept, or a function of a
    ``SelectiveCheckpointContext``, the operation's name and its inputs, which returns a
    ``CheckpointPolicy``. Operations are named as in the coverage table ("mm", "exp"), or in a list
    given as functions (``torch.mm``). Kept results are not computed again for the backward pass;
    where something else is, the function runs through all its operations. Raises ``TypeError``
    for another kind of policy, ``ValueError`` for a list with other things in it.

    >>> import functools
    >>> import adjoint as torch
    >>> from adjoint.utils import checkpoint as c
    >>> contexts = functools.partial(c.create_selective_checkpoint_contexts, ["mm"])
    >>> x = torch.eye(2, requires_grad=True)
    >>> y = c.checkpoint(lambda x: (x @ x).exp(), x, use_reentrant=False, context_fn=contexts)
    >>> y.sum().backward()
    >>> x.grad
    tensor([[5.4366, 2.0000],
            [2.0000, 5.4366]])
    """
    if callable(policy_fn_or_list):
        policy = policy_fn_or_list
    elif isinstance(policy_fn_or_list, (list, tuple, set, frozenset)):
        policy = _policy_of(policy_fn_or_list)
    else:
        raise TypeError(
            "policy_fn_or_list must be either a function or a list of ops, not a "
            f"{type(policy_fn_or_list).__name__}"
        )
    allow = allow_cache_entry_mutation
    return _Asking(policy, False, allow), _Asking(policy, True, allow)


def _policy_of(operations: Iterable[Any]) -> Callable[..., CheckpointPolicy]:
    names = set()
    for each in operations:
        row = getattr(each, "row", None)
        name = each if isinstance(each, str) else getattr(row or each, "name", None)
        if name is None and callable(each):
            name = getattr(each, "__name__", None)
        if not isinstance(name, str):
            raise ValueError(
                f"expected names of operations, or functions, in the list, but got {each!r} of "
                f"type {type(each).__name__}"
            )
        names.add(name)

    def policy(context: SelectiveCheckpointContext, name: str, *_: Any) -> CheckpointPolicy:
        saved = name in names
        return CheckpointPolicy.MUST_SAVE if saved else CheckpointPolicy.PREFER_RECOMPUTE

    return policy
