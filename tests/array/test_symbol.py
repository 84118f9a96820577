"""Symbols and the traces that they write into."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from adjoint import dtypes
from adjoint.array import memory
from adjoint.array.symbol import Trace, _fact_of_smooth
from adjoint.ops import dimensions, movement, trigonometric
from adjoint.ops.kinds.row import TABLE


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


def test_smooth_rows_keep_the_type_that_they_compute_in() -> None:
    trace = Trace(1)
    for row in list(TABLE.values()):
        if row.kind != "elementwise" or not row.formulas or row.many_outputs:
            continue
        for kind in (dtypes.float32, dtypes.float64):
            symbols = tuple(trace.symbol((2, 1), kind) for _ in row.inputs)
            found = _fact_of_smooth(row, symbols)
            if found is None:
                continue
            ones = tuple(np.full((2, 1), 0.5, kind.numpy) for _ in row.inputs)
            out = row.evaluate(ones, tuple(1 for _ in row.options))
            assert found == (out.shape, dtypes.of(out)), row


def test_views_have_the_strides_that_they_would_have() -> None:
    trace = Trace(1)
    x = trace.symbol((2, 3), dtypes.float32)
    turned = dimensions.transpose(x, 0, 1)
    assert turned.strides == (1, 3)
    assert not memory.is_contiguous(turned)
    assert (turned * 2).strides == (1, 3)
    assert movement.contiguous(turned).strides == (2, 1)
