"""Products compiled: any size, any layout of the factors, and what is added to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import adjoint as torch
from adjoint.compiler.kernels import alive
from adjoint.compiler.lowering import lower
from adjoint.compiler.nodes import Product
from adjoint.compiler.passes import optimise
from tests.harness_compiled import Gathering, check, run

# Sizes around those of vectors and tiles, and some beyond a block of the inner dimension.
SIZES = [
    (1, 1, 1), (1, 40, 7), (5, 3, 4), (2, 17, 33), (13, 31, 32), (14, 64, 63), (3, 100, 1),
    (40, 1, 9), (64, 48, 10), (33, 300, 70), (7, 2100, 5), (100, 16, 100), (20, 4100, 40),
]  # fmt: skip


def make(rng: Any, kind: str, *shape: int) -> Any:
    """Numbers of a type."""
    if kind[0] == "f":
        return rng.standard_normal(shape).astype(kind)
    return rng.integers(-9, 9, shape).astype(kind)


def views(rng: Any, kind: str, *shape: int) -> dict[str, tuple[Any, Callable[[Any], Any]]]:
    """A matrix in the layouts that a program may meet, with what makes it of an array in order."""
    *front, rows, columns = shape
    return {
        "in order": (make(rng, kind, *shape), lambda x: x),
        "transposed": (make(rng, kind, *front, columns, rows), lambda x: x.transpose(-1, -2)),
        "cut": (
            make(rng, kind, *front, rows + 3, columns + 2),
            lambda x: x[..., 2 : rows + 2, 1 : columns + 1],
        ),
        "every second column": (make(rng, kind, *front, rows, 2 * columns), lambda x: x[..., ::2]),
        "stretched": (make(rng, kind, *front, 1, columns), lambda x: x.expand(shape)),
    }


def wrong_with(gathering: Gathering, effort: int = 1) -> list[str]:
    """What the compiled program gets wrong."""
    _, results = run(gathering, "program", effort)
    return check(gathering, results)


@pytest.mark.parametrize("kind", ["f4", "f8", "i4"])
def test_sizes_and_layouts(kind: str) -> None:
    """Every size in a pair of layouts, all layouts with each other."""
    rng = np.random.default_rng(0)
    with Gathering() as gathering:
        for number, (rows, inner, columns) in enumerate(SIZES):
            left, right = views(rng, kind, rows, inner), views(rng, kind, inner, columns)
            for turn in range(3):
                a = list(left)[(number + turn) % 5]
                b = list(right)[(number + 2 * turn + number // 5) % 5]
                (x, see_x), (y, see_y) = left[a], right[b]
                gathering.add(
                    f"{rows}x{inner} {a} by {inner}x{columns} {b}",
                    lambda x, y, see_x=see_x, see_y=see_y: see_x(x) @ see_y(y),
                    (x, y),
                )
    assert wrong_with(gathering) == []


def test_stacks() -> None:
    """Batches that match, broadcast, or join the rows; vectors on either side."""
    rng = np.random.default_rng(1)
    shapes = [
        ((3, 5, 20), (3, 20, 6)), ((2, 3, 9, 16), (16, 33)), ((2, 1, 4, 8), (3, 8, 5)),
        ((4, 7), (2, 7, 18)), ((6, 1, 7), (7, 40)), ((2, 3, 5, 40), (40,)), ((30,), (2, 30, 3)),
        ((0, 3, 4), (4, 2)), ((3, 0), (0, 5)), ((2, 70, 5), (2, 5, 70)),
    ]  # fmt: skip
    with Gathering() as gathering:
        for x, y in shapes:
            arrays = make(rng, "f4", *x), make(rng, "f4", *y)
            gathering.add(f"{x} by {y}", lambda x, y: x @ y, arrays)
    assert wrong_with(gathering) == []


def test_what_is_added() -> None:
    """A start in every shape that stretches, factors before it, and in other layouts."""
    rng = np.random.default_rng(2)
    x, y = make(rng, "f8", 20, 40), make(rng, "f8", 40, 17)
    with Gathering() as gathering:
        for shape in [(17,), (20, 1), (1, 1), (20, 17), (), (1, 17)]:
            for beta, alpha in [(1, 1), (0, 2), (3, 1), (0.5, -1)]:
                gathering.add(
                    f"{shape} {beta} {alpha}",
                    lambda b, x, y, beta=beta, alpha=alpha: torch.addmm(
                        b, x, y, beta=beta, alpha=alpha
                    ),
                    (make(rng, "f8", *shape), x, y),
                )
        gathering.add(
            "a column of a matrix",
            lambda b, x, y: torch.addmv(b[:, 1], x, y[:, 0]) + torch.addmm(b[:, :1], x, y)[:, 0],
            (make(rng, "f8", 20, 3), x, y),
        )
        gathering.add(
            "transposed",
            lambda b, x, y: torch.addmm(b.t(), x, y),
            (make(rng, "f8", 17, 20), x, y),
        )
    assert wrong_with(gathering) == []


def test_long_sums_are_exact() -> None:
    """Of many float32 the sum is as exact as NumPy's, which adds in blocks too."""
    rng = np.random.default_rng(3)
    x, y = make(rng, "f4", 30, 5000), make(rng, "f4", 5000, 30)
    with Gathering() as gathering:
        gathering.add("product", lambda x, y: x @ y, (x, y))
    _, (found,) = run(gathering, "program", 1)
    exact = x.astype("f8") @ y.astype("f8")
    assert np.abs(found - exact).max() < 2 * np.abs(x @ y - exact).max()


