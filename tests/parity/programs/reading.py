"""Programs that were written down: paragraphs of Python, each under a comment as its name."""

from __future__ import annotations

import ast

from tests.parity.programs.running import Program


def read(text: str) -> dict[str, Program]:
    """Programs by name."""
    found = {}
    for paragraph in filter(None, text.strip().split("\n\n")):
        name, source = paragraph.split("\n", 1)
        found[name.removeprefix("# ")] = program_of(source)
    return found


def program_of(source: str) -> Program:
    """A program of the statements of a text."""
    nodes = ast.parse(source).body
    return Program(tuple(ast.get_source_segment(source, node) or "" for node in nodes))
