"""The digits are the published ones: all there, in order, with the published counts."""

import zipfile
from importlib.resources import files

import numpy as np

from adjoint.tour.digits import load_digits

# The first image of the published table, as its 64 numbers read; it is a zero.
FIRST_IMAGE = """
0  0  5 13  9  1  0  0
0  0 13 15 10 15  5  0
0  3 15  2  0 11  8  0
0  4 12  0  0  8  8  0
0  5  8  0  0  9  8  0
0  4 11  0  1 12  7  0
0  2 14  5 10 12  0  0
0  0  6 13 10  0  0  0
"""


def test_shapes_and_types():
    images, labels = load_digits()
    assert images.shape == (1797, 8, 8)
    assert labels.shape == (1797,)
    assert images.dtype == labels.dtype == np.uint8


def test_values_are_the_published_ones():
    images, labels = load_digits()
    assert (images.min(), images.max()) == (0, 16)
    assert images[0].tolist() == [
        [int(pixel) for pixel in row.split()] for row in FIRST_IMAGE.strip().splitlines()
    ]
    # the class counts in the data set's own description, 0 to 9
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert int(images.sum()) == 561718


def test_each_call_gives_arrays_of_its_own():
    first, _ = load_digits()
    first[:] = 0
    second, _ = load_digits()
    assert second.any()


def test_file_is_small_and_names_source_and_licence():
    data = files("adjoint.tour") / "data"
    with (data / "digits.npz").open("rb") as file:
        assert sorted(zipfile.ZipFile(file).namelist()) == ["images.npy", "labels.npy"]
        assert file.seek(0, 2) < 64 * 1024
    notes = (data / "README.md").read_text(encoding="utf-8")
    for needed in ("Alpaydin", "Kaynak", "UCI", "CC BY 4.0"):
        assert needed in notes
