"""Functions of networks: activations, losses, layers without parameters of their own.

They are the table's operations in PyTorch's namespace ``torch.nn.functional``.
"""

from __future__ import annotations

from typing import Any

from adjoint.ops import networks as _networks  # noqa: F401 - whose names are read off the table
from adjoint.ops.kinds.public import namespace as _namespace

_FUNCTIONS = _namespace("nn.functional")


def __getattr__(name: str) -> Any:
    raise AttributeError(f"module 'adjoint.nn.functional' has no attribute {name!r}")


globals().update(_FUNCTIONS)
__all__ = sorted(_FUNCTIONS)  # noqa: PLE0605 - what is public is read off the table
