"""Python's operators: operands they do not know, numbers, types, and what they are recorded as."""

import operator

import numpy as np
import pytest

import adjoint as torch

BINARY = (
    operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod,
    operator.pow, operator.and_, operator.or_, operator.xor, operator.lshift, operator.rshift,
    operator.lt, operator.le, operator.gt, operator.ge,
)  # fmt: skip
IN_PLACE = (
    operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.ifloordiv,
    operator.imod, operator.ipow, operator.iand, operator.ior, operator.ixor,
    operator.ilshift, operator.irshift,
)  # fmt: skip
INTEGERS_ONLY = (
    "and_",
    "or_",
    "xor",
    "lshift",
    "rshift",
    "iand",
    "ior",
    "ixor",
    "ilshift",
    "irshift",
)


class Other:
    """Knows what to do with a Tensor on its left."""

    def __radd__(self, other):
        return "added"

    def __eq__(self, other):
        return "compared"

    __hash__ = None


@pytest.mark.parametrize("operate", BINARY + IN_PLACE)
@pytest.mark.parametrize("other", ["word", None, {}, object()])
def test_unknown_operands_are_type_errors(operate, other):
    x = torch.tensor([3, 5])
    with pytest.raises(TypeError):
        operate(x, other)
    assert x.tolist() == [3, 5]
    if operate in BINARY and not isinstance(other, str):  # "%" of a text formats it
        with pytest.raises(TypeError):
            operate(other, x)


def test_the_other_operand_is_asked_too():
    x = torch.ones(2)
    assert x + Other() == "added"
    assert (x == Other()) == "compared"


def test_equality_with_something_else_is_identity():
    x = torch.ones(2)
    assert (x == None) is False  # noqa: E711 - the operator
    assert (x != None) is True  # noqa: E711 - the operator
    assert (x == "word") is False
    assert len({x, x, torch.ones(2)}) == 2
    assert hash(x) == hash(x)


@pytest.mark.parametrize("operate", BINARY)
def test_numbers_on_either_side(operate):
    kind = torch.int64 if operate.__name__ in INTEGERS_ONLY else torch.float32
    x = torch.tensor([1, 2, 3], dtype=kind)
    number = 2 if kind is torch.int64 else 2.5
    right = operate(x, number)
    left = operate(number, x)
    array = x.numpy()
    np.testing.assert_allclose(right.numpy(), operate(array, array.dtype.type(number)))
    np.testing.assert_allclose(left.numpy(), operate(array.dtype.type(number), array), rtol=1e-6)
    assert right.dtype in (kind, torch.bool)


@pytest.mark.parametrize("operate", IN_PLACE)
def test_augmented_assignment_writes_and_returns_the_tensor(operate):
    kind = torch.int64 if operate.__name__ in INTEGERS_ONLY else torch.float32
    x = torch.tensor([4, 2, 3], dtype=kind)
    memory, expected = x.numpy(), operate(x.numpy().copy(), np.array(2, x.numpy().dtype))
    result = operate(x, 2)
    assert result is x
    np.testing.assert_allclose(memory, expected)


def test_numbers_of_numpy_are_numbers():
    i = torch.tensor([1, 2])
    assert (i * np.float64(2.5)).dtype is torch.float32
    assert (np.float32(2.5) * i).dtype is torch.float32
    assert (torch.ones(2) * np.float64(2)).dtype is torch.float32


def test_zero_keeps_its_sign():
    x = torch.tensor([1.0, -1.0])
    assert np.signbit((x * 0.0).numpy()).tolist() == [False, True]
    assert np.signbit((x * -0.0).numpy()).tolist() == [True, False]
    assert np.signbit((x * 0).numpy()).tolist() == [False, True]
    assert np.signbit((x * -0.0).numpy()).tolist() == [True, False]


