"""The project around the package: version, what an import loads, and what files may not say."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import adjoint

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PAGES = ("README.md", "CONTRIBUTING.md", ".ci/run", ".pre-commit-config.yaml")
FOLDERS = (".ci", "adjoint", "benchmarks", "docs", "examples", "tests", "tools")


def files_of_the_project() -> Iterator[Path]:
    """Every file that is part of the project, and nothing that tools have put beside them."""
    yield from (path for path in ROOT.iterdir() if path.is_file() and path.name != ".git")
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def test_version_is_the_installed_one():
    source = PROJECT["tool"]["hatch"]["version"]["path"]
    assert (ROOT / source).read_text(encoding="utf-8").count(f'"{adjoint.__version__}"') == 1
    installed = {
        each.version for each in importlib.metadata.distributions() if each.name == "adjoint"
    }
    assert installed <= {adjoint.__version__}


def test_changelog_speaks_of_this_version():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## [Unreleased]" in changelog
    assert re.search(rf"\b{re.escape(adjoint.__version__)}\b", changelog)


def test_import_loads_numpy_and_the_standard_library_only():
    script = "import numpy, sys; before = set(sys.modules); import adjoint; "
    script += "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = set(run.stdout.split())
    assert "adjoint" in loaded
    assert loaded - {"adjoint", "numpy", *sys.stdlib_module_names} == set()


def test_no_file_names_a_path_of_this_machine():
    here = {path for path in (ROOT, Path.home(), Path(sys.prefix)) if path != path.parent}
    pattern = re.compile(
        r"(?<![\w./])(" + "|".join(re.escape(str(path)) for path in here) + r")(?=/)"
    )
    found = []
    for path in files_of_the_project():
        text = path.read_bytes().decode("utf-8", errors="replace")
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in pattern.finditer(text)]
    assert found == []


def test_the_search_for_paths_reads_the_whole_project():
    names = {path.relative_to(ROOT).as_posix() for path in files_of_the_project()}
    assert {"README.md", ".ci/run", "adjoint/dtypes.py", "tests/test_project.py"} <= names
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if tracked.returncode == 0:  # not so in an unpacked archive
        present = {name for name in tracked.stdout.split("\0") if (ROOT / name).is_file()}
        assert present <= names


@pytest.mark.parametrize("page", PAGES)
def test_the_targets_that_pages_name_exist(page: str):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    text = (ROOT / page).read_text(encoding="utf-8")
    named = set(
        re.findall(r"`make ([a-z-]+)`|^    make ([a-z][a-z-]*)|^step ([a-z]+)", text, re.MULTILINE)
    )
    assert {name for group in named for name in group if name} <= targets


def test_everything_is_in_the_extra_of_that_name():
    extras = PROJECT["project"]["optional-dependencies"]
    (everything,) = extras["all"]
    assert everything == f"adjoint[{','.join(sorted(extras.keys() - {'all'}))}]"


@pytest.mark.parametrize("table", ["benchmark", "compiled"])
def test_readme_has_one_place_for_each_table_of_measurements(table: str):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    begin, end = f"<!-- {table}:begin -->", f"<!-- {table}:end -->"
    assert readme.count(begin) == readme.count(end) == 1
    assert readme.index(begin) < readme.index(end)
