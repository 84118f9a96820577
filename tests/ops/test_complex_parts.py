"""Writing in place through views of the parts of complex numbers, alone and in batches."""

from __future__ import annotations

from typing import Any

import pytest

import adjoint as torch

Z = torch.tensor([1 + 2j, 3 - 1j], dtype=torch.complex128)
W = torch.tensor([5.0, 6.0], dtype=torch.float64)


def leaves() -> tuple[Any, Any]:
    return Z.clone().requires_grad_(), W.clone().requires_grad_()


def test_a_part_that_was_written_to() -> None:
    z, w = leaves()
    c = z.clone()
    part = c.imag
    part.copy_(w)
    assert c.tolist() == [1 + 5j, 3 + 6j]
    of_z, of_w = torch.autograd.grad(2 * part.sum() + c.real.sum(), (z, w))
    assert of_z.tolist() == [1, 1]
    assert of_w.tolist() == [2, 2]


def test_a_part_of_what_was_written_to() -> None:
    z, w = leaves()
    c = z.clone()
    part = c.imag
    c.mul_(w)
    of_z, of_w = torch.autograd.grad((part * part).sum(), (z, w))
    assert of_z.tolist() == [2j * 2 * 25, 2j * -1 * 36]
    assert of_w.tolist() == [2 * 4 * 5, 2 * 6]


def test_real_numbers_seen_as_complex() -> None:
    x = torch.tensor([[1.0, 2.0]], requires_grad=True)
    c = x.clone()
    torch.view_as_complex(c).mul_(1j)
    assert c.tolist() == [[-2.0, 1.0]]
    (g,) = torch.autograd.grad((c * torch.tensor([[3.0, 5.0]])).sum(), x)
    assert g.tolist() == [[5.0, -3.0]]


def write_imag(z: Any, w: Any) -> Any:
    c = z.clone()
    c.imag.copy_(w)
    return c


def write_row_of_pairs(z: Any, w: Any) -> Any:
    c = z.clone()
    torch.view_as_real(c)[0] = w
    return c


def write_through_complex(z: Any, w: Any) -> Any:
    c = torch.stack([w, w + 1])
    torch.view_as_complex(c).add_(z)
    return c


@pytest.mark.parametrize("write", [write_imag, write_row_of_pairs, write_through_complex])
def test_in_batches(write: Any) -> None:
    zs, ws = torch.stack([Z, Z * 2j]), torch.stack([W, W + 1])
    found = torch.func.vmap(write)(zs, ws)
    assert (
        found.tolist() == torch.stack([write(z, w) for z, w in zip(zs, ws, strict=True)]).tolist()
    )
    once = torch.func.vmap(write, in_dims=(None, 0))(Z, ws)
    assert once.tolist() == torch.stack([write(Z, w) for w in ws]).tolist()
    shared = torch.func.vmap(write, in_dims=(0, None))(zs, W)
    assert shared.tolist() == torch.stack([write(z, W) for z in zs]).tolist()
