"""``torch.testing``: comparisons and sample tensors for the tests of programs."""

from adjoint.testing.comparison import assert_allclose, assert_close
from adjoint.testing.creation import make_tensor

__all__ = ["assert_allclose", "assert_close", "make_tensor"]
