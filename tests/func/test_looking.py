"""``debug_unwrap`` and ``functionalize``."""

import pytest

import adjoint as torch
from adjoint.func import debug_unwrap, functionalize, grad, jvp, vmap

A = torch.tensor([[1.0, 2.0], [3.0, 4.0]])


def test_what_is_under_a_tensor_of_a_transform():
    seen = []
    vmap(grad(lambda x: (seen.append(debug_unwrap(x)), x.sum())[1]))(A)
    assert (seen[0] == A).all()
    jvp(lambda x: (seen.append(debug_unwrap(x, recurse=False)), x)[1], (A,), (A,))
    assert (seen[1] == A).all()
    assert debug_unwrap(A) is A
    assert debug_unwrap(3) == 3


def test_functionalize_changes_nothing():
    a = A.clone()
    found = functionalize(lambda x: x.add_(1).sum(), remove="mutations_and_views")(a)
    assert found.item() == 14
    assert (a == A + 1).all()
    with pytest.raises(RuntimeError, match="'x'"):
        functionalize(torch.sin, remove="x")(A)
