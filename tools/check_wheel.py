"""Import the package straight out of a built wheel and use each file that is not Python's.

    python -I tools/check_wheel.py dist/adjoint-*.whl

A wheel is a zip file that Python can import from, so nothing is installed.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import zipfile
from pathlib import Path

NEEDED = (
    "adjoint/py.typed",
    "adjoint/tour/data/README.md",
    "adjoint/tour/data/digits.npz",
)


def main() -> None:
    """Check the wheel named on the command line; exit with a message where it falls short."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheel", type=Path)
    wheel = parser.parse_args().wheel.resolve()

    names = set(zipfile.ZipFile(wheel).namelist())
    missing = [name for name in NEEDED if name not in names]
    strangers = sorted({name.split("/")[0] for name in names if "dist-info/" not in name})
    if missing or strangers != ["adjoint"]:
        sys.exit(f"{wheel.name}: missing {missing}; at the top, {strangers}")

    sys.path.insert(0, str(wheel))
    digits = importlib.import_module("adjoint.tour.digits")
    if not str(digits.__file__).startswith(str(wheel)):
        sys.exit(f"imported {digits.__file__}, not the wheel")
    images, _ = digits.load_digits()
    print(f"{wheel.name}: {len(names)} files, {wheel.stat().st_size} bytes, {len(images)} digits")


if __name__ == "__main__":
    main()
