"""Matrix products of a program: which way each is computed, and the call of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from adjoint.compiler.codegen import parallel
from adjoint.compiler.codegen.convolution import ConvolutionCode
from adjoint.compiler.codegen.convolution_lines import LineCode, suits
from adjoint.compiler.codegen.convolution_weight import WeightCode
from adjoint.compiler.codegen.dots import Dots
from adjoint.compiler.codegen.gemm import Gemm
from adjoint.compiler.codegen.pooling import MaxBackCode, MaxPoolCode
from adjoint.compiler.codegen.problem import Matrix, Problem
from adjoint.compiler.codegen.text import in_memory
from adjoint.compiler.codegen.windows import PaddedCode, TurnedCode
from adjoint.compiler.nodes import Buffer, Look, Product, Single
from adjoint.compiler.windows import (
    Convolution,
    ConvolutionWeight,
    MaxBack,
    MaxPool,
    Padded,
    Turned,
)

if TYPE_CHECKING:
    from adjoint.compiler.codegen.module import Module

MULTIPLICATIONS = 30  # in the unit of work by which regions are divided
FEW = 4  # rows or columns up to which sums along both factors need no tiles
LONG = 16  # elements of such a sum at least
WRITERS = {
    Convolution: ConvolutionCode,
    ConvolutionWeight: WeightCode,
    MaxBack: MaxBackCode,
    MaxPool: MaxPoolCode,
}


class ProductCode:
    """Writes the products and convolutions of one module."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.shared: dict[str, str] = {}

    def emit(self, name: str, node: Single) -> tuple[str, list[Buffer]]:
        """Functions for a node of its own; gives the call and the buffers it needs."""
        if isinstance(node, Product):
            return self._product(name, node)
        if isinstance(node, Padded):
            padded = PaddedCode(node, self.module.needs.declarations)
            own = self.module.define(name, padded.function)
            buffer = node.buffers[0]
            copied = MULTIPLICATIONS * buffer.size
            return self.call(own, [node.x, Look(buffer)], padded.units, copied)
        declarations = self.module.written_declarations
        writer: Any
        if isinstance(node, Turned):
            writer = TurnedCode(node, self.shared, declarations)
        elif isinstance(node, Convolution) and suits(node):
            writer = LineCode(node, declarations)
        else:
            writer = WRITERS[type(node)](node, declarations)
        result = Look(node.buffers[0])
        looks = list(node.looks())
        if isinstance(node, Convolution) and node.start is None:
            looks.append(result)
        work = node.flops / 2 or MULTIPLICATIONS * result.buffer.size
        results = list(map(Look, node.buffers))
        return self.call(self.write(name, writer), [*looks, *results], writer.units, work)

    def _product(self, name: str, node: Product) -> tuple[str, list[Buffer]]:
        problem = problem_of(node)
        factors = [node.x, node.y]
        if problem.columns == 1 and problem.rows > 1 and not _is_dots(problem):
            problem = problem.transposed  # so that vectors go along the result
            factors.reverse()
        writer: Gemm | Dots
        if _is_dots(problem):
            writer = Dots(problem, self.module.written_declarations)
        else:
            writer = Gemm(problem, self.shared, self.module.written_declarations)
        result = Look(node.buffers[0])
        looks = [*factors, result, result if node.start is None else node.start]
        return self.call(self.write(name, writer), looks, writer.units, problem.work)

    def write(self, name: str, writer: Any) -> str:
        """Add a function and those that it calls; the name that it has."""
        known = len(self.shared)
        own = self.module.write(name, writer.function)
        for each in list(self.shared.values())[known:]:
            self.module.written.append(each.replace("define internal", "define hidden"))
        return own

    def call(
        self, name: str, looks: Sequence[Look], units: int, multiplications: float
    ) -> tuple[str, list[Buffer]]:
        """The call of a function over its units; it gets the looks' first elements."""
        lines, pointers = [], []
        for look in looks:
            pointer = f"%b{look.buffer.number}"
            if look.offset:
                number = self.module.count()
                lines.append(
                    f"  %first{number} = getelementptr {in_memory(look.kind)}, ptr {pointer}, "
                    f"i64 {look.offset}"
                )
                pointer = f"%first{number}"
            pointers.append(pointer)
        division = parallel.divide(units, multiplications / MULTIPLICATIONS)
        lines.append(parallel.call(self.module, name, pointers, division))
        return "\n".join(lines), [look.buffer for look in looks]


def problem_of(product: Product) -> Problem:
    """Where the elements of a product lie behind the first, with the fewest matrices in a stack."""
    x, y, z = product.x, product.y, Look(product.buffers[0])
    *front, rows, inner = x.shape
    columns = y.shape[-1]
    start = None if product.start is None else _matrix(product.start, columns)
    problem = Problem(
        z.kind, tuple(front), rows, inner, columns,
        _matrix(x, inner), _matrix(y, columns), _matrix(z, columns), start,
    )  # fmt: skip
    while problem.front and (problem.front[-1] == 1 or _stacks(problem)):
        problem = _joined(problem)
    return problem


def _matrix(look: Look, columns: int) -> Matrix:
    *front, row, column = look.strides
    return Matrix(tuple(front), row, 1 if columns == 1 else column)


def _stacks(problem: Problem) -> bool:
    """Whether the last dimension of the stack is as well one of rows: the right factor is one."""
    if problem.y.front[-1]:
        return False
    left = [each for each in (problem.x, problem.z, problem.start) if each is not None]
    return problem.rows == 1 or all(each.front[-1] == each.row * problem.rows for each in left)


def _joined(problem: Problem) -> Problem:
    """The last dimension of the stack among the rows."""
    size = problem.front[-1]

    def without(each: Matrix | None) -> Matrix | None:
        if each is None:
            return None
        row = each.front[-1] if problem.rows == 1 and size > 1 else each.row
        return each._replace(front=each.front[:-1], row=row)

    x, y, z = without(problem.x), problem.y, without(problem.z)
    assert x is not None
    assert z is not None
    return problem._replace(
        front=problem.front[:-1],
        rows=problem.rows * size,
        x=x,
        y=y._replace(front=y.front[:-1]),
        z=z,
        start=without(problem.start),
    )


def _is_dots(problem: Problem) -> bool:
    few = min(problem.rows, problem.columns) <= FEW
    along = problem.x.column == 1 and problem.y.row == 1
    vectors = problem.y.column == 1 and problem.columns > 1
    return few and along and problem.inner >= LONG and not vectors
