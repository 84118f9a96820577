"""Loops with functions of the library become vectors for every kind of processor, without calls."""

from __future__ import annotations

import inspect
import re

import llvmlite.binding as llvm
import numpy as np
import pytest

from adjoint.compiler.codegen.processor import host, processor
from adjoint.compiler.expressions import function
from adjoint.compiler.functions import FORMULAS, Rare
from adjoint.compiler.runtime import native
from tests.compiler.codegen.compiled import assembly, module_text

# The triple, the processor by LLVM's name, and the features that it is asked for by name.
TARGETS = {
    "plain": ("x86_64-unknown-linux-gnu", "x86-64", {}),
    "avx2": ("x86_64-unknown-linux-gnu", "haswell", {"fma", "sse4.1", "f16c", "avx2"}),
    "avx512": (
        "x86_64-unknown-linux-gnu",
        "skylake-avx512",
        {"fma", "sse4.1", "f16c", "avx2", "avx512f"},
    ),
    "neon": ("aarch64-unknown-linux-gnu", "generic", {}),
}
PACKED = {
    "plain": r"\b(add|mul|sub)p[sd]\b.*xmm",
    "avx2": r"\bvfn?m(add|sub)\d+p[sd]\b.*ymm",
    "avx512": r"\bvfn?m(add|sub)\d+p[sd]\b.*[yz]mm",
    "neon": r"\bfml[as]\s+v\d+\.(2d|4s)",
}
CALL = r"^\s+(call\w*|bl)\s+(\S+)"


def _machine(name):
    triple, cpu, _ = TARGETS[name]
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    try:
        target = llvm.Target.from_triple(triple)
    except RuntimeError as reason:
        pytest.skip(f"this llvmlite was built without the target: {reason}")
    return target.create_target_machine(cpu=cpu, opt=3)


def _assembly(name, target, kind):
    formula = FORMULAS[name]
    usual = formula.usual if isinstance(formula, Rare) else formula
    kinds = (np.dtype(kind),) * len(inspect.signature(usual).parameters)
    triple, _, features = TARGETS[target]
    written_for = processor(triple, dict.fromkeys(features, True))
    return assembly(module_text(function(name), kinds, written_for), _machine(target))


def _loop(text):
    """The function ``run`` alone."""
    return text[text.index("\nrun:") :].split(".cfi_endproc")[0]


@pytest.mark.parametrize("target", TARGETS)
def test_usual_functions_are_inlined_vectors(target):
    names = ["exp", "log1p", "tanh", "sigmoid", "erf", "erfc", "pow", "atan2", "asinh", "acos"]
    for name, kind in zip(names, ["f4", "f8"] * 5, strict=True):
        loop = _loop(_assembly(name, target, kind))
        assert not re.findall(CALL, loop, re.MULTILINE), name
        assert re.search(PACKED[target], loop), name


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("name", "kind"), [("sin", "f4"), ("tan", "f8"), ("rem", "f8")])
def test_rare_functions_have_vectors_of_their_own(target, name, kind):
    lanes = processor(TARGETS[target][0], dict.fromkeys(TARGETS[target][2], True)).bytes
    lanes //= np.dtype(kind).itemsize
    text = _assembly(name, target, kind)
    named = set(re.findall(rf"\b{name}_{kind}_\w+", _loop(text)))
    assert named & {f"{name}_{kind}_{each}" for each in (lanes, lanes // 2)}, named
    assert re.search(PACKED[target], text[text.index(f"\n{name}_{kind}_{lanes}:") :])


def test_an_argument_that_is_constant_does_not_hide_the_variants():
    kind = np.dtype("f4")
    text = module_text(lambda x: function("rem")(x, 0.75), (kind,), host())
    loop = _loop(assembly(text, native.machine()))
    assert re.search(rf"\brem_f4_{host().bytes // 4}\b", loop)


def test_the_host_is_known():
    assert host() == processor(llvm.get_default_triple(), llvm.get_host_cpu_features())
    assert native.machine().triple.split("-")[0] in llvm.get_default_triple()
    assert not processor("riscv64-unknown-linux-gnu", {}).fused
