"""Printing against PyTorch itself: random arrays, options and facts, character for character."""

import ml_dtypes
import numpy as np
import pytest

from adjoint import dtypes
from adjoint.printing import (
    format_parameter,
    format_tensor,
    format_with_spec,
    get_printoptions,
    set_printoptions,
)

torch = pytest.importorskip("torch", reason="the parity suite compares with PyTorch: install torch")

SHAPES = [
    (), (0,), (1,), (3,), (30,), (1200,), (0, 3), (2, 0), (1, 1), (2, 3), (5, 17), (50, 50),
    (3, 400), (400, 3), (7, 8, 20), (2, 2, 2, 3), (8, 2, 2, 40), (1, 1, 1, 1, 2),
]  # fmt: skip
NAMES = [each.name for each in dtypes.ALL]
SPECIALS = [np.inf, -np.inf, np.nan, 0.0, -0.0]


class Subclass(torch.Tensor):
    """Printed under its own name."""


@pytest.fixture(autouse=True)
def _defaults():
    yield
    choose({})
    choose_default_dtype("float32")


def choose(options):
    for set_options in (torch.set_printoptions, set_printoptions):
        set_options(profile="default")
        set_options(**options)


def choose_default_dtype(name):
    torch.set_default_dtype(getattr(torch, name))
    dtypes.set_default_dtype(getattr(dtypes, name))


def random_reals(random, count):
    """Values of one of the kinds that printing tells apart, some of them not finite or zero."""
    normal = random.standard_normal(count)
    kinds = [
        lambda: normal,
        lambda: normal * 10.0 ** random.integers(-12, 12),
        lambda: normal * 10.0 ** random.integers(-6, 10, count),
        lambda: normal * 10.0 ** random.integers(-300, 300, count),
        lambda: random.integers(-20, 20, count).astype(float),
        lambda: random.integers(-(10**9), 10**9, count).astype(float),
        lambda: random.choice([1e-5, 1e-4, 0.5, 1.0, 1e3, 1e5, 9.9999e7, 1e8, 1.00001e8], count),
        lambda: random.choice([5e-324, 1e-45, 1e-40, 3e38, 1.7e308], count),
        lambda: np.zeros(count),
    ]
    values = kinds[random.integers(len(kinds))]()
    if random.random() < 0.35:
        special = random.random(count) < random.choice([0.02, 0.2, 0.9])
        values = np.where(special, random.choice(SPECIALS, count), values)
    return values


def random_array(random, name, shape):
    count = int(np.prod(shape))
    numpy_type = getattr(dtypes, "bool_" if name == "bool" else name).numpy
    if name == "bool":
        values = random.random(count) < random.random()
    elif numpy_type.kind in "iu":
        limits = np.iinfo(numpy_type)
        low, high = [(limits.min, limits.max), (0, 50), (max(limits.min, -9), 9)][
            random.integers(3)
        ]
        values = random.integers(low, high, count, dtype=numpy_type, endpoint=True)
    elif numpy_type.kind == "c":
        values = np.empty(count, np.complex128)
        values.real, values.imag = random_reals(random, count), random_reals(random, count)
    else:
        values = random_reals(random, count)
    with np.errstate(all="ignore"):  # too large for the type: infinity, which is wanted here
        array = values.astype(numpy_type).reshape(shape)
    return array.T if random.random() < 0.2 else array


def random_options(random):
    ranges = {
        "profile": ["default", "short", "full"],
        "precision": range(10),
        "threshold": [-1, 0, 2.5, 10, 100, 1500],
        "edgeitems": range(8),
        "linewidth": range(0, 200, 7),
        "sci_mode": [True, False, None],
    }
    chosen = {name: each for name, each in ranges.items() if random.random() < 0.3}
    return {name: each[random.integers(len(each))] for name, each in chosen.items()}


def as_torch(array):
    if array.dtype == ml_dtypes.bfloat16:
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)


def random_facts(random, array):
    """PyTorch's text of a tensor that is a leaf, a result, a parameter or a subclass, and ours."""
    tensor = as_torch(array)
    differentiable = array.dtype.kind not in "biu"
    role = random.integers(5)
    if role == 0 and differentiable:
        return repr(tensor.requires_grad_()), format_tensor(array, requires_grad=True)
    if role == 1 and differentiable:
        result = tensor.requires_grad_().clone()
        ours = format_tensor(array, requires_grad=True, grad_fn_name=result.grad_fn.name())
        return repr(result), ours
    if role == 2:
        parameter = torch.nn.Parameter(tensor, requires_grad=differentiable)
        return repr(parameter), format_parameter(array, requires_grad=differentiable)
    if role == 3:
        return repr(tensor.as_subclass(Subclass)), format_tensor(array, prefix="Subclass(")
    return repr(tensor), format_tensor(array)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", NAMES)
