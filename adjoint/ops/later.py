"""Methods of tensors whose families are loaded when one of them is first called.

Matrices are factored by few programs, and ``import adjoint`` does not wait for their rows. What
stands here in the place of such a method loads ``adjoint.ops.networks``, which puts the real ones
onto the class, and goes on with it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from adjoint.ops.inplace import in_place
from adjoint.ops.kinds.public import PUBLIC, publish
from adjoint.tape.tensor import Tensor

METHODS = (
    "cholesky", "cross", "det", "inverse", "logdet", "matrix_power", "pinverse", "qr", "slogdet",
    "svd",
)  # fmt: skip


def _later(name: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **named: Any) -> Any:
        importlib.import_module("adjoint.ops.networks")
        return getattr(self, name)(*args, **named)

    method.__name__ = method.__qualname__ = name
    return method


WAITING = {name: _later(name) for name in METHODS}
for _name, _method in WAITING.items():
    publish(_name, _method, namespaces=())


def arrive() -> None:
    """Put the methods of the families that are loaded now in the place of those that waited."""
    PUBLIC[:] = [each for each in PUBLIC if WAITING.get(each.name) is not each.function]
    for each in PUBLIC:
        if each.method and each.name in WAITING:
            setattr(Tensor, each.name, each.function)
        if each.in_place and each.name + "_" in WAITING:
            setattr(Tensor, each.name + "_", in_place(each.function, each.name + "_"))
