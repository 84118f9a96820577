"""LLVM: text optimised and loaded; BLAS's addresses."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import llvmlite.binding as llvm


@cache
def machine(effort: int = 3) -> Any:
    """The machine it runs on, with all that its processor can do."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return _fresh_machine(effort)


def load(text: str, effort: int = 3) -> Any:
    """An engine with the functions of a module, optimised with an effort from 0 to 3."""
    target = machine(effort)
    module = llvm.parse_assembly(text)
    options = llvm.create_pipeline_tuning_options(speed_level=effort)
    much = effort > 1
    options.loop_vectorization = options.slp_vectorization = options.loop_unrolling = much
    builder = llvm.create_pass_builder(target, options)
    builder.getModulePassManager().run(module, builder)
    engine = llvm.create_mcjit_compiler(module, _fresh_machine(effort))
    engine.finalize_object()
    return engine


def _fresh_machine(effort: int) -> Any:
    """An engine owns its machine."""
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=effort,
        codemodel="jitdefault",
    )


@cache
def blas_address(routine: str) -> int:
    """Where a routine of SciPy's BLAS is (``sgemm``, ``dgemm``)."""
    from scipy.linalg import cython_blas

    capsule = cython_blas.__pyx_capi__[routine]
    api = ctypes.pythonapi
    api.PyCapsule_GetName.restype = ctypes.c_char_p
    api.PyCapsule_GetName.argtypes = [ctypes.py_object]
    api.PyCapsule_GetPointer.restype = ctypes.c_void_p
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    found: int = api.PyCapsule_GetPointer(capsule, api.PyCapsule_GetName(capsule))
    return found
