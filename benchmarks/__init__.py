"""Adjoint against PyTorch, both in one process, by turns: ``python -m benchmarks``."""