def test_numbers_that_are_nan_or_large():
    x = torch.ones(1)
    assert (x * float("nan")).isnan().item()
    assert (x * 1e300).item() == float("inf")
    assert (x.double() * 1e300).item() == 1e300
    with pytest.raises(OverflowError):
        torch.ones(1, dtype=torch.int64) + 2**70


def test_bytes_wrap():
    u = torch.tensor([44, 255], dtype=torch.uint8)
    assert (u + 300).tolist() == [88, 43]
    assert (u - 1).tolist() == [43, 254]
    assert (u * -1).tolist() == [212, 1]
    assert (u == 300).tolist() == [True, False]


def test_booleans():
    b = torch.tensor([True, False])
    assert (b + b).tolist() == [True, False]
    assert (b * b).dtype is torch.bool
    assert (~b).tolist() == [False, True]
    assert (b + 1).dtype is torch.int64
    for wrong in (lambda: b - b, lambda: b - True, lambda: 1 - b, lambda: -b, lambda: +b):
        with pytest.raises(RuntimeError):
            wrong()
    with pytest.raises(TypeError):
        ~torch.ones(2)


def test_integers_divided_by_zero():
    i = torch.tensor([5, -3])
    assert (i / 0).tolist() == [float("inf"), float("-inf")]
    for wrong in (lambda: i // 0, lambda: i % 0, lambda: i // torch.tensor([0, 1])):
        with pytest.raises(RuntimeError, match="ZeroDivisionError"):
            wrong()


def test_integers_to_a_negative_power():
    i = torch.tensor([5, -1, 1, 2])
    with pytest.raises(RuntimeError, match="negative integer powers"):
        i**-1
    assert (i ** torch.tensor([-1, -3, -1, -2])).tolist() == [0, -1, 1, 0]
    assert (2 ** torch.tensor([-1, 2])).tolist() == [0, 4]
    assert (i**0.5).dtype is torch.float32


@pytest.mark.parametrize(
    ("name", "compute"),
    [
        ("AddBackward0", lambda x: x + 1), ("AddBackward0", lambda x: 1 + x),
        ("SubBackward0", lambda x: x - 1), ("RsubBackward1", lambda x: 1 - x),
        ("MulBackward0", lambda x: 2 * x), ("DivBackward0", lambda x: x / 2),
        ("MulBackward0", lambda x: 2 / x), ("PowBackward0", lambda x: x**2),
        ("PowBackward0", lambda x: x**3.5), ("PowBackward1", lambda x: x**x),
        ("PowBackward2", lambda x: 2**x), ("RemainderBackward0", lambda x: x % 2),
        ("RemainderBackward1", lambda x: x % x), ("NegBackward0", lambda x: -x),
        ("AbsBackward0", abs), ("NotImplemented", lambda x: x // 2),
    ],
)  # fmt: skip
def test_names_of_nodes(name, compute):
    x = torch.ones(2, requires_grad=True)
    assert compute(x).grad_fn.name() == name
    assert name in repr(compute(x))


def test_division_of_a_number_goes_by_the_reciprocal():
    y = 2 / torch.ones(2, requires_grad=True)
    assert y.grad_fn.next_functions[0][0].name() == "ReciprocalBackward0"


@pytest.mark.parametrize("compute", [lambda x: x // 2, lambda x: 2 // x, lambda x: 2 % x])
def test_no_derivative_is_an_error_not_a_zero(compute):
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"derivative for .* is not implemented"):
        compute(x).sum().backward()


@pytest.mark.parametrize("compute", [lambda x: x * 2.0, lambda x: 3 / x, lambda x: x**2])
def test_saved_numbers_are_freed_as_in_pytorch(compute):
    x = torch.ones(2, requires_grad=True)
    y = compute(x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()


def test_nothing_saved_can_be_gone_through_again():
    x = torch.ones(2, requires_grad=True)
    y = (x + 2).sum()
    y.backward()
    y.backward()
    assert x.grad.tolist() == [2.0, 2.0]
