"""The list of PyTorch's names about automatic differentiation is PyTorch's own."""

from __future__ import annotations

import json

import torch

from tests.references import make_autograd_names as names


def test_the_list_is_complete() -> None:
    listed = json.loads(names.TARGET.read_text(encoding="utf-8"))
    assert torch.__version__.split("+")[0] == listed["torch"]
    assert names.names() == listed["names"]
