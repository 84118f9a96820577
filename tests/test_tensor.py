"""The Tensor's face: attributes, conversions to Python and NumPy, copying, and settings."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest

import adjoint as torch


@pytest.fixture
def x():
    return torch.arange(6.0).reshape(2, 3)


# -- Size ---------------------------------------------------------------------------------------


def test_sizes_stay_sizes():
    size = torch.Size([2, 3])
    four = (4,)
    for made in (size + four, four + size, size * 2, 2 * size, size[:1], copy.deepcopy(size)):
        assert type(made) is torch.Size
    assert repr(size) == str(size) == "torch.Size([2, 3])"
    assert size == (2, 3)
    assert hash(size) == hash((2, 3))
    assert size.numel() == 6
    assert torch.Size().numel() == 1
    assert pickle.loads(pickle.dumps(size)) == size


def test_what_is_no_size():
    with pytest.raises(TypeError, match="item 1 is a float"):
        torch.Size([2, 2.5])
    with pytest.raises(TypeError, match="not a list"):
        torch.Size([2]).__add__([3])


# -- attributes ---------------------------------------------------------------------------------


def test_shape_and_type(x):
    assert (x.shape, x.size(), x.size(-1), x.ndim, x.dim(), x.ndimension()) == (
        (2, 3), (2, 3), 3, 2, 2, 2,
    )  # fmt: skip
    assert (x.numel(), x.nelement(), x.itemsize, x.element_size(), x.nbytes) == (6, 6, 4, 4, 24)
    assert (x.dtype, x.layout, str(x.device)) == (torch.float32, torch.strided, "cpu")
    assert (x.is_cpu, x.is_cuda, x.is_sparse, x.get_device()) == (True, False, False, -1)
    assert (x.cpu() is x, x.is_pinned(), x.is_shared()) == (True, False, False)
    with pytest.raises(IndexError, match="Dimension out of range"):
        x.size(2)
    with pytest.raises(IndexError, match="tensor has no dimensions"):
        torch.tensor(1).size(0)


def test_how_it_lies_in_memory(x):
    part = x[1:, 1:]
    assert (x.stride(), x.T.stride(), part.stride(0)) == ((3, 1), (1, 3), 3)
    assert (part.storage_offset(), x.detach().storage_offset()) == (4, 0)
    assert part.data_ptr() == x.data_ptr() + 16
    assert (x.is_contiguous(), x.T.is_contiguous(), part[:1].is_contiguous()) == (
        True, False, True,
    )  # fmt: skip
    assert torch.zeros(2, 0, 3).stride() == (3, 3, 1)
    assert torch.zeros(0).data_ptr() == 0
    storage = part.untyped_storage()
    assert (storage.data_ptr(), storage.nbytes(), len(storage)) == (x.data_ptr(), 24, 24)
    assert part.is_set_to(x[1:, 1:])
    assert not part.is_set_to(x)
    with pytest.raises(IndexError, match="Dimension out of range"):
        x.stride(2)


def test_strides_of_dimensions_that_none_made():
    x = torch.ones(2, 3)
    assert x[None].stride() == (6, 3, 1)
    assert x[:, None].stride() == (3, 3, 1)
    assert x[..., None].stride() == (3, 1, 1)
    assert x.T.unsqueeze(1).stride() == (1, 6, 3)
    assert torch.atleast_2d(torch.ones(3)).stride() == (3, 1)
    assert torch.ones(3).expand(2, 3)[None].stride() == (0, 0, 1)
    assert not x.T[None].clone().is_contiguous()


def test_orders_of_memory():
    x = torch.arange(24.0).reshape(1, 2, 3, 4)
    moved = x.to(memory_format=torch.channels_last)
    assert moved.stride() == (24, 1, 8, 2)
    assert moved.equal(x)
    assert moved.contiguous(memory_format=torch.channels_last) is moved
    assert moved.contiguous().stride() == x.stride()
    assert x.clone(memory_format=torch.channels_last).stride() == moved.stride()
    assert x[:, :, None].contiguous(memory_format=torch.channels_last_3d).stride() == (
        24,
        1,
        24,
        8,
        2,
    )
    assert x.to(memory_format=torch.preserve_format) is x
    both = torch.func.vmap(lambda each: each.clone(memory_format=torch.channels_last))(x[None])
    assert both.equal(x[None])
    with pytest.raises(RuntimeError, match="this one has 1 dimensions"):
        torch.ones(2).clone(memory_format=torch.channels_last)
    with pytest.raises(TypeError, match="is a memory format"):
        x.clone(memory_format="channels_last")
    with pytest.raises(RuntimeError, match="preserve"):
        x.mT.contiguous(memory_format=torch.preserve_format)


def test_subclasses_print_their_name(x):
    class Mine(torch.Tensor):
        pass

    assert repr(torch.ones(1, 1).as_subclass(Mine)) == "Mine([[1.]])"
    assert repr(torch.nn.Buffer(torch.ones(1))) == "tensor([1.])"


def test_what_needs_a_gpu(x):
    with pytest.raises(AssertionError, match="no device 'cuda'"):
        x.cuda()
    with pytest.raises(RuntimeError, match="accelerator"):
        x.pin_memory()
    with pytest.raises(RuntimeError, match="sparse"):
        x.is_coalesced()
    assert (torch.cuda.is_available(), torch.cuda.device_count()) == (False, 0)
    with pytest.raises(AssertionError, match="is_available"):
        torch.cuda.synchronize()


def test_attributes_of_a_gradient(x):
    leaf = torch.ones(2, requires_grad=True)
    made = leaf * 2
    assert (leaf.is_leaf, made.is_leaf, leaf.grad_fn) == (True, False, None)
    assert made.grad_fn.name() == "MulBackward0"
    with pytest.warns(UserWarning, match=r"MulBackward0 made is asked for.*retain_grad"):
        assert made.grad is None
    for gradient, error, message in (
        (3, TypeError, "is a Tensor or None, but got int"),
        (torch.ones(3), RuntimeError, r"shape \[3\] was assigned to a tensor of shape \[2\]"),
        (torch.ones(2).double(), RuntimeError, "float64 was assigned to a torch.float32"),
        (leaf, RuntimeError, "cannot be its own"),
    ):
        with pytest.raises(error, match=message):
            leaf.grad = gradient
        assert leaf.grad is None
    leaf.grad = torch.ones(2)
    del leaf.grad
    assert leaf.grad is None


# -- numbers ------------------------------------------------------------------------------------


def test_one_element_is_a_number():
    assert torch.tensor([[3]]).item() == 3
    assert isinstance(torch.tensor(2.5).item(), float)
    assert (int(torch.tensor(2.7)), float(torch.tensor(2)), bool(torch.tensor([[2.0]]))) == (
        2, 2.0, True,
    )  # fmt: skip
    assert complex(torch.tensor(1)) == 1
    assert [1, 2, 3][torch.tensor(1)] == 2
    assert torch.tensor(1.5, dtype=torch.bfloat16).item() == 1.5
    assert float(torch.tensor(2 + 0j)) == 2.0


@pytest.mark.parametrize(
    ("convert", "error", "message"),
    [
        (lambda t: t.item(), RuntimeError, r"2 elements cannot be converted.*\[2\]"),
        (int, ValueError, r"only one element tensors.*shape \[2\]"),
        (float, ValueError, r"only one element tensors.*shape \[2\]"),
        (complex, ValueError, "only one element tensors"),
        (bool, RuntimeError, r"more than one value is ambiguous.*any\(\)"),
        (range, TypeError, r"converted to an index.*float32 of shape \[2\]"),
    ],
)
def test_several_elements_are_no_number(convert, error, message):
    with pytest.raises(error, match=message):
        convert(torch.ones(2))


def test_what_is_no_such_number():
    with pytest.raises(RuntimeError, match="no values is ambiguous"):
        bool(torch.ones(0))
    with pytest.raises(RuntimeError, match="without overflow"):
        float(torch.tensor(1j))
    with pytest.raises(RuntimeError, match="without overflow"):
        int(torch.tensor(1j))
    with pytest.raises(TypeError, match="converted to an index"):
        range(torch.tensor(1.0))


def test_lists(x):
    assert x.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    assert torch.tensor(3).tolist() == 3
    assert torch.tensor([1.5], dtype=torch.bfloat16).tolist() == [1.5]
    assert torch.tensor([1 + 2j]).tolist() == [1 + 2j]


# -- as a sequence ------------------------------------------------------------------------------


def test_iteration(x):
    assert [row.tolist() for row in x] == [[0, 1, 2], [3, 4, 5]]
    assert (len(x), len(list(torch.zeros(0, 2)))) == (2, 0)
    leaf = torch.ones(2, requires_grad=True)
    first, second = leaf
    assert first.grad_fn.name() == "UnbindBackward0"
    (2 * first + 3 * second).backward()
    assert leaf.grad.tolist() == [2.0, 3.0]
    for use in (iter, len, list):
        with pytest.raises(TypeError, match="0-d tensor"):
            use(torch.tensor(1))


def test_membership(x):
    assert 2 in x
    assert torch.tensor(5.0) in x
    assert 7 not in x
    with pytest.raises(RuntimeError, match=r"only supports Tensor or scalar.*'str'"):
        assert "a" in x


def test_identity_is_what_hashes(x):
    assert len({x, x, x.clone()}) == 2
    assert "grad_fn" in dir(x)


# -- NumPy --------------------------------------------------------------------------------------


def test_to_numpy_shares(x):
    array = x.numpy()
    array[0, 0] = 9.0
    assert x[0, 0].item() == 9.0
    assert np.asarray(x).__array_interface__["data"] == array.__array_interface__["data"]
    assert np.array(x, dtype=np.float64).dtype == np.float64
    leaf = torch.ones(2, requires_grad=True)
    for convert in (torch.Tensor.numpy, np.asarray, np.sin):
        with pytest.raises(RuntimeError, match=r"Use tensor.detach\(\).numpy\(\) instead"):
            convert(leaf)
    assert leaf.numpy(force=True).tolist() == [1.0, 1.0]
    with pytest.raises(TypeError, match=r"no bfloat16.*x.float\(\)"):
        torch.ones(1, dtype=torch.bfloat16).numpy()


def test_functions_of_numpy_give_tensors(x):
    assert isinstance(np.sin(x), torch.Tensor)
    assert np.sin(torch.tensor(0.0)).item() == 0.0
    assert np.greater(x, 2).dtype is torch.uint8
    assert np.add(np.ones(3), x).dtype is torch.float64


def test_arithmetic_with_arrays_and_scalars(x):
    for made in (x * np.ones(3), np.ones(3) * x, np.full(3, 1.0) + x - np.full(3, 1.0)):
        assert isinstance(made, torch.Tensor)
        assert made.tolist() == x.tolist()
    assert (np.float64(2) * x).dtype is torch.float32
    assert (torch.tensor([1]) * np.float32(2.5)).tolist() == [2.5]
    assert (x == np.asarray(x)).all()


# -- copy and pickle ----------------------------------------------------------------------------


def round_trips():
    return [copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))]


@pytest.mark.parametrize("trip", round_trips())
def test_a_copy_is_whole_and_its_own(trip, x):
    leaf = torch.ones(2, requires_grad=True)
    leaf.label = ["kept"]
    other = trip(leaf)
    assert other.requires_grad
    assert other.is_leaf
    assert other.label == ["kept"]
    assert other.label is not leaf.label
    assert other.data_ptr() != leaf.data_ptr()
    turned = trip(x.T)
    assert turned.stride() == (1, 3)
    assert turned.tolist() == x.T.tolist()
    half = trip(torch.tensor([1.5, 2.5], dtype=torch.bfloat16))
    assert half.dtype is torch.bfloat16
    assert half.tolist() == [1.5, 2.5]
    half[0] = 3.0


@pytest.mark.parametrize("trip", round_trips())
def test_tensors_that_share_memory_still_do(trip, x):
    whole, row, alias, turned, again = trip((x, x[1], x.detach(), x.T[1:], x))
    assert whole is again
    whole[1, 1] = 40.0
    assert row.tolist() == alias[1].tolist() == [3.0, 40.0, 5.0]
    assert turned[0].tolist() == [1.0, 40.0]
    assert x[1, 1].item() == 4.0


@pytest.mark.parametrize("trip", round_trips())
def test_only_what_the_tensor_shows_is_copied(trip):
    """A tensor made of a small part of the user's array does not take the array along."""
    small = torch.from_numpy(np.zeros(1000)[10:20])
    assert trip(small).untyped_storage().nbytes() == 80


