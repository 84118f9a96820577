"""The 1,797 handwritten digits that the tour trains on; their source is in ``data/README.md``."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]


def load_digits() -> tuple[Bytes, Bytes]:
    """Images of shape ``(1797, 8, 8)``, 0 (paper) to 16 (ink), and their digits; both uint8.

    >>> images, labels = load_digits()
    >>> images.shape, labels[:5].tolist()
    ((1797, 8, 8), [0, 1, 2, 3, 4])
    """
    with (files(__package__) / "data" / "digits.npz").open("rb") as file, np.load(file) as archive:
        return archive["images"], archive["labels"]
