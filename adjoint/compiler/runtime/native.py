"""LLVM: text made into object code, and that into functions."""

from __future__ import annotations

from functools import cache
from typing import Any

import llvmlite.binding as llvm


@cache
def machine(effort: int = 3) -> Any:
    """The machine it runs on, with all that its processor can do."""
    _prepare()
    return _fresh_machine(effort)


@cache
def _prepare() -> None:
    """Get LLVM ready, once for the whole process."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    if llvm.llvm_version_info >= (22,):
        # It looks for checksums in loops, along every path through what they compute: of a scatter
        # for bicubic interpolation it never comes to an end.
        llvm.set_option("adjoint", "-disable-loop-idiom-hashrecognize")


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
    # Level 3, and vectors out of straight lines, take a fifth longer and make nothing quicker.
    options = llvm.create_pipeline_tuning_options(speed_level=min(effort, 2))
    options.loop_vectorization = effort > 1
    options.slp_vectorization = False
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
