"""Making tensors: what is shared and what is copied, ``out=``, devices, old constructors.

Values, types and errors of every function are in ``tests/samples/creation.py``.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import adjoint as torch
from adjoint.ops import conversion

# -- memory that is shared ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "make", [torch.from_numpy, torch.as_tensor, torch.asarray, torch.from_dlpack]
)
def test_an_array_and_its_tensor_share_memory(make):
    array = np.arange(6.0).reshape(2, 3)
    tensor = make(array)
    array[0, 0] = 7.0
    tensor[1, 2] = 8.0
    assert tensor[0, 0].item() == 7.0
    assert array[1, 2] == 8.0


def test_tensor_and_copies_share_nothing():
    array = np.zeros(3)
    copies = [
        torch.tensor(array), torch.asarray(array, copy=True), torch.as_tensor(array, dtype=float),
        torch.as_tensor(array, dtype=torch.float32), torch.from_dlpack(array, copy=True),
    ]  # fmt: skip
    array[:] = 1.0
    shared = [tensor.tolist() == [1.0, 1.0, 1.0] for tensor in copies]
    assert shared == [False, False, True, False, False]  # float is float64, the array's own type


def test_strides_are_kept():
    array = np.zeros((4, 6))[::2, ::3]
    assert torch.from_numpy(array).stride() == (12, 3)
    assert torch.from_numpy(np.zeros((2, 3)).T).stride() == (1, 3)
    assert torch.tensor(np.zeros((2, 3)).T).stride() == (1, 3)


def test_reshaping_the_users_array_leaves_the_tensor_alone():
    array = np.zeros(6)
    tensor = torch.from_numpy(array)
    array.shape = (2, 3)
    seen = tensor.numpy()
    seen.shape = (3, 2)
    assert tensor.shape == (6,)


def test_a_subclass_of_an_array_becomes_a_plain_one():
    masked = np.ma.masked_array([1.0, 2.0], [True, False])
    assert type(torch.from_numpy(masked).numpy()) is np.ndarray


def test_a_read_only_array_is_warned_of_once(monkeypatch):
    monkeypatch.setattr(conversion, "_warned_of_read_only", False)
    array = np.zeros(2)
    array.flags.writeable = False
    with pytest.warns(UserWarning, match="read-only"):
        tensor = torch.from_numpy(array)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        torch.as_tensor(np.broadcast_to(array, (2, 2)))
    tensor.add_(1.0)
    assert array.tolist() == [1.0, 1.0]
    assert not array.flags.writeable
    assert torch.from_numpy(np.broadcast_to(array, (2, 0, 2))).shape == (2, 0, 2)


@pytest.mark.parametrize(
    ("array", "error", "message"),
    [
        (np.arange(3)[::-1], ValueError, r"runs backwards .* array.copy\(\)"),
        (np.zeros(2, ">f4"), ValueError, "byte order"),
        (np.zeros(2, "i4,f8")["f1"], ValueError, "no multiples"),
        (np.zeros(2, np.uint16), TypeError, "supported types are"),
        (np.array(["a"]), TypeError, "supported types are"),
        ([1.0], TypeError, "expected np.ndarray, but got list"),
    ],
)
def test_arrays_that_no_tensor_can_hold(array, error, message):
    with pytest.raises(error, match=message):
        torch.from_numpy(array)


def test_a_buffer_is_shared():
    buffer = bytearray(8)
    tensor = torch.frombuffer(buffer, dtype=torch.int16, offset=2, count=2)
    tensor[0] = 258
    assert buffer == bytearray([0, 0, 2, 1, 0, 0, 0, 0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"buffer": bytearray(7)}, "7 bytes are no whole number of torch.int32"),
        ({"buffer": bytearray(8), "count": 3}, "3 elements of 4 bytes after 0 are beyond"),
        ({"buffer": bytearray(8), "offset": 8}, "offset=8 is not within the 8 bytes"),
        ({"buffer": bytearray(8), "offset": -1}, "offset=-1 is not within"),
        ({"buffer": bytearray(8), "count": 0}, "nothing to read"),
        ({"buffer": b""}, "nothing to read"),
        ({"buffer": [1]}, "a list does not implement the buffer protocol"),
    ],
)
def test_buffers_without_such_elements(arguments, message):
    with pytest.raises(ValueError, match=message):
        torch.frombuffer(**arguments, dtype=torch.int32)


# -- DLPack -------------------------------------------------------------------------------------


def test_dlpack_both_ways_without_a_copy():
    tensor = torch.arange(6.0).reshape(2, 3).T
    array = np.from_dlpack(tensor)
    assert array.shape == (3, 2)
    assert array.strides == (4, 12)
    back = torch.from_dlpack(array)
    tensor[2, 1] = 9.0
    assert array[2, 1] == back[2, 1].item() == 9.0
    assert tensor.__dlpack_device__() == (1, 0)


class FirstVersion:
    """A producer that does not know of versions."""

    def __init__(self, array, place=(1, 0)):
        self.array, self.place = array, place

    def __dlpack__(self, stream=None):
        return self.array.__dlpack__()

    def __dlpack_device__(self):
        return self.place


def test_memory_of_the_first_version_can_be_written():
    array = np.zeros(3)
    tensor = torch.from_dlpack(FirstVersion(array))
    tensor[1] = 2.0
    assert array.tolist() == [0.0, 2.0, 0.0]
    with pytest.raises(BufferError, match=r"device \(2, 0\), not the CPU"):
        torch.from_dlpack(FirstVersion(array, (2, 0)))


def test_a_capsule_is_read_once():
    tensor = torch.ones(2)
    capsule = torch.to_dlpack(tensor)
    other = torch.from_dlpack(capsule)
    other[0] = 5.0
    assert tensor.tolist() == [5.0, 1.0]
    with pytest.raises(RuntimeError, match="cannot be read again"):
        torch.from_dlpack(capsule)


def test_what_dlpack_refuses():
    leaf = torch.ones(2, requires_grad=True)
    with pytest.raises(BufferError, match=r"use tensor.detach\(\)"):
        leaf.__dlpack__()
    with pytest.raises(BufferError, match=r"use tensor.detach\(\)"):
        np.from_dlpack(leaf)
    with pytest.raises(RuntimeError, match="a list has no __dlpack__"):
        torch.from_dlpack([1.0])
    with pytest.raises(AssertionError, match="stream"):
        leaf.detach().__dlpack__(stream=1)


# -- data ---------------------------------------------------------------------------------------


def test_a_tensor_in_tensor_is_copied_with_a_warning():
    source = torch.ones(2, requires_grad=True)
    with pytest.warns(UserWarning, match=r"clone\(\).detach\(\)"):
        copy = torch.tensor(source)
    assert not copy.requires_grad
    assert copy.data_ptr() != source.data_ptr()


def test_tensors_and_arrays_inside_lists():
    two = torch.tensor(2.5, dtype=torch.float64)
    assert torch.tensor([1, two]).dtype is torch.float64
    assert torch.tensor([[1, 2], np.array([3, 4])]).tolist() == [[1, 2], [3, 4]]
    with pytest.raises(ValueError, match=r"one element each.*stack\(\)"):
        torch.tensor([torch.ones(2), torch.ones(2)])


def test_the_default_type_is_that_of_the_moment():
    torch.set_default_dtype(torch.float64)
    try:
        made = [torch.tensor(1.5), torch.zeros(2), torch.arange(2.0), torch.full((2,), 1j)]
        assert torch.Tensor([1]).dtype is torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    assert [tensor.dtype for tensor in made] == [*[torch.float64] * 3, torch.complex128]


def test_bfloat16():
    tensor = torch.tensor([1.0, 1.00390625, 3e38], dtype=torch.bfloat16)
    assert tensor.tolist() == [1.0, 1.0, 3.00405527047391e38]
    assert torch.full((2,), 0.1, dtype=torch.bfloat16)[0].item() == 0.10009765625


def test_a_leaf_is_asked_for():
    assert torch.ones(2, requires_grad=True).is_leaf
    assert torch.tensor([1.0], requires_grad=True).requires_grad
    x = torch.ones(2, requires_grad=True)
    assert not torch.zeros_like(x).requires_grad
    assert torch.zeros_like(x, requires_grad=True).requires_grad
    assert torch.as_tensor(x) is x
    (torch.as_tensor(x, dtype=torch.float64) * 2).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]
    assert not torch.asarray(x, requires_grad=False).requires_grad


# -- out= and where -----------------------------------------------------------------------------


def test_out_is_written_and_takes_the_shape():
    out = torch.empty(0)
    assert torch.ones(2, 3, out=out) is out
    assert out.tolist() == [[1.0] * 3] * 2
    torch.arange(6, out=out.view(-1).long())
    whole = torch.zeros(4, dtype=torch.int64)
    address = whole.data_ptr()
    torch.arange(4, out=whole)
    assert whole.tolist() == [0, 1, 2, 3]
    assert whole.data_ptr() == address
    assert whole._version == 1


def test_out_is_refused_or_takes_the_shape():
    with pytest.raises(RuntimeError, match=r"dtype is torch.int64, but out has torch.float32"):
        torch.zeros(2, out=torch.empty(2), dtype=torch.int64)
    with pytest.raises(TypeError, match="out is a Tensor, not list"):
        torch.zeros(2, out=[0, 0])
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        torch.zeros(2, out=torch.empty(2, requires_grad=True))
    filled = torch.ones(3)
    torch.zeros(2, out=filled)  # of another shape: without a word, as in PyTorch
    assert filled.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("device", ["cuda", "cuda:1", "mps", "meta", "cpu:1"])
def test_there_is_only_the_cpu(device):
    error = AssertionError if device.startswith("cuda") else RuntimeError
    with pytest.raises(error, match=f"there is no device '{device}' here"):
        torch.zeros(2, device=device)
    with pytest.raises(error, match="computes on the CPU"):
        torch.zeros(2).to(device)


def test_devices():
    device = torch.device("cuda:1")
    assert repr(device) == "device(type='cuda', index=1)"
    assert str(device) == "cuda:1"
    assert device == torch.device("cuda", 1) == torch.device(device)
    assert device != torch.device("cuda")
    assert len({device, torch.device("cuda", 1)}) == 1
    assert torch.zeros(2, device=torch.device("cpu")).device == torch.device("cpu")
    with pytest.raises(AttributeError, match="does not change"):
        device.index = 2
    for wrong in ("fridge", "", "cuda:x", 3):
        with pytest.raises(RuntimeError):
            torch.device(wrong)
    with torch.device("cpu"):
        assert torch.zeros(1).device.type == "cpu"
    with pytest.raises(AssertionError, match="no device"), torch.device("cuda"):
        pass


def test_layouts_and_pinned_memory():
    assert torch.zeros(2, layout=torch.strided).layout is torch.strided
    with pytest.raises(RuntimeError, match="there is only strided"):
        torch.zeros(2, layout=torch.sparse_coo)
    with pytest.raises(RuntimeError, match="pin_memory"):
        torch.zeros(2, pin_memory=True)


def test_memory_formats():
    x = torch.zeros(2, 3, 4, 5)
    last = torch.zeros_like(x, memory_format=torch.channels_last)
    assert last.stride() == (60, 1, 15, 3)
    assert last.is_contiguous(memory_format=torch.channels_last)
    assert not last.is_contiguous()
    assert torch.ones_like(last).stride() == last.stride()
    assert torch.ones_like(last, memory_format=torch.contiguous_format).is_contiguous()
    with pytest.raises(RuntimeError, match="4 dimensions"):
        torch.zeros_like(torch.zeros(2), memory_format=torch.channels_last)


# -- old constructors ---------------------------------------------------------------------------


def test_tensor_as_a_constructor():
    assert torch.Tensor(2, 3).shape == (2, 3)
    assert torch.Tensor().shape == (0,)
    assert torch.Tensor([1, 2]).dtype is torch.float32
    assert torch.Tensor(torch.Size([2, 3])).shape == (2, 3)
    source = torch.tensor([1, 2])
    assert torch.Tensor(source).data_ptr() == source.data_ptr()
    assert source.new([1.5]).tolist() == [1]
    with pytest.raises(TypeError, match="neither a size nor a sequence"):
        torch.Tensor(2.5)


def test_a_subclass_of_tensor():
    class Mine(torch.Tensor):
        pass

    mine = Mine([1.0, 2.0])
    assert type(mine) is Mine
    assert (mine * 2).tolist() == [2.0, 4.0]
    leaf = torch.ones(2, requires_grad=True)
    also = leaf.as_subclass(Mine)
    assert type(also) is Mine
    assert also.data_ptr() == leaf.data_ptr()
    (also * 3).sum().backward()
    assert leaf.grad.tolist() == [3.0, 3.0]
    with pytest.raises(TypeError, match="subclass of Tensor, not <class 'int'>"):
        leaf.as_subclass(int)


def test_types_of_old():
    assert torch.LongTensor([1.5, 2]).tolist() == [1, 2]
    assert torch.FloatTensor(2, 3).shape == (2, 3)
    assert isinstance(torch.ones(2), torch.FloatTensor)
    assert not isinstance(torch.ones(2), torch.LongTensor)
    assert torch.ones(2).type(torch.DoubleTensor).dtype is torch.float64
    assert repr(torch.BoolTensor) == "<class 'torch.BoolTensor'>"
    with pytest.raises(TypeError, match=r"is converted by \.to"):
        torch.LongTensor(torch.ones(2))


# -- inside transforms --------------------------------------------------------------------------


def test_what_is_like_a_batch_is_a_batch():
    def doubled(x):
        out = torch.zeros_like(x)
        out[0] = x[0] * 2
        more = x.new_ones(2)
        more[1] = x[1]
        return out, more

    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    out, more = torch.func.vmap(doubled)(x)
    assert out.tolist() == [[2.0, 0.0], [6.0, 0.0]]
    assert more.tolist() == [[1.0, 2.0], [1.0, 4.0]]
