"""``out=``: memory, histories, resizing, what is refused, and that nothing is half done.

Every function's ``out`` is compared with PyTorch's in ``tests/parity/test_out.py``.
"""

from __future__ import annotations

import inspect
import warnings

import numpy as np
import pytest

import adjoint as torch
from adjoint.ops.kinds.public import PUBLIC


def test_the_very_same_tensor_comes_back_and_counts_a_write():
    out = torch.zeros(3)
    assert torch.add(torch.ones(3), 1, out=out) is out
    assert out.tolist() == [2.0, 2.0, 2.0]
    assert out._version == 1


def test_a_ufunc_writes_into_the_memory_itself():
    out = torch.zeros(3)
    array = out._array
    torch.sin(torch.ones(3), out=out)
    assert out._array is array
    np.testing.assert_array_equal(array, np.sin(np.ones(3, np.float32)))
    assert out._version == 1


@pytest.mark.parametrize("make", [lambda: torch.zeros(4)[1:], lambda: torch.zeros(3, 2).t()[0]])
def test_a_view_is_written_through(make):
    out = make()
    base = out._base
    torch.mul(torch.ones(3), 3, out=out)
    torch.exp(torch.zeros(3), out=out)
    assert base.sum().item() == 3.0
    assert base._version == out._version == 2


def test_several_results_with_their_names():
    values, indices = torch.empty(0), torch.empty(0, dtype=torch.long)
    found = torch.sort(torch.tensor([3.0, 1.0, 2.0]), out=(values, indices))
    assert found.values is values
    assert found.indices is indices
    assert indices.tolist() == [1, 2, 0]
    with pytest.raises(TypeError, match="must be a tuple of 2 Tensors, not Tensor"):
        torch.sort(values, out=values)
    with pytest.raises(TypeError, match="must be a Tensor, not 2 in a tuple"):
        torch.sum(values, 0, out=(values, indices))
    with pytest.raises(TypeError, match="must be a tuple of 2 Tensors, not 1 in a list"):
        torch.topk(values, 1, out=[values])


def test_out_may_be_an_argument():
    x = torch.tensor([1.0, 2.0])
    torch.add(x, x, out=x)
    assert x.tolist() == [2.0, 4.0]
    matrix = torch.tensor([[1.0, 1.0], [0.0, 1.0]])
    torch.matmul(matrix, matrix, out=matrix)
    assert matrix.tolist() == [[1.0, 2.0], [0.0, 1.0]]


# -- resizing -----------------------------------------------------------------------------------