def test_gradients_are_copied_by_deepcopy():
    leaf = torch.ones(2, requires_grad=True)
    (leaf * 3).sum().backward()
    other = copy.deepcopy(leaf)
    assert other.grad.tolist() == [3.0, 3.0]
    assert other.grad is not leaf.grad


def test_shallow_copies_share(x):
    other = copy.copy(x)
    assert other is not x
    assert other.data_ptr() == x.data_ptr()


def test_what_was_computed_is_pickled_as_a_leaf_and_not_copied():
    made = torch.ones(2, requires_grad=True) * 2
    other = pickle.loads(pickle.dumps(made))
    assert other.is_leaf
    assert other.requires_grad
    with pytest.raises(RuntimeError, match=r"made by MulBackward0; detach\(\) it"):
        copy.deepcopy(made)


def test_subclasses_stay_what_they_are():
    parameter = torch.nn.Parameter(torch.ones(2))
    for trip in round_trips():
        assert type(trip(parameter)) is torch.nn.Parameter


def test_dtypes_devices_and_layouts_are_pickled():
    for value in (torch.float32, torch.bool, torch.device("cuda:1"), torch.channels_last):
        assert pickle.loads(pickle.dumps(value)) == value
        assert copy.deepcopy(value) == value


# -- inside transforms there are no numbers -----------------------------------------------------


