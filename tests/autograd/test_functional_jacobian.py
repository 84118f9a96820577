"""Columns of Jacobians of complex numbers, which are derivatives along the real axis."""

from __future__ import annotations

import adjoint as torch

Z = torch.tensor([1 + 2j, 3 - 1j], dtype=torch.complex128)


def columns(function, inputs):
    return torch.autograd.functional.jacobian(
        function, inputs, strategy="forward-mode", vectorize=True
    )


def test_of_a_holomorphic_function() -> None:
    assert columns(lambda z: z * z, Z).tolist() == [[2 + 4j, 0], [0, 6 - 2j]]
    assert columns(lambda z: z**3, Z[0]).item() == 3 * (1 + 2j) ** 2


def test_of_a_real_function_and_of_real_numbers_too() -> None:
    x = torch.tensor([2.0, 5.0], dtype=torch.float64)
    of_product, of_length = columns(lambda z, x: (z * x, (z * z.conj()).real), (Z, x))
    assert of_product[0].tolist() == [[2, 0], [0, 5]]
    assert of_product[1].tolist() == [[1 + 2j, 0], [0, 3 - 1j]]
    assert of_length[0].tolist() == [[2.0, 0.0], [0.0, 6.0]]
    assert of_length[0].dtype is torch.float64
    assert of_length[1].tolist() == [[0.0, 0.0], [0.0, 0.0]]
