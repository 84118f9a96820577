"""Special functions, under their names in ``torch.special``.

>>> import adjoint as torch
>>> torch.special.erfcx(torch.tensor([0.0, 1.0]))
tensor([1.0000, 0.4276])
"""

from adjoint.ops import networks as _networks  # noqa: F401 - whose names are read off the table
from adjoint.ops.kinds.public import namespace

globals().update(namespace("special"))
__all__ = sorted(namespace("special"))  # noqa: PLE0605 - a list, though not a display of one
