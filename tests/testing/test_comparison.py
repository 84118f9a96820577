"""assert_close: what is close, and what is said of what is not."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import pytest

import adjoint as torch
from adjoint.testing import assert_close


def complaint(actual, expected, kind=AssertionError, **options) -> str:
    with pytest.raises(kind) as caught:
        assert_close(actual, expected, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("kind", "near", "far"),
    [
        (torch.float64, 1e-8, 1e-6),
        (torch.float32, 1e-6, 1e-4),
        (torch.complex64, 1e-6, 1e-4),
        (torch.float16, 1e-3, 4e-3),
        (torch.bfloat16, 1e-2, 5e-2),
    ],
)
def test_tolerances_depend_on_the_type(kind, near, far):
    one = torch.ones(3).to(torch.float64)
    assert_close((one + near).to(kind), one.to(kind))
    assert "not close" in complaint((one + far).to(kind), one.to(kind))


def test_integers_have_to_be_equal():
    assert_close(torch.tensor([1, 2]), torch.tensor([1, 2]))
    text = complaint(torch.tensor([1, 2, 9]), torch.tensor([1, 3, 6]))
    assert "Tensor-likes are not equal!" in text
    assert "Mismatched elements: 2 / 3 (66.7%)" in text
    assert "Greatest absolute difference: 3 at index (2,)" in text
    assert "allowed" not in text
    assert "not equal" in complaint(torch.tensor([True]), torch.tensor([False]))


def test_the_greatest_differences_are_named():
    actual = torch.tensor([[1.0, 2.0], [3.0, 40.0]])
    text = complaint(actual, torch.tensor([[1.0, 1.0], [3.0, 30.0]]))
    assert "Greatest absolute difference: 10.0 at index (1, 1) (up to 1e-05 allowed)" in text
    assert "Greatest relative difference: 1.0 at index (0, 1) (up to 1.3e-06 allowed)" in text


def test_scalars():
    assert_close(1.0, 1.0 + 1e-9)
    assert_close(torch.tensor(2.0), torch.tensor(2.0))
    assert "Expected 1.0 but got 1.5." in complaint(1.5, 1.0)
    assert "Absolute difference: 0.5" in complaint(torch.tensor(1.5), torch.tensor(1.0))
    assert "(d)types" in complaint(1, 1.0)
    assert_close(1, 1.0, check_dtype=False)
    assert "Booleans mismatch" in complaint(True, False)
    assert "None mismatch" in complaint(None, 1)
    assert_close(None, None)
    assert_close(np.float64(1.0), 1.0)


def test_not_a_number_and_infinities():
    nan, inf = torch.tensor([torch.nan]), torch.tensor([torch.inf])
    assert "nan" in complaint(nan, nan)
    assert_close(nan, nan, equal_nan=True)
    assert_close(inf, inf)
    assert "inf" in complaint(inf, -inf)
    assert_close(float("nan"), float("nan"), equal_nan=True)
    assert "nan" in complaint(float("nan"), float("nan"))


def test_trees():
    x = torch.ones(2)
    assert_close([x, (2.0, {"a": x})], (x.clone(), [2.0, OrderedDict(a=x)]))
    text = complaint({"a": [x, x]}, {"a": [x, x + 1]})
    assert "The failure occurred for item ['a'][1]" in text
    assert "length of the sequences mismatch: 1 != 2" in complaint([x], [x, x])
    text = complaint({"a": 1, "c": 2}, {"a": 1, "b": 2})
    assert "['b']" in text
    assert "['c']" in text
    assert "[0]" in complaint([1, 2], [2, 2])


def test_structure_comes_before_values():
    assert "length" in complaint([1, [1]], [2, [1, 2]])


def test_attributes():
    x = torch.ones(2, 3)
    assert "attribute 'shape'" in complaint(x, torch.ones(3, 2))
    assert "attribute 'dtype'" in complaint(x, x.double())
    assert_close(x, x.double(), check_dtype=False)
    assert_close(x.int(), x, check_dtype=False)
    assert_close(x, torch.ones(3, 2).t())
    assert "attribute 'stride()'" in complaint(x, torch.ones(3, 2).t(), check_stride=True)


def test_what_can_be_compared_with_what():
    x = torch.ones(2)
    assert_close(np.ones(2), np.ones(2))
    assert_close(torch.nn.Parameter(x), x)
    assert "No comparison pair" in complaint(
        torch.nn.Parameter(x), x, TypeError, allow_subclasses=False
    )
    assert "No comparison pair" in complaint(np.ones(2), x, TypeError)
    assert "No comparison pair" in complaint("a", "a", TypeError)
    assert "No comparison pair" in complaint([x, "a"], [x + 1, "a"], TypeError)


def test_tolerances_come_in_pairs():
    assert_close(1.0, 1.1, rtol=0, atol=0.2)
    assert "no rtol" in complaint(1.0, 1.0, ValueError, atol=1.0)
    assert "no atol" in complaint(torch.ones(1), torch.ones(1), ValueError, rtol=1.0)


def test_messages_of_ones_own():
    assert complaint(1, 2, msg="mine") == "mine"
    assert complaint(1, 2, msg=lambda text: text.upper()).startswith("SCALARS ARE NOT EQUAL!")


def test_gradients_do_not_matter():
    x = torch.ones(2, requires_grad=True)
    assert_close(x, x * 1)
    assert "not close" in complaint(x * 2, x)


def test_assert_allclose_is_deprecated():
    with pytest.warns(FutureWarning, match="assert_close"):
        torch.testing.assert_allclose(torch.ones(2), [1.0, 1.0 + 1e-5])
    with pytest.warns(FutureWarning), pytest.raises(AssertionError):
        torch.testing.assert_allclose(torch.ones(2), 2 * np.ones(2), msg="")
