"""Arithmetic: sums, products, quotients, powers, signs and roundings."""

from __future__ import annotations

import numpy as np

from adjoint.ops.kinds.elementwise import elementwise

add = elementwise("add", np.add, promote="same", numbers="x y", x=lambda g: g, y=lambda g: g)
sub = elementwise("sub", np.subtract, promote="same", numbers="x y", x=lambda g: g, y=lambda g: -g)
mul = elementwise("mul", np.multiply, promote="same", numbers="x y", x=lambda g, y: g * y, y=lambda g, x: g * x)
div = elementwise("div", np.true_divide, numbers="x y", x=lambda g, y: g / y, y=lambda g, x, y: -g * (x / y) / y)
neg = elementwise("neg", np.negative, promote="same", x=lambda g: -g)
