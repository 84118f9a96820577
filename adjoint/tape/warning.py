"""Warnings that name the user's line, however many of our frames lie between."""

from __future__ import annotations

import sys
import warnings

from adjoint.tape.node import user_frame


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the innermost line that is not Adjoint's own."""
    frame = user_frame(sys._getframe(1))
    if frame is None:
        warnings.warn(message, category, stacklevel=2)
        return
    known = frame.f_globals
    warnings.warn_explicit(
        message,
        category,
        frame.f_code.co_filename,
        frame.f_lineno,
        known.get("__name__"),
        known.setdefault("__warningregistry__", {}),
    )
