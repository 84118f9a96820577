"""Printing against texts recorded from PyTorch 2.13; ``parity/test_printing.py`` compares live."""

import subprocess
import sys

import ml_dtypes
import numpy as np
import pytest

from adjoint import dtypes
from adjoint.printing import (
    format_parameter,
    format_tensor,
    format_with_spec,
    get_printoptions,
    printoptions,
    set_printoptions,
)


def recorded(name, array, *lines, options=None, **facts):
    """What the case is about, an array, the lines that PyTorch prints for it, and under what."""
    return pytest.param(np.asarray(array), options or {}, facts, "\n".join(lines), id=name)


RECORDED = [
    recorded("scalar", np.float32(1.5), "tensor(1.5000)"),
    recorded("whole scalar", np.float32(3), "tensor(3.)"),
    recorded("int scalar", np.int64(7), "tensor(7)"),
    recorded("bool scalar", np.bool_(True), "tensor(True)"),
    recorded("negative zero", np.float32(-0.0), "tensor(-0.)"),
    recorded("whole floats", np.float32([1, 2, -3]), "tensor([ 1.,  2., -3.])"),
    recorded("floats", np.float32([0.1, -2.5, 30]), "tensor([ 0.1000, -2.5000, 30.0000])"),
    recorded("all zero", np.zeros((2, 2), np.float32), "tensor([[0., 0.],", "        [0., 0.]])"),
    recorded("double", np.float64([0.1, 2]), "tensor([0.1000, 2.0000], dtype=torch.float64)"),
    recorded(
        "half", np.float16([0.1, 65504]), "tensor([9.9976e-02, 6.5504e+04], dtype=torch.float16)"
    ),
    recorded(
        "bfloat16",
        np.array([0.1, -2, 3e38], ml_dtypes.bfloat16),
        "tensor([ 1.0010e-01, -2.0000e+00,  3.0041e+38], dtype=torch.bfloat16)",
    ),
    recorded("bytes", np.uint8([3, 250]), "tensor([  3, 250], dtype=torch.uint8)"),
    recorded(
        "short ints",
        np.int16([[1, -20], [300, 4]]),
        "tensor([[  1, -20],",
        "        [300,   4]], dtype=torch.int16)",
    ),
    recorded(
        "extreme longs",
        np.int64([-(2**63), 2**63 - 1]),
        "tensor([-9223372036854775808,  9223372036854775807])",
    ),
    recorded("bools", np.array([True, False, True]), "tensor([ True, False,  True])"),
    recorded("ratio makes scientific", np.float32([0.5, 501]), "tensor([5.0000e-01, 5.0100e+02])"),
    recorded("ratio of exactly 1000", np.float32([0.5, 500]), "tensor([  0.5000, 500.0000])"),
    recorded("large whole", np.float32([1e8]), "tensor([100000000.])"),
    recorded("larger whole", np.float32([1.00001e8]), "tensor([1.0000e+08])"),
    recorded(
        "small", np.float64([1e-4, 9e-5]), "tensor([1.0000e-04, 9.0000e-05], dtype=torch.float64)"
    ),
    recorded(
        "three-digit exponent",
        np.float64([1e-300, -1e300]),
        "tensor([ 1.0000e-300, -1.0000e+300], dtype=torch.float64)",
    ),
    recorded(
        "inf and nan with whole",
        np.float32([np.inf, -np.inf, np.nan, 1]),
        "tensor([inf, -inf, nan, 1.])",
    ),
    recorded(
        "inf and nan with fractions",
        np.float32([np.inf, -np.inf, np.nan, 1.5]),
        "tensor([   inf,   -inf,    nan, 1.5000])",
    ),
    recorded(
        "nothing finite", np.float32([np.nan, np.inf, 0, -0.0]), "tensor([nan, inf, 0., -0.])"
    ),
    recorded("empty", np.zeros(0, np.float32), "tensor([])"),
    recorded("empty matrix", np.zeros((0, 3), np.float32), "tensor([], size=(0, 3))"),
    recorded("empty longs", np.zeros(0, np.int64), "tensor([], dtype=torch.int64)"),
    recorded("complex", np.complex64([1 + 2j, 3.5 - 1j]), "tensor([1.0000+2.j, 3.5000-1.j])"),
    recorded(
        "complex, unaligned",
        np.complex128([1 + 2j, -1 + 10j, complex(np.nan, -np.inf)]),
        "tensor([ 1.+2.j, -1.+10.j, nan-infj], dtype=torch.complex128)",
    ),
    recorded(
        "matrix",
        np.arange(6, dtype=np.float32).reshape(2, 3) / 4,
        "tensor([[0.0000, 0.2500, 0.5000],",
        "        [0.7500, 1.0000, 1.2500]], requires_grad=True)",
        requires_grad=True,
    ),
    recorded(
        "four dimensions",
        np.arange(16).reshape(2, 2, 2, 2),
        "tensor([[[[ 0,  1],",
        "          [ 2,  3]],",
        "",
        "         [[ 4,  5],",
        "          [ 6,  7]]],",
        "",
        "",
        "        [[[ 8,  9],",
        "          [10, 11]],",
        "",
        "         [[12, 13],",
        "          [14, 15]]]])",
    ),
    recorded(
        "wrapped row",
        np.arange(30),
        "tensor([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17,",
        "        18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29])",
    ),
    recorded("long row", np.arange(1001), "tensor([   0,    1,    2,  ...,  998,  999, 1000])"),
    recorded(
        "at the threshold",
        np.arange(4.0),
        "tensor([0., 1., 2., 3.], dtype=torch.float64)",
        options={"threshold": 4},
    ),
    recorded(
        "above the threshold",
        np.arange(9, dtype=np.float32),
        "tensor([0., 1., 2.,  ..., 6., 7., 8.])",
        options={"threshold": 8},
    ),
    recorded(
        "kept elements set the style",
        np.float32([1, 2, 3, 1e9, 4, 5, 6]),
        "tensor([1., 2., 3.,  ..., 4., 5., 6.])",
        options={"threshold": 4, "edgeitems": 3},
    ),
    recorded(
        "summarised cube",
        np.arange(2 * 7 * 8).reshape(2, 7, 8),
        "tensor([[[  0,   1,  ...,   6,   7],",
        "         [  8,   9,  ...,  14,  15],",
        "         ...,",
        "         [ 40,  41,  ...,  46,  47],",
        "         [ 48,  49,  ...,  54,  55]],",
        "",
        "        [[ 56,  57,  ...,  62,  63],",
        "         [ 64,  65,  ...,  70,  71],",
        "         ...,",
        "         [ 96,  97,  ..., 102, 103],",
        "         [104, 105,  ..., 110, 111]]])",
        options={"threshold": 99, "edgeitems": 2},
    ),
    recorded(
        "no edges",
        np.zeros((50, 50), np.float64),
        "tensor([...], size=(50, 50), dtype=torch.float64)",
        options={"edgeitems": 0},
    ),
    recorded(
        "no edges, few elements",
        np.float32([1, 2]),
        "tensor([1., 2.], size=(2,))",
        options={"edgeitems": 0},
    ),
    recorded(
        "precision 2", np.float32([0.125, 10]), "tensor([ 0.12, 10.00])", options={"precision": 2}
    ),
    recorded("precision 0", np.float32([1.5, 2.5]), "tensor([2, 2])", options={"precision": 0}),
    recorded(
        "forced scientific",
        np.float32([1, 20]),
        "tensor([1.0000e+00, 2.0000e+01])",
        options={"sci_mode": True},
    ),
    recorded(
        "forced plain",
        np.float32([1e-6, 1e6]),
        "tensor([      0.0000, 1000000.0000])",
        options={"sci_mode": False},
    ),
    recorded(
        "forced scientific, zeros",
        np.float32([0, 0]),
        "tensor([0., 0.])",
        options={"sci_mode": True},
    ),
    recorded(
        "narrow lines",
        np.float32([[1, 2], [3, 4]]),
        "tensor([[1.,",
        "         2.],",
        "        [3.,",
        "         4.]])",
        options={"linewidth": 12},
    ),
    recorded(
        "grad_fn",
        np.float32([2.5]),
        "tensor([2.5000], grad_fn=<MulBackward0>)",
        requires_grad=True,
        grad_fn_name="MulBackward0",
    ),
    recorded(
        "grad_fn on its own line",
        np.full(7, 0.123456),
        "tensor([0.1235, 0.1235, 0.1235, 0.1235, 0.1235, 0.1235, 0.1235],",
        "       dtype=torch.float64, grad_fn=<MulBackward0>)",
        options={"linewidth": 72},
        requires_grad=True,
        grad_fn_name="MulBackward0",
    ),
    recorded(
        "every note on its own line",
        np.float64([1, 2, 3]),
        "tensor([1., 2., 3.],",
        "       dtype=torch.float64,",
        "       requires_grad=True)",
        options={"linewidth": 30},
        requires_grad=True,
    ),
    recorded(
        "subclass",
        np.float32([[1], [2]]),
        "MyTensor([[1.],",
        "          [2.]])",
        prefix="MyTensor(",
    ),
]


