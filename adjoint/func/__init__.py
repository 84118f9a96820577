"""``torch.func``: transformations of functions. They nest in any order."""

from adjoint.func.forward import jvp, linearize
from adjoint.func.gradients import grad, grad_and_value, vjp
from adjoint.func.jacobians import hessian, jacfwd, jacrev
from adjoint.func.looking import debug_unwrap, functionalize
from adjoint.func.mapping import vmap
from adjoint.func.modules import (
    functional_call,
    replace_all_batch_norm_modules_,
    stack_module_state,
)
from adjoint.func.rearranging import rearrange

__all__ = [
    "debug_unwrap",
    "functional_call",
    "functionalize",
    "grad",
    "grad_and_value",
    "hessian",
    "jacfwd",
    "jacrev",
    "jvp",
    "linearize",
    "rearrange",
    "replace_all_batch_norm_modules_",
    "stack_module_state",
    "vjp",
    "vmap",
]
