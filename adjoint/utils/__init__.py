"""What serves training without being part of a model, as ``torch.utils``."""

from adjoint.utils import data, hooks

__all__ = ["data", "hooks"]
