"""Random counts: Poisson numbers, to the bit those of PyTorch's CPU generator for the same seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adjoint import dtypes
from adjoint.array.random_engine import Generator
from adjoint.lazy import LazyModule
from adjoint.ops.kinds.public import public
from adjoint.ops.kinds.random import batch_distributed, define_random, read_generator
from adjoint.ops.likes import require_tensor

if TYPE_CHECKING:
    from adjoint.array import random_poisson as draws
else:
    draws = LazyModule("adjoint.array.random_poisson")

poisson_row = define_random(
    "poisson",
    lambda x, _, generator: draws.poisson(generator, x),
    inputs="x", options="", batch=batch_distributed, node_name="PoissonBackward0",
    infer=lambda row, inputs, options: (tuple(inputs[0].shape), dtypes.of(inputs[0])),
)  # fmt: skip


@public(method=False)
def poisson(input: Any, generator: Generator | None = None) -> Any:
    """A random count for each rate in ``input``, in its shape and type; gradients are zero.

    Raises ``RuntimeError`` for a negative rate, ``NotImplementedError`` where ``input`` is not
    floating.

    >>> _ = torch.manual_seed(0)
    >>> torch.poisson(torch.tensor([3.0, 3.0, 30.0]))
    tensor([ 6.,  3., 24.])
    """
    require_tensor("poisson", input)
    kind = dtypes.of(input)
    if kind.category != dtypes.FLOATING:
        raise NotImplementedError(f"poisson is not implemented for {kind!r}; convert with .float()")
    return poisson_row(input, generator=read_generator("poisson", generator))
