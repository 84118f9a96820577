# ruff: noqa: E501, F841
# mypy: ignore-errors
"""Functions that hardware has not, as polynomials in LLVM's language."""

import math
import struct


def f(v):
    return "0x" + struct.pack(">d", v).hex().upper()


def f4(v):
    return "0x" + struct.pack(">d", struct.unpack("f", struct.pack("f", v))[0]).hex().upper()


def exp_ir(code):
    t = "float" if code == "f4" else "double"
    n = f4 if code == "f4" else f
    it = "i32" if code == "f4" else "i64"
    mant = 23 if code == "f4" else 52
    bias = 127 if code == "f4" else 1023
    lo, hi = (-104.0, 89.0) if code == "f4" else (-746.0, 710.0)
    ln2hi, ln2lo = (
        (0.693359375, -2.12194440e-4)
        if code == "f4"
        else (6.93147180369123816490e-01, 1.90821492927058770002e-10)
    )
    deg = 7 if code == "f4" else 13
    i = "f32" if code == "f4" else "f64"
    L = [f"define internal {t} @exp_{code}({t} %x0) alwaysinline {{"]
    a = L.append
    a(f"  %nan = fcmp uno {t} %x0, %x0")
    a(f"  %c1 = fcmp olt {t} %x0, {n(lo)}\n  %x1 = select i1 %c1, {t} {n(lo)}, {t} %x0")
    a(f"  %c2 = fcmp ogt {t} %x1, {n(hi)}\n  %x = select i1 %c2, {t} {n(hi)}, {t} %x1")
    a(f"  %s = fmul {t} %x, {n(1 / math.log(2))}\n  %k = call {t} @llvm.rint.{i}({t} %s)")
    a(
        f"  %nk = fneg {t} %k\n  %r1 = call {t} @llvm.fma.{i}({t} %nk, {t} {n(ln2hi)}, {t} %x)\n  %r = call {t} @llvm.fma.{i}({t} %nk, {t} {n(ln2lo)}, {t} %r1)"
    )
    a(f"  %q{deg} = fadd {t} {n(1 / math.factorial(deg))}, 0.0")
    for d in range(deg - 1, -1, -1):
        a(
            f"  %q{d} = call {t} @llvm.fma.{i}({t} %q{d + 1}, {t} %r, {t} {n(1 / math.factorial(d))})"
        )
    a(f"  %ki = fptosi {t} %k to {it}\n  %h = ashr {it} %ki, 1\n  %h2 = sub {it} %ki, %h")
    a(
        f"  %b1 = add {it} %h, {bias}\n  %b2 = add {it} %h2, {bias}\n  %e1 = shl {it} %b1, {mant}\n  %e2 = shl {it} %b2, {mant}"
    )
    a(
        f"  %s1 = bitcast {it} %e1 to {t}\n  %s2 = bitcast {it} %e2 to {t}\n  %y1 = fmul {t} %q0, %s1\n  %y2 = fmul {t} %y1, %s2"
    )
    a(f"  %y = select i1 %nan, {t} %x0, {t} %y2\n  ret {t} %y\n}}")
    return "\n".join(L), {
        f"declare {t} @llvm.fma.{i}({t}, {t}, {t})",
        f"declare {t} @llvm.rint.{i}({t})",
    }


def tanh_ir(code):
    t = "float" if code == "f4" else "double"
    n = f4 if code == "f4" else f
    i = "f32" if code == "f4" else "f64"
    # t = 1 - 2/(exp(2|x|)+1); small: odd rational (Cephes)
    P = [
        -5.70498872745e-3,
        2.06390887954e-2,
        -5.37397155531e-2,
        1.33314422036e-1,
        -3.33332819422e-1,
    ]
    body = exp_ir(code)
    L = [f"define internal {t} @tanh_{code}({t} %x) alwaysinline {{"]
    a = L.append
    a(
        f"  %a = call {t} @llvm.fabs.{i}({t} %x)\n  %m = fmul {t} %a, {n(2)}\n  %e = call {t} @exp_{code}({t} %m)\n  %e1 = fadd {t} %e, {n(1)}\n  %d = fdiv {t} {n(2)}, %e1\n  %b = fsub {t} {n(1)}, %d\n  %bs = call {t} @llvm.copysign.{i}({t} %b, {t} %x)"
    )
    a(f"  %z = fmul {t} %x, %x\n  %p0 = fadd {t} {n(P[0])}, 0.0")
    for k in range(1, 5):
        a(f"  %p{k} = call {t} @llvm.fma.{i}({t} %p{k - 1}, {t} %z, {t} {n(P[k])})")
    a(
        f"  %pz = fmul {t} %p4, %z\n  %sm = call {t} @llvm.fma.{i}({t} %pz, {t} %x, {t} %x)\n  %c = fcmp olt {t} %a, {n(0.625)}\n  %y = select i1 %c, {t} %sm, {t} %bs\n  ret {t} %y\n}}"
    )
    return "\n".join(L), {
        f"declare {t} @llvm.fabs.{i}({t})",
        f"declare {t} @llvm.copysign.{i}({t}, {t})",
        f"declare {t} @llvm.fma.{i}({t}, {t}, {t})",
    }


def log_ir(code):
    t = "float" if code == "f4" else "double"
    i = "f32" if code == "f4" else "f64"
    # prototype: the intrinsic
    return (
        f"define internal {t} @log_{code}({t} %x) alwaysinline {{\n  %y = call {t} @llvm.log.{i}({t} %x)\n  ret {t} %y\n}}",
        {f"declare {t} @llvm.log.{i}({t})"},
    )


def via(name):
    def make(code):
        t = "float" if code == "f4" else "double"
        c = name + ("f" if code == "f4" else "")
        return (
            f"define internal {t} @{name}_{code}({t} %x) alwaysinline {{\n  %y = call {t} @{c}({t} %x)\n  ret {t} %y\n}}",
            {f"declare {t} @{c}({t})"},
        )

    return make


FUNCTIONS = {
    "exp": exp_ir,
    "tanh": tanh_ir,
    "log": log_ir,
    "log1p": via("log1p"),
    "expm1": via("expm1"),
    "sin": via("sin"),
    "cos": via("cos"),
    "erf": via("erf"),
}
NEEDS = {"tanh": ["exp"]}


def library(needs):
    """Texts of the functions that are needed and of what they need, and declarations."""
    functions, declarations, seen = [], set(needs.declarations), set()
    waiting = sorted(needs.functions)
    while waiting:
        name, kind = waiting.pop()
        if (name, kind) in seen:
            continue
        seen.add((name, kind))
        text, declared = FUNCTIONS[name](kind)
        functions.append(text)
        declarations |= declared
        waiting += [(each, kind) for each in NEEDS.get(name, [])]
    return functions, declarations
