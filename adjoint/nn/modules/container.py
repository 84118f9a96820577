"""Modules that hold modules: in a row, in a list, by name."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from operator import index as as_index
from typing import Any, Self

from adjoint.nn.module import Module


class _Numbered(Module):
    """What ``Sequential`` and ``ModuleList`` have in common: modules by number."""

    def _key(self, place: Any) -> str:
        """The name of a place; ``IndexError`` out of range."""
        size = len(self._modules)
        place = as_index(place)
        if not -size <= place < size:
            raise IndexError(f"index {place} is out of range for {size} modules")
        return next(islice(self._modules, place % size, None))

    def _fill(self, modules: Iterable[Any]) -> None:
        """Hold these and no others."""
        self._modules.clear()
        for place, module in enumerate(modules):
            self._modules[str(place)] = module

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def __setitem__(self, place: Any, module: Module) -> None:
        setattr(self, self._key(place), module)

    def __delitem__(self, place: Any) -> None:
        names = list(self._modules)
        gone = set(names[place]) if isinstance(place, slice) else {self._key(place)}
        kept = [(name, module) for name, module in self._modules.items() if name not in gone]
        # Numbers close up; names that the user gave stay.
        numbered = all(name == str(number) for number, name in enumerate(names))
        self._modules.clear()
        for number, (name, module) in enumerate(kept):
            self._modules[str(number) if numbered else name] = module

    def insert(self, index: int, module: Any) -> Any:
        """Put a module before the one at ``index``; ``TypeError`` for what is no Module."""
        modules = list(self._modules.values())
        _require_module(module)
        modules.insert(index, module)
        self._fill(modules)
        return self

    def pop(self, key: Any) -> Any:
        """Take out and return the module at ``key``."""
        module = self[key]  # type: ignore[index]
        del self[key]
        return module

    def append(self, module: Any) -> Any:
        """Put a module at the end; returns the whole."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Any]) -> Any:
        """Put several modules at the end; returns the whole."""
        for module in list(modules):
            self.append(module)
        return self

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.isdigit()]


def _require_module(module: Any) -> None:
    if not isinstance(module, Module):
        raise TypeError(f"a Module is needed, but got {type(module).__name__}")


class Sequential(_Numbered):
    """Modules one after the other, each given what the one before returned.

    They are named by number, or by the keys of one OrderedDict.

    >>> torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.ReLU())
    Sequential(
      (0): Linear(in_features=2, out_features=1, bias=True)
      (1): ReLU()
    )
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            for place, module in enumerate(args):
                self.add_module(str(place), module)

    def forward(self, input: Any) -> Any:
        for module in self._modules.values():
            input = module(input)
        return input

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return type(self)(OrderedDict(list(self._modules.items())[place]))
        return self._modules[self._key(place)]

    def __add__(self, other: Any) -> Sequential:
        if not isinstance(other, Sequential):
            raise ValueError(
                f"only a Sequential is added to a Sequential, but got {type(other).__name__}"
            )
        return Sequential(*self, *other)

    def __iadd__(self, other: Any) -> Self:
        if not isinstance(other, Sequential):
            raise ValueError(
                f"only a Sequential is added to a Sequential, but got {type(other).__name__}"
            )
        self.extend(other)
        return self

    def __mul__(self, other: int) -> Sequential:
        return Sequential(*list(self) * _times(other))

    __rmul__ = __mul__

    def __imul__(self, other: int) -> Self:
        self._fill(list(self) * _times(other))
        return self


def _times(count: Any) -> int:
    if not isinstance(count, int):
        raise TypeError(f"a Sequential is repeated an int of times, not {type(count).__name__}")
    if count <= 0:
        raise ValueError(f"a Sequential is repeated once or more often, but got {count}")
    return count


class ModuleList(_Numbered):
    """A list whose modules belong to the module that holds it.

    >>> torch.nn.ModuleList([torch.nn.ReLU(), torch.nn.ReLU()])
    ModuleList(
      (0-1): 2 x ReLU()
    )
    """

    def __init__(self, modules: Iterable[Any] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self += modules

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return type(self)(list(self._modules.values())[place])
        return self._modules[self._key(place)]

    def __iadd__(self, modules: Iterable[Any]) -> Self:
        self.extend(modules)
        return self

    def __add__(self, other: Iterable[Any]) -> ModuleList:
        return ModuleList([*self, *other])

    def extend(self, modules: Iterable[Any]) -> Self:
        """Put several modules at the end; ``TypeError`` for what cannot be gone through."""
        if not isinstance(modules, Iterable):
            raise TypeError(f"ModuleList takes an iterable, but got {type(modules).__name__}")
        super().extend(modules)
        return self

    def insert(self, index: int, module: Any) -> None:
        """Put a module before the one at ``index``."""
        super().insert(index, module)

    def __repr__(self) -> str:
        """Like neighbours are printed once, with their number."""
        if not len(self):
            return f"{self._get_name()}()"
        runs: list[tuple[int, int, str]] = []
        for place, text in enumerate(map(repr, self)):
            if runs and runs[-1][2] == text:
                runs[-1] = (runs[-1][0], place, text)
            else:
                runs.append((place, place, text))
        lines = [
            f"({first}): {text}"
            if first == last
            else f"({first}-{last}): {last - first + 1} x {text}"
            for first, last, text in runs
        ]
        body = "\n".join(lines).replace("\n", "\n  ")
        return f"{self._get_name()}(\n  {body}\n)"


class ModuleDict(Module):
    """A dictionary whose modules belong to the module that holds it.

    >>> torch.nn.ModuleDict({"act": torch.nn.ReLU()})
    ModuleDict(
      (act): ReLU()
    )
    """

    def __init__(self, modules: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Any:
        return self._modules[key]

    def __setitem__(self, key: str, module: Any) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: str) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Take out all modules."""
        self._modules.clear()

    def pop(self, key: str) -> Any:
        """Take out and return the module of that name."""
        return self._modules.pop(key)

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._modules.keys()

    def items(self) -> Iterable[tuple[str, Any]]:
        """Pairs of name and module."""
        return self._modules.items()

    def values(self) -> Iterable[Any]:
        """The modules."""
        return self._modules.values()

    def update(self, modules: Any) -> None:
        """Take in the modules of a mapping or of pairs; ``TypeError`` for anything else."""
        if not isinstance(modules, Iterable):
            raise TypeError(
                f"ModuleDict takes a mapping or pairs of name and module, not "
                f"{type(modules).__name__}"
            )
        pairs = modules.items() if isinstance(modules, (Mapping, ModuleDict)) else modules
        for name, module in pairs:
            self[name] = module


__all__ = ["ModuleDict", "ModuleList", "Sequential"]
