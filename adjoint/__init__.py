"""Adjoint: automatic differentiation for Python, with PyTorch's names and numbers."""
