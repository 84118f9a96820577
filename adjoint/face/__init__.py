"""The Tensor's face: the attributes and methods that are not operations."""
