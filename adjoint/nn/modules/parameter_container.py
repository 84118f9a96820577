"""Modules that hold parameters: in a list, by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from operator import index as as_index
from typing import Any, Self

from adjoint.nn.module import Module
from adjoint.nn.parameter import Parameter
from adjoint.tape.tensor import Tensor


def _as_parameter(value: Any) -> Any:
    """A tensor that is no parameter yet becomes one; anything else stays."""
    if isinstance(value, Tensor) and not isinstance(value, Parameter):
        return Parameter(value)
    return value


def _describe(value: Any, kind: str) -> str:
    """One line of a printed list or dictionary; ``kind`` is how the element type is named there."""
    if not isinstance(value, Tensor):
        return f"Object of type: {type(value).__name__}"
    what = "Parameter" if isinstance(value, Parameter) else "Tensor"
    sizes = "x".join(map(str, value._array.shape))
    return f"{what} containing: [{kind} of size {sizes}]"


class ParameterList(Module):
    """A list whose parameters belong to the module that holds it.

    >>> torch.nn.ParameterList([torch.zeros(2), torch.zeros(3)])
    ParameterList(
        (0): Parameter containing: [torch.float32 of size 2]
        (1): Parameter containing: [torch.float32 of size 3]
    )
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    def _key(self, place: Any) -> str:
        place = as_index(place)
        if not -self._size <= place < self._size:
            raise IndexError(f"index {place} is out of range for {self._size} parameters")
        return str(place % self._size)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return type(self)([self[each] for each in range(*place.indices(self._size))])
        return getattr(self, self._key(place))

    def __setitem__(self, place: Any, value: Any) -> None:
        setattr(self, self._key(place), _as_parameter(value))

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return iter([self[place] for place in range(self._size)])

    def __iadd__(self, values: Iterable[Any]) -> Self:
        return self.extend(values)

    def append(self, value: Any) -> Self:
        """Put one at the end; returns the list."""
        self._size += 1
        self[self._size - 1] = value
        return self

    def extend(self, values: Any) -> Self:
        """Put several at the end; ``TypeError`` for a single tensor and what holds none."""
        if not isinstance(values, Iterable) or isinstance(values, Tensor):
            raise TypeError(
                f"ParameterList takes an iterable of tensors, but got {type(values).__name__}"
            )
        for value in list(values):
            self.append(value)
        return self

    def extra_repr(self) -> str:
        return "\n".join(
            f"  ({place}): {_describe(value, repr(getattr(value, 'dtype', None)))}"
            for place, value in enumerate(self)
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("ParameterList should not be called: it holds parameters")


class ParameterDict(Module):
    """A dictionary whose parameters belong to the module that holds it.

    >>> torch.nn.ParameterDict({"scale": torch.zeros(2)})
    ParameterDict(  (scale): Parameter containing: [torch.FloatTensor of size 2])
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._keys: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    def __getitem__(self, key: str) -> Any:
        return getattr(self, key)

    def __setitem__(self, key: str, value: Any) -> None:
        self._keys[key] = None
        setattr(self, str(key), _as_parameter(value))

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __reversed__(self) -> Iterator[str]:
        return reversed(list(self._keys))

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._keys.keys()

    def values(self) -> Iterable[Any]:
        """The parameters."""
        return (self[key] for key in self._keys)

    def items(self) -> Iterable[tuple[str, Any]]:
        """Pairs of name and parameter."""
        return ((key, self[key]) for key in self._keys)

    def get(self, key: str, default: Any = None) -> Any:
        """The parameter of that name, ``default`` if there is none."""
        return self[key] if key in self._keys else default

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The parameter of that name, ``default`` put there if there is none."""
        if key not in self:
            self[key] = default
        return self[key]

    def pop(self, key: str) -> Any:
        """Take out and return the parameter of that name."""
        value = self[key]
        del self[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Take out and return the last name and parameter."""
        key = next(reversed(self._keys))
        return key, self.pop(key)

    def clear(self) -> None:
        """Take out all."""
        for key in list(self._keys):
            del self[key]

    def copy(self) -> ParameterDict:
        """Another dictionary of the same parameters."""
        return ParameterDict(dict(self.items()))

    def update(self, parameters: Any) -> None:
        """Take in what a mapping or pairs hold; ``TypeError`` for anything else."""
        if not isinstance(parameters, Iterable):
            raise TypeError(
                "ParameterDict takes a mapping or pairs of name and parameter, not "
                f"{type(parameters).__name__}"
            )
        pairs = (
            parameters.items() if isinstance(parameters, (Mapping, ParameterDict)) else parameters
        )
        for key, value in pairs:
            self[key] = value

    def extra_repr(self) -> str:
        return "\n".join(
            f"  ({key}): {_describe(value, value.type() if isinstance(value, Tensor) else '')}"
            for key, value in self.items()
        )

    def __call__(self, input: Any) -> Any:
        raise RuntimeError("ParameterDict should not be called: it holds parameters")


__all__ = ["ParameterDict", "ParameterList"]
