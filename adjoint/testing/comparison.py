"""``assert_close``: two trees of tensors and numbers are as good as equal."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from adjoint import dtypes
from adjoint.ops.conversion import tensor
from adjoint.tape.tensor import Tensor
from adjoint.testing.pairs import Options, Unequal, comparison_of
from adjoint.testing.tolerances import default_tolerances

Message = str | Callable[[str], str] | None
Path = tuple[Any, ...]


class Leaf(NamedTuple):
    """Two values that stand at one place, and how to compare them."""

    path: Path
    compare: Callable[[], None]


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: Message = None,
) -> None:
    """Raise ``AssertionError`` unless ``|actual - expected| <= atol + rtol * |expected|``.

    Both are tensors, numbers, arrays, None, or sequences and mappings of them with one structure.
    Tolerances depend on the type where they are not given, which is either both or neither
    (``ValueError``). ``msg`` replaces the message, or makes it from the one that would be shown.
    Raises ``TypeError`` for values that can not be compared with each other.

    >>> import adjoint as torch
    >>> torch.testing.assert_close([torch.tensor(1.0), 2], [torch.tensor(1.0 + 1e-7), 2])
    """
    __tracebackhide__ = True
    options = Options(
        allow_subclasses, rtol, atol, equal_nan, check_device, check_dtype, check_layout,
        check_stride,
    )  # fmt: skip
    path: Path = ()
    try:
        leaves = pair_up(actual, expected, (), options)
        for path, compare in leaves:  # noqa: B007 - the path of the one that fails is told
            compare()
    except Unequal as unequal:
        failure = unequal
    else:
        return
    raise _error(failure, failure.path or path, msg)


def _error(failure: Unequal, path: Path, msg: Message) -> Exception:
    text = str(failure)
    if path:
        place = "".join(f"[{key!r}]" for key in path)
        text += f"\n\nThe failure occurred for item {place}"
    if isinstance(msg, str):
        text = msg
    elif msg is not None:
        text = msg(text)
    return failure.kind(text)


def pair_up(actual: Any, expected: Any, path: Path, options: Options) -> list[Leaf]:
    """The leaves of two trees, side by side; ``Unequal`` where their structures differ."""
    if _is_sequence(actual) and _is_sequence(expected):
        if len(actual) != len(expected):
            raise Unequal(
                f"The length of the sequences mismatch: {len(actual)} != {len(expected)}", path
            )
        keys: Sequence[Any] = range(len(actual))
    elif isinstance(actual, Mapping) and isinstance(expected, Mapping):
        keys = _common_keys(actual, expected, path)
    else:
        return [Leaf(path, comparison_of(actual, expected, path, options))]
    return [
        leaf for key in keys for leaf in pair_up(actual[key], expected[key], (*path, key), options)
    ]


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _common_keys(actual: Any, expected: Any, path: Path) -> Sequence[Any]:
    if set(actual) != set(expected):
        raise Unequal(
            "The keys of the mappings do not match: missing in the actual one are "
            f"{_sorted(set(expected) - set(actual))}, and it has "
            f"{_sorted(set(actual) - set(expected))} besides",
            path,
        )
    return _sorted(actual)


def _sorted(keys: Any) -> list[Any]:
    try:
        return sorted(keys)
    except TypeError:  # keys of several types have no order
        return list(keys)


_LOOSE = {
    dtypes.float16: (1e-3, 1e-3),
    dtypes.float32: (1e-4, 1e-5),
    dtypes.float64: (1e-5, 1e-8),
}


def assert_allclose(
    actual: Any,
    expected: Any,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = True,
    msg: str = "",
) -> None:
    """As ``assert_close`` with looser tolerances and no look at types; deprecated.

    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     assert_allclose([1.0, 2.0], [1.0, 2.0 + 1e-6])
    """
    warnings.warn(
        "`torch.testing.assert_allclose()` is deprecated, as it is in PyTorch; use "
        "`torch.testing.assert_close()`",
        FutureWarning,
        stacklevel=2,
    )
    if not isinstance(actual, Tensor):
        actual = tensor(actual)
    if not isinstance(expected, Tensor):
        expected = tensor(expected, dtype=actual.dtype)
    if rtol is None and atol is None:
        rtol, atol = default_tolerances(actual.dtype, expected.dtype, table=_LOOSE)
    assert_close(
        actual, expected, rtol=rtol, atol=atol, equal_nan=equal_nan, check_dtype=False,
        msg=msg or None,
    )  # fmt: skip
