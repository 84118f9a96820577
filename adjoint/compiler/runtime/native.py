"""LLVM: text made into object code, and that into functions; addresses of other libraries."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import llvmlite.binding as llvm

from adjoint.compiler.runtime import pool


@cache
def machine(effort: int = 3) -> Any:
    """The machine it runs on, with all that its processor can do."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return _fresh_machine(effort)


def _fresh_machine(effort: int) -> Any:
    """An engine owns its machine."""
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=effort,
        codemodel="jitdefault",
    )


@cache
def machine_name() -> str:
    """What object code depends on: the target, the processor, and what it can do."""
    features = llvm.get_host_cpu_features().flatten()
    return f"{llvm.get_default_triple()} {llvm.get_host_cpu_name()} {features}"


def object_code(text: str, effort: int = 3, written: str = "") -> bytes:
    """The object file of a module, optimised with an effort from 0 to 3.

    The functions of ``written``, another module, are as they are to be: vectors, unrolled. Passes
    would take more time over them than all the rest does, and leave them slower.
    """
    target = machine(effort)
    module = llvm.parse_assembly(text)
    module.verify()  # what LLVM itself would abort the process for
    options = llvm.create_pipeline_tuning_options(speed_level=effort)
    much = effort > 1
    options.loop_vectorization = options.slp_vectorization = much
    options.loop_unrolling = False  # it would unroll loops of 64 turns before they become vectors
    builder = llvm.create_pass_builder(target, options)
    builder.getModulePassManager().run(module, builder)
    if written:
        others = llvm.parse_assembly(written)
        others.verify()
        module.link_in(others)
    made: bytes = target.emit_object(module)
    return made


def load(code: bytes, effort: int = 3) -> Any:
    """An engine with the functions of an object file."""
    machine(effort)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _fresh_machine(effort))
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return engine


@cache
def address_of(name: str) -> int:
    """Where a function of another library is: the pool's ``region``, or one of SciPy's BLAS."""
    if name == pool.REGION:
        return pool.region_address()
    return _blas_address(name)


def _blas_address(name: str) -> int:
    from scipy.linalg import cython_blas

    capsule = cython_blas.__pyx_capi__[name]
    api = ctypes.pythonapi
    api.PyCapsule_GetName.restype = ctypes.c_char_p
    api.PyCapsule_GetName.argtypes = [ctypes.py_object]
    api.PyCapsule_GetPointer.restype = ctypes.c_void_p
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    found: int = api.PyCapsule_GetPointer(capsule, api.PyCapsule_GetName(capsule))
    return found
