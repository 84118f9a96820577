"""Functions in programs, and the transformations that are applied to them.

Left out: operations without a forward derivative or a batching rule in PyTorch; arguments and
results without elements, which its ``jacobian`` cannot stack, and complex results in
``torch.autograd.functional``; ``functionalize``, which lets writes to one of several views be; and
writes to arguments where transforms are nested or an argument is recorded outside (``COPIED``):
PyTorch then writes as often as its transforms happen to run the function, refuses it inside
``vmap``, or not. Where a write spoils what PyTorch has saved at one of the levels, it refuses;
Adjoint's transforms write to no memory before they end, and nothing is spoiled. ``linearize`` runs
the function on stand-ins in PyTorch, and writes to those. Forward derivatives of
``y.addcmul_(y, y)`` and its like are computed from values that it has overwritten: writes inside
functions take others' memory.

Whether a derivative requires a gradient itself depends on how its formula is written where it is
constant (that of ``relu``): so results are taken ``plain``, or differentiated by ``outer``.
"""

from __future__ import annotations

import re

# ``{f}`` is a function of tensors ``{args}``, ``{s}`` its sum as a scalar, ``{ones}`` tangents like
# the arguments, ``{first}`` the first argument.
SINGLE = """
own({f}({args}))
plain(torch.func.grad({s})({args}))
plain(torch.func.jacrev({f})({args}))
plain(torch.func.jacfwd({f})({args}))
plain(torch.func.hessian({s})({args}))
plain(torch.func.jacrev(torch.func.jacrev({s}))({args}))
plain(torch.func.jacfwd(torch.func.jacfwd({s}))({args}))
plain(torch.func.grad(lambda *args: torch.func.grad({s})(*args).sum())({args}))
plain(torch.func.jvp({f}, ({args},), ({ones},))[1])
plain(torch.func.jvp(torch.func.grad({s}), ({args},), ({ones},))[1])
plain(torch.func.grad(lambda *args: torch.func.jvp({s}, args, ({ones},))[1])({args}))
plain(torch.func.vjp({s}, {args})[1](torch.tensor(0.5, dtype=torch.float64))[0])
plain(torch.func.linearize({f}, {args})[1]({ones}))
outer(torch.func.grad({s})({args}), {first})
outer(torch.func.jacrev({f})({args}), {first})
outer(torch.func.jvp({f}, ({args},), ({ones},))[1], {first})
outer(torch.func.vjp({f}, {args})[0], {first})
outer(torch.func.hessian({s})({args}), {first})
own(torch.utils.checkpoint.checkpoint({f}, {args}, use_reentrant=False))
own(torch.utils.checkpoint.checkpoint({f}, {args}, use_reentrant=True))
""".strip().splitlines()
SEVERAL = """
map(plain, torch.func.grad_and_value({s})({args}))
map(plain, torch.func.grad({s}, tuple(range(len(({args},)))))({args}))
map(plain, torch.func.jvp({f}, ({args},), ({ones},)))
map(plain, torch.func.jacrev({f}, tuple(range(len(({args},)))))({args}))
map(plain, torch.autograd.functional.jacobian({f}, ({args},)))
map(plain, torch.autograd.functional.jacobian({f}, ({args},), create_graph=True))
map(plain, torch.autograd.functional.jacobian({f}, ({args},), vectorize=True))
map(plain, torch.autograd.functional.vjp({s}, ({args},))[1])
map(plain, torch.autograd.functional.jvp({f}, ({args},), ({ones},)))
map(plain, torch.autograd.functional.hvp({s}, ({args},), ({ones},))[1])
map(plain, torch.autograd.functional.vhp({s}, ({args},), ({ones},))[1])
map(plain, torch.autograd.functional.hessian({s}, ({args},))[0])
""".strip().splitlines()
BATCHED = """
plain(torch.func.vmap({f})({args}))
plain(torch.func.vmap(torch.func.grad({s}))({args}))
plain(torch.func.vmap({f}, in_dims=(0,) + (None,) * (len(({args},)) - 1))({args}))
plain(torch.func.vmap({f}, out_dims=-1)({args}))
plain(torch.func.vmap({f}, chunk_size=1)({args}))
plain(torch.func.vmap(torch.func.jacrev({f}))({args}))
plain(torch.func.vmap(torch.func.jacfwd({f}))({args}))
plain(torch.func.grad(lambda *args: torch.func.vmap({s})(*args).sum())({args}))
plain(torch.func.jvp(torch.func.vmap({f}), ({args},), ({ones},))[1])
plain(torch.func.vmap(lambda *args: torch.func.jvp({f}, args, args)[1])({args}))
plain(torch.func.vmap(torch.func.hessian({s}))({args}))
outer(torch.func.vmap({f})({args}), {first})
outer(torch.func.vmap(torch.func.grad({s}))({args}), {first})
""".strip().splitlines()

# What a statement inside a function may not say: its value decides on a shape.
OUTSIDE_VMAP = ("4567]", "out=", ".take(", ".data")
# Where a function's arguments are copied at its head.
COPIED = re.compile(
    r"hessian|jac|lambda|linearize|vmap\(torch|jvp\(torch|functional|checkpoint|outer"
)
REFUSED = re.compile(
    r"(does|do) not support|not implemented|[Bb]atching rule|vmap: It looks like|"
    r"not currently supported|we do not yet support|data-dependent|derivative for|"
    r"modified by an inplace|single memory location|is not possible because there exists|"
    r"output of a function that returns multiple views|"
    r"ZeroTensors are immutable",
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
