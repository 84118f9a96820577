"""The command line: ``adjoint tour`` and ``adjoint info``."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from adjoint.tour import information
from adjoint.version import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status (2 for words that it does not understand)."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help()
        return 2
    try:
        status: int = options.run(options)
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="adjoint", description="Automatic differentiation with PyTorch's names and numbers."
    )
    parser.add_argument("--version", action="version", version=f"adjoint {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    tour = commands.add_parser(
        "tour",
        help="a network, its graph and its gradients, then a classifier of real digits",
        description="Shows what Adjoint does, computed as you watch, and leaves pictures behind.",
    )
    tour.add_argument(
        "--output", type=Path, default=Path("adjoint-tour"), metavar="FOLDER",
        help="where the pictures go (default: %(default)s)",
    )  # fmt: skip
    tour.add_argument(
        "--epochs", type=_positive, default=15, metavar="N",
        help="times that the training sees every digit (default: %(default)s)",
    )  # fmt: skip
    tour.add_argument(
        "--seed", type=_seed, default=0, metavar="N", help="of the random numbers (default: 0)"
    )
    tour.set_defaults(run=_tour)
    info = commands.add_parser(
        "info", help="versions, BLAS, threads, and what optional parts are present"
    )
    info.set_defaults(run=_info)
    return parser


def _positive(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return value


def _seed(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = -1
    if not 0 <= value < 2**64:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a whole number of at least 0, below 2**64"
        )
    return value


def _tour(options: argparse.Namespace) -> int:
    missing = information.missing("matplotlib", "rich")
    if missing:
        print(
            f"adjoint tour draws with {' and '.join(missing)}, not installed here: "
            "pip install 'adjoint[tour]'",
            file=sys.stderr,
        )
        return 1
    try:
        options.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        print(f"adjoint tour: cannot write to {options.output}: {error.strerror}", file=sys.stderr)
        return 1
    # Loaded by name, now that what it draws with is known to be there.
    story = importlib.import_module("adjoint.tour.story")
    story.tell(story.Console(), options.output, options.epochs, options.seed)
    return 0


def _info(_: argparse.Namespace) -> int:
    for name, value in information.collect():
        print(f"{name:<12} {value}")
    return 0
