"""``torch.autograd``'s public face."""

import importlib
from typing import Any

# Not late: loading the module of that name later would put it in the function's place.
from adjoint.autograd.gradcheck import gradcheck, gradgradcheck
from adjoint.tape.backward import backward, grad
from adjoint.tape.modes import enable_grad, inference_mode, no_grad, set_grad_enabled

__all__ = [
    "Function",
    "NestedIOFunction",
    "Variable",
    "anomaly_mode",
    "backward",
    "custom",
    "detect_anomaly",
    "enable_grad",
    "enforce_grad_layout_policy",
    "forward_ad",
    "function",
    "functional",
    "grad",
    "grad_mode",
    "gradcheck",
    "gradgradcheck",
    "graph",
    "inference_mode",
    "is_multithreading_enabled",
    "no_grad",
    "profiler",
    "set_detect_anomaly",
    "set_grad_enabled",
    "set_multithreading_enabled",
    "variable",
]

# Modules that are loaded when first asked for, and names that live in one of them.
_LAZY = frozenset(
    (
        "anomaly_mode", "forward_ad", "function", "functional", "grad_mode", "graph", "profiler",
        "variable",
    )
)  # fmt: skip
_HOMES = {
    "Function": "function",
    "NestedIOFunction": "function",
    "Variable": "variable",
    "custom": "custom_rules",
    "detect_anomaly": "anomaly_mode",
    "enforce_grad_layout_policy": "grad_mode",
    "is_multithreading_enabled": "grad_mode",
    "set_detect_anomaly": "anomaly_mode",
    "set_multithreading_enabled": "grad_mode",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _HOMES:
        found = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = found
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY, *_HOMES})