def test_random_arrays(name, seed):
    random = np.random.default_rng([seed, NAMES.index(name)])
    for shape in SHAPES * 2:
        options = random_options(random)
        choose(options)
        theirs, ours = random_facts(random, random_array(random, name, shape))
        assert ours == theirs, (shape, options)
        assert get_printoptions() == torch._tensor_str.get_printoptions()


@pytest.mark.parametrize("default", ["float16", "bfloat16", "float64"])
@pytest.mark.parametrize("name", NAMES)
def test_default_dtypes(default, name):
    choose_default_dtype(default)
    random = np.random.default_rng(7)
    for shape in [(), (0,), (0, 2), (3,)]:
        array = random_array(random, name, shape)
        assert format_tensor(array) == repr(as_torch(array))


@pytest.mark.parametrize("linewidth", range(8, 60))
def test_every_line_width(linewidth):
    choose({"linewidth": linewidth})
    for array in (np.float64([1, 2, 3]), np.float64([[1.5, 2]]), np.zeros((0, 2)), np.float64(1)):
        tensor = torch.from_numpy(np.asarray(array)).requires_grad_()
        assert format_tensor(np.asarray(array), requires_grad=True) == repr(tensor)
        result = tensor.clone()
        assert format_tensor(np.asarray(array), grad_fn_name="CloneBackward0") == repr(result)


@pytest.mark.parametrize("size", range(1, 12))
@pytest.mark.parametrize("edgeitems", range(5))
def test_where_summarising_begins(size, edgeitems):
    for threshold in (size - 1, size, size * 7 - 1, size * 7):
        choose({"edgeitems": edgeitems, "threshold": threshold})
        for shape in ((size,), (size, 7), (7, size)):
            array = np.arange(np.prod(shape), dtype=np.float32).reshape(shape) / 8
            assert format_tensor(array) == repr(torch.from_numpy(array))


@pytest.mark.filterwarnings(r"ignore::DeprecationWarning:torch\..*")  # its first use warns of jit
def test_tangents_are_extras():
    forward = torch.autograd.forward_ad
    with forward.dual_level():
        for shape in [(2,), (2, 2), (20,)]:
            primal, tangent = np.ones(shape, np.float32), np.full(shape, 0.25, np.float32)
            dual = forward.make_dual(torch.from_numpy(primal), torch.from_numpy(tangent))
            ours = format_tensor(primal, extras=[f"tangent={format_tensor(tangent)}"])
            assert ours == repr(dual)


def test_notes_of_another_device():
    choose({"linewidth": 200})
    theirs = repr(torch.ones(0, 2, dtype=torch.float64, device="meta", requires_grad=True))
    ours = format_tensor(np.ones((0, 2)), device="meta", requires_grad=True)
    assert ours == theirs.replace("...", "[]")


@pytest.mark.parametrize("spec", ["", ".3f", ">12", "e", ".2g", "+.1f", "10", "d", "x", "s", "?"])
@pytest.mark.parametrize("name", NAMES)
def test_specs(name, spec):
    def outcome(make):
        try:
            return make()
        except (TypeError, ValueError) as error:
            return type(error), str(error)

    array = np.asarray(random_array(np.random.default_rng(3), name, ()))
    tensor = as_torch(array)
    assert outcome(lambda: format_with_spec(tensor, array, spec)) == outcome(
        lambda: format(tensor, spec)
    )
    for whole in (tensor.reshape(1), torch.nn.Parameter(tensor, requires_grad=False)):
        if spec:
            with pytest.raises(TypeError):
                format(whole, spec)
            with pytest.raises(TypeError):
                format_with_spec(whole, np.reshape(array, whole.shape), spec, plain=False)
        else:
            text = format_with_spec(whole, np.reshape(array, whole.shape), spec, plain=False)
            assert text == format(whole, spec)


@pytest.mark.parametrize(
    "options",
    [
        {"precision": "four"}, {"precision": 2.5}, {"precision": -1}, {"threshold": "many"},
        {"edgeitems": 1.5}, {"linewidth": "80"}, {"linewidth": float("nan")}, {"colour": True},
    ],
)  # fmt: skip
def test_bad_options_raise_the_same_type(options):
    """PyTorch raises most of these at the next print; Adjoint at once."""

    def theirs():
        torch.set_printoptions(**options)
        try:
            repr(torch.rand(2000))
        except (TypeError, ValueError) as error:
            # Not kept: what PyTorch's printing turns off comes back when its frames are freed,
            # and until then its vmap refuses.
            return type(error)

    try:
        expected = theirs()
    except (TypeError, ValueError) as error:
        expected = type(error)
    with pytest.raises(expected):
        set_printoptions(**options)
