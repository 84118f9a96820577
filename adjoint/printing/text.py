"""Arrays as PyTorch prints tensors, character for character.

A tensor is printed in four steps. *Thin*: above ``threshold`` elements, only ``edgeitems`` at each
end of each dimension are kept, and nothing after this step looks at the others, so a printed
gigabyte costs what a printed kilobyte does. *Spell*: the kept elements become texts of one style
(whole, fixed or scientific), padded to one width. *Nest*: the texts become rows, wrapped at
``linewidth``, and the rows become brackets. *Annotate*: what the numbers do not say (``dtype=``,
``size=``, ``grad_fn=``) follows, on a line of its own where it does not fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.errors import describe_shape
from adjoint.printing.options import PrintOptions, current

Array = np.ndarray[Any, Any]


def format_tensor(
    array: Array,
    *,
    requires_grad: bool = False,
    grad_fn_name: str | None = None,
    prefix: str = "tensor(",
    device: str | None = None,
    extras: Sequence[str] = (),
) -> str:
    """The text of a tensor of any shape and dtype that holds ``array``.

    ``grad_fn_name`` (``"AddBackward0"``) outranks ``requires_grad``; ``device`` is given only
    where it is not the default one; ``extras`` are annotations that come last, such as
    ``tangent=...``. A subclass passes its own name with the bracket as ``prefix``.

    Raises ``TypeError`` for an array whose dtype no tensor has.

    >>> format_tensor(np.float32([[1, 2], [3, 4.5]]), requires_grad=True).splitlines()
    ['tensor([[1.0000, 2.0000],', '        [3.0000, 4.5000]], requires_grad=True)']
    """
    options = current()
    notes = _notes(array, options, device)
    if grad_fn_name is not None:
        notes.append(f"grad_fn=<{grad_fn_name}>")
    elif requires_grad:
        notes.append("requires_grad=True")
    notes += extras
    return _annotate(prefix + _body(array, options, len(prefix)), notes, len(prefix), options)


def format_parameter(array: Array, *, requires_grad: bool = True, device: str | None = None) -> str:
    r"""The text of an ``nn.Parameter`` of any shape and floating or complex dtype.

    Raises ``TypeError`` for an array whose dtype no tensor has.

    >>> format_parameter(np.float32([1, 2]))
    'Parameter containing:\ntensor([1., 2.], requires_grad=True)'
    """
    text = format_tensor(array, requires_grad=requires_grad, device=device)
    return "Parameter containing:\n" + text


def format_with_spec(owner: object, array: Array, spec: str, *, plain: bool = True) -> str:
    """What ``format(owner, spec)`` gives for the tensor ``owner`` that holds ``array``.

    A ``plain`` tensor (not a subclass such as ``Parameter``) without dimensions is formatted as
    its number, whatever the spec; any other is printed whole.

    Raises ``TypeError`` if a tensor that is printed whole meets a spec, and ``ValueError`` if a
    number does not know the spec.

    >>> format_with_spec(None, np.float32(0.125), ".2f")
    '0.12'
    """
    if plain and array.ndim == 0:
        number = float(array) if array.dtype.name == "bfloat16" else array.item()
        return format(number, spec)
    if not spec:
        return str(owner)
    kind = type(owner).__name__
    raise TypeError(
        f"unsupported format string passed to {kind}.__format__: {spec!r} applies to a plain "
        f"tensor without dimensions, and this {kind} has shape {describe_shape(array.shape)}; "
        "format its numbers (.item(), .tolist()), or see set_printoptions for whole tensors"
    )


def _notes(array: Array, options: PrintOptions, device: str | None) -> list[str]:
    """What the numbers leave open: the device, the size and the dtype, in PyTorch's order."""
    notes = [] if device is None else [f"device='{device}'"]
    own = dtypes.from_numpy(array.dtype)
    default = dtypes.get_default_dtype()
    if array.size == 0:
        if array.ndim != 1:
            notes.append(f"size={array.shape}")
        if own is not default:
            notes.append(f"dtype={own}")
        return notes
    if options.edgeitems == 0:
        notes.append(f"size={array.shape}")
    if own not in (default, default.to_complex(), dtypes.int64, dtypes.bool_):
        notes.append(f"dtype={own}")
    return notes


def _body(array: Array, options: PrintOptions, indent: int) -> str:
    """The numbers in their brackets, the first of which stands ``indent`` characters in."""
    if array.size == 0:
        return "[]"
    edge = options.edgeitems if array.size > options.threshold else None
    if edge == 0 and array.ndim:
        return "[...]"
    kept = _thin(array, edge)
    texts, width = _spell(kept.reshape(-1), options)
    if array.ndim == 0:
        return texts[0]
    rows = _rows(texts, array.shape, edge, width + len(", "), options.linewidth, indent)
    return _nest(rows, array.shape, edge, indent)


def _is_cut(size: int, edge: int | None) -> bool:
    return edge is not None and size > 2 * edge


