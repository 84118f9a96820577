"""Where and how a tensor's memory lies: PyTorch's ``device``, ``layout`` and ``memory_format``.

Adjoint computes on the CPU. The other devices can be named, as programs do before they ask which
are there, but nothing can be put on them.
"""

from __future__ import annotations

from typing import Any, Self, TypedDict

_TYPES = frozenset(
    (
        "cpu", "cuda", "ipu", "xpu", "mkldnn", "opengl", "opencl", "ideep", "hip", "ve", "fpga",
        "maia", "xla", "lazy", "vulkan", "mps", "meta", "hpu", "mtia", "privateuseone",
    )
)  # fmt: skip
_NOT_COMPILED = frozenset(("cuda", "xpu", "mtia"))


class device:  # noqa: N801 - PyTorch's name
    """A place for tensors, such as ``device("cpu")`` or ``device("cuda", 1)``; never changes.

    Raises ``RuntimeError`` for a place that PyTorch does not know.

    >>> device("cuda:1")
    device(type='cuda', index=1)
    """

    __slots__ = ("index", "type")

    type: str
    index: int | None

    def __init__(self, type: str | device, index: int | None = None) -> None:
        if isinstance(type, device):
            given = type
            type, index = given.type, given.index if index is None else index
        elif isinstance(type, str):
            name, colon, number = type.partition(":")
            if colon:
                if not number.isdigit() or index is not None:
                    raise RuntimeError(
                        f"invalid device string {type!r}: the index is a number, as in 'cuda:1'"
                    )
                index = int(number)
            type = name
        else:
            raise RuntimeError(
                f"a device is named by a string such as 'cpu', but got {type!r}; a bare number "
                "means an accelerator, and there is none"
            )
        if type not in _TYPES:
            raise RuntimeError(f"unknown device {type!r}; there are {', '.join(sorted(_TYPES))}")
        object.__setattr__(self, "type", type)
        object.__setattr__(self, "index", index)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a device does not change: cannot set {name!r}")

    def __repr__(self) -> str:
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type={self.type!r}{index})"

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, device):
            return NotImplemented
        return self.type == other.type and self.index == other.index

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __reduce__(self) -> Any:
        return device, (self.type, self.index)

    def __enter__(self) -> Self:
        """Tensors made inside the block lie here: raises as for a tensor unless it is the CPU."""
        require_cpu(self)
        return self

    def __exit__(self, *_: object) -> None:
        pass


CPU = device("cpu")


def require_cpu(place: object) -> None:
    """Raise unless ``place``, a device or the name of one, is the CPU.

    ``AssertionError`` for the accelerators that PyTorch's build for the CPU names itself in that
    error, and ``RuntimeError`` for other places.
    """
    if place is CPU or place == "cpu" or place is None:
        return
    if not isinstance(place, (str, int, device)):
        raise TypeError(f"a device is a string or a device, not {type(place).__name__}")
    wanted = device(place)  # type: ignore[arg-type]  # which refuses an int with the reason
    if wanted.type != "cpu" or wanted.index:
        raise (AssertionError if wanted.type in _NOT_COMPILED else RuntimeError)(
            f"there is no device {str(wanted)!r} here: Adjoint computes on the CPU; "
            "leave device out, or choose it with cuda.is_available()"
        )


class _Constant:
    """A value that is only itself, printed by its PyTorch name."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name


class layout(_Constant):  # noqa: N801 - PyTorch's name
    """How elements are kept: ``strided``, the only one here, or one of the sparse layouts."""

    __slots__ = ()


class memory_format(_Constant):  # noqa: N801 - PyTorch's name
    """In which order the dimensions of a new tensor lie in memory."""

    __slots__ = ()


strided = layout("strided")
sparse_coo = layout("sparse_coo")
sparse_csr = layout("sparse_csr")
contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last")
channels_last_3d = memory_format("channels_last_3d")


class Placement(TypedDict, total=False):
    """The keywords of PyTorch's creation functions that have one possible value on the CPU."""

    device: device | str | None
    layout: layout | None
    pin_memory: bool | None


def check_placement(caller: str, placement: Placement) -> None:
    """Raise unless a new tensor may lie there: strided, on the CPU, not pinned.

    ``RuntimeError`` for a place there is not, ``TypeError`` for a keyword there is not.
    """
    for name, value in placement.items():
        if name == "device":
            require_cpu(value)
        elif name == "layout":
            if value is not None and value is not strided:
                raise RuntimeError(f"{caller}: layout is {value!r}, but there is only strided")
        elif name == "pin_memory":
            if value:
                raise RuntimeError(
                    f"{caller}: pin_memory=True is for copies to an accelerator, and there is none"
                )
        else:
            raise TypeError(f"{caller}() got an unexpected keyword argument {name!r}")
