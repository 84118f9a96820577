"""Complex numbers: their parts, conjugates, absolute values and angles, and how they are made.

None of these functions is holomorphic, so each writes PyTorch's convention out: the gradient is
the direction in the plane in which the real result grows fastest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.ops.casting import conj
from adjoint.ops.kinds.elementwise import elementwise
from adjoint.ops.kinds.formulas import zero
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import public, publish
from adjoint.ops.kinds.rules import infer_elementwise
from adjoint.ops.kinds.viewing import viewing
from adjoint.ops.selection import where_row
from adjoint.ops.trigonometric import cos, sin
from adjoint.shapes import broadcast_shapes
from adjoint.tape import engine


def is_complex(value: Any) -> bool:
    """Whether a value of any kind holds complex numbers."""
    return dtypes.of(value).category == dtypes.COMPLEX


# -- parts --------------------------------------------------------------------------------------

# In PyTorch these are the two places of the last dimension of ``view_as_real``.
real_row = viewing("real", lambda x: x.real, lambda g: g, node_name="SelectBackward0")
imag_row = viewing("imag", lambda x: x.imag, lambda g: g * 1j, node_name="SelectBackward0")
engine.rows.real = real_row


@public(method=False)
def real(input: Any) -> Any:
    """The real part, which shares the memory; a real tensor is its own.

    >>> import adjoint as torch
    >>> torch.real(torch.tensor([1 + 2j, 3 - 1j]))
    tensor([1., 3.])
    """
    return real_row(input) if is_complex(input) else input


@public(method=False)
def imag(input: Any) -> Any:
    """The imaginary part, which shares the memory; ``RuntimeError`` for a real tensor.

    >>> import adjoint as torch
    >>> torch.imag(torch.tensor([1 + 2j, 3 - 1j]))
    tensor([ 2., -1.])
    """
    if not is_complex(input):
        raise RuntimeError(
            "imag is not implemented for tensors with non-complex dtypes: "
            f"this is {dtypes.of(input)!r}"
        )
    return imag_row(input)


def _pairs(x: Any) -> Any:
    return x[..., None].view(x.real.dtype)


def _from_pairs(x: Any) -> Any:
    """A view, or a copy of pairs that are not adjacent: those in a batch, or standing for some."""
    if x.strides[-1] != x.itemsize:
        x = np.ascontiguousarray(x)
    return x.view(dtypes.from_numpy(x.dtype).to_complex().numpy)[..., 0]


view_as_real_row = viewing(
    "view_as_real", _pairs, lambda g: view_as_complex_row(g), node_name="ViewAsRealBackward0"
)
view_as_complex_row: Callable[..., Any] = viewing(
    "view_as_complex", _from_pairs, lambda g: view_as_real_row(g), sometimes=True
)


@public(method=False)
def view_as_real(input: Any) -> Any:
    """A complex tensor's memory as pairs of real numbers, in a last dimension of size 2.

    Raises ``RuntimeError`` for a real tensor.

    >>> import adjoint as torch
    >>> torch.view_as_real(torch.tensor([1 + 2j]))
    tensor([[1., 2.]])
    """
    if not is_complex(input):
        raise RuntimeError(
            f"view_as_real is only supported for complex tensors, but this is {dtypes.of(input)!r}"
        )
    return view_as_real_row(input)


@public(method=False)
def view_as_complex(input: Any) -> Any:
    """Pairs of float32 or float64 numbers, in a last dimension of size 2, as complex numbers.

    Shares the memory. Raises ``RuntimeError`` for other types and sizes, and where the two of a
    pair are not side by side.

    >>> import adjoint as torch
    >>> torch.view_as_complex(torch.tensor([[1.0, 2.0]]))
    tensor([1.+2.j])
    """
    kind = dtypes.of(input)
    if kind not in (dtypes.float32, dtypes.float64):
        raise RuntimeError(
            f"view_as_complex is only supported for float and double tensors, but got {kind!r}"
        )
    if not len(input.shape) or input.shape[-1] != 2:
        raise RuntimeError(
            f"Tensor must have a last dimension of size 2, but its shape is {list(input.shape)}"
        )
    array = getattr(input, "_array", input)
    if isinstance(array, np.ndarray) and array.size and array.strides[-1] != array.itemsize:
        raise RuntimeError(
            "Tensor must have a last dimension with stride 1; use contiguous() first"
        )
    return view_as_complex_row(input)


def _set_real(tensor: Any, value: Any) -> None:
    tensor.real[...] = value


def _set_imag(tensor: Any, value: Any) -> None:
    tensor.imag[...] = value


publish("real", property(real, _set_real), namespaces=())  # type: ignore[arg-type]
publish("imag", property(imag, _set_imag), namespaces=())  # type: ignore[arg-type]

# -- conjugates ---------------------------------------------------------------------------------


@public(name="conj")
def conj_function(input: Any) -> Any:
    """The complex conjugate; a real tensor is its own.

    >>> import adjoint as torch
    >>> torch.conj(torch.tensor([1 + 2j, 3 - 1j]))
    tensor([1.-2.j, 3.+1.j])
    """
    return conj(input) if is_complex(input) else input


conj_physical_row: Callable[..., Any] = elementwise(
    "conj_physical", np.conjugate, promote="same", namespaces=None, conjugate=False,
    x=lambda g: conj_physical_row(g),
)  # fmt: skip


@public(in_place=True, out="exact")
def conj_physical(input: Any) -> Any:
    """The complex conjugate; a real tensor is its own.

    >>> import adjoint as torch
    >>> torch.conj_physical(torch.tensor([1 + 2j]))
    tensor([1.-2.j])
    """
    return conj_physical_row(input) if is_complex(input) else input


def _check_tensor(name: str, value: Any) -> None:
    if not hasattr(value, "dtype"):
        raise TypeError(f"{name}(): argument 'input' must be Tensor, not {value!r}")


@public()
def resolve_conj(input: Any) -> Any:
    """The tensor itself: conjugation is carried out at once here, never put off.

    >>> import adjoint as torch
    >>> torch.resolve_conj(torch.tensor([1 + 2j]).conj())
    tensor([1.-2.j])
    """
    _check_tensor("resolve_conj", input)
    return input


@public()
def resolve_neg(input: Any) -> Any:
    """The tensor itself: negation is carried out at once here, never put off.

    >>> import adjoint as torch
    >>> torch.resolve_neg(torch.tensor([1 + 2j]).imag)
    tensor([2.])
    """
    _check_tensor("resolve_neg", input)
    return input


# -- absolute values and angles -----------------------------------------------------------------


def _sgn(x: Any) -> Any:
    if x.dtype.kind == "c":
        size = np.abs(x)
        return np.divide(x, size, out=np.zeros_like(x), where=size != 0)
    if x.dtype.kind == "f":
        return np.subtract(x > 0, x < 0, dtype=x.dtype)  # of NaN 0, where np.sign has NaN
    return np.sign(x) if x.dtype.kind != "b" else x.copy()


def _sgn_slope(g: Any, x: Any, out: Any) -> Any:
    """Only the part of ``g`` across the direction of ``x`` turns it; the same for a tangent."""
    if not is_complex(out):
        return zero(g)
    size = abs(x)
    return where_row(size == 0, zero(g), (g - out * real(conj(out) * g)) / size)


sgn = elementwise(
    "sgn", _sgn, promote="same", out="exact", conjugate=False,
    x=lambda g, x, out: _sgn_slope(g, x, out),
    doc="""The direction of each element: ``x / abs(x)``, and 0 for 0; of real ones the sign.

    >>> import adjoint as torch
    >>> torch.sgn(torch.tensor([3 + 4j, 0j]))
    tensor([0.6000+0.8000j, 0.0000+0.0000j])
    """,
)  # fmt: skip
abs = elementwise(
    "abs", np.abs, promote="same", out="exact", supports="ifc", conjugate=False,
    aliases=("absolute",),
    x=lambda g, x: g * sgn(x),
    jvp=lambda x, x_t: real(conj_function(sgn(x)) * x_t),
    doc="""The absolute value of each element, of complex ones a real number.

    >>> import adjoint as torch
    >>> torch.abs(torch.tensor([-1.5, 2.0]))
    tensor([1.5000, 2.0000])
    """,
)  # fmt: skip


def _angle(x: Any) -> Any:
    if x.dtype.kind == "c":
        return np.angle(x)
    return np.where(x < 0, x.dtype.type(np.pi), np.where(x != x, x, x.dtype.type(0)))


def _angle_slope(g: Any, x: Any) -> Any:
    if not is_complex(x):
        return zero(g)
    size = abs(x)
    return where_row(size == 0, zero(x), g * (x * 1j) / (size * size))


def _angle_moves(x: Any, x_t: Any) -> Any:
    if not is_complex(x):
        return zero(x_t)
    size = abs(x)
    return where_row(size == 0, zero(size), imag(conj(x) * x_t) / (size * size))


angle = elementwise(
    "angle", _angle, conjugate=False, in_place=False,
    x=lambda g, x: _angle_slope(g, x),
    jvp=lambda x, x_t: _angle_moves(x, x_t),
    doc="""The angle of each element in the plane: of negative numbers pi, of positive ones 0.

    >>> import adjoint as torch
    >>> torch.angle(torch.tensor([1 + 1j, -1 + 0j]))
    tensor([0.7854, 3.1416])
    """,
)  # fmt: skip

# -- complex numbers from real ones -------------------------------------------------------------


def _complex(x: Any, y: Any) -> Any:
    out = np.empty(np.broadcast_shapes(x.shape, y.shape), np.result_type(x, np.complex64))
    out.real, out.imag = x, y
    return out


def _polar(x: Any, y: Any) -> Any:
    return _complex(x * np.cos(y), x * np.sin(y))


def _turn(y: Any) -> Any:
    """The number of size 1 at an angle."""
    return complex_row(cos(y), sin(y))


complex_row: Callable[..., Any] = define(
    "complex", "elementwise", _complex, inputs="x y", batch="elementwise",
    infer=infer_elementwise, conjugate=False, low_precision=False,
    x=lambda g: real(g),
    y=lambda g: imag(g),
    jvp=lambda x_t, y_t: complex_row(x_t, y_t),
)  # fmt: skip
polar_row = define(
    "polar", "elementwise", _polar, inputs="x y", batch="elementwise",
    infer=infer_elementwise, conjugate=False, low_precision=False,
    x=lambda g, y: real(conj(_turn(y)) * g),
    y=lambda g, out: real(conj(out * 1j) * g),
    jvp=lambda x_t, y_t, y, out: _turn(y) * x_t + out * 1j * y_t, saved="y=",
)  # fmt: skip


def _check_parts(name: str, first: Any, second: Any) -> None:
    for value in (first, second):
        if not hasattr(value, "dtype"):
            raise TypeError(f"{name}(): arguments must be Tensor, not {value!r}")
    broadcast_shapes(tuple(first.shape), tuple(second.shape))
    kinds = dtypes.of(first), dtypes.of(second)
    if kinds[0] is not kinds[1]:
        raise RuntimeError(
            f"{name}: both inputs have one type, but they are {kinds[0]!r} and {kinds[1]!r}"
        )
    if kinds[0] not in (dtypes.float32, dtypes.float64):
        raise RuntimeError(
            f"{name}: expected both inputs to be Float or Double tensors, not {kinds[0]!r}"
        )


@public(method=False, out="exact")
def complex(real: Any, imag: Any) -> Any:
    """Complex numbers of their real and imaginary parts, both float32 or both float64.

    Raises ``RuntimeError`` for other types.

    >>> import adjoint as torch
    >>> torch.complex(torch.tensor([1.0, 2.0]), torch.tensor([0.5, -1.0]))
    tensor([1.+0.5000j, 2.-1.0000j])
    """
    _check_parts("complex", real, imag)
    return complex_row(real, imag)


@public(method=False, out="exact")
def polar(abs: Any, angle: Any) -> Any:
    """Complex numbers of their absolute values and angles, both float32 or both float64.

    Raises ``RuntimeError`` for other types.

    >>> import adjoint as torch
    >>> torch.polar(torch.tensor([2.0]), torch.tensor([0.0]))
    tensor([2.+0.j])
    """
    _check_parts("polar", abs, angle)
    return polar_row(abs, angle)
