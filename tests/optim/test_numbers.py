"""The numbers of optimizers: PyTorch's, recorded; and the same ones by every way there is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import adjoint as torch
from adjoint.optim import stepping
from tests.references import optim_cases

REFERENCES = json.loads(
    (Path(__file__).parents[1] / "references" / "optim.json").read_text(encoding="utf-8")
)
CASES = optim_cases.CASES
NAMES = [f"{name}-{number}" for number, (name, _) in enumerate(CASES)]


def recorded(number: int) -> tuple[list[float], dict[str, list[float]]]:
    found = REFERENCES["optimizers"][number]
    assert found["name"] == CASES[number][0]
    assert found["options"] == json.loads(json.dumps(CASES[number][1])), "run make_optim again"
    return found["result"]


@pytest.mark.parametrize("number", range(len(CASES)), ids=NAMES)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 5e-6)])
def test_as_recorded(number: int, dtype: str, tolerance: float):
    param, state = optim_cases.train(torch, *CASES[number], dtype=dtype)
    wanted, wanted_state = recorded(number)
    np.testing.assert_allclose(param, wanted, rtol=tolerance, atol=tolerance)
    assert list(state) == list(wanted_state)
    for name, values in state.items():
        np.testing.assert_allclose(values, wanted_state[name], rtol=tolerance, atol=tolerance)


# A step in float16 rounds every operation to 1 part in 2,048, and 25 steps follow each other.
# There 1e-8 is 0, and so is the divisor where no gradient has come yet: in PyTorch as here.
@pytest.mark.parametrize("number", range(len(CASES)), ids=NAMES)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float16", 0.01), ("bfloat16", 0.08)])
def test_16_bits(number: int, dtype: str, tolerance: float):
    name, options = CASES[number]
    if name not in ("SGD", "ASGD", "Rprop"):
        options = {**options, "eps": 1e-3}
    param, state = optim_cases.train(torch, name, options, dtype=dtype)
    wanted, wanted_state = optim_cases.train(torch, name, options)
    np.testing.assert_allclose(param, wanted, rtol=tolerance, atol=tolerance)
    for key, values in state.items():
        np.testing.assert_allclose(values, wanted_state[key], rtol=0.1, atol=tolerance)


def gradient_of(shape: tuple[int, ...], step: int) -> np.ndarray:
    numbers = np.arange(np.prod(shape, dtype=int), dtype=np.float64)
    return np.sin(1.7 * numbers + 0.9 * step).reshape(shape)


def stepped(name, options, start, steps=4, layout=lambda array: array):
    """The numbers of a parameter after some steps, by gradients that depend on the place alone."""
    param = torch.from_numpy(layout(start.copy())).requires_grad_()
    optimizer = getattr(torch.optim, name)([param], **options)
    for step in range(steps):
        g = gradient_of(start.shape, step)
        if start.dtype.kind == "c":
            g = g + 1j * gradient_of(start.shape, step + 7)
        param.grad = torch.from_numpy(layout(g.astype(start.dtype)))
        optimizer.step()
    return param.detach().numpy(), optimizer.state[param]


@pytest.mark.parametrize("number", range(len(CASES)), ids=NAMES)
def test_complex_numbers_are_pairs(number: int):
    start = np.array([0.5 - 1j, -1.0 + 0.25j, 2.0 + 0j])
    whole, _ = stepped(*CASES[number], start)
    pairs = np.stack([start.real, start.imag], -1)
    param = torch.from_numpy(pairs.copy()).requires_grad_()
    name, options = CASES[number]
    optimizer = getattr(torch.optim, name)([param], **options)
    for step in range(4):
        g = np.stack([gradient_of((3,), step), gradient_of((3,), step + 7)], -1)
        param.grad = torch.from_numpy(g)
        optimizer.step()
    np.testing.assert_array_equal(np.stack([whole.real, whole.imag], -1), param.detach().numpy())


def transposed(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array.T).T


def every_other(array: np.ndarray) -> np.ndarray:
    wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
    wide[..., ::2] = array
    return wide[..., ::2]


@pytest.mark.parametrize("number", range(len(CASES)), ids=NAMES)
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_large_and_strided_arrays(number: int, dtype: str, monkeypatch: pytest.MonkeyPatch):
    start = gradient_of((6, 7), 3).astype(dtype)
    plain, _ = stepped(*CASES[number], start)
    for layout in (transposed, every_other):
        strided, _ = stepped(*CASES[number], start, layout=layout)
        np.testing.assert_array_equal(strided, plain)
    # As if 42 elements were too many to be gone over at once.
    monkeypatch.setattr(stepping, "PIECE", 8)
    for layout in (np.array, transposed, every_other):
        in_pieces, _ = stepped(*CASES[number], start, layout=layout)
        np.testing.assert_array_equal(in_pieces, plain)


@pytest.mark.parametrize("number", range(len(CASES)), ids=NAMES)
@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (1,)])
def test_corners_of_shape(number: int, shape: tuple[int, ...]):
    start = np.full(shape, 0.5)
    param, state = stepped(*CASES[number], start)
    assert param.shape == shape
    line, _ = stepped(*CASES[number], start.reshape(-1))
    np.testing.assert_array_equal(param.reshape(-1), line)
    assert all(value.shape in (shape, ()) for value in state.values())


@pytest.mark.parametrize("number", range(len(CASES)), ids=NAMES)
def test_inside_vmap(number: int):
    """What batches take, as other transforms do: operations of the table."""
    name, options = CASES[number]
    x = torch.from_numpy(gradient_of((5, 3), 1))
    g = torch.from_numpy(gradient_of((5, 3), 2))

    def two_steps(x, g):
        param = x * 1
        optimizer = getattr(torch.optim, name)([param], **options)
        for factor in (1, -0.5):
            param.grad = g * factor
            optimizer.step()
        return param

    np.testing.assert_allclose(
        torch.vmap(two_steps)(x, g).numpy(), two_steps(x, g).numpy(), rtol=1e-12
    )


@pytest.mark.parametrize("number", range(len(CASES)), ids=NAMES)
def test_differentiable_steps(number: int):
    name, options = CASES[number]
    x = torch.from_numpy(gradient_of((4,), 1))

    def end(factor, differentiable=False):
        param = x + 0 * factor
        optimizer = getattr(torch.optim, name)([param], differentiable=differentiable, **options)
        for step in range(3):
            param.grad = torch.from_numpy(gradient_of((4,), step)) * factor + factor**2
            optimizer.step()
        return (param * param).sum()

    factor = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    (found,) = torch.autograd.grad(end(factor, True), factor)
    with torch.no_grad():
        slope = (end(factor + 1e-6) - end(factor - 1e-6)) / 2e-6
    np.testing.assert_allclose(found.item(), slope.item(), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("number", range(len(optim_cases.LBFGS)))
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-9), ("float32", 1e-3)])
def test_lbfgs_as_recorded(number: int, dtype: str, tolerance: float):
    found = REFERENCES["minimized"][number]
    assert found["options"] == optim_cases.LBFGS[number]
    losses, evaluations, point = found["result"]
    got = optim_cases.minimize(torch, optim_cases.LBFGS[number], dtype=dtype)
    np.testing.assert_allclose(got[0], losses, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(got[2], point, rtol=tolerance, atol=tolerance)
    assert got[1] == evaluations
