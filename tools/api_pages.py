"""A hook of MkDocs: a page of the documentation for each public module that the package has.

The pages hold one line each, which mkdocstrings replaces by the module's docstrings; so a module
that appears in the package appears in the documentation, and nothing is listed twice.
"""

from __future__ import annotations

import importlib
import importlib.util

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

PUBLIC = (
    "adjoint",
    "adjoint.autograd",
    "adjoint.autograd.forward_ad",
    "adjoint.autograd.functional",
    "adjoint.autograd.graph",
    "adjoint.compiler",
    "adjoint.func",
    "adjoint.nn",
    "adjoint.nn.functional",
    "adjoint.nn.init",
    "adjoint.optim",
    "adjoint.random",
    "adjoint.testing",
    "adjoint.utils.checkpoint",
    "adjoint.utils.data",
    "adjoint.viz",
)


def exists(module: str) -> bool:
    """Whether the package has ``module``, a parent being absent included."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def pages() -> dict[str, str]:
    """Module name to the path of its page, for the public modules that exist."""
    return {module: f"api/{module}.md" for module in PUBLIC if exists(module)}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages at the end of the navigation."""
    nav = config.nav or []
    nav.append({"API": [{module: path} for module, path in pages().items()]})
    config.nav = nav
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Make the pages."""
    for module, path in pages().items():
        summary = (importlib.import_module(module).__doc__ or "").strip()
        if not summary:
            raise ValueError(f"{module} has no docstring to head its page")
        files.append(File.generated(config, path, content=f"# {module}\n\n::: {module}\n"))
    return files