def test_nothing_is_resized_without_a_word():
    out = torch.empty(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        torch.sin(torch.ones(2, 3), out=out)
    assert out.shape == (2, 3)


def test_a_warning_names_both_shapes_and_the_users_line():
    with pytest.warns(UserWarning, match=r"add: out has elements, in shape \[2\].*\[3\]") as noted:
        torch.add(torch.ones(3), 1, out=torch.zeros(2))
    assert noted[0].filename == __file__
    with pytest.warns(UserWarning, match=r"sin: .*\[2\].*\[3\]") as noted:
        torch.sin(torch.ones(3), out=torch.zeros(2))
    assert noted[0].filename == __file__


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_view_is_resized_within_its_memory():
    base = torch.zeros(6)
    out = base[1:3]
    torch.add(torch.ones(3), 1, out=out)
    assert base.tolist() == [0.0, 2.0, 2.0, 2.0, 0.0, 0.0]
    torch.add(torch.ones(7), 2, out=out)  # more than there is: all move to larger memory
    assert base.tolist() == [0.0, 3.0, 3.0, 3.0, 3.0, 3.0]
    out[0] = 9.0
    assert base[1].item() == 9.0


# -- types --------------------------------------------------------------------------------------


def test_types_are_cast_where_they_keep_their_kind():
    out = torch.zeros(2, dtype=torch.float64)
    torch.add(torch.ones(2, dtype=torch.int32), 1, out=out)
    assert out.tolist() == [2.0, 2.0]
    with pytest.raises(RuntimeError, match=r"float32 can't be cast to .* torch.int64"):
        torch.add(torch.ones(2), 1, out=torch.zeros(2, dtype=torch.long))
    with pytest.raises(RuntimeError, match=r"expected out tensor to have dtype torch.float32"):
        torch.mm(torch.ones(2, 2), torch.ones(2, 2), out=torch.zeros(2, 2, dtype=torch.double))
    with pytest.raises(TypeError, match="can't be cast"):
        torch.cat([torch.ones(2)], out=torch.zeros(2, dtype=torch.long))


def test_sums_are_computed_in_the_type_of_out():
    x = torch.full((300,), 200, dtype=torch.uint8)
    assert torch.sum(x, 0, out=torch.empty(0, dtype=torch.uint8)).item() == 300 * 200 % 256
    assert torch.cumsum(x, 0, out=torch.empty(0, dtype=torch.double))[-1].item() == 60000.0


# -- what is refused ----------------------------------------------------------------------------


def leaf():
    return torch.ones(2, requires_grad=True)


REFUSED = [
    (lambda out: torch.mul(leaf(), 2, out=out), r"mul\(\): functions with out=.* arguments requi"),
    (lambda out: torch.sum(leaf(), 0, out=out), r"sum\(\): functions with out="),
    (lambda out: torch.sin(out, out=leaf()), r"but out requires grad"),
    (lambda out: torch.cumsum(out, 0, out=leaf() * 1), r"but out requires grad"),
    (lambda out: torch.exp(out, out=torch.zeros(1).expand(2)), "single memory location"),
    (lambda out: torch.stack([out, leaf()], out=torch.zeros(4)), r"stack\(\): functions with out="),
]


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_refused_and_nothing_changed(number):
    call, message = REFUSED[number]
    out = torch.zeros(2)
    with pytest.raises(RuntimeError, match=message):
        call(out)
    assert out.tolist() == [0.0, 0.0]
    assert out._version == 0


def test_partly_shared_memory_is_refused():
    x = torch.arange(4.0)
    with pytest.raises(RuntimeError, match="refer to a single memory location"):
        torch.add(x[:3], 1, out=x[1:])
    assert x.tolist() == [0.0, 1.0, 2.0, 3.0]


def test_of_several_outs_none_is_written_where_one_is_wrong():
    values = torch.zeros(3)
    with pytest.raises(RuntimeError, match="expected out tensor"):
        torch.sort(torch.ones(3), out=(values, torch.zeros(3)))
    assert values.tolist() == [0.0, 0.0, 0.0]
    assert values._version == 0


def test_without_recording_anything_may_be_written():
    w, out = leaf(), leaf()
    with torch.no_grad():
        torch.mul(w, 3, out=out)
        torch.sin(out, out=out)
    assert out.requires_grad
    assert out.is_leaf
    assert out._version == 2
    assert torch.eq(w, w, out=torch.empty(0, dtype=torch.bool)).all()  # has no gradient anyway


def test_saved_results_that_out_overwrites_are_found_spoiled():
    w = leaf()
    y = w.exp()
    with torch.no_grad():
        torch.add(torch.ones(2), 1, out=y)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_inference_tensors():
    with torch.inference_mode():
        out = torch.zeros(2)
        torch.sin(torch.ones(2), out=out)
    for call in (torch.sin, lambda x, out: torch.cumsum(x, 0, out=out)):
        with pytest.raises(RuntimeError, match="inference tensor outside InferenceMode"):
            call(torch.ones(2), out=out)


def test_what_is_no_tensor():
    with pytest.raises(TypeError, match=r"sin\(\): argument 'out' must be Tensor, not int"):
        torch.sin(torch.ones(2), out=3)
    with pytest.raises(TypeError, match=r"sum\(\): argument 'out' must be Tensor, not ndarray"):
        torch.sum(torch.ones(2), 0, out=np.ones(2))


# -- how it is called ---------------------------------------------------------------------------


def test_out_is_given_by_name_only():
    out = torch.zeros(2)
    with pytest.raises(TypeError, match=r"sin\(\) takes 1 positional argument but 2 were given"):
        torch.sin(out, out)
    with pytest.raises(TypeError, match=r"mul\(\) takes 2 positional arguments but 3 were given"):
        torch.mul(out, out, out)
    with pytest.raises(TypeError, match="positional argument"):
        torch.mm(out, out, out)
    assert out._version == 0


def test_functions_and_methods_that_do_not_take_it():
    out = torch.zeros(2)
    for call in (torch.relu, torch.isnan, torch.clone, torch.Tensor.cumsum):
        with pytest.raises(TypeError, match="unexpected keyword argument 'out'"):
            call(torch.ones(2), out=out)


def test_signatures_show_it():
    taking = {each.name for each in PUBLIC if each.out and "" in each.namespaces}
    assert len(taking) > 100
    for name in (*taking, "sin", "mul", "zeros"):
        assert inspect.signature(getattr(torch, name)).parameters["out"].default is None, name
    shown = str(inspect.signature(torch.gather))
    assert shown == str(inspect.signature(torch.Tensor.gather)).replace(
        ") ->", ", out: 'Any' = None) ->"
    )


def test_aliases_are_one_function_and_documented():
    assert torch.concat is torch.cat
    assert torch.cat.__doc__ == next(e for e in PUBLIC if e.name == "cat").function.__doc__
    assert torch.cat.__name__ == "cat"
    assert torch.cat.__module__ == "adjoint.ops.joining"


def test_errors_of_the_function_come_through():
    with pytest.raises(IndexError, match="Dimension out of range"):
        torch.cumsum(torch.ones(2), 3, out=torch.empty(0))
    with pytest.raises(TypeError, match="missing 1 required"):
        torch.gather(torch.ones(2), 0)
    with pytest.raises(TypeError, match="unexpected keyword"):
        torch.sum(torch.ones(2), 0, across=1, out=torch.empty(0))


def test_forward_mode_does_not_go_through_out():
    x, t = torch.tensor([0.5, 1.5]), torch.ones(2)
    for function in (
        lambda x: torch.exp(t, out=x.clone()),
        lambda x: torch.exp(x, out=t.clone()),
        lambda x: torch.func.vmap(lambda x: torch.exp(x, out=x.clone()))(x),
    ):
        with pytest.raises(NotImplementedError, match="has a tangent"):
            torch.func.jvp(function, (x,), (t,))
    found = torch.func.jvp(lambda x: torch.exp(t, out=x.detach().clone()) + x, (x,), (t,))[1]
    assert found.tolist() == [1.0, 1.0]