def _thin(array: Array, edge: int | None) -> Array:
    """Only the elements that are shown; gathered at once, with no copy of a whole slice."""
    if edge is None or not any(_is_cut(size, edge) for size in array.shape):
        return array
    picks = [
        np.r_[:edge, size - edge : size] if _is_cut(size, edge) else np.arange(size)
        for size in array.shape
    ]
    kept: Array = array[np.ix_(*picks)]
    return kept


def _spell(values: Array, options: PrintOptions) -> tuple[list[str], int]:
    """Texts of a flat array, and the width that each is counted as when lines are filled."""
    if values.dtype.kind == "c":
        return _spell_complex(values, options)
    if dtypes.from_numpy(values.dtype).is_floating_point:
        return _spell_real(values.astype(np.float64), options)
    texts = [str(value) for value in values.tolist()]
    width = max(map(len, texts))
    return [text.rjust(width) for text in texts], width


def _spell_real(values: Array, options: PrintOptions) -> tuple[list[str], int]:
    """Texts of float64 values, in the one style that suits the finite nonzero ones.

    Those alone also set the width: zeros are never wider, but ``inf``, ``nan`` and ``-0.`` may
    stick out, as they do in PyTorch. Without any such value ``sci_mode`` has no say.
    """
    counted = np.isfinite(values) & (values != 0)
    ordinary = values[counted]
    whole = bool((ordinary == np.ceil(ordinary)).all())
    exponent = False
    if ordinary.size:
        forced = options.sci_mode
        exponent = _needs_exponent(ordinary, whole) if forced is None else forced
    texts = _numerals(values, whole, exponent, options.precision)
    lengths = (len(text) for text, counts in zip(texts, counted.tolist(), strict=True) if counts)
    width = max(lengths, default=1)
    return [text.rjust(width) for text in texts], width


def _needs_exponent(ordinary: Array, whole: bool) -> bool:
    """Whether the magnitudes are too far apart, too large or too small to write out."""
    magnitudes = np.abs(ordinary)
    largest, smallest = float(magnitudes.max()), float(magnitudes.min())
    return largest / smallest > 1000 or largest > 1e8 or (not whole and smallest < 1e-4)


def _numerals(values: Array, whole: bool, exponent: bool, precision: int) -> list[str]:
    if exponent:
        style = f"{{:.{precision}e}}"
    else:
        style = "{:.0f}" if whole else f"{{:.{precision}f}}"
    texts = list(map(style.format, values.tolist()))
    if whole and not exponent:
        finite = np.isfinite(values).tolist()
        return [text + "." if dot else text for text, dot in zip(texts, finite, strict=True)]
    return texts


def _spell_complex(values: Array, options: PrintOptions) -> tuple[list[str], int]:
    """Texts of complex values: each part in its own style, the second one without padding."""
    real, real_width = _spell_real(values.real.astype(np.float64), options)
    imaginary, imaginary_width = _spell_real(values.imag.astype(np.float64), options)
    texts = []
    for first, padded in zip(real, imaginary, strict=True):
        second = padded.lstrip()
        texts.append(f"{first}{'' if second.startswith('-') else '+'}{second}j")
    return texts, real_width + imaginary_width + len("j")


def _rows(
    texts: list[str],
    shape: tuple[int, ...],
    edge: int | None,
    cell: int,
    linewidth: float,
    indent: int,
) -> list[str]:
    """The bracketed rows along the last dimension, each wrapped where a line is full."""
    cut = _is_cut(shape[-1], edge)
    length = 2 * (edge or 0) if cut else shape[-1]
    room = linewidth - (indent + len(shape) - 1)
    per_line = int(max(1, min(room / cell, length + cut)))
    wrap = ",\n" + " " * (indent + len(shape))
    rows = []
    for start in range(0, len(texts), length):
        row = texts[start : start + length]
        if cut:
            row.insert(length // 2, " ...")
        lines = (", ".join(row[first : first + per_line]) for first in range(0, len(row), per_line))
        rows.append("[" + wrap.join(lines) + "]")
    return rows


def _nest(blocks: list[str], shape: tuple[int, ...], edge: int | None, indent: int) -> str:
    """Bracket rows into blocks, dimension by dimension outwards, until one block is left."""
    for dim in reversed(range(len(shape) - 1)):
        cut = _is_cut(shape[dim], edge)
        length = 2 * (edge or 0) if cut else shape[dim]
        gap = "," + "\n" * (len(shape) - 1 - dim) + " " * (indent + dim + 1)
        outer = []
        for start in range(0, len(blocks), length):
            group = blocks[start : start + length]
            if cut:
                group.insert(length // 2, "...")
            outer.append("[" + gap.join(group) + "]")
        blocks = outer
    return blocks[0]


def _annotate(text: str, notes: list[str], indent: int, options: PrintOptions) -> str:
    """Append each note, on a new line where the one before has no room for it, and close."""
    # PyTorch counts the last line of the numbers as two longer than it is (place for the bracket
    # and one to spare), and a line begun by a note as just as long as it is.
    used = len(text) - text.rfind("\n") + 1
    for note in notes:
        separator = ", "
        if used + len(separator) + len(note) > options.linewidth:
            separator, used = ",\n" + " " * indent, indent - len(", ")
        text += separator + note
        used += len(", ") + len(note)
    return text + ")"
