"""The state of an optimizer as a dict that can be saved, and back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from adjoint import dtypes
from adjoint.tape.tensor import Tensor

Group = dict[str, Any]


def pack(state: dict[Any, Any], groups: list[Group]) -> dict[str, Any]:
    """State and options with numbers, counted through all groups, in the place of parameters."""
    number: dict[int, int] = {}
    count = 0
    packed_groups = []
    for group in groups:
        params = group["params"]
        for place, param in enumerate(params, count):
            number.setdefault(id(param), place)
        count += len(params)
        packed = {key: value for key, value in group.items() if key != "params"}
        packed["params"] = [number[id(param)] for param in params]
        packed_groups.append(packed)
    packed_state = {
        number[id(key)] if isinstance(key, Tensor) else key: value for key, value in state.items()
    }
    return {"state": packed_state, "param_groups": packed_groups}


def unpack(saved: dict[str, Any], groups: list[Group]) -> tuple[defaultdict[Any, Any], list[Group]]:
    """State and groups from what ``pack`` gave, for the parameters of ``groups`` in their order.

    Floating state takes the type of its parameter, but for the count of steps. Raises
    ``ValueError`` where the groups do not match.
    """
    saved_groups = deepcopy(saved["param_groups"])
    sizes = [len(group["params"]) for group in groups]
    saved_sizes = [len(group["params"]) for group in saved_groups]
    if sizes != saved_sizes:
        raise ValueError(
            f"the loaded state dict has parameter groups of {saved_sizes} parameters, and the "
            f"optimizer of {sizes}; they must match"
        )
    params: dict[int, Any] = {}
    for group, saved_group in zip(groups, saved_groups, strict=True):
        params.update(zip(saved_group["params"], group["params"], strict=True))
        saved_group["params"] = group["params"]
        if "param_names" in group:
            saved_group.setdefault("param_names", group["param_names"])
    # A step that PyTorch keeps on an accelerator is a float32 of its own.
    widened = {
        place
        for group in saved["param_groups"]
        if group.get("fused") or group.get("capturable")
        for place in group["params"]
    }
    state: defaultdict[Any, Any] = defaultdict(dict)
    for key, value in saved["state"].items():
        if key in params:
            state[params[key]] = _fit(value, params[key], key in widened)
        else:
            state[key] = value
    return state, saved_groups


def _fit(value: Any, param: Any, widened: bool, key: Any = None) -> Any:
    """Saved state in which tensors have the type of their parameter."""
    if isinstance(value, Tensor):
        if key == "step":
            return value.to(dtypes.float32) if widened else value
        return value.to(dtypes.of(param)) if dtypes.of(param).is_floating_point else value
    if isinstance(value, dict):
        return {name: _fit(item, param, widened, name) for name, item in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return type(value)([_fit(item, param, widened) for item in value])  # type: ignore[call-arg]
    return value
