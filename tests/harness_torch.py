"""The calls of ``tests/harness.py`` on PyTorch: for the parity suite and the references."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import adjoint
from adjoint import dtypes
from adjoint.tape.tensor import wrap
from tests.harness import Call, as_array, dtype_name, forward, is_floating, parts, resolve
from tests.harness_checks import close
from tests.samples.case import numpy_type

torch = pytest.importorskip("torch", reason="the parity suite compares with PyTorch: install torch")


def to_torch(array: np.ndarray) -> Any:
    """A tensor of an array's values and strides; bfloat16 travels as integers of its size."""
    if array.dtype.name == "bfloat16":
        return torch.tensor(array.view(np.uint16)).view(torch.bfloat16)
    if 0 in array.strides:
        once = tuple(slice(0, 1) if stride == 0 else slice(None) for stride in array.strides)
        return torch.tensor(array[once]).expand(array.shape)
    if array.flags.c_contiguous or min(array.strides) < 0 or not array.flags.writeable:
        return torch.tensor(array)
    return torch.from_numpy(array)


def from_torch(value: Any) -> np.ndarray:
    """The memory of a tensor, or any other value, as an array."""
    if not isinstance(value, torch.Tensor):
        return as_array(value)
    value = value.detach().resolve_conj().resolve_neg()
    if value.dtype is torch.bfloat16:
        return value.contiguous().view(torch.uint16).numpy().view(numpy_type("bfloat16"))
    return np.asarray(value.numpy(force=True))


def translate(value: Any) -> Any:
    """Adjoint's element types and shapes as PyTorch's."""
    if isinstance(value, dtypes.dtype):
        return getattr(torch, value.name)
    return torch.Size(value) if isinstance(value, adjoint.Size) else value


def torch_forward(call: Call, leaves: Sequence[Any]) -> list[Any]:
    """What PyTorch's function returns on arrays or tensors."""
    if call.case.random:
        torch.manual_seed(call.number)
    tensors = [to_torch(each) if isinstance(each, np.ndarray) else each for each in leaves]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return parts_of(call.run(resolve(torch, call.case.function), tensors, translate))


def parts_of(result: Any) -> list[Any]:
    """As ``parts``, but a ``torch.Size`` stays whole."""
    return [tuple(result)] if isinstance(result, torch.Size) else parts(result)


def is_torch_floating(value: Any) -> bool:
    """Whether a result is a tensor of a floating or complex type."""
    return isinstance(value, torch.Tensor) and (
        value.dtype.is_floating_point or value.dtype.is_complex
    )


def torch_cotangents(call: Call, outs: Sequence[Any]) -> list[np.ndarray]:
    """The same cotangents as Adjoint's tests take."""
    return call.directions([from_torch(out) for out in outs], "cotangent")


# -- comparing ---------------------------------------------------------------------------------

# Relative to the largest element: a few units in the last place, and sums in another order.
ROUNDING = {
    "float64": 1e-11,
    "complex128": 1e-11,
    "float32": 1e-5,
    "complex64": 1e-5,
    "float16": 2e-3,
    "bfloat16": 1.6e-2,
}


def is_known(results: Sequence[Any]) -> bool:
    """Whether Adjoint has the element types of PyTorch's results (it has no complex halves)."""
    names = {each.name for each in dtypes.ALL}
    return all(dtype_name(each) in names for each in results if isinstance(each, torch.Tensor))


def outcome(run: Callable[[], Any]) -> Any:
    """What a call returns, or the exception that it raises."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return parts_of(run())
    except Exception as error:  # noqa: BLE001 - it is the outcome
        return error


def builtin_type(error: Exception) -> type:
    """The built-in exception type that an exception of PyTorch's own is a kind of."""
    return next(each for each in type(error).__mro__ if each.__module__ == "builtins")


def spell(result: Any) -> str:
    """An outcome in a few words."""
    if isinstance(result, Exception):
        first = str(result).strip().splitlines() or [""]
        return f"{type(result).__name__}({first[0]})"
    return ", ".join(
        f"{dtype_name(each)}{list(each.shape)}" if hasattr(each, "shape") else repr(each)
        for each in result
    )


def same_outcome(ours: Any, theirs: Any, call: Call) -> None:
    """Compare what a call returns in both libraries, or the types of the errors."""
    if isinstance(theirs, Exception):
        assert isinstance(ours, Exception), (
            f"PyTorch raises {spell(theirs)}, Adjoint returns {spell(ours)}"
        )
        if not isinstance(ours, builtin_type(theirs)):
            raise AssertionError(f"PyTorch raises {spell(theirs)}, Adjoint {spell(ours)}") from ours
        return
    if isinstance(ours, Exception):
        raise AssertionError(
            f"PyTorch returns {spell(theirs)}, Adjoint raises {spell(ours)}"
        ) from ours
    same_results(ours, theirs, call, "value")


def types_of(values: Sequence[Any]) -> list[str]:
    """The names of the element types of arrays or tensors."""
    return [dtype_name(each) for each in values]


