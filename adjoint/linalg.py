"""Linear algebra, under its names in ``torch.linalg``.

>>> import adjoint as torch
>>> torch.linalg.vector_norm(torch.tensor([3.0, 4.0]))
tensor(5.)
"""

from adjoint.errors import LinAlgError
from adjoint.ops import networks as _networks  # noqa: F401 - whose names are read off the table
from adjoint.ops.kinds.public import namespace

globals().update(namespace("linalg"))
__all__ = sorted((*namespace("linalg"), LinAlgError.__name__))  # noqa: PLE0605 - a list, though not a display of one
