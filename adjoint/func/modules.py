"""Networks as functions of their parameters: ``functional_call`` and its companions.

What is needed of a module is only that it keeps its state as ``torch.nn.Module`` does, so nothing
is imported from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from adjoint.func.levels import spell
from adjoint.ops.joining import stack
from adjoint.tape.tensor import Tensor

State = Mapping[str, Any]


def functional_call(
    module: Any,
    parameter_and_buffer_dicts: State | Sequence[State],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """``module(*args, **kwargs)`` with the named parameters and buffers in place of its own.

    The rest of the state is the module's. Tensors that the module has under several names are all
    replaced by one of them, unless ``tie_weights`` is False; with ``strict`` exactly the module's
    names must be given. What the module assigns to a replaced name is put into the dictionary.

    Raises ``RuntimeError`` for names that do not fit with ``strict``, ``ValueError`` for a name
    given twice, and for tied names with different tensors.

    >>> import adjoint as torch
    >>> model = torch.nn.Linear(1, 1)
    >>> state = {"weight": torch.ones(1, 1), "bias": torch.ones(1)}
    >>> torch.func.functional_call(model, state, torch.tensor([2.0]))
    tensor([3.])
    """
    state = _merged(parameter_and_buffer_dicts)
    positional = () if args is None else args if isinstance(args, tuple) else (args,)
    with _replaced(module, state, tie_weights, strict):
        return module(*positional, **(kwargs or {}))


def _merged(dicts: Any) -> dict[str, Any]:
    if isinstance(dicts, dict):
        return dicts
    if not isinstance(dicts, Sequence):
        raise ValueError(
            f"functional_call: parameters and buffers come in a dict or several, not {spell(dicts)}"
        )
    merged: dict[str, Any] = {}
    for each in dicts:
        if not isinstance(each, dict):
            raise ValueError(f"functional_call: one of the dicts is {spell(each)}")
        twice = sorted(merged.keys() & each.keys())
        if twice:
            raise ValueError(f"functional_call: {twice} is in several of the dicts")
        merged |= each
    return merged


@contextmanager
def _replaced(module: Any, state: dict[str, Any], tie: bool, strict: bool) -> Iterator[None]:
    """The module's tensors are those of ``state`` inside, and its own again afterwards."""
    names = _names_of(module)
    wanted = _tied(names, state) if tie else dict(state)
    if strict:
        _check_names(names, wanted)
    for name, value in state.items():
        if not isinstance(value, Tensor):
            raise TypeError(f"functional_call: {name} is {spell(value)}, not a Tensor")
    homes = {name: _home(module, name) for name in wanted}
    before: list[tuple[dict[str, Any], str, Any]] = []
    try:
        for name, value in wanted.items():
            store, last = homes[name]
            before.append((store, last, store.get(last, _ABSENT)))
            store[last] = value
        yield
    finally:
        after = {name: homes[name][0].get(homes[name][1]) for name in wanted}
        for store, last, value in reversed(before):
            if value is _ABSENT:
                store.pop(last, None)
            else:
                store[last] = value
        for name in state:
            if after[name] is not None:
                state[name] = after[name]


_ABSENT = object()


def _names_of(module: Any) -> dict[str, Any]:
    """Every name of every parameter and buffer, also of those that are there twice."""
    found = dict(module.named_parameters(remove_duplicate=False))
    found |= dict(module.named_buffers(remove_duplicate=False))
    return found


def _tied(names: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
    """``state`` with the other names of every tensor that it replaces."""
    groups: dict[int, list[str]] = {}
    for name, value in names.items():
        groups.setdefault(id(value), []).append(name)
    wanted = dict(state)
    for group in groups.values():
        given = [name for name in group if name in state]
        if len(group) == 1 or not given:
            continue
        if any(state[name] is not state[given[0]] for name in given):
            raise ValueError(
                f"functional_call: {given} are one tensor of the module, but several are given; "
                "give one of them, or pass tie_weights=False"
            )
        for name in group:
            wanted[name] = state[given[0]]
    return wanted


def _check_names(names: dict[str, Any], wanted: dict[str, Any]) -> None:
    missing = sorted(names.keys() - wanted.keys())
    unexpected = sorted(wanted.keys() - names.keys())
    if missing or unexpected:
        raise RuntimeError(
            "functional_call: with strict=True all parameters and buffers must be given: missing "
            f"{missing}, unexpected {unexpected}"
        )


def _home(module: Any, name: str) -> tuple[dict[str, Any], str]:
    """The dictionary in which a module keeps a tensor, and its key there."""
    *path, last = name.split(".")
    for part in path:
        modules = getattr(module, "_modules", {})
        if modules.get(part) is None:
            raise AttributeError(
                f"functional_call: {name!r} leads nowhere: {type(module).__name__} has no "
                f"submodule {part!r}"
            )
        module = modules[part]
    for store in (module._parameters, module._buffers):
        if last in store:
            return store, last
    attributes: dict[str, Any] = module.__dict__
    return attributes, last


def stack_module_state(models: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Parameters and buffers of several modules of one kind, stacked by name, for ``vmap``.

    The stacked parameters are new leaves. Raises ``RuntimeError`` for no model, for models of
    several classes or modes, and where only some want a gradient.

    >>> import adjoint as torch
    >>> models = [torch.nn.Linear(2, 1) for _ in range(3)]
    >>> params, buffers = torch.func.stack_module_state(models)
    >>> params["weight"].shape
    torch.Size([3, 1, 2])
    """
    models = list(models)
    if not models:
        raise RuntimeError("stack_module_state: no model was given")
    if len({model.training for model in models}) > 1:
        raise RuntimeError("stack_module_state: some models are in training mode and some are not")
    kinds = {type(model) for model in models}
    if len(kinds) > 1:
        spelled = sorted(kind.__name__ for kind in kinds)
        raise RuntimeError(f"stack_module_state: the models are of several classes: {spelled}")
    return (
        _stacked([dict(model.named_parameters()) for model in models]),
        _stacked([dict(model.named_buffers()) for model in models]),
    )


def _stacked(states: list[dict[str, Any]]) -> dict[str, Any]:
    out = {}
    for name in states[0]:
        tensors = [state[name] for state in states]
        tracked = {tensor.requires_grad for tensor in tensors}
        if len(tracked) > 1:
            raise RuntimeError(
                f"stack_module_state: {name} wants a gradient in some of the models only"
            )
        whole = stack(tensors)
        out[name] = whole.detach().requires_grad_() if tracked == {True} else whole
    return out


def replace_all_batch_norm_modules_(root: Any) -> Any:
    """Let every batch norm in ``root`` use the statistics of its batch alone; gives ``root``.

    Running statistics are written in place, which a transform cannot do to what it captures.

    >>> import adjoint as torch
    >>> net = torch.func.replace_all_batch_norm_modules_(torch.nn.BatchNorm1d(2))
    >>> torch.vmap(net)(torch.randn(3, 4, 2)).shape
    torch.Size([3, 4, 2])
    """
    for module in (root, *root.modules()):
        if module_is(module, "_BatchNorm") and module.track_running_stats:
            module.running_mean = None
            module.running_var = None
            module.num_batches_tracked = None
            module.track_running_stats = False
    return root


def module_is(module: Any, name: str) -> bool:
    """Whether a class of this name is among those of ``module``."""
    return any(kind.__name__ == name for kind in type(module).__mro__)
