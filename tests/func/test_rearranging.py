"""``rearrange``: patterns, and what is wrong with them."""

import numpy as np
import pytest

import adjoint as torch
from adjoint.func import grad, rearrange, vmap

C = torch.tensor(np.arange(24.0).reshape(2, 3, 4))


@pytest.mark.parametrize(
    ("pattern", "lengths", "expected"),
    [
        ("a b c -> c a b", {}, lambda c: c.transpose(2, 0, 1)),
        ("a b c -> (b a) c", {}, lambda c: c.transpose(1, 0, 2).reshape(6, 4)),
        ("a b (h w) -> a h (b w)", {"h": 2}, lambda c: c.reshape(2, 3, 2, 2)
         .transpose(0, 2, 1, 3).reshape(2, 2, 6)),
        ("a ... -> ... a", {}, lambda c: c.transpose(1, 2, 0)),
        ("a ... -> (... a)", {}, lambda c: c.transpose(1, 2, 0).reshape(24)),
        ("... -> ... 1", {}, lambda c: c[..., None]),
        ("a b c -> a () b 1 c", {}, lambda c: c[:, None, :, None]),
        ("a b c -> (a b c)", {}, lambda c: c.reshape(24)),
    ],
)  # fmt: skip
def test_patterns(pattern, lengths, expected):
    np.testing.assert_array_equal(rearrange(C, pattern, **lengths).numpy(), expected(C.numpy()))


def test_ones_on_the_left_and_lists():
    assert rearrange(C[:1], "1 b c -> c b").shape == (4, 3)
    assert rearrange([C, C], "n a b c -> (n a) b c").shape == (4, 3, 4)


def test_under_transforms():
    found = vmap(lambda c: rearrange(c, "b c -> c b"))(C)
    np.testing.assert_array_equal(found.numpy(), C.numpy().transpose(0, 2, 1))
    found = grad(lambda c: (rearrange(c, "a b c -> (a b) c") ** 2).sum())(C)
    np.testing.assert_array_equal(found.numpy(), 2 * C.numpy())


@pytest.mark.parametrize(
    ("pattern", "lengths", "message"),
    [
        ("a b c", {}, "one '->'"),
        ("a b c -> a b d", {}, "on one side only"),
        ("a a c -> a c", {}, "twice"),
        ("a (b c -> a b c", {}, "not closed"),
        ("a b) c -> a b c", {}, "no meaning"),
        ("a b -> b a", {}, r"shape \[2, 3, 4\]"),
        ("a b (c d) -> a b c d", {}, "need a length"),
        ("a b (c d) -> a b c d", {"c": 3}, "size 4 is not made of"),
        ("a b c -> a b c", {"z": 3}, "lengths are given"),
        ("a b c -> a b c ...", {}, "right only"),
        ("(a ...) c -> a ... c", {}, "brackets on the left"),
        ("a b c -> a b 2", {}, "no meaning"),
    ],
)
def test_errors(pattern, lengths, message):
    with pytest.raises(ValueError, match=message):
        rearrange(C, pattern, **lengths)
