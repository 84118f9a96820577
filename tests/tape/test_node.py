"""Nodes: whose lines they name."""

import sys
from pathlib import Path

import adjoint as torch
from adjoint.tape.node import INTERNAL_PACKAGES, user_frame, user_location


def test_every_package_but_the_tour_is_internal():
    root = Path(torch.__file__).parent
    packages = {
        ".".join(("adjoint", *path.parent.relative_to(root).parts))
        for path in root.rglob("__init__.py")
    }
    assert packages - INTERNAL_PACKAGES == {"adjoint.tour"}


def test_the_line_is_the_users_however_deep_the_call():
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU())
    x = torch.ones(4, 2)
    out = model(x)
    line = sys._getframe().f_lineno - 1
    assert out.grad_fn.where() == f"{__file__}:{line}"
    linear = out.grad_fn.next_functions[0][0]
    assert linear.where() == f"{__file__}:{line}"


def test_outside_the_library_the_frame_is_the_callers():
    frame = sys._getframe()
    assert user_frame(frame) is frame
    assert user_location().endswith(f"test_node.py:{sys._getframe().f_lineno}")
