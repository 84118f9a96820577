"""Movement: copies in a given order of memory."""

from __future__ import annotations

import pytest

import adjoint as torch


@pytest.mark.parametrize("name", ["clone", "contiguous"])
def test_memory_formats(name: str) -> None:
    x = torch.arange(24.0).reshape(2, 3, 2, 2).permute(1, 2, 3, 0)
    copy = getattr(x, name)
    assert copy(memory_format=torch.contiguous_format).stride() == (8, 4, 2, 1)
    last = copy(memory_format=torch.channels_last)
    assert last.stride() == (8, 1, 4, 2)
    assert last.equal(x)
    assert getattr(last, name)(memory_format=torch.channels_last).stride() == (8, 1, 4, 2)
    with pytest.raises(RuntimeError, match="rank 5"):
        copy(memory_format=torch.channels_last_3d)
    with pytest.raises(TypeError, match="memory format"):
        copy(memory_format="channels_last")


def test_memory_format_that_is_kept() -> None:
    x = torch.arange(6.0).reshape(2, 3).t()
    assert x.clone(memory_format=torch.preserve_format).stride() == (1, 3)
    last = torch.ones(2, 3, 4, 5).contiguous(memory_format=torch.channels_last)
    assert last.contiguous(memory_format=torch.channels_last) is last
    with pytest.raises(RuntimeError, match="clone"):
        x.contiguous(memory_format=torch.preserve_format)


def test_memory_format_under_vmap() -> None:
    x = torch.arange(120.0).reshape(2, 1, 3, 4, 5)
    found = torch.func.vmap(lambda x: x.clone(memory_format=torch.channels_last) * 2)(x)
    assert found.equal(x * 2)
