"""A module's state as a dictionary of tensors, and back."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from adjoint.nn import hooks
from adjoint.nn.parameter import Parameter
from adjoint.nn.registry import Registry
from adjoint.tape.handles import RemovableHandle
from adjoint.tape.modes import no_grad
from adjoint.tape.tensor import Tensor

EXTRA = "_extra_state"


class _IncompatibleKeys(
    NamedTuple("IncompatibleKeys", [("missing_keys", list[str]), ("unexpected_keys", list[str])])
):
    """What ``load_state_dict`` did not find, and what it did not know."""

    __slots__ = ()

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return super().__repr__()

    __str__ = __repr__


class Stateful(Registry):
    """``state_dict`` and ``load_state_dict``."""

    _version = 1
    _hooks: hooks.ModuleHooks | None

    # -- out ----------------------------------------------------------------------------------

    def state_dict(
        self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Any]:
        """Parameters and persistent buffers by dotted name, sharing the module's memory.

        They have no history unless ``keep_vars``.

        >>> torch.nn.Linear(2, 1).state_dict().keys()
        odict_keys(['weight', 'bias'])
        """
        # By position, as older programs write them.
        given = (*args, *(destination, prefix, keep_vars)[len(args) :])
        destination, prefix, keep_vars = given
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = {"version": self._version}
        table = self._hooks
        for hook in [] if table is None else list(table.state_dict_pre.values()):
            hook.function(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(
                    destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars
                )
        local = {"version": self._version}
        for hook in [] if table is None else list(table.state_dict.values()):
            if hook.function(self, destination, prefix, local) is not None:
                raise RuntimeError(
                    "a hook after state_dict changes the dictionary in place and returns nothing"
                )
        return destination  # type: ignore[no-any-return]

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        """Put this module's own state, without that of the modules below, into a dictionary."""
        for name, param in self._parameters.items():
            if param is not None:
                destination[prefix + name] = param if keep_vars else param.detach()
        for name, buffer in self._buffers.items():
            if buffer is not None and name not in self._non_persistent_buffers_set:
                destination[prefix + name] = buffer if keep_vars else buffer.detach()
        if type(self).get_extra_state is not Stateful.get_extra_state:
            destination[prefix + EXTRA] = self.get_extra_state()

    def get_extra_state(self) -> Any:
        """What a module wants saved beside its tensors: to be overridden."""
        raise RuntimeError(
            f"{type(self).__name__} does not override get_extra_state(), so it has no extra state"
        )

    def set_extra_state(self, state: Any) -> None:
        """Take back what ``get_extra_state`` gave: to be overridden with it."""
        raise RuntimeError(
            f"{type(self).__name__} does not override set_extra_state(), but its state_dict has "
            "an extra state"
        )

    # -- in -----------------------------------------------------------------------------------

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """Copy a dictionary as ``state_dict`` gives it into parameters and buffers.

        ``assign`` makes the given tensors the module's own instead. Raises ``RuntimeError`` that
        lists all that does not fit; names that miss or are unknown only with ``strict``, and
        gives those back otherwise. Raises ``TypeError`` for what is no mapping.

        >>> torch.nn.Linear(2, 1).load_state_dict(torch.nn.Linear(2, 1).state_dict())
        <All keys matched successfully>
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(
                f"Expected state_dict to be dict-like, got {type(state_dict).__name__}."
            )
        missing: list[str] = []
        unexpected: list[str] = []
        errors: list[str] = []
        given = OrderedDict(state_dict)
        metadata = getattr(state_dict, "_metadata", None)
        self._load(given, metadata, assign, "", missing, unexpected, errors)
        if strict:
            for kind, keys in (("Unexpected", unexpected), ("Missing", missing)):
                if keys:
                    listed = ", ".join(f'"{key}"' for key in keys)
                    errors.insert(0, f"{kind} key(s) in state_dict: {listed}. ")
        if errors:
            raise RuntimeError(
                f"Error(s) in loading state_dict for {type(self).__name__}:\n\t"
                + "\n\t".join(errors)
            )
        return _IncompatibleKeys(missing, unexpected)

    def _load(
        self,
        state: dict[str, Any],
        metadata: Any,
        assign: bool,
        prefix: str,
        missing: list[str],
        unexpected: list[str],
        errors: list[str],
    ) -> None:
        """Take the part of a state that is for this module, then those for the modules below."""
        local = {} if metadata is None else dict(metadata.get(prefix[:-1], {}))
        local["assign_to_params_buffers"] = assign
        self._load_from_state_dict(state, prefix, local, True, missing, unexpected, errors)
        for name, module in self._modules.items():
            if module is not None:
                below = f"{prefix}{name}."
                part = OrderedDict((key, state[key]) for key in state if key.startswith(below))
                module._load(part, metadata, assign, below, missing, unexpected, errors)
        table = self._hooks
        found = _IncompatibleKeys(missing, unexpected)
        for hook in [] if table is None else list(table.load_state_dict_post.values()):
            if hook.function(self, found) is not None:
                raise RuntimeError(
                    "a hook after load_state_dict changes the lists of keys in place and returns "
                    "nothing"
                )

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Take this module's own tensors out of a state; faults are added to the three lists."""
        notes = (missing_keys, unexpected_keys, error_msgs)
        table = self._hooks
        for hook in [] if table is None else list(table.load_state_dict_pre.values()):
            hook.function(self, state_dict, prefix, local_metadata, strict, *notes)
        persistent = {
            name: buffer
            for name, buffer in self._buffers.items()
            if name not in self._non_persistent_buffers_set
        }
        assign = bool(local_metadata.get("assign_to_params_buffers", False))
        for name, present in (*self._parameters.items(), *persistent.items()):
            if present is None:
                continue
            key = prefix + name
            if key in state_dict:
                fault = self._take(name, key, present, state_dict[key], assign)
                if fault:
                    error_msgs.append(fault)
            elif strict:
                missing_keys.append(key)
        self._take_extra(state_dict, prefix, strict, missing_keys, unexpected_keys)
        if strict:
            own = {**self._parameters, **persistent}
            unexpected_keys += [key for key in state_dict if self._is_unknown(key, prefix, own)]

    def _take_extra(
        self,
        state: dict[str, Any],
        prefix: str,
        strict: bool,
        missing: list[str],
        unexpected: list[str],
    ) -> None:
        key = prefix + EXTRA
        wanted = type(self).set_extra_state is not Stateful.set_extra_state
        if wanted and key in state:
            self.set_extra_state(state[key])
        elif strict and wanted:
            missing.append(key)
        elif strict and key in state:
            unexpected.append(key)

    def _is_unknown(self, key: str, prefix: str, own: dict[str, Any]) -> bool:
        """Whether nothing here or below can have a name that the state holds."""
        if not key.startswith(prefix) or key == prefix + EXTRA:
            return False
        first, dot, _ = key[len(prefix) :].partition(".")
        return first not in self._modules if dot else own.get(first) is None

    def _take(self, name: str, key: str, present: Any, given: Any, assign: bool) -> str | None:
        """Copy one tensor, or put it in the place of the present one; what was wrong, if any."""
        if not isinstance(given, Tensor):
            return (
                f'While copying the parameter named "{key}", expected a Tensor from the state_dict '
                f"but received {type(given).__name__}"
            )
        array = given._array
        if present._array.shape == () and array.shape == (1,):
            array = array.reshape(())  # as older programs saved single numbers
        if array.shape != present._array.shape:
            return (
                f"size mismatch for {key}: copying a param with shape {given.shape} from "
                f"checkpoint, the shape in current model is {present.shape}."
            )
        if assign:
            if isinstance(present, Parameter) and not isinstance(given, Parameter):
                given = Parameter(given, present.requires_grad)
            setattr(self, name, given)
        elif type(array) is np.ndarray:
            with no_grad():
                present.copy_(given.reshape(array.shape))
        return None

    # -- hooks --------------------------------------------------------------------------------

    def _own_hooks(self) -> hooks.ModuleHooks:
        own = self._hooks
        if own is None:
            own = self.__dict__["_hooks"] = hooks.ModuleHooks()
        return own

    def register_state_dict_pre_hook(self, hook: Any) -> RemovableHandle:
        """Call ``hook(module, prefix, keep_vars)`` before the module's state is taken."""
        return hooks.add(self._own_hooks().state_dict_pre, hook)

    def register_state_dict_post_hook(self, hook: Any) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, local_metadata)`` after; it changes in place."""
        return hooks.add(self._own_hooks().state_dict, hook)

    def register_load_state_dict_pre_hook(self, hook: Any) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, ...)`` before the module takes its part."""
        return hooks.add(self._own_hooks().load_state_dict_pre, hook)

    def register_load_state_dict_post_hook(self, hook: Any) -> RemovableHandle:
        """Call ``hook(module, incompatible_keys)`` after the module has taken its part."""
        return hooks.add(self._own_hooks().load_state_dict_post, hook)


__all__ = ["Stateful"]