@pytest.fixture(autouse=True)
def _defaults():
    yield
    set_printoptions(profile="default")
    dtypes.set_default_dtype(dtypes.float32)


@pytest.mark.parametrize(("array", "options", "facts", "text"), RECORDED)
def test_text_is_pytorchs(array, options, facts, text):
    set_printoptions(**options)
    assert format_tensor(array, **facts) == text


def test_parameter():
    weight = np.ones((2, 2), np.float32)
    heading = "Parameter containing:\n"
    assert format_parameter(weight) == (
        heading + "tensor([[1., 1.],\n        [1., 1.]], requires_grad=True)"
    )
    assert format_parameter(weight[0], requires_grad=False) == heading + "tensor([1., 1.])"
    with printoptions(linewidth=30):
        assert format_parameter(np.zeros((), np.float64)) == (
            heading + "tensor(0.,\n       dtype=torch.float64,\n       requires_grad=True)"
        )


def test_device_comes_first_and_extras_last():
    array = np.zeros((0, 2), np.float64)
    assert format_tensor(array, requires_grad=True, device="cuda:0", extras=["a=1", "b=2"]) == (
        "tensor([], device='cuda:0', size=(0, 2), dtype=torch.float64,\n"
        "       requires_grad=True, a=1, b=2)"
    )