@pytest.mark.parametrize(
    "use",
    [
        lambda t: t.item(),
        lambda t: t.tolist(),
        lambda t: t.numpy(),
        lambda t: bool(t),
        lambda t: t.data_ptr(),
        lambda t: pickle.dumps(t),
        lambda t: copy.deepcopy(t),
    ],
)
def test_values_inside_transforms(use):
    with pytest.raises(RuntimeError, match="inside a transform: a batch of shape"):
        torch.func.vmap(lambda t: use(t) or t)(torch.ones(2))


BATCHED = """\
BatchedTensor(lvl=1, bdim=0, value=
    tensor([[1., 1., 1.],
            [1., 1., 1.],
            [1., 1., 1.],
            [1., 1., 1.]])
)"""
NESTED = """\
GradTrackingTensor(lvl=2, value=
    BatchedTensor(lvl=1, bdim=0, value=
        tensor([2., 2.])
    )
)"""


def test_nested_transforms_are_printed():
    seen = []
    one = torch.ones(2)
    torch.func.vmap(torch.func.grad(lambda t: (seen.append(repr(t * 2)), t * t)[1]))(one)
    torch.func.jvp(lambda t: seen.append(repr(t)) or t, (one,), (one,))
    assert seen == [NESTED, "GradTrackingTensor(lvl=1, value=\n    tensor([1., 1.])\n)"]


