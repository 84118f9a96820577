"""Matrices: what the samples of the table cannot say."""

import numpy as np
import pytest

import adjoint as torch


def test_the_determinant_of_singular_matrices_has_its_derivative():
    x = torch.tensor([[2.0, 1.0, 0.0], [4.0, 2.0, 0.0], [0.0, 0.0, 3.0]], requires_grad=True)
    torch.det(x).backward()
    cofactors = np.array([[6.0, -12.0, 0.0], [-3.0, 6.0, 0.0], [0.0, 0.0, 0.0]])
    np.testing.assert_allclose(x.grad.numpy(), cofactors, atol=1e-5)


def test_methods_wait_for_their_families_and_are_there_then():
    x = torch.eye(2) * 2
    assert x.det().item() == 4.0
    assert torch.Tensor.det is torch.det
    assert x.inverse().equal(torch.linalg.inv(x))


def test_singular_matrices_raise_an_error_of_their_own():
    assert issubclass(torch.linalg.LinAlgError, RuntimeError)
    with pytest.raises(torch.linalg.LinAlgError, match="singular"):
        torch.linalg.inv(torch.ones(2, 2))


def test_factors_multiply_up_to_the_matrix():
    torch.manual_seed(0)
    x = torch.randn(2, 4, 3, dtype=torch.float64)
    q, r = torch.linalg.qr(x)
    torch.testing.assert_close(q @ r, x)
    u, s, vh = torch.linalg.svd(x, full_matrices=False)
    torch.testing.assert_close(u * s[..., None, :] @ vh, x)
    symmetric = x.mT @ x
    values, vectors = torch.linalg.eigh(symmetric)
    torch.testing.assert_close(vectors * values[..., None, :] @ vectors.mT, symmetric)
    lower = torch.linalg.cholesky(symmetric)
    torch.testing.assert_close(lower @ lower.mT, symmetric)
    upper = torch.linalg.cholesky(symmetric, upper=True)
    torch.testing.assert_close(upper.mT @ upper, symmetric)


def test_symmetric_functions_have_derivatives_of_symmetric_matrices():
    torch.manual_seed(1)
    x = torch.randn(3, 3, dtype=torch.float64, requires_grad=True)

    def positive(x):
        return x @ x.mT + torch.eye(3, dtype=x.dtype)

    for function in (
        lambda x: torch.linalg.cholesky(positive(x)),
        lambda x: torch.linalg.cholesky(positive(x), upper=True),
        lambda x: torch.linalg.eigvalsh(positive(x)),
        lambda x: torch.linalg.eigh(positive(x)).eigenvectors.abs(),
    ):
        assert torch.autograd.gradcheck(function, x, check_forward_ad=True)
        assert torch.autograd.gradgradcheck(function, x)


@pytest.mark.parametrize("shape", [(4, 2), (2, 4), (3, 3), (2, 3, 2)])
@pytest.mark.parametrize("full", [False, True])
def test_singular_vectors_have_derivatives_but_for_their_sign(shape, full):
    torch.manual_seed(2)
    x = torch.randn(shape, dtype=torch.float64, requires_grad=True)

    def factors(x):
        u, s, vh = torch.linalg.svd(x, full_matrices=full)
        size = s.shape[-1]
        return u[..., :size].abs(), s, vh[..., :size, :].abs()

    assert torch.autograd.gradcheck(factors, x)
    assert torch.autograd.gradgradcheck(factors, x)
