"""What the table's tests share: calls made of samples, directions, differences, traces.

A ``Call`` is one sample of one case with its arrays taken out as ``leaves``, so that a test can put
others in their place: tensors of either library, batches, symbols, the same values strided.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import adjoint
from adjoint import dtypes
from adjoint.ops import networks  # noqa: F401 - the families that are loaded when asked for
from adjoint.ops.kinds.public import namespace
from adjoint.tape.tensor import Tensor, wrap
from tests.samples.case import Case, Maker, load_cases

CASES = load_cases()
Arrays = Sequence[Any]
STEP = 1e-4  # of the differences: error below 1e-16 times the fifth derivative, rounding 1e-12
PRECISE = ("float64", "complex128")
PROMOTED = ("int64", "int32", "uint8", "bool", "float16", "bfloat16")


# -- functions as PyTorch spells them ----------------------------------------------------------


def resolve(library: Any, name: str) -> Callable[..., Any]:
    """The function that ``name`` ("add", "nn.functional.relu", "Tensor.expand") is in a library."""
    found: Any = library
    try:
        for part in name.split("."):
            found = getattr(found, part)
    except (AttributeError, ImportError):
        place, _, last = name.rpartition(".")
        if library is not adjoint or last not in namespace(place):
            raise
        found = namespace(place)[last]
    return found


def writes(function: str) -> bool:
    """Whether a function of this name stores its result in its first argument."""
    last = function.rpartition(".")[2]
    return last == "__setitem__" or (last.endswith("_") and not last.endswith("__"))


# -- calls -------------------------------------------------------------------------------------


class Place:
    """Where a leaf was taken out of the arguments."""

    def __init__(self, number: int) -> None:
        self.number = number


@dataclass
class Call:
    """One sample of a case in one element type."""

    key: str
    case: Case
    number: int
    dtype: str
    args: tuple[Any, ...]  # with a Place for every leaf
    kwargs: dict[str, Any]
    leaves: list[np.ndarray]
    constants: frozenset[int]  # the leaves that have no derivative, whatever their type
    smooth: bool
    changed: str = ""  # how a random variation differs from the sample

    def __str__(self) -> str:
        shown = [_describe(each, self.leaves) for each in self.args]
        shown += [f"{name}={_describe(each, self.leaves)}" for name, each in self.kwargs.items()]
        which = f"sample {self.number}" + (f", {self.changed}" if self.changed else "")
        return f"{which}: {self.case.function}({', '.join(shown)})"

    def run(
        self,
        function: Callable[..., Any],
        leaves: Arrays,
        translate: Callable[[Any], Any] = lambda value: value,
    ) -> Any:
        """The function on other leaves; one that writes in place gets a clone to write in."""
        args = tuple(put_back(each, leaves, translate) for each in self.args)
        kwargs = {key: put_back(each, leaves, translate) for key, each in self.kwargs.items()}
        if not writes(self.case.function):
            return function(*args, **kwargs)
        if hasattr(args[0], "clone"):
            args = (args[0].clone(), *args[1:])
        result = function(*args, **kwargs)
        return args[0] if result is None else result

    def with_moving(self, values: Arrays) -> list[Any]:
        """All leaves, those that have a derivative replaced."""
        leaves: list[Any] = list(self.leaves)
        for place, value in zip(self.moving, values, strict=True):
            leaves[place] = value
        return leaves

    @property
    def moving(self) -> list[int]:
        """The places of the leaves that have a derivative."""
        return [
            place
            for place, leaf in enumerate(self.leaves)
            if place not in self.constants and is_moving(leaf)
        ]

    @property
    def moved(self) -> list[np.ndarray]:
        """The leaves that have a derivative."""
        return [self.leaves[place] for place in self.moving]

    def random(self, purpose: str) -> np.random.RandomState:
        """Random numbers for directions, the same each time and in every version of NumPy."""
        return np.random.RandomState(zlib.crc32(f"{self.key}/{self.number}/{purpose}".encode()))

    def directions(self, arrays: Arrays, purpose: str) -> list[np.ndarray]:
        """A random direction for each array, of its shape and type."""
        random = self.random(purpose)
        return [direction(random, each.shape, each.dtype) for each in arrays]


def direction(random: np.random.RandomState, shape: tuple[int, ...], kind: np.dtype) -> np.ndarray:
    """Uniform between -1 and 1, in both parts of a complex type."""
    values = random.uniform(-1, 1, shape)
    if kind.kind == "c":
        values = values + 1j * random.uniform(-1, 1, shape)
    return np.asarray(values).astype(kind)


def _describe(value: Any, leaves: Arrays) -> str:
    if isinstance(value, Place):
        leaf = leaves[value.number]
        return f"{leaf.dtype}{list(leaf.shape)}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_describe(each, leaves) for each in value) + "]"
    return repr(value)


def put_back(tree: Any, leaves: Arrays, translate: Callable[[Any], Any]) -> Any:
    """A tree of arguments with the leaves in their places."""
    if isinstance(tree, Place):
        return leaves[tree.number]
    if isinstance(tree, (list, tuple)):
        return type(tree)(put_back(each, leaves, translate) for each in tree)
    if isinstance(tree, dict):
        return {key: put_back(each, leaves, translate) for key, each in tree.items()}
    return translate(tree)


def take_out(tree: Any, leaves: list[np.ndarray]) -> Any:
    """A tree of arguments with its arrays moved to ``leaves``."""
    if isinstance(tree, np.ndarray):
        leaves.append(tree)
        return Place(len(leaves) - 1)
    if isinstance(tree, (list, tuple)):
        return type(tree)(take_out(each, leaves) for each in tree)
    if isinstance(tree, dict):
        return {key: take_out(each, leaves) for key, each in tree.items()}
    return tree


def places_in(tree: Any) -> Iterator[int]:
    """The numbers of the leaves in a tree of arguments."""
    if isinstance(tree, Place):
        yield tree.number
    elif isinstance(tree, (list, tuple)):
        for each in tree:
            yield from places_in(each)
    elif isinstance(tree, dict):
        for each in tree.values():
            yield from places_in(each)


def is_moving(array: np.ndarray, precise: bool = False) -> bool:
    """Whether an array can have a derivative (with ``precise``, one that differences can check)."""
    kind = dtypes.from_numpy(array.dtype)
    return kind.name in PRECISE if precise else kind.category >= dtypes.FLOATING


def make_call(
    key: str, number: int, args: Any, kwargs: Any, *, dtype: str = "float64", smooth: bool = True
) -> Call:
    """A call of one case's function with arrays among its arguments."""
    case = CASES[key]
    leaves: list[np.ndarray] = []
    args, kwargs = take_out(tuple(args), leaves), take_out(dict(kwargs), leaves)
    named = [*enumerate(args), *kwargs.items()]
    if case.differentiable:
        constants = [
            leaf for name, part in named if name in case.constants for leaf in places_in(part)
        ]
    else:
        constants = list(range(len(leaves)))
    return Call(key, case, number, dtype, args, kwargs, leaves, frozenset(constants), smooth)


