"""Matrix products: small ones as loops, larger ones by a call of BLAS."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from adjoint.compiler.codegen.loops import Nest
from adjoint.compiler.codegen.text import code, in_memory, register
from adjoint.compiler.kernels import Kernel
from adjoint.compiler.nodes import Buffer, Look, Product, Reduction, Scalar

if TYPE_CHECKING:
    from adjoint.compiler.codegen.module import Module

SMALL = 16_384  # multiplications up to which loops are quicker than BLAS's preparations
ROUTINES = {"f4": "sgemm", "f8": "dgemm"}


class ProductCode:
    """Writes the products of one module."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self._routines: set[str] = set()

    def emit(self, name: str, product: Product) -> tuple[str, list[Buffer]]:
        """Functions for a product; gives the call and the buffers it needs."""
        rows, inner = product.x.shape[-2:]
        columns = product.y.shape[-1]
        sides = _side(product.y), _side(product.x)
        if rows * columns * inner <= SMALL or None in sides:
            return self._loops(name, product)
        return self._blas(name, product, sides)

    def _loops(self, name: str, product: Product) -> tuple[str, list[Buffer]]:
        """As a sum over the inner dimension, along rows of the result."""
        *front, rows, inner = product.x.shape
        columns = product.y.shape[-1]
        domain = (*front, rows, inner, columns)
        x = Look(product.x.buffer, np.broadcast_to(product.x.place[..., None], domain))
        y = Look(product.y.buffer, np.broadcast_to(product.y.place[..., None, :, :], domain))
        kind = product.buffers[0].kind
        loads = (Scalar("load", x.kind, value=x), Scalar("load", y.kind, value=y))
        result = Buffer((*front, rows, 1, columns), kind)
        kernel = Kernel(domain)
        kernel.add(Reduction("add", result, domain, (len(front) + 1,), Scalar("mul", kind, loads)))
        nest = Nest(kernel, {result}, self.module.needs)
        self.module.functions.append(nest.function(name))
        buffers = [product.buffers[0] if each is result else each for each in nest.pointers]
        arguments = [f"ptr %b{buffer.number}" for buffer in buffers]
        arguments += ["ptr %flag", "i64 0", f"i64 {nest.splits}"]
        return f"  call void @{name}({', '.join(arguments)})", buffers

    def _blas(self, name: str, product: Product, sides: Any) -> tuple[str, list[Buffer]]:
        """BLAS keeps columns together: the transposed result is that of y and x exchanged."""
        kind = product.buffers[0].kind
        rows, inner = product.x.shape[-2:]
        columns = product.y.shape[-1]
        (y_way, y_step), (x_way, x_step) = sides
        routine = ROUTINES[code(kind)]
        numbers = (columns, rows, inner, y_step, x_step, columns)
        kind_text = register(kind)
        lines = [f"  %n{place} = alloca i32" for place in range(6)]
        lines += [f"  store i32 {value}, ptr %n{place}" for place, value in enumerate(numbers)]
        lines += [f"  %one = alloca {kind_text}", f"  store {kind_text} 1.0, ptr %one"]
        lines += [f"  %zero = alloca {kind_text}", f"  store {kind_text} 0.0, ptr %zero"]
        lines += ["  %yw = alloca i8", f"  store i8 {ord(y_way)}, ptr %yw"]
        lines += ["  %xw = alloca i8", f"  store i8 {ord(x_way)}, ptr %xw"]
        for turn, (x_at, y_at, out_at) in enumerate(self._offsets(product)):
            for letter, offset in (("x", x_at), ("y", y_at), ("z", out_at)):
                lines.append(
                    f"  %{letter}{turn} = getelementptr inbounds {in_memory(kind)}, ptr %{letter}, "
                    f"i64 {offset}"
                )
            lines.append(
                f"  call void %blas(ptr %yw, ptr %xw, ptr %n0, ptr %n1, ptr %n2, ptr %one, "
                f"ptr %y{turn}, ptr %n3, ptr %x{turn}, ptr %n4, ptr %zero, ptr %z{turn}, ptr %n5)"
            )
        body = "\n".join(lines)
        self.module.functions.append(
            f"define internal void @{name}(ptr %blas, ptr %x, ptr %y, ptr %z) {{\nentry:\n{body}\n"
            "  ret void\n}\n"
        )
        slot = self.module.slot(routine)
        found = (
            f"  %{name}s = getelementptr inbounds ptr, ptr %table, i64 {slot}\n"
            f"  %{name}f = load ptr, ptr %{name}s\n"
        )
        buffers = [product.x.buffer, product.y.buffer, product.buffers[0]]
        arguments = ", ".join(f"ptr %b{buffer.number}" for buffer in buffers)
        return f"{found}  call void @{name}(ptr %{name}f, {arguments})", buffers

    def _offsets(self, product: Product) -> list[tuple[int, int, int]]:
        """Where each matrix of a stack begins."""
        front = product.x.shape[:-2]
        size = product.buffers[0].shape[-2] * product.buffers[0].shape[-1]
        found = []
        for turn, place in enumerate(itertools.product(*map(range, front))):
            x_at, y_at = (
                look.offset + sum(a * b for a, b in zip(place, look.strides, strict=False))
                for look in (product.x, product.y)
            )
            found.append((x_at, y_at, turn * size))
        return found


def _side(look: Look) -> tuple[str, int] | None:
    """How BLAS is told of a matrix: as it is or transposed, and the step between its lines."""
    rows, columns = look.shape[-2:]
    down, along = look.strides[-2:]
    if (along == 1 or columns == 1) and (rows == 1 or down >= columns):
        return "N", max(down, columns, 1)
    if (down == 1 or rows == 1) and (columns == 1 or along >= rows):
        return "T", max(along, rows, 1)
    return None
