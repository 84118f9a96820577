"""The base of all optimizers: groups of parameters, their options, and their state."""

from __future__ import annotations

import warnings
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any

from adjoint.optim import saving
from adjoint.optim.hooks import (
    NAMES,
    add_hook,
    hooked,
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)
from adjoint.tape.changes import changes
from adjoint.tape.handles import RemovableHandle
from adjoint.tape.modes import modes
from adjoint.tape.node import AccumulateGrad
from adjoint.tape.tensor import Tensor

Group = dict[str, Any]
Closure = Callable[[], Any]


class _Required:
    """The default of an option that every group must give."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()


class Optimizer:
    """Changes parameters by their gradients; subclasses say how, in ``step``.

    ``params`` are tensors, (name, tensor) pairs, or dicts of a group's "params" and own options;
    ``defaults`` the options of groups that do not give them. Raises ``TypeError`` for a single
    tensor, ``ValueError`` for no parameters, and what ``add_param_group`` raises.

    >>> w = torch.ones(2, requires_grad=True)
    >>> torch.optim.Optimizer([w], {"lr": 0.1}).param_groups
    [{'params': [tensor([1., 1.], requires_grad=True)], 'lr': 0.1}]
    """

    _optimizer_step_pre_hooks: OrderedDict[int, Callable[..., Any]]
    _optimizer_step_post_hooks: OrderedDict[int, Callable[..., Any]]
    _optimizer_state_dict_pre_hooks: OrderedDict[int, Callable[..., Any]]
    _optimizer_state_dict_post_hooks: OrderedDict[int, Callable[..., Any]]
    _optimizer_load_state_dict_pre_hooks: OrderedDict[int, Callable[..., Any]]
    _optimizer_load_state_dict_post_hooks: OrderedDict[int, Callable[..., Any]]

    defaults: dict[str, Any]
    state: defaultdict[Any, Any]
    param_groups: list[Group]

    _opt_called = False  # whether step() was: schedulers warn if they step first
    _in_step = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        step = vars(cls).get("step")
        if callable(step) and not hasattr(step, "hooked"):
            cls.step = hooked(step)  # type: ignore[method-assign]

    def __init__(self, params: Any, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self._make_hooks()
        if isinstance(params, Tensor):
            raise TypeError(
                "an optimizer takes several parameters, as [w, b] or model.parameters(), but got "
                "a single Tensor; put it into a list"
            )
        self.state = defaultdict(dict)
        self.param_groups = []
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list: there is nothing to optimize")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def _make_hooks(self) -> None:
        for name in NAMES:
            self.__dict__.setdefault(name, OrderedDict())

    # -- groups -------------------------------------------------------------------------------

    def add_param_group(self, param_group: Group) -> None:
        """Add a group: a dict of "params" and options; the defaults fill in the others.

        Raises ``TypeError`` for anything but a dict of an ordered collection of tensors, and
        ``ValueError`` for a tensor that was computed, one that is in another group, missing
        options, and names for some parameters only.

        >>> w, b = torch.ones(2, requires_grad=True), torch.zeros(1, requires_grad=True)
        >>> optimizer = torch.optim.SGD([w], lr=0.1)
        >>> optimizer.add_param_group({"params": b, "lr": 0.01})
        """
        changes.count += 1
        if not isinstance(param_group, dict):
            raise TypeError(f"a parameter group is a dict, but got {type(param_group).__name__}")
        params, names = _read_params(param_group["params"])
        for param in params:
            self._check_param(param)
        self._check_others(params, bool(names))
        missing = [
            name
            for name, default in self.defaults.items()
            if default is required and name not in param_group
        ]
        if missing:
            raise ValueError(f"the parameter group needs a value of {', '.join(missing)}")
        param_group["params"] = params
        if names:
            param_group["param_names"] = names
        for name, default in self.defaults.items():
            param_group.setdefault(name, default)
        if len({id(param) for param in params}) < len(params):
            warnings.warn(
                "a parameter is in its group more than once, and each step will change it as often",
                stacklevel=3,
            )
        self.param_groups.append(param_group)

    def _check_param(self, param: Any) -> None:
        if not isinstance(param, Tensor):
            raise TypeError(
                f"an optimizer changes Tensors, but one of the params is a {type(param).__name__}"
            )
        node = param._node
        computed = node is not None and type(node) is not AccumulateGrad
        if computed and not self.defaults.get("differentiable") and not param.retains_grad:
            raise ValueError(
                f"can't optimize a non-leaf Tensor: {param.grad_fn.name()} made one of the params; "
                "pass the tensors that it was computed from, or detach() it"
            )

    def _check_others(self, params: list[Any], named: bool) -> None:
        """Raise ``ValueError`` unless a new group goes with those that are there."""
        present: set[int] = set()
        for group in self.param_groups:
            present.update(id(param) for param in group["params"])
            if ("param_names" in group) != named:
                raise ValueError(
                    "either all groups of an optimizer name their parameters or none does, but "
                    f"the new one is {'with' if named else 'without'} names"
                )
        if not present.isdisjoint(id(param) for param in params):
            raise ValueError("some parameters appear in more than one parameter group")

    # -- what users call ----------------------------------------------------------------------

    def step(self, closure: Closure | None = None) -> Any:
        """Change the parameters once; ``closure`` evaluates the loss again and returns it."""
        raise NotImplementedError(f"{type(self).__name__} has no step()")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or set them to zero.

        >>> w = torch.ones(2, requires_grad=True)
        >>> w.sum().backward()
        >>> torch.optim.SGD([w]).zero_grad()
        >>> w.grad is None
        True
        """
        for group in self.param_groups:
            for param in group["params"]:
                node = param._node
                if set_to_none and type(node) is AccumulateGrad:
                    node.grad = None
                elif param.grad is not None:
                    if set_to_none:
                        param.grad = None
                    else:
                        _zero(param.grad)

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for number, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {number}")
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
            lines.append("")
        if self.param_groups:
            lines.pop()
        return "\n".join((*lines, ")"))

    # -- saving -------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """The options and the state as a dict, with numbers in the place of parameters.

        >>> torch.optim.SGD([torch.ones(1, requires_grad=True)]).state_dict()["state"]
        {}
        """
        for hook in self._optimizer_state_dict_pre_hooks.values():
            hook(self)
        packed = saving.pack(self.state, self.param_groups)
        for hook in self._optimizer_state_dict_post_hooks.values():
            answer = hook(self, packed)
            if answer is not None:
                packed = answer
        return packed

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with the options and the state that ``state_dict()`` gave.

        Parameters are matched by their order. Raises ``ValueError`` where the groups or the
        numbers of their parameters differ; nothing is then changed.

        >>> first, second = (torch.optim.SGD([torch.ones(1)], lr=lr) for lr in (0.1, 0.2))
        >>> second.load_state_dict(first.state_dict())
        >>> second.param_groups[0]["lr"]
        0.1
        """
        state_dict = state_dict.copy()
        for hook in self._optimizer_load_state_dict_pre_hooks.values():
            answer = hook(self, state_dict)
            if answer is not None:
                state_dict = answer
        state, groups = saving.unpack(state_dict, self.param_groups)
        self.__setstate__({"state": state, "param_groups": groups})
        for hook in self._optimizer_load_state_dict_post_hooks.values():
            hook(self)

    def __getstate__(self) -> dict[str, Any]:
        return {
            "defaults": self.defaults,
            "state": self.state,
            "param_groups": self.param_groups,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        changes.count += 1
        self.__dict__.update(state)
        self._make_hooks()
        self.defaults.setdefault("differentiable", False)

    # -- hooks --------------------------------------------------------------------------------

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` before each step; it may return new arguments.

        ``step`` raises ``RuntimeError`` if it returns anything but None and (args, kwargs).
        """
        return add_hook(self._optimizer_step_pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` after each step."""
        return add_hook(self._optimizer_step_post_hooks, hook)

    def register_state_dict_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(optimizer)`` before ``state_dict()`` collects."""
        return add_hook(self._optimizer_state_dict_pre_hooks, hook, prepend)

    def register_state_dict_post_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` on each state dict made; it may replace it."""
        return add_hook(self._optimizer_state_dict_post_hooks, hook, prepend)

    def register_load_state_dict_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` before it is loaded; it may replace it."""
        return add_hook(self._optimizer_load_state_dict_pre_hooks, hook, prepend)

    def register_load_state_dict_post_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(optimizer)`` after a state dict was loaded."""
        return add_hook(self._optimizer_load_state_dict_post_hooks, hook, prepend)


def _read_params(params: Any) -> tuple[list[Any], list[str]]:
    """The tensors of a group, and their names where it gives (name, tensor) pairs."""
    if isinstance(params, Tensor):
        return [params], []
    if isinstance(params, set):
        raise TypeError(
            "the parameters of an optimizer need an order that is the same in every run, which a "
            "set has not; pass a list"
        )
    params = list(params)
    names = [param[0] for param in params if isinstance(param, tuple)]
    if names and len(names) < len(params):
        raise ValueError(
            f"either all parameters of a group are named or none is, but {len(names)} of "
            f"{len(params)} are"
        )
    return [param[1] if isinstance(param, tuple) else param for param in params], names


def _zero(grad: Any) -> None:
    """Set a gradient to zero where it is, without the history that ``create_graph`` gave it."""
    grad._node = None
    grad.zero_()


def evaluate(closure: Closure) -> Any:
    """Call a closure with recording on, whatever the mode around it."""
    previous = modes.enabled
    modes.enabled = modes.recorder
    try:
        return closure()
    finally:
        modes.enabled = previous


__all__ = [
    "Optimizer",
    "evaluate",
    "register_optimizer_step_post_hook",
    "register_optimizer_step_pre_hook",
    "required",
]
