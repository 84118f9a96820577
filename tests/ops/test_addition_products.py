"""Products that are added to something."""

from __future__ import annotations

import adjoint as torch
from adjoint.ops.addition_products import addr_row


def test_what_is_not_added_still_has_its_type() -> None:
    """With ``beta=0``, alone, in a batch and decomposed into smaller rows."""

    def product(x, y, z):
        return torch.addr(x, y, z, beta=0)

    x, y, z = torch.full((2, 3), float("nan")) * 1j, torch.ones(2), torch.ones(3)
    assert product(x, y, z).tolist() == [[1, 1, 1], [1, 1, 1]]
    several = [torch.stack(pair) for pair in ((x, x), (y, 2 * y), (z, z))]
    batched = torch.func.vmap(product)(*several)
    assert batched.tolist() == [[[1, 1, 1]] * 2, [[2, 2, 2]] * 2]
    decomposed = addr_row.row.decompose(x, y, z, 0, 1)
    assert decomposed.tolist() == [[1, 1, 1], [1, 1, 1]]
    for out in (product(x, y, z), batched, decomposed):
        assert out.dtype is torch.complex64