def test_infinities_stay_in_their_row_and_column() -> None:
    """What is beyond an edge, or computed twice, brings no NaN in."""
    x, y = np.ones((19, 21), "f4"), np.ones((21, 37), "f4")
    x[18, 0], y[0, 36], x[3, 4] = np.inf, np.nan, -np.inf
    with Gathering() as gathering:
        gathering.add("product", lambda x, y: x @ y, (x, y))
        gathering.add("transposed", lambda x, y: y.t() @ x.t(), (x, y))
    assert wrong_with(gathering) == []


def test_einsum() -> None:
    """Batch, outer, summed labels, in any order."""
    rng = np.random.default_rng(4)
    terms = [
        ("bij,bjk->bik", (3, 4, 20), (3, 20, 5)), ("ij,kj->ki", (4, 30), (5, 30)),
        ("bihd,bjhd->bhij", (2, 6, 3, 17), (2, 5, 3, 17)), ("i,j->ij", (4,), (5,)),
        ("ij,ij->i", (4, 20), (4, 20)), ("abc,cd->dab", (2, 3, 4), (4, 5)),
        ("abc,abd->cd", (2, 3, 4), (2, 3, 5)), ("ij,jk->ik", (2, 0), (0, 3)),
    ]  # fmt: skip
    with Gathering() as gathering:
        for text, x, y in terms:
            arrays = make(rng, "f8", *x), make(rng, "f8", *y)
            gathering.add(text, lambda x, y, text=text: torch.einsum(text, x, y), arrays)
    assert wrong_with(gathering) == []


def test_a_bias_is_part_of_the_product() -> None:
    """A linear layer is one node, and its weight is not copied to be transposed."""
    rng = np.random.default_rng(5)
    arrays = make(rng, "f4", 6, 20), make(rng, "f4", 9, 20), make(rng, "f4", 9)
    with Gathering() as gathering:
        gathering.add("linear", lambda x, w, b: torch.nn.functional.linear(x, w, b), arrays)
    lowering = lower(optimise(gathering.program("program")))
    (node,) = alive(lowering.nodes, lowering.outputs)
    assert isinstance(node, Product)
    assert node.start is not None
    assert wrong_with(gathering, 3) == []


def test_halves_are_added_up_in_float32() -> None:
    """And rounded once."""
    rng = np.random.default_rng(6)
    x, y = make(rng, "f4", 5, 33).astype("f2"), make(rng, "f4", 33, 7).astype("f2")
    with Gathering() as gathering:
        gathering.add("halves", lambda x, y: x @ y, (x, y))
    assert wrong_with(gathering) == []


def test_truth_values() -> None:
    """Sums of products of them are whether both are true anywhere."""
    rng = np.random.default_rng(7)
    start, x, y = (rng.random(shape) < 0.4 for shape in [(5, 7), (5,), (7,)])
    with Gathering() as gathering:
        for beta, alpha in [(True, True), (False, True), (True, False), (1, 1)]:
            gathering.add(
                f"{beta} {alpha}",
                lambda b, x, y, beta=beta, alpha=alpha: torch.addr(b, x, y, beta=beta, alpha=alpha),
                (start, x, y),
            )
    assert wrong_with(gathering) == []
