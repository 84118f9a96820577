"""Whole steps as machine code: Adjoint beside PyTorch, ``torch.compile`` and ``jax.jit``."""
