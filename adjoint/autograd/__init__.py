"""``torch.autograd``'s public face."""

from adjoint.tape.backward import backward, grad
from adjoint.tape.modes import enable_grad, inference_mode, no_grad, set_grad_enabled

__all__ = ["backward", "enable_grad", "grad", "inference_mode", "no_grad", "set_grad_enabled"]