def test_default_dtype_decides_which_dtypes_go_unsaid():
    one = {each.name: format_tensor(np.ones(1, each.numpy)) for each in dtypes.ALL}
    unsaid = {name for name, text in one.items() if "dtype" not in text}
    assert unsaid == {"bool", "int64", "float32", "complex64"}
    dtypes.set_default_dtype(dtypes.float64)
    one = {each.name: format_tensor(np.ones(1, each.numpy)) for each in dtypes.ALL}
    unsaid = {name for name, text in one.items() if "dtype" not in text}
    assert unsaid == {"bool", "int64", "float64", "complex128"}
    assert format_tensor(np.zeros(0, np.float64)) == "tensor([])"
    assert format_tensor(np.zeros(0, np.complex128)) == "tensor([], dtype=torch.complex128)"


def test_memory_layout_does_not_show():
    table = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert format_tensor(table.T) == format_tensor(table.T.copy())
    assert format_tensor(table[::-1, ::2]) == format_tensor(table[::-1, ::2].copy())
    assert format_tensor(table.astype(">f4")) == format_tensor(table)


def test_only_the_kept_elements_are_touched():
    # 8 TB, were it real: any pass over the whole would not come back
    vast = np.broadcast_to(np.float32(1.5), (10**6, 2 * 10**6))
    row = "[1.5000, 1.5000, 1.5000,  ..., 1.5000, 1.5000, 1.5000]"
    rows = (",\n" + " " * 8).join([row] * 3 + ["..."] + [row] * 3)
    assert format_tensor(vast) == f"tensor([{rows}])"


def test_sixty_dimensions():
    assert (
        format_tensor(np.ones([1] * 60, np.float32)) == "tensor(" + "[" * 60 + "1." + "]" * 60 + ")"
    )


