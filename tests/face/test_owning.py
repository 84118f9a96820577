"""``resize_``, ``set_``, ``apply_`` and their like; ``swap_tensors``."""

from __future__ import annotations

import pytest

import adjoint as torch

# -- resize_ ------------------------------------------------------------------------------------


def test_resize_keeps_memory_and_counts():
    x = torch.arange(6.0)
    view = x[2:4]
    assert view.resize_(2, 2) is view
    assert view.tolist() == [[2.0, 3.0], [4.0, 5.0]]
    assert view._base is x
    assert x._version == view._version == 1
    assert x.resize_(2).resize_((6,)).tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


def test_resize_to_more_than_there_is_moves_base_and_views():
    x = torch.arange(4.0)
    view = x[1:]
    x.resize_(10)
    x[3] = 9.0
    assert view.tolist() == [1.0, 2.0, 9.0]
    assert x.untyped_storage().nbytes() == 40
    assert view.storage_offset() == 1


def test_resize_of_what_lies_otherwise_reads_memory_in_its_order():
    assert torch.arange(6.0).reshape(2, 3).t().resize_(2, 2).tolist() == [[0.0, 1.0], [2.0, 3.0]]
    strided = torch.zeros(0).resize_(2, 3, 4, 5, memory_format=torch.channels_last)
    assert strided.stride() == (60, 1, 15, 3)
    assert torch.zeros(5).resize_as_(torch.zeros(2, 1)).shape == (2, 1)


@pytest.mark.parametrize("enabled", [True, False])
def test_resize_is_refused_where_a_gradient_is_wanted(enabled):
    w = torch.ones(2, requires_grad=True)
    with torch.set_grad_enabled(enabled):
        for x in (w, w * 1) if enabled else (w,):
            with pytest.raises(RuntimeError, match="cannot resize variables that require grad"):
                x.resize_(3)
            assert x.shape == (2,)
            assert x._version == 0


def test_resize_of_wrong_sizes():
    for sizes, error in (((-1,), RuntimeError), ((), TypeError), ((2.5,), TypeError)):
        with pytest.raises(error):
            torch.zeros(2).resize_(*sizes)
    with pytest.raises(RuntimeError, match="required rank 4"):
        torch.zeros(2).resize_(2, 2, memory_format=torch.channels_last)
    with pytest.raises(TypeError, match="'the_template' must be Tensor"):
        torch.resize_as_(torch.zeros(2), 3)


# -- set_ ---------------------------------------------------------------------------------------


def test_set_shares_memory_and_not_versions():
    x, source = torch.zeros(3), torch.ones(4)
    view = x[1:]
    assert x.set_(source) is x
    assert (x._version, source._version, x._is_view()) == (1, 0, False)
    source.add_(1)
    assert x.tolist() == [2.0] * 4
    assert x._version == 1
    view.add_(5)
    assert view.tolist() == [5.0, 5.0]
    assert x.tolist() == [2.0] * 4


def test_set_with_sizes_and_storages():
    source = torch.arange(6.0)
    x = torch.zeros(0).set_(source, 1, (2, 2), (2, 1))
    assert x.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert (x.storage_offset(), x.stride()) == (1, (2, 1))
    assert torch.zeros(0).set_(source.untyped_storage(), 4, (2,)).tolist() == [4.0, 5.0]
    assert torch.zeros(2).set_(source[2:].untyped_storage()).tolist() == source.tolist()
    assert torch.zeros(2).set_().shape == (0,)


def test_set_is_refused():
    source = torch.zeros(4)
    leaf = torch.zeros(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        leaf.set_(source)
    with pytest.raises(RuntimeError, match=r"Could not set tensor of type torch\.int64"):
        torch.zeros(2).set_(torch.zeros(2, dtype=torch.long))
    with pytest.raises(RuntimeError, match="out of bounds for storage of size 16"):
        torch.zeros(2).set_(source, 3, (2,))
    with pytest.raises(TypeError, match="source is a Tensor or a storage, not list"):
        torch.zeros(2).set_([1.0])
    with torch.no_grad():
        leaf.set_(source)
    (leaf * 2).sum().backward()
    assert leaf.grad.shape == (4,)


# -- functions of the elements ------------------------------------------------------------------


def test_apply_and_map():
    x = torch.tensor([1.0, 2.0])
    assert x.apply_(lambda value: value * 10) is x
    assert x.tolist() == [10.0, 20.0]
    assert x.map_(torch.tensor([1.0, 2.0]), lambda a, b: a + b).tolist() == [11.0, 22.0]
    assert x.map2_(x, torch.ones(1), lambda a, b, c: a - b + c).tolist() == [1.0, 1.0]
    assert torch.arange(2).apply_(lambda value: value + 0.5).tolist() == [0, 1]
    assert torch.zeros(3, 2).t().apply_(lambda value: 1).tolist() == [[1.0] * 3] * 2


def test_apply_is_noticed_by_what_saved_the_values():
    w = torch.ones(2, requires_grad=True)
    x = torch.ones(2)
    y = w * x
    x.apply_(lambda value: 2 * value)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_apply_is_refused():
    w, x = torch.ones(2, requires_grad=True), torch.ones(2)
    for call, error, message in (
        (lambda: w.apply_(abs), RuntimeError, "Can't call apply_"),
        (lambda: x.map_(w, max), RuntimeError, "Can't call map_"),
        (lambda: x.apply_(3), TypeError, "not callable"),
        (lambda: x.map_(3, max), TypeError, "must be Tensor, not int"),
        (lambda: x.map_(torch.ones(2).long(), max), TypeError, "expected torch.float32"),
        (lambda: x.map_(torch.ones(3), max), RuntimeError, "do not broadcast|must expand"),
        (lambda: x.map_(torch.ones(3, 2), max), RuntimeError, "must expand to shape"),
        (lambda: x.long().apply_(str), TypeError, "must give an integer"),
        (lambda: x.expand(3, 2).apply_(abs), RuntimeError, "single memory location"),
    ):
        with pytest.raises(error, match=message):
            call()
    assert x.tolist() == [1.0, 1.0]


# -- swap_tensors -------------------------------------------------------------------------------


def test_swap_exchanges_everything():
    a, b = torch.ones(2, requires_grad=True), torch.zeros(3)
    a.mark, a.grad = "a", torch.full((2,), 5.0)
    view = b[1:]
    torch.utils.swap_tensors(a, b)
    assert (a.tolist(), b.tolist()) == ([0.0] * 3, [1.0] * 2)
    assert b.requires_grad
    assert b.mark == "a"
    assert not hasattr(a, "mark")
    assert a.grad is None
    (b * 2).sum().backward()
    assert b.grad.tolist() == [7.0, 7.0]
    assert view._base is a
    view.add_(1)
    assert a.tolist() == [0.0, 1.0, 1.0]
    assert a._version == 1


def test_swap_of_classes_and_histories():
    made, parameter = torch.ones(2, requires_grad=True) * 2, torch.nn.Parameter(torch.zeros(1))
    torch.utils.swap_tensors(made, parameter)
    assert type(made) is torch.nn.Parameter
    assert made.is_leaf
    assert parameter.grad_fn.name() == "MulBackward0"
    with pytest.raises(TypeError, match="exchanges Tensors, not int"):
        torch.utils.swap_tensors(made, 3)
