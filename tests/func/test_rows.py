"""How many rows of a Jacobian go through a tape at a time, and what they are started with."""

import numpy as np

import adjoint as torch
from adjoint.func import rows


def tape(function, *shapes):
    leaves = [torch.ones(*shape, requires_grad=True) for shape in shapes]
    return function(*leaves), leaves


def test_a_basis_has_its_ones_where_the_rows_are():
    like = torch.zeros(2, 3)
    found = rows.basis(like, 1, 2, 1, 4).reshape(4, 6)
    expected = np.zeros((4, 6))
    expected[1, 1] = expected[2, 2] = 1
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(rows.basis(like, 0, 6, 0, 6).reshape(6, 6), np.eye(6))


def test_a_survey_counts_each_node_once():
    out, (x,) = tape(lambda x: (x * x + x).sum(), (10,))
    found = rows.survey([out._node])
    assert found.size == 8 * (10 + 10 + 10 + 1)
    assert found.leaves == {x._node}
    assert not found.runs_users_code


def test_a_survey_sees_hooks():
    def function(x):
        y = x * x
        y.register_hook(lambda g: None)
        return y.sum()

    out, _ = tape(function, (3,))
    assert rows.survey([out._node]).runs_users_code


def test_small_jacobians_go_at_once_and_large_ones_by_what_waits():
    out, leaves = tape(torch.sin, (50,))
    assert rows.rows_at_a_time([out._node], [out], leaves, 100) == 50
    out, leaves = tape(lambda x: (x * x).sin() * x, (4000,))
    size = rows.survey([out._node]).size
    chunk = rows.rows_at_a_time([out._node], [out], leaves, size)
    waiting = rows._waiting([out._node])
    assert 1 <= chunk < 4000
    assert chunk * (waiting + 2 * 16000) <= 4000 * 16000 // rows.SHARE
    assert rows.rows_at_a_time([out._node], [out], leaves, size, record=True) == 4000


def test_what_waits_is_known_from_the_order():
    def chain(x):
        for _ in range(100):
            x = x.sin()
        return x

    out, _ = tape(chain, (10,))
    assert rows._waiting([out._node]) < 10 * 40
    assert rows.survey([out._node]).size == 8 * 10 * 101

    def fan(x):
        return sum((x * number for number in range(2, 50)), x)

    out, _ = tape(fan, (10,))
    assert rows._waiting([out._node]) < 10 * 100  # each branch is gone through before the next
