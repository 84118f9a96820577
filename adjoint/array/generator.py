"""Random numbers on NumPy arrays: for the same seed the numbers of PyTorch 2.13's CPU generator.

Every function takes the ``Generator`` first. Integers, uniform and Bernoulli numbers and
permutations agree with PyTorch to the bit; normal numbers, and what else goes through a
logarithm or a tangent, within 2 units in the last place. The state after a call is PyTorch's
too, so that any mixture of calls stays in step, and states may be exchanged as bytes.

PyTorch fuses multiplications and additions on processors that can (x86 with AVX2, as those of
the last ten years): that is what is reproduced, on every machine.
"""

from __future__ import annotations

from adjoint.array.random_engine import Generator, default_generator
from adjoint.array.random_integers import integers, random_, random_uint32, random_uint64
from adjoint.array.random_normal import log_normal, normal
from adjoint.array.random_order import memory_order, store
from adjoint.array.random_permutation import permutation
from adjoint.array.random_sampling import cauchy, exponential, geometric, multinomial
from adjoint.array.random_uniform import bernoulli, bernoulli_scalar, uniform

__all__ = [
    "Generator",
    "bernoulli",
    "bernoulli_scalar",
    "cauchy",
    "default_generator",
    "exponential",
    "geometric",
    "integers",
    "log_normal",
    "memory_order",
    "multinomial",
    "normal",
    "permutation",
    "random_",
    "random_uint32",
    "random_uint64",
    "store",
    "uniform",
]