def calls(key: str, dtype: str = "float64", draw: int = 0) -> list[Call]:
    """The samples of a case in one type; another ``draw`` has other values of the same shapes."""
    make = Maker(f"{key}/{draw}", dtype)
    return [
        make_call(key, number, each.args, each.kwargs, dtype=dtype, smooth=each.smooth)
        for number, each in enumerate(CASES[key].samples(make))
    ]


def exact_kinds(key: str) -> list[str]:
    """The types in which derivatives are checked: double precision, complex where declared."""
    return ["float64"] + [kind for kind in CASES[key].dtypes if kind == "complex128"]


def every_kind(key: str) -> list[str]:
    """The element types of a case, and those that promotion treats in a way of its own."""
    return list(dict.fromkeys((*CASES[key].dtypes, *PROMOTED)))


# -- results -----------------------------------------------------------------------------------


def parts(result: Any) -> list[Any]:
    """The tensors and other values that a function returned, in order."""
    if isinstance(result, (list, tuple)) and not isinstance(result, adjoint.Size):
        return [part for each in result for part in parts(each)]
    if isinstance(result, dict):
        return [part for each in result.values() for part in parts(each)]
    return [result]


def as_array(value: Any) -> np.ndarray:
    """A Tensor's memory, or any other value as an array: of text, if it is no number."""
    if isinstance(value, Tensor):
        return value._array
    array = np.asarray(value)
    return np.frombuffer(str(value).encode(), np.uint8) if array.dtype.kind in "OUS" else array


