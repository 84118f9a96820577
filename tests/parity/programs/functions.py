"""Functions in programs, and the transformations that are applied to them.

Left out, because PyTorch refuses what it could do: operations without a forward derivative or a
batching rule there.
"""

from __future__ import annotations

import re

# ``{f}`` is a function of tensors ``{args}``, ``{s}`` its sum as a scalar, ``{ones}`` tangents like
# the arguments, ``{first}`` the first argument.
SINGLE = """
own({f}({args}))
own(torch.func.grad({s})({args}))
own(torch.func.jacrev({f})({args}))
own(torch.func.jacfwd({f})({args}))
own(torch.func.hessian({s})({args}))
own(torch.func.jacrev(torch.func.jacrev({s}))({args}))
own(torch.func.jacfwd(torch.func.jacfwd({s}))({args}))
own(torch.func.grad(lambda *args: torch.func.grad({s})(*args).sum())({args}))
own(torch.func.jvp({f}, ({args},), ({ones},))[1])
own(torch.func.jvp(torch.func.grad({s}), ({args},), ({ones},))[1])
own(torch.func.grad(lambda *args: torch.func.jvp({s}, args, ({ones},))[1])({args}))
own(torch.func.vjp({s}, {args})[1](torch.tensor(0.5, dtype=torch.float64))[0])
own(torch.func.linearize({f}, {args})[1]({ones}))
own(torch.utils.checkpoint.checkpoint({f}, {args}, use_reentrant=False))
own(torch.utils.checkpoint.checkpoint({f}, {args}, use_reentrant=True))
own(torch.func.functionalize({f})({args}))
""".strip().splitlines()
SEVERAL = """
map(own, torch.func.grad_and_value({s})({args}))
map(own, torch.func.grad({s}, tuple(range(len(({args},)))))({args}))
map(own, torch.func.jvp({f}, ({args},), ({ones},)))
map(own, torch.func.jacrev({f}, tuple(range(len(({args},)))))({args}))
map(own, torch.autograd.functional.jacobian({f}, ({args},)))
map(own, torch.autograd.functional.jacobian({f}, ({args},), create_graph=True))
map(own, torch.autograd.functional.jacobian({f}, ({args},), vectorize=True))
map(own, torch.autograd.functional.vjp({s}, ({args},))[1])
map(own, torch.autograd.functional.jvp({f}, ({args},), ({ones},)))
map(own, torch.autograd.functional.hvp({s}, ({args},), ({ones},))[1])
map(own, torch.autograd.functional.vhp({s}, ({args},), ({ones},))[1])
map(own, torch.autograd.functional.hessian({s}, ({args},))[0])
""".strip().splitlines()
BATCHED = """
own(torch.func.vmap({f})({args}))
own(torch.func.vmap(torch.func.grad({s}))({args}))
own(torch.func.vmap({f}, in_dims=(0,) + (None,) * (len(({args},)) - 1))({args}))
own(torch.func.vmap({f}, out_dims=-1)({args}))
own(torch.func.vmap({f}, chunk_size=1)({args}))
own(torch.func.vmap(torch.func.jacrev({f}))({args}))
own(torch.func.vmap(torch.func.jacfwd({f}))({args}))
own(torch.func.grad(lambda *args: torch.func.vmap({s})(*args).sum())({args}))
own(torch.func.jvp(torch.func.vmap({f}), ({args},), ({ones},))[1])
own(torch.func.vmap(lambda *args: torch.func.jvp({f}, args, args)[1])({args}))
own(torch.func.vmap(torch.func.hessian({s}))({args}))
""".strip().splitlines()

# What a statement inside a function may not say: its value decides on a shape.
OUTSIDE_VMAP = ("4567]", "out=", ".take(", "numpy")
REFUSED = re.compile(
    r"(does|do) not support|not implemented|[Bb]atching rule|vmap: It looks like|"
    r"not currently supported|we do not yet support|data-dependent|derivative for",
)


def is_refused(error: Exception) -> bool:
    """Whether PyTorch says that it has no rule."""
    return bool(REFUSED.search(str(error)))


def definition(name: str, parameters: list[str], body: list[str], out: str, real: str) -> str:
    """The source of a function, and of its sum as a real scalar."""
    lines = [f"def {name}({', '.join(parameters)}):"]
    lines += ["    " + line for statement in body for line in statement.splitlines()]
    lines += [f"    return {out}"]
    call = f"{name}({', '.join(parameters)})"
    lines += [f"def {name}_sum({', '.join(parameters)}):", f"    return {call}{real}.sum()"]
    return "\n".join(lines)


def use_of(text: str, name: str, arguments: tuple[str, ...]) -> str:
    """A transformation's text for a function and its arguments."""
    return text.format(
        f=name,
        s=f"{name}_sum",
        args=", ".join(arguments),
        ones=", ".join(f"torch.ones_like({each})" for each in arguments),
        first=arguments[0],
    )
