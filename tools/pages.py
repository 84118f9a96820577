"""What the scripts that write a page of the documentation share."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path


def row_of(cells: Iterable[str]) -> str:
    """A line of a table in Markdown."""
    return "| " + " | ".join(cells) + " |\n"


def write(target: Path, page: Callable[[], str], doc: str | None) -> int:
    """Write the page, or with ``--check`` say that it is out of date; gives the exit status."""
    parser = argparse.ArgumentParser(description=(doc or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing, exit 1 if stale")
    check = parser.parse_args().check
    text = page()
    if target.exists() and target.read_text(encoding="utf-8") == text:
        return 0
    if check:
        print(f"docs/{target.name} is out of date: run {Path(sys.argv[0]).name}")
        return 1
    target.write_text(text, encoding="utf-8")
    return 0