def same_results(
    ours: Sequence[Any],
    theirs: Sequence[Any],
    call: Call,
    what: str,
    *,
    factor: float = 1,
    unused_is_zero: bool = False,
    through: Sequence[str] = (),
    floor: float = 1e-3,
) -> None:
    """Compare results in both libraries: kinds, element types, shapes, values.

    To the precision of the coarsest type among the inputs, the results and ``through``.
    """
    coarsest = max([0.0, *(ROUNDING.get(name, 0.0) for name in (*types_of(call.leaves), *through))])
    assert len(ours) == len(theirs), f"{what}: {len(ours)} results, PyTorch has {len(theirs)}"
    for number, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        label = f"{what} {number}" if len(ours) > 1 else what
        if unused_is_zero and (a is None) != (b is None):
            present = as_array(a) if b is None else from_torch(b)
            assert not np.any(present), f"{label}: None in one library only"
            continue
        if a is None or b is None:
            assert a is b, f"{label}: {a!r}, PyTorch has {b!r}"
            continue
        assert dtype_name(a) == dtype_name(b), f"{label}: {dtype_name(a)}, PyTorch {dtype_name(b)}"
        found, expected = as_array(a), from_torch(b)
        limit = max(coarsest, ROUNDING.get(expected.dtype.name, 0.0), call.case.tolerance)
        # Halves are rounded in other places on the way: to a part of the terms of a sum.
        least = 1.0 if limit > ROUNDING["float32"] else floor
        close(found, expected, factor * limit, label, floor=least)


def lacks_kernel(error: Exception) -> bool:
    """Whether PyTorch refuses an element type only because nobody wrote the code for it."""
    return isinstance(error, NotImplementedError) or "not implemented for" in str(error)


class RefusedError(Exception):
    """PyTorch does not take what was to be compared."""


def tape(call: Call) -> tuple[Any, Any, Any, Any]:
    """Leaves that require gradients in both libraries, and the results from them."""
    ours, theirs = list(map(wrap, call.leaves)), list(map(to_torch, call.leaves))
    for place in call.moving:
        ours[place].requires_grad_()
        theirs[place].requires_grad_()
    expected = outcome(lambda: torch_forward(call, theirs))
    if isinstance(expected, Exception):
        raise RefusedError(str(expected)) from expected
    return ours, theirs, forward(call, ours), expected


def shares_memory(out: Any, inputs: Sequence[Any]) -> bool:
    """Whether a tensor of either library looks at the memory of one of the inputs."""
    if isinstance(out, torch.Tensor):
        place = out.untyped_storage().data_ptr()
        return any(each.untyped_storage().data_ptr() == place for each in inputs)
    return any(np.may_share_memory(as_array(out), as_array(each)) for each in inputs)


def same_gradients(call: Call, ours: Any, theirs: Any, outs: Any, expected: Any) -> None:
    """Compare gradients of the results, and the gradients of those."""
    outs = [out for out in outs if is_floating(out)]
    expected = [out for out in expected if is_torch_floating(out)]
    gs = call.directions([as_array(out) for out in outs], "cotangent")
    kept = [p for p, out in enumerate(expected) if out.requires_grad]
    if not kept:
        return
    xs, ys = [ours[place] for place in call.moving], [theirs[place] for place in call.moving]
    our_gs = [wrap(gs[p]).requires_grad_() for p in kept]
    their_gs = [to_torch(gs[p]).requires_grad_() for p in kept]
    found = adjoint.autograd.grad(
        [outs[p] for p in kept], xs, our_gs, create_graph=True, allow_unused=True
    )
    wanted = outcome(
        lambda: torch.autograd.grad(
            [expected[p] for p in kept], ys, their_gs, create_graph=True, allow_unused=True
        )
    )
    if isinstance(wanted, Exception):
        assert call.changed or "not implemented" in str(wanted), f"PyTorch fails: {wanted}"
        return
    same_results(found, wanted, call, "gradient", factor=4, through=types_of(expected))
    weights = call.directions(call.moved, "weights")
    pairs = [
        (a, b, w)
        for a, b, w in zip(found, wanted, weights, strict=True)
        if b is not None and b.requires_grad
    ]
    if not pairs or not all(bool(torch.isfinite(out).all()) for out in expected):
        return
    if call.dtype in ("float16", "bfloat16"):
        return  # two steps of rounding, and of overflow, leave little to compare
    assert all(a.requires_grad for a, _, _ in pairs), "a gradient has no history"
    try:
        second = torch.autograd.grad(
            [b for _, b, _ in pairs],
            [*ys, *their_gs],
            [to_torch(w) for _, _, w in pairs],
            allow_unused=True,
        )
    except (NotImplementedError, RuntimeError) as error:
        if call.changed or ("derivative" in str(error) and "not implemented" in str(error)):
            return  # PyTorch has no second derivative of this one
        raise
    again = adjoint.autograd.grad(
        [a for a, _, _ in pairs],
        [*xs, *our_gs],
        [wrap(w) for _, _, w in pairs],
        allow_unused=True,
    )
    if not call.smooth or call.changed:  # a variation may well end in a corner
        no_new_nans(again, second)
        return
    same_results(
        again,
        second,
        call,
        "second gradient",
        factor=16,
        unused_is_zero=True,
        through=types_of(expected),
        floor=1e-2,
    )


def no_new_nans(ours: Sequence[Any], theirs: Sequence[Any]) -> None:
    """Compare second derivatives at a corner, where any number is as good as another."""
    for a, b in zip(ours, theirs, strict=True):
        if a is not None and b is not None:
            holes = np.isnan(as_array(a)) & ~np.isnan(from_torch(b))
            assert not holes.any(), f"second gradient: NaN, where PyTorch has {from_torch(b)}"
