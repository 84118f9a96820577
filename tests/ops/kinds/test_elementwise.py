"""The quick ways of elementwise rows agree with the general one; examples of every function."""

import doctest

import numpy as np
import pytest

import adjoint as torch
from adjoint.array.value import apply
from adjoint.dtypes import FLOATING
from adjoint.ops.kinds import elementwise
from adjoint.ops.kinds.public import PUBLIC
from adjoint.ops.kinds.row import TABLE, Row
from adjoint.tape.tensor import wrap

ROWS = [row for row in TABLE.values() if row.kind == "elementwise" and not row.options]
SMOOTH = {"float32": 1e-6, "float64": 1e-14}


def arguments(row: Row, kind: str) -> list[np.ndarray]:
    random = np.random.RandomState(0)
    return [random.uniform(0.2, 0.9, (2, 3)).astype(kind) for _ in row.inputs]


def quick(row: Row):
    return elementwise._callable(row, elementwise.explain)


@pytest.mark.parametrize("row", [row for row in ROWS if row.partials], ids=lambda row: row.name)
@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_quick_way_is_the_general_way(row: Row, kind: str) -> None:
    arrays = arguments(row, kind)
    results = []
    for operate in (quick(row), lambda *inputs: apply(row, inputs, ())):
        inputs = [wrap(each.copy()).requires_grad_() for each in arrays]
        out = operate(*inputs)
        results.append((out.detach().numpy(), type(out.grad_fn), len(out.grad_fn.next_functions)))
    (value, *facts), (expected, *others) = results
    np.testing.assert_array_equal(value, expected)
    assert value.dtype == expected.dtype
    assert facts == others


WITH_NUMBERS = [
    row for row in ROWS if "y" in row.numbers and (row.supports is None or FLOATING in row.supports)
]


@pytest.mark.parametrize("row", WITH_NUMBERS, ids=lambda row: row.name)
@pytest.mark.parametrize("number", [2, 0.5, True, 1, 3.0])
def test_numbers_as_arrays_without_dimensions(row: Row, number: float) -> None:
    x = wrap(arguments(row, "float32")[0])
    try:
        expected = elementwise.explain(row, (x, number)).numpy()
    except RuntimeError:
        with pytest.raises(RuntimeError):
            quick(row)(x, number)
        return
    for _ in "ab":  # the number is new, and then known
        found = quick(row)(x, number).numpy()
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == expected.dtype


def test_constants_are_not_confused() -> None:
    kind = np.dtype("float32")
    for value in (1, 1.0, 0, 0.0, -0.0, float("inf"), float("nan"), 1e-3):
        for _ in "ab":
            found = elementwise.constant(value, kind)
            assert found.dtype is kind
            assert found.shape == ()
            np.testing.assert_array_equal(found, np.float32(value))
            assert np.signbit(found) == np.signbit(np.float32(value))


def test_constants_do_not_fill_memory() -> None:
    kind = np.dtype("float64")
    for value in range(3000):
        elementwise.constant(value + 0.25, kind)
    assert len(elementwise.DOUBLES) <= 1000


def test_constants_are_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        elementwise.constant(7.5, np.dtype("float32"))[...] = 1


def test_warnings_made_errors_do_not_reach_the_user() -> None:
    x = torch.tensor([0.0, -1.0, 1e30])
    with np.errstate(all="raise"):
        assert torch.log(x).tolist()[0] == float("-inf")
        assert (x * 1e30)[2].item() == float("inf")
        assert (x + 1e300).tolist() == [float("inf")] * 3
        assert (x - 1e300).tolist() == [float("-inf")] * 3
        assert torch.exp(x * 0 + 1000.0).tolist() == [float("inf")] * 3


@pytest.mark.parametrize("wrong", [2.0, "word", None, [1.0]])
def test_only_tensors(wrong: object) -> None:
    for function in (torch.exp, torch.relu, torch.isnan, torch.logical_not):
        with pytest.raises(TypeError, match="must be Tensor"):
            function(wrong)
    with pytest.raises(TypeError, match="must be Tensor"):
        torch.maximum(torch.ones(2), wrong)


def test_shapes_that_do_not_fit_are_named() -> None:
    with pytest.raises(RuntimeError, match=r"size of tensor a \(3\) must match .* b \(2\)"):
        torch.ones(3) * torch.ones(2)
    with pytest.raises(RuntimeError, match=r"\[2, 3\] and \[4\]"):
        torch.ones(2, 3) + torch.ones(4)


DOCUMENTED = {each.function for each in PUBLIC if hasattr(each.function, "row")}


@pytest.mark.parametrize(
    "function", sorted(DOCUMENTED, key=lambda f: f.__name__), ids=lambda f: f.__name__
)
def test_examples(function) -> None:
    """Rows that users call have no ``def`` of their own, so doctest does not see them."""
    assert function.__doc__, f"{function.__name__} is not documented"
    parsed = doctest.DocTestParser().get_doctest(
        function.__doc__, {"torch": torch}, function.__name__, None, None
    )
    assert doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(parsed).failed == 0
