"""Make ``adjoint/tour/data/digits.npz`` from the copy of the data set in a scikit-learn wheel.

The wheel is a zip file, so nothing needs installing:

    pip download --no-deps scikit-learn
    python tools/make_digits.py scikit_learn-*.whl

The archive carries no times, so the same wheel gives the same pixels and labels, byte for byte
where the compression library is the same.
"""

from __future__ import annotations

import argparse
import gzip
import io
import zipfile
from pathlib import Path

import numpy as np

MEMBER = "sklearn/datasets/data/digits.csv.gz"
TARGET = Path(__file__).resolve().parent.parent / "adjoint" / "tour" / "data" / "digits.npz"


def read_table(wheel: Path) -> np.ndarray:
    """The table in the wheel: a row an image, 64 pixels of 0 to 16 and then the digit."""
    with zipfile.ZipFile(wheel) as archive:
        text = gzip.decompress(archive.read(MEMBER)).decode("ascii")
    table = np.loadtxt(io.StringIO(text), delimiter=",")
    if table.shape != (1797, 65) or table.min() < 0 or table[:, :64].max() > 16:
        raise ValueError(f"{MEMBER} is not the table of digits: its shape is {table.shape}")
    return table.astype(np.uint8)


def main() -> None:
    """Read the wheel named on the command line and write the package's file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheel", type=Path, help="a scikit-learn wheel")
    table = read_table(parser.parse_args().wheel)
    images = table[:, :64].reshape(-1, 8, 8)
    np.savez_compressed(TARGET, images=images, labels=table[:, 64])
    print(f"{TARGET}: {len(table)} images, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
