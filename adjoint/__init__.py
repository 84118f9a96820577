"""Adjoint: automatic differentiation for Python, with PyTorch's names and numbers."""

from adjoint.version import __version__ as __version__
