"""What serves training without being part of a model, as ``torch.utils``."""

from adjoint.face.owning import swap_tensors
from adjoint.utils import checkpoint, data, hooks

__all__ = ["checkpoint", "data", "hooks", "swap_tensors"]
