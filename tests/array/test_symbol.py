"""Symbols and the traces that they write into."""

from __future__ import annotations

import gc
import weakref

import pytest

from adjoint import dtypes
from adjoint.array.symbol import Trace
from adjoint.ops import trigonometric


def test_a_trace_is_freed_without_the_collector() -> None:
    gc.disable()
    try:
        trace = Trace(1)
        x = trace.symbol((2,), dtypes.float32)
        y = trigonometric.sin(x)
        assert repr(y) == "v2:float32[2]"
        reference = weakref.ref(trace)
        del trace, x, y
        assert reference() is None
    finally:
        gc.enable()


def test_a_symbol_that_escapes_is_refused() -> None:
    trace = Trace(1)
    x = trace.symbol((2,), dtypes.float32)
    del trace
    with pytest.raises(RuntimeError, match="after the end of the transform"):
        trigonometric.sin(x)
