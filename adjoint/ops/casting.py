"""Casts between element types, and the parts of complex numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.ops.kinds.elementwise import elementwise
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.row import Row
from adjoint.ops.kinds.rules import Fact
from adjoint.tape import engine


def _cast(x: Any, kind: dtypes.dtype) -> Any:
    if kind.category != dtypes.COMPLEX and x.dtype.kind == "c":
        x = x.real
    if kind is dtypes.bool_:
        return x != 0
    return x.astype(kind.numpy)


def _infer_cast(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
    return tuple(inputs[0].shape), options[0]


# The gradient is cast back by the engine, as every gradient is that has another type.
to_dtype = define(
    "to_dtype",
    "linear",
    _cast,
    options="dtype",
    x=lambda g: g,
    jvp="linear",
    infer=_infer_cast,
    low_precision=False,
    conjugate=False,
    node_name="ToCopyBackward0",
)
real = define(
    "real", "linear", np.real, x=lambda g: g, jvp="linear", conjugate=False, low_precision=False
)
conj = elementwise(
    "conj", np.conjugate, promote="same", in_place=False, low_precision=False, conjugate=False,
    x=lambda g: conj(g),
)  # fmt: skip

engine.rows.to_dtype = to_dtype
engine.rows.real = real
engine.rows.conj = conj