def test_a_batch_has_a_shape_and_is_printed():
    seen = []
    torch.func.vmap(lambda t: seen.append((t.shape, t.stride(), repr(t))) or t)(torch.ones(4, 3))
    assert seen == [((3,), (1,), BATCHED)]


# -- settings and questions ---------------------------------------------------------------------


def test_questions(x):
    assert torch.is_tensor(x)
    assert not torch.is_tensor(x.numpy())
    assert torch.numel(x) == 6
    assert torch.is_nonzero(torch.tensor([0.5]))
    assert torch.is_same_size(x, x + 1)
    assert torch.is_storage(x.untyped_storage())
    assert (torch.typename(x), torch.typename(3)) == ("torch.FloatTensor", "int")
    for ask in (torch.numel, torch.is_nonzero):
        with pytest.raises(TypeError, match="input is a Tensor, not list"):
            ask([1])
    with pytest.raises(RuntimeError, match=r"ambiguous.*\[2, 3\]"):
        torch.is_nonzero(x)


def test_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    assert torch.get_num_threads() == 3
    torch.set_num_threads(before)
    for wrong in (0, -1, 2.5):
        with pytest.raises(RuntimeError, match="positive int"):
            torch.set_num_threads(wrong)


def test_default_types():
    torch.set_default_tensor_type(torch.DoubleTensor)
    assert torch.get_default_dtype() is torch.float64
    torch.set_default_tensor_type("torch.FloatTensor")
    assert torch.get_default_dtype() is torch.float32
    for wrong in (torch.LongTensor, "torch.LongTensor", "fridge"):
        with pytest.raises(TypeError):
            torch.set_default_tensor_type(wrong)
    torch.set_default_device("cpu")
    with pytest.raises(AssertionError, match="no device 'cuda'"):
        torch.set_default_device("cuda")
    assert torch.get_default_device() == torch.device("cpu")


