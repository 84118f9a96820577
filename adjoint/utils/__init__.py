"""What serves training without being part of a model, as ``torch.utils``."""

import importlib
from typing import Any

from adjoint.face.owning import swap_tensors
from adjoint.utils import data, hooks

__all__ = ["checkpoint", "data", "hooks", "swap_tensors"]


def __getattr__(name: str) -> Any:
    if name == "checkpoint":
        return importlib.import_module("adjoint.utils.checkpoint")
    raise AttributeError(f"module 'adjoint.utils' has no attribute {name!r}")
