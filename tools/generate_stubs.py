"""Write the stubs: what is bound while the package is imported, spelled out for type checkers.

    python tools/generate_stubs.py            # rewrite them
    python tools/generate_stubs.py --check    # exit with status 1 if one is out of date

``adjoint/face/methods.pyi`` has the attributes and methods that the table and ``adjoint/tensor.py``
put on the Tensor class; it is that class's base, for type checkers alone. ``adjoint/__init__.pyi``
and a stub beside each module that takes its names from the table have their functions. Everything
is read off the running package.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "adjoint"
sys.path.insert(0, str(ROOT))

from adjoint.array.value import Value  # noqa: E402
from adjoint.face.construction import LEGACY  # noqa: E402
from adjoint.tape.tensor import Tensor  # noqa: E402
from tools.stub_signatures import IMPORTS, signature, spell  # noqa: E402

import adjoint  # noqa: E402  isort: skip

SPACES = ("nn.functional", "linalg", "special", "fft")
# Written out in the class itself, or not for users.
HIDDEN_METHODS = frozenset(("__dict__", "__slots__", "__weakref__", "_apply"))
HIDDEN_NAMES = frozenset(("Any", "LEGACY", "gc", "importlib", "math", "namespace", "warnings"))


def stub(what: str, imports: list[str], lines: list[str]) -> str:
    """The text of a stub."""
    head = f'"""{what}\n\nWritten by tools/generate_stubs.py; not by hand.\n"""\n\n'
    return head + IMPORTS + "".join(f"{each}\n" for each in ["", *imports, "", *lines])


def of_tensor() -> str:
    """The base of Tensor for type checkers."""
    found = {**vars(Value), **vars(Tensor)}
    names = sorted(set(found) - HIDDEN_METHODS)
    lines = [f"    {line}" for name in names for line in member(name, found[name])]
    imports = ["from adjoint.array.value import Value"]
    what = "The attributes and methods of tensors, for type checkers alone."
    return stub(what, imports, ["class Methods(Value):", *lines])


def member(name: str, value: Any) -> Iterator[str]:
    """The lines that declare one attribute of the class."""
    if isinstance(value, property):
        assert value.fget is not None
        yield "@property"
        yield signature(value.fget, name, method=True)
        if value.fset is not None:
            yield f"@{name}.setter"
            yield f"def {name}(self, value: _Any) -> None: ..."
        if value.fdel is not None:
            yield f"@{name}.deleter"
            yield f"def {name}(self) -> None: ..."
    elif isinstance(value, types.FunctionType):
        ignored = "  # type: ignore[override]" if name in ("__eq__", "__ne__") else ""
        yield signature(value, name, method=True) + ignored
    elif type(value) is bool:
        yield f"{name}: _bool"
    elif name == "__new__":
        yield "def __init__(self, *args: _Any, device: _Any = None, **named: _Any) -> None: ..."


def of_namespace(space: str) -> str:
    """A module that has the functions of one of the table's namespaces."""
    module = importlib.import_module(f"adjoint.{space}")
    lines = [
        signature(value, name, method=False)
        for name, value in sorted(vars(module).items())
        if isinstance(value, types.FunctionType)
        and not name.startswith("_")
        and name != "namespace"
    ]
    return stub(f"The functions of ``adjoint.{space}``.", [], lines)


def of_package() -> str:
    """``adjoint`` itself."""
    imports, lines = [], []
    for name in sorted(set(dir(adjoint)) - HIDDEN_NAMES):
        value = getattr(adjoint, name)
        if name.startswith("_") and name != "__version__":
            continue
        if isinstance(value, types.ModuleType):
            if value.__name__ == f"adjoint.{name}":
                imports.append(f"from adjoint import {name} as {name}")
        elif isinstance(value, types.FunctionType):
            lines.append(signature(value, name, method=False))
        elif name in LEGACY:
            lines.append(f"class {name}(_Tensor): ...")
        elif isinstance(value, type):
            module = "adjoint.tape.tensor" if value is Tensor else value.__module__
            imports.append(f"from {module} import {value.__name__} as {name}")
        else:
            lines.append(f"{name}: {'None' if value is None else spell(type(value))}")
    return stub("The top level: the names of PyTorch's.", sorted(imports), lines)


def stubs() -> dict[Path, str]:
    """Every stub's place and text."""
    found = {
        PACKAGE / "__init__.pyi": of_package(),
        PACKAGE / "face" / "methods.pyi": of_tensor(),
    }
    for space in SPACES:
        path = PACKAGE / Path(*space.split(".")).with_suffix(".py")
        if path.exists():
            found[path.with_suffix(".pyi")] = of_namespace(space)
    return found


def main() -> int:
    """Write the stubs, or compare; gives the number of those that were out of date."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only say which are out of date")
    check = parser.parse_args().check
    stale = 0
    for path, text in stubs().items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale += check
        print(f"{path.relative_to(ROOT)}: {'out of date' if check else 'written'}")
        if not check:
            path.write_text(text, encoding="utf-8")
    return stale


if __name__ == "__main__":
    sys.exit(min(main(), 1))
