"""One function of the library in a loop over arrays, compiled for a processor."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

import llvmlite.binding as llvm
import numpy as np

from adjoint.compiler.codegen.library import library
from adjoint.compiler.codegen.processor import Processor, host
from adjoint.compiler.codegen.scalars import Needs, emit
from adjoint.compiler.codegen.text import Text
from adjoint.compiler.expressions import Expression
from adjoint.compiler.nodes import Scalar
from adjoint.compiler.runtime import native

Formula = Callable[..., Expression]
PLAIN = Processor(fused=False, rounding=False, halves=False, bytes=16)


def module_text(
    formula: Formula, kinds: tuple[Any, ...], target: Processor, name: str = "run"
) -> str:
    """A module with ``run(inputs..., out, n)``: a formula at each place of arrays."""
    needs, text = Needs(target), Text()
    inputs = [Expression(Scalar("load", kind, value=place)) for place, kind in enumerate(kinds)]
    found = formula(*inputs).scalar

    def turn(index: str) -> list[str]:
        def load(scalar: Scalar, args: Any) -> str:
            return text.load(f"%p{scalar.value}", index, scalar.kind)

        value = emit(text, found, load, {}, needs)
        text.store("%out", index, value, found.kind)
        return []

    text.loop("0", "%n", turn)
    parameters = ", ".join([f"ptr noalias %p{place}" for place in range(len(kinds))])
    lines = "\n".join(text.lines)
    run = (
        f"define void @{name}({parameters}, ptr noalias %out, i64 %n) {{\nentry:\n{lines}\n"
        "  ret void\n}\n"
    )
    functions, declarations = library(needs)
    return "\n".join([*sorted(declarations), *functions, run])


@cache
def compiled(
    formula: Formula, kinds: tuple[str, ...], target: Processor | None = None
) -> Callable[..., Any]:
    """``formula`` on arrays of these types."""
    types = tuple(map(np.dtype, kinds))
    out = formula(*(Expression(Scalar("load", kind)) for kind in types)).kind
    text = module_text(formula, types, target or host())
    engine = native.load(native.object_code(text))
    address = engine.get_function_address("run")
    call = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * (len(kinds) + 1), ctypes.c_int64)(address)

    def run(*arrays: Any) -> Any:
        assert engine is not None
        arrays = [
            np.ascontiguousarray(each, kind) for each, kind in zip(arrays, types, strict=True)
        ]
        result = np.empty(arrays[0].shape, out)
        if result.size:
            call(*(each.ctypes.data for each in arrays), result.ctypes.data, result.size)
        return result

    return run


def assembly(text: str, machine: Any) -> str:
    """The instructions of a module for a machine, optimised."""
    module = llvm.parse_assembly(text)
    module.triple = machine.triple
    module.data_layout = str(machine.target_data)
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization = options.slp_vectorization = options.loop_unrolling = True
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    made: str = machine.emit_assembly(module)
    return made
