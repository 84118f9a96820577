"""make_tensor: types, bounds, layouts, errors."""

import pytest

import adjoint as torch
from adjoint.testing import make_tensor

KINDS = [
    torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float16,
    torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.complex128,
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_types_and_their_bounds(kind):
    x = make_tensor(200, dtype=kind, device="cpu")
    assert x.shape == (200,)
    assert x.dtype == kind
    parts = torch.view_as_real(x) if kind.is_complex else x.double()
    low, high = {torch.bool: (0, 2), torch.uint8: (0, 10)}.get(kind, (-9, 10))
    assert low <= parts.min() < low + 2
    assert high - 2.5 < parts.max() <= high


def test_shapes():
    for shape in ((2, 3), ((2, 3),), ([2, 3],), (torch.Size([2, 3]),)):
        assert make_tensor(*shape, dtype=torch.float32, device="cpu").shape == (2, 3)
    assert make_tensor((), dtype=torch.float32, device="cpu").dim() == 0
    assert make_tensor(0, 2, dtype=torch.float32, device="cpu").numel() == 0


def test_layout():
    x = make_tensor(3, 4, dtype=torch.float64, device="cpu", noncontiguous=True)
    assert not x.is_contiguous()
    assert x.is_leaf
    assert make_tensor(1, dtype=torch.float64, device="cpu", noncontiguous=True).is_contiguous()
    x = make_tensor(3, 4, dtype=torch.float64, device="cpu", memory_format=torch.contiguous_format)
    assert x.is_contiguous()


def test_gradients():
    x = make_tensor(2, dtype=torch.float64, device="cpu", requires_grad=True, noncontiguous=True)
    assert x.is_leaf
    assert x.requires_grad
    with pytest.raises(ValueError, match="integral"):
        make_tensor(2, dtype=torch.int32, device="cpu", requires_grad=True)


def test_zeros_are_left_out():
    x = make_tensor(50, dtype=torch.int64, device="cpu", low=0, high=2, exclude_zero=True)
    assert (x == 1).all()
    with pytest.warns(FutureWarning):
        x = make_tensor(3, dtype=torch.float32, device="cpu", low=0, high=0, exclude_zero=True)
    assert (x == torch.finfo(torch.float32).tiny).all()


def test_bounds():
    x = make_tensor(50, dtype=torch.float64, device="cpu", low=-float("inf"), high=float("inf"))
    assert x.isfinite().all()
    assert x.abs().max() > 1e307
    x = make_tensor(50, dtype=torch.uint8, device="cpu", low=-100.5, high=1.5)
    assert x.max() <= 1
    for low, high in ((float("nan"), 1), (2, 1), (300, 400)):
        with pytest.raises(ValueError):
            make_tensor(2, dtype=torch.uint8, device="cpu", low=low, high=high)
    with pytest.raises(ValueError, match="exclude each other"):
        make_tensor(2, dtype=torch.float32, device="cpu", noncontiguous=True,
                    memory_format=torch.contiguous_format)  # fmt: skip
    with pytest.raises(TypeError):
        make_tensor(2, dtype=float, device="cpu")
