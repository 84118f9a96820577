"""Reading the subscripts of ``einsum``: text or lists of numbers to a label for each dimension."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

# A letter's label is its code; the dimensions an ellipsis covers are 0, -1, -2 ... from the end.
Labels = tuple[int, ...]


def sublists(args: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """``(x, [0, 1], y, [1, 2], [0, 2])`` as an equation and the operands.

    Raises ``TypeError`` or ``ValueError`` for what is not made of tensors and lists of numbers.
    """
    pairs = len(args) // 2
    equation = ",".join(_spell(args[2 * number + 1]) for number in range(pairs))
    if len(args) % 2:
        equation += "->" + _spell(args[-1])
    return equation, tuple(args[0 : 2 * pairs : 2])


def _spell(sublist: Any) -> str:
    if not isinstance(sublist, (list, tuple)):
        raise TypeError(
            f"einsum(): expected a list of subscripts, but got {type(sublist).__name__}"
        )
    letters = []
    for each in sublist:
        if each is Ellipsis:
            letters.append("...")
        elif isinstance(each, int) and 0 <= each < 52:
            letters.append(chr(ord("A") + each) if each < 26 else chr(ord("a") + each - 26))
        else:
            raise ValueError(f"einsum(): a subscript is within [0, 52), but got {each!r}")
    return "".join(letters)


@lru_cache(maxsize=1024)
def parse(equation: str, ranks: tuple[int, ...]) -> tuple[tuple[Labels, ...], Labels]:
    """Labels for the operands' dimensions and the result's; ``RuntimeError`` for a bad equation."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    written = left.split(",")
    if len(written) != len(ranks):
        raise RuntimeError(
            f"einsum(): the equation {equation!r} has subscripts for {len(written)} operands, but "
            f"{len(ranks)} were given"
        )
    terms = tuple(
        _read(term, rank, number, equation)
        for number, (term, rank) in enumerate(zip(written, ranks, strict=True))
    )
    covered = tuple(sorted({label for labels in terms for label in labels if label <= 0}))
    if arrow:
        return terms, _read_result(right, covered, terms, equation)
    every = [label for labels in terms for label in labels if label > 0]
    once = sorted(label for label in set(every) if every.count(label) == 1)
    return terms, (*covered, *once)


def _letters(text: str, equation: str) -> list[int]:
    for letter in text:
        if not (letter.isascii() and letter.isalpha()):
            raise RuntimeError(
                f"einsum(): invalid subscript {letter!r} in {equation!r}: subscripts are letters "
                "in [a-zA-Z], and ... once for each operand"
            )
    return [ord(letter) for letter in text]


def _read(term: str, rank: int, number: int, equation: str) -> Labels:
    before, dots, after = term.partition("...")
    first, last = _letters(before, equation), _letters(after, equation)
    rest = rank - len(first) - len(last)
    if rest < 0 or (rest and not dots):
        raise RuntimeError(
            f"einsum(): {term!r} names {len(first) + len(last)} dimensions, but operand {number} "
            f"has {rank}"
        )
    return (*first, *range(1 - rest, 1), *last)


def _read_result(term: str, covered: Labels, terms: tuple[Labels, ...], equation: str) -> Labels:
    before, dots, after = term.partition("...")
    first, last = _letters(before, equation), _letters(after, equation)
    for place, label in enumerate(named := first + last):
        if label in named[:place]:
            raise RuntimeError(
                f"einsum(): output subscript {chr(label)} appears more than once in {equation!r}"
            )
        if not any(label in labels for labels in terms):
            raise RuntimeError(
                f"einsum(): output subscript {chr(label)} is in none of the inputs of {equation!r}"
            )
    return (*first, *(covered if dots else ()), *last)
