"""What ``adjoint info`` prints: versions, BLAS, threads, optional parts."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform

import numpy as np

from adjoint.version import __version__

OPTIONAL = {
    "scipy": "special functions",
    "llvmlite": "compile",
    "ml_dtypes": "bfloat16",
    "matplotlib": "the tour's curves",
    "rich": "the tour's progress",
    "IPython": "pictures in notebooks",
}


def version_of(package: str) -> str | None:
    """The installed version of a package, None where it is absent."""
    if importlib.util.find_spec(package) is None:
        return None
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "unknown version"


def missing(*packages: str) -> list[str]:
    """Those of the packages that are not installed."""
    return [package for package in packages if importlib.util.find_spec(package) is None]


def blas() -> str:
    """The library that NumPy multiplies matrices with."""
    build = np.show_config(mode="dicts")
    found = build["Build Dependencies"]["blas"] if isinstance(build, dict) else {}
    return f"{found.get('name', 'unknown')} {found.get('version', '')}".strip()


def threads() -> str:
    """Cores of the machine, and the variables that limit a BLAS library."""
    limits = [
        f"{name}={os.environ[name]}"
        for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
        if name in os.environ
    ]
    return f"{os.cpu_count()} cores" + (f", {', '.join(limits)}" if limits else "")


def collect() -> list[tuple[str, str]]:
    """Pairs of a name and what is found."""
    rows = [
        ("adjoint", __version__),
        ("Python", f"{platform.python_version()} ({platform.system()} {platform.machine()})"),
        ("NumPy", np.__version__),
        ("BLAS", blas()),
        ("threads", threads()),
    ]
    for package, use in OPTIONAL.items():
        found = version_of(package)
        rows.append((package, f"{found or 'not installed'} ({use})"))
    return rows