def test_limits_of_types():
    assert torch.finfo(torch.float32).eps == 2.0**-23
    assert torch.finfo(torch.bfloat16).max == float(torch.tensor(3.39e38, dtype=torch.bfloat16))
    assert torch.finfo().dtype == "float32"
    assert (torch.iinfo(torch.uint8).min, torch.iinfo(torch.int64).max) == (0, 2**63 - 1)
    assert repr(torch.iinfo(torch.int32)) == "iinfo(min=-2.14748e+09, max=2.14748e+09, dtype=int32)"
    for limits, kind in (
        (torch.finfo, torch.int32), (torch.iinfo, torch.float32), (torch.iinfo, torch.bool),
        (torch.finfo, "float32"),
    ):  # fmt: skip
        with pytest.raises(TypeError):
            limits(kind)


def test_items_are_not_deleted():
    x = torch.arange(3)
    with pytest.raises(TypeError, match="does not support deleting items"):
        del x[0]
    assert x.tolist() == [0, 1, 2]


def test_names_of_the_top_level():
    assert (torch.pi, torch.e, torch.inf, torch.newaxis) == (np.pi, np.e, np.inf, None)
    assert torch.nan != torch.nan
    assert {"tensor", "nn", "float32", "vmap"} <= set(dir(torch))
    with pytest.raises(AttributeError, match="no attribute 'fridge'"):
        torch.fridge  # noqa: B018


def test_families_of_networks_are_loaded_when_asked_for():
    program = """
import gc, sys
import adjoint
assert gc.isenabled()
assert "adjoint.ops.convolution" not in sys.modules
assert not hasattr(adjoint, "fridge")
assert adjoint.conv2d is adjoint.nn.functional.conv2d
assert adjoint.conv2d is vars(adjoint)["conv2d"]
gc.disable()
del sys.modules["adjoint"]
import adjoint
assert not gc.isenabled()
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_infinities_are_silent():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (torch.ones(1) / torch.zeros(1)).item() == np.inf
