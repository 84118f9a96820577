"""``torch.func``: transformations of functions. They nest in any order."""

from adjoint.func.transforms import grad, grad_and_value, jvp, vjp, vmap

__all__ = ["grad", "grad_and_value", "jvp", "vjp", "vmap"]
