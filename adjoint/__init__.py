"""Adjoint: automatic differentiation for Python, with PyTorch's names and numbers.

``import adjoint as torch`` runs ordinary PyTorch code. The packages ``nn``, ``optim``, ``func``,
``viz`` and the like are loaded when first used, which keeps the import about as fast as NumPy's.
"""

import gc
import importlib
import math
import warnings
from typing import Any

# Garbage collections find nothing while modules load, and take a tenth of the import's time.
_collecting = gc.isenabled()
gc.disable()
try:
    from adjoint import autograd, dtypes, ops, random, tensor
finally:
    if _collecting:
        gc.enable()
from adjoint.devices import (
    channels_last,
    channels_last_3d,
    contiguous_format,
    device,
    layout,
    memory_format,
    preserve_format,
    sparse_coo,
    sparse_csr,
    strided,
)
from adjoint.dtypes import (
    bfloat16,
    cdouble,
    cfloat,
    complex64,
    complex128,
    double,
    dtype,
    float16,
    float32,
    float64,
    get_default_dtype,
    half,
    int8,
    int16,
    int32,
    int64,
    long,
    promote_types,
    set_default_dtype,
    short,
    uint8,
)
from adjoint.dtypes import bool_ as bool
from adjoint.dtypes import float_ as float
from adjoint.dtypes import int_ as int
from adjoint.environment import (
    get_default_device,
    get_num_interop_threads,
    get_num_threads,
    is_inference,
    is_nonzero,
    is_same_size,
    is_storage,
    is_tensor,
    numel,
    set_default_device,
    set_default_tensor_type,
    set_num_threads,
    typename,
)
from adjoint.face.attributes import UntypedStorage
from adjoint.face.construction import LEGACY
from adjoint.ops.conversion import from_dlpack, from_numpy, frombuffer, to_dlpack
from adjoint.ops.kinds.public import namespace
from adjoint.random import (
    Generator,
    default_generator,
    get_rng_state,
    initial_seed,
    manual_seed,
    seed,
    set_rng_state,
)
from adjoint.tape.modes import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from adjoint.tensor import Size, Tensor
from adjoint.typeinfo import finfo, iinfo
from adjoint.version import __version__ as __version__

# Infinities and NaNs are ordinary results, as in PyTorch; NumPy would warn of them in our name.
warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"adjoint\.")

e, pi, inf, nan, newaxis = math.e, math.pi, math.inf, math.nan, None

# Modules that are loaded when first asked for, and functions that live in one of them.
_LAZY = frozenset(
    (
        "compiler", "cuda", "func", "linalg", "nn", "optim", "printing", "profiler",
        "return_types", "special", "testing", "utils", "viz",
    )
)  # fmt: skip
_HOMES = {
    "compile": "compiler.front.function",
    "get_printoptions": "printing",
    "is_anomaly_check_nan_enabled": "autograd.anomaly_mode",
    "is_anomaly_enabled": "autograd.anomaly_mode",
    "set_anomaly_enabled": "autograd.anomaly_mode",
    "set_printoptions": "printing",
    "vmap": "func",
}
globals().update(namespace(""))
globals().update(LEGACY)
detach_, resize_as_ = Tensor.detach_, Tensor.resize_as_


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return importlib.import_module(f"adjoint.{name}")
    if name in _HOMES:
        found = getattr(importlib.import_module(f"adjoint.{_HOMES[name]}"), name)
        globals()[name] = found
        return found
    if not name.startswith("_"):
        _load_networks()
        if name in globals():
            return globals()[name]
    raise AttributeError(f"module 'adjoint' has no attribute {name!r}")


def _load_networks() -> None:
    """Bind the names of the families that are loaded when first asked for, such as ``conv2d``."""
    importlib.import_module("adjoint.ops.networks")
    for name, function in namespace("").items():
        globals().setdefault(name, function)


def __dir__() -> list[str]:
    _load_networks()
    return sorted({*globals(), *_LAZY, *_HOMES})
