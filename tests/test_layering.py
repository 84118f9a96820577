"""Modules import downward only, never in a circle, and inside functions only what is optional.

The ranks below are the layers of ``docs/internals/index.md``. A module may import its own layer and
lower ones. ``adjoint/__init__.py`` and ``adjoint/__main__.py`` stand above them all. What stands
under ``if TYPE_CHECKING:`` is never executed, and so is free.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "adjoint"

LAYERS = (
    (
        "version",
        "errors",
        "dtypes",
        "devices",
        "typeinfo",
        "lazy",
        "shapes",
        "pytree",
        "return_types",
    ),
    ("array",),
    ("tape",),
    ("ops",),
    ("printing", "face", "random", "tensor", "environment"),
    ("autograd", "func", "cuda", "special", "linalg", "profiler"),
    ("compiler",),
    ("testing",),
    ("nn", "optim", "utils", "viz", "distributed"),
    ("adjoint",),  # the public names together: `import adjoint as torch`, as users write it
    ("tour", "cli", "__main__"),
)
RANKS = {name: rank for rank, names in enumerate(LAYERS) for name in names}
EXEMPT = {"adjoint", "adjoint.__main__"}

# Packages that a program may never need, and that cost time to import or may be absent.
OPTIONAL = {"IPython", "llvmlite", "matplotlib", "ml_dtypes", "rich", "scipy"}
REQUIRED = {"adjoint", "numpy", *sys.stdlib_module_names}


class Import(NamedTuple):
    """One imported name: where it stands, the module it comes from, and what surrounds it."""

    line: int
    target: str
    in_function: bool


def module_name(path: Path) -> str:
    """``adjoint/ops/linalg.py`` is ``adjoint.ops.linalg``."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def layer_of(module: str) -> str:
    """The layer's name that ranks ``module``: ``ops`` for ``adjoint.ops.linalg``."""
    return module.split(".")[1] if "." in module else module


def targets_of(node: ast.Import | ast.ImportFrom, modules: set[str]) -> Iterator[str]:
    """The modules that a statement imports; ``from package import module`` names the module."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    assert node.level == 0, f"line {node.lineno}: a relative import"
    assert node.module is not None
    for alias in node.names:
        inner = f"{node.module}.{alias.name}"
        yield inner if inner in modules else node.module


def is_type_checking(test: ast.expr) -> bool:
    return ast.unparse(test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}


def imports_of(tree: ast.AST, modules: set[str], in_function: bool = False) -> Iterator[Import]:
    """Every executed import below ``tree``, however deep."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for target in targets_of(node, modules):
                yield Import(node.lineno, target, in_function)
        elif isinstance(node, ast.If) and is_type_checking(node.test):
            for other in node.orelse:
                yield from imports_of(ast.Module([other], []), modules, in_function)
        else:
            is_function = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            yield from imports_of(node, modules, in_function or is_function)


def complaints(module: str, source: str, modules: set[str]) -> list[str]:
    """What is wrong with the imports of one module, a line each."""
    found = []
    rank = RANKS.get(layer_of(module))
    if rank is None:
        return [f"{module}: no layer; give {layer_of(module)!r} its place in LAYERS"]
    for line, target, in_function in imports_of(ast.parse(source), modules):
        root = target.partition(".")[0]
        where = f"{module}, line {line}: imports {target}"
        if root not in REQUIRED | OPTIONAL:
            found.append(f"{where}, which is neither a dependency nor optional")
        if in_function and root not in OPTIONAL:
            found.append(f"{where} inside a function; only optional packages are")
        if root == "adjoint" and module not in EXEMPT and RANKS.get(layer_of(target), 0) > rank:
            found.append(f"{where}, which is a higher layer")
    return found


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_downward(module: str):
    source = MODULES[module].read_text(encoding="utf-8")
    assert complaints(module, source, set(MODULES)) == []


def test_no_circle_of_imports():
    graph = {}
    for module, path in MODULES.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        targets = {each.target for each in imports_of(tree, set(MODULES))}
        graph[module] = {each for each in targets if each in MODULES and each != module}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail("modules import each other: " + " <- ".join(error.args[1]))


def test_the_page_on_the_inside_shows_these_layers():
    page = PACKAGE.parent / "docs" / "internals" / "index.md"
    rows = re.findall(r"^\| (`.*?) \|", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert [tuple(re.findall(r"`(\w+)`", row)) for row in rows] == list(LAYERS)


@pytest.mark.parametrize(
    ("module", "source", "complaint"),
    [
        ("adjoint.tape.node", "from adjoint.ops import linalg", "a higher layer"),
        ("adjoint.tape.node", "import adjoint.nn", "a higher layer"),
        ("adjoint.nn", "import adjoint as torch", "a higher layer"),
        ("adjoint.ops.linalg", "def f():\n from adjoint import dtypes", "inside a function"),
        ("adjoint.ops.linalg", "class C:\n def f(self):\n  import math", "inside a function"),
        ("adjoint.ops.linalg", "try:\n import torch\nexcept ImportError: pass", "neither"),
        ("adjoint.novelty", "", "no layer"),
    ],
)
def test_a_breach_is_seen(module: str, source: str, complaint: str):
    (found,) = complaints(module, source, {"adjoint.ops.linalg", "adjoint.dtypes"})
    assert complaint in found


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("adjoint.ops.linalg", "from adjoint import dtypes\nfrom adjoint.tape import node"),
        ("adjoint.ops.linalg", "def f():\n import scipy.linalg"),
        ("adjoint.tape.node", "if TYPE_CHECKING:\n from adjoint.tensor import Tensor"),
        ("adjoint.tour.story", "import adjoint as torch\nfrom rich.console import Console"),
        ("adjoint", "from adjoint import nn"),
    ],
)
def test_what_is_allowed_passes(module: str, source: str):
    assert complaints(module, source, {"adjoint.dtypes"}) == []