def test_unlimited_line():
    with printoptions(linewidth=float("inf")):
        assert "\n" not in format_tensor(np.arange(1000), extras=["note=" + "x" * 500])


def test_array_that_no_tensor_holds():
    with pytest.raises(TypeError, match="float32"):
        format_tensor(np.array(["text"]))


def test_bfloat16_package_is_not_loaded_for_other_dtypes():
    script = (
        "import sys, numpy, adjoint.printing as printing\n"
        "printing.format_tensor(numpy.ones(3))\n"
        "assert 'ml_dtypes' not in sys.modules and 'scipy' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


DEFAULTS = {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80, "sci_mode": None}


def test_options_stay_until_changed_but_sci_mode_does_not():
    assert get_printoptions() == DEFAULTS
    set_printoptions(precision=2, sci_mode=True)
    set_printoptions(linewidth=100)
    assert get_printoptions() == {**DEFAULTS, "precision": 2, "linewidth": 100}


def test_profiles():
    set_printoptions(profile="short")
    assert get_printoptions() == {**DEFAULTS, "precision": 2, "edgeitems": 2}
    set_printoptions(profile="full", precision=6)
    assert get_printoptions() == {**DEFAULTS, "precision": 6, "threshold": float("inf")}
    set_printoptions(profile="default")
    assert get_printoptions() == DEFAULTS


def test_context_restores_also_after_an_exception():
    set_printoptions(sci_mode=False)
    with printoptions(profile="short"):
        assert get_printoptions() == {**DEFAULTS, "precision": 2, "edgeitems": 2}
    assert get_printoptions() == {**DEFAULTS, "sci_mode": False}
    with pytest.raises(TypeError), printoptions(profile="full"):
        format_tensor(np.array(["text"]))
    assert get_printoptions() == {**DEFAULTS, "sci_mode": False}


def test_a_name_that_is_no_profile_does_nothing():
    set_printoptions(precision=2)
    set_printoptions(profile="Short")
    assert get_printoptions() == {**DEFAULTS, "precision": 2}


@pytest.mark.parametrize(
    ("option", "value", "error"),
    [
        ("precision", "four", ValueError),
        ("precision", 2.5, ValueError),
        ("precision", -1, ValueError),
        ("threshold", "many", TypeError),
        ("edgeitems", 1.5, TypeError),
        ("edgeitems", -1, ValueError),
        ("linewidth", "80", TypeError),
        ("linewidth", float("nan"), ValueError),
        ("colour", True, TypeError),
    ],
)
def test_refused_option_changes_nothing(option, value, error):
    others = {name: 7 for name in ("precision", "threshold", "edgeitems") if name != option}
    with pytest.raises(error, match=option):
        set_printoptions(**others, sci_mode=True, **{option: value})
    assert get_printoptions() == DEFAULTS


@pytest.mark.parametrize(
    ("number", "spec", "text"),
    [
        (np.float32(0.1), "", "0.10000000149011612"),
        (np.float32(0.1), ".3f", "0.100"),
        (np.float16(1.5), ">6", "   1.5"),
        (np.array(1.5, ml_dtypes.bfloat16), ".2f", "1.50"),
        (np.int64(12), "x", "c"),
        (np.bool_(True), "", "True"),
        (np.complex64(1 + 2j), ".1f", "1.0+2.0j"),
    ],
)
def test_spec_of_a_tensor_without_dimensions(number, spec, text):
    assert format_with_spec(None, np.asarray(number), spec) == text


def test_spec_of_any_other_tensor():
    class Parameter:
        def __str__(self):
            return "whole"

    assert format_with_spec(Parameter(), np.ones(2), "") == "whole"
    assert format_with_spec(Parameter(), np.ones(()), "", plain=False) == "whole"
    with pytest.raises(TypeError, match=r"Parameter.__format__.*'\.2f'.*\[2, 3\]"):
        format_with_spec(Parameter(), np.ones((2, 3)), ".2f")
    with pytest.raises(TypeError, match=r"shape \[\]"):
        format_with_spec(Parameter(), np.ones(()), ".2f", plain=False)
    with pytest.raises(ValueError, match="format code"):
        format_with_spec(None, np.ones(()), "d")
