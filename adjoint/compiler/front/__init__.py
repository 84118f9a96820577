"""Functions of Tensors made into programs: tracing, and calling what was compiled."""