def dtype_name(value: Any) -> str:
    """The name of a tensor's element type in either library, or that of a Python type."""
    if not hasattr(value, "dtype"):
        return type(value).__name__
    return str(value.dtype).removeprefix("torch.")


def is_floating(value: Any) -> bool:
    """Whether a result is a tensor with a floating or complex type."""
    return isinstance(value, Tensor) and dtypes.of(value).category >= dtypes.FLOATING


def seed(call: Call) -> None:
    """Let a function that draws random numbers draw the same ones."""
    if call.case.random:
        adjoint.manual_seed(call.number)


def forward(call: Call, leaves: Arrays) -> list[Any]:
    """What Adjoint's function returns on leaves: arrays, Tensors or a mixture."""
    seed(call)
    tensors = [wrap(each) if isinstance(each, np.ndarray) else each for each in leaves]
    return parts(call.run(resolve(adjoint, call.case.function), tensors))


def function_of_moving(call: Call) -> Callable[..., tuple[Any, ...]]:
    """The floating results as a function of the leaves that have a derivative."""

    def function(*values: Any) -> tuple[Any, ...]:
        return tuple(out for out in forward(call, call.with_moving(values)) if is_floating(out))

    return function


def on_arrays(function: Callable[..., Any]) -> Callable[[Arrays], list[np.ndarray]]:
    """A function of Tensors as one of arrays."""

    def operate(arrays: Arrays) -> list[np.ndarray]:
        return [as_array(out) for out in parts(function(*[wrap(each) for each in arrays]))]

    return operate


# -- derivatives -------------------------------------------------------------------------------


def differences(
    function: Callable[[Arrays], list[np.ndarray]], at: Arrays, along: Arrays
) -> list[np.ndarray]:
    """The derivative of each result in one direction, by central differences of fourth order."""

    def shifted(step: float) -> list[np.ndarray]:
        return function([x + step * v for x, v in zip(at, along, strict=True)])

    near, far = (shifted(STEP), shifted(-STEP)), (shifted(2 * STEP), shifted(-2 * STEP))
    return [
        (8 * (ahead - behind) - (far_ahead - far_behind)) / (12 * STEP)
        for ahead, behind, far_ahead, far_behind in zip(*near, *far, strict=True)
    ]


def inner(first: Arrays, second: Arrays) -> float:
    """The real inner product of two lists of arrays, in which PyTorch's gradients are gradients."""
    return float(sum(np.sum(np.real(np.conj(a) * b)) for a, b in zip(first, second, strict=True)))


def leaves_of_tape(arrays: Arrays) -> list[Any]:
    """Tensors that require a gradient."""
    return [wrap(each).requires_grad_() for each in arrays]


def gradients(
    function: Callable[..., Any], at: Arrays, cotangents: Arrays, *, create_graph: bool = False
) -> tuple[list[Any], list[Any], list[Any]]:
    """By the tape: the gradients, with the leaves and the cotangents that they depend on."""
    xs = leaves_of_tape(at)
    outs = function(*xs)
    gs = [wrap(each) for each in cotangents]
    if create_graph:
        gs = leaves_of_tape(cotangents)
    kept = [(out, g) for out, g in zip(outs, gs, strict=True) if out.requires_grad]
    if not kept:
        return [wrap(np.zeros_like(each)) for each in at], xs, gs
    roots, weights = zip(*kept, strict=True)
    found = adjoint.autograd.grad(
        roots, xs, weights, create_graph=create_graph, allow_unused=True, materialize_grads=True
    )
    return list(found), xs, gs
