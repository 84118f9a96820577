"""A count of changes to what modules and optimizers are made of.

Compiled functions look at them again only when it has moved.
"""

from __future__ import annotations


class _Changes:
    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0


changes = _Changes()
