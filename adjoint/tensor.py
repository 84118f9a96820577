"""The Tensor class with its face: operations as methods, and what ``adjoint.face`` holds.

What the classes of ``adjoint.face`` hold is put on ``adjoint.tape.tensor.Tensor``, which the layers
below know. A method that is an operation is the operation's own function, so that a call is one
Python frame and the user's line is one frame up. ``tensor.pyi`` spells the class out for type
checkers; ``tools/generate_stubs.py`` writes it.
"""

from __future__ import annotations

from adjoint.face.attributes import Attributes
from adjoint.face.construction import as_subclass, construct, new
from adjoint.face.copying import Copying
from adjoint.face.exchange import Exchange
from adjoint.face.owning import Owning
from adjoint.face.recording import Recording
from adjoint.face.size import Size
from adjoint.ops.inplace import in_place
from adjoint.ops.kinds.public import PROPERTIES, PUBLIC
from adjoint.tape.tensor import Tensor

FACES = (Attributes, Recording, Exchange, Copying, Owning)
_OWN = frozenset(("__dict__", "__weakref__", "__module__", "__annotations__", "__doc__"))


def install() -> None:
    """Put the operations with their in-place forms on the Tensor class, and then its face."""
    for each in PUBLIC:
        if each.method:
            setattr(Tensor, each.name, each.function)
        if each.in_place:
            name = each.name + "_"
            setattr(Tensor, name, in_place(each.function, name))
    for name, function in PROPERTIES.items():
        setattr(Tensor, name, property(function))
    for face in FACES:
        for name, value in vars(face).items():
            if name not in _OWN:
                setattr(Tensor, name, value)
    Tensor.as_subclass = as_subclass  # type: ignore[method-assign]
    Tensor.new = new  # type: ignore[method-assign]
    Tensor.__new__ = staticmethod(construct)  # type: ignore[method-assign]
    Tensor.__module__ = "adjoint"


install()

__all__ = ["Size", "Tensor"]
