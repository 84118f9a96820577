"""The handle that every ``register_..._hook`` returns, under PyTorch's name for its place."""

from adjoint.tape.handles import RemovableHandle

__all__ = ["RemovableHandle"]
