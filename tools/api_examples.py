"""An extension of griffe, which reads docstrings for mkdocstrings: examples become code blocks.

Markdown takes ``>>>`` for three quotations, one within the other. Docstrings stay as Python's
own tools like them, and the fences are put in here.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

# From a line that starts an example to the next empty line or the end.
EXAMPLE = re.compile(r"^>>> .*?(?=^[ \t]*$|\Z)", flags=re.DOTALL | re.MULTILINE)


def fence_examples(text: str) -> str:
    """Put each run of example lines, with its output, into a block of its own."""
    return EXAMPLE.sub(lambda found: f"\n```pycon\n{found[0].rstrip()}\n```\n", text)


class FenceExamples(griffe.Extension):
    """Rewrites each docstring before it is shown."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Called by griffe for every object that it has found."""
        if obj.docstring is not None:
            obj.docstring.value = fence_examples(obj.docstring.value)
