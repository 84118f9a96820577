"""Write ``docs/autograd-names.md``: PyTorch's names about automatic differentiation, and Adjoint's.

    python tools/generate_autograd_names.py            # rewrite the page
    python tools/generate_autograd_names.py --check    # exit with status 1 if it is out of date

PyTorch's names and signatures stand in ``tests/references/autograd_names.json``, which
``python -m tests.references.make_autograd_names`` makes where PyTorch is installed.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "autograd-names.md"
NAMES = ROOT / "tests" / "references" / "autograd_names.json"
# A script finds only its own folder: the imports below need the repository, so they come after.
sys.path.insert(0, str(ROOT))

from tools.pages import row_of, write  # noqa: E402

THERE, MISSING = "✓", "missing"
COLUMNS = ("Name", "In PyTorch", "In Adjoint")
SHOWN = 120  # characters of a signature

VENDORS = "reads or writes traces of a vendor's profiler (NVIDIA's nvprof and NVTX, Intel's ITT)"
KINETO = "internal to Kineto, the profiler written in C++"
DEVICES = "times and memory on a device; there is the CPU only"
CORE = "how the core written in C++ keeps what `ctx` was told; read `saved_tensors` instead"
NODE = "an attribute of the `ctx`, which is the node: `y.grad_fn`"

# Why a name has no place here.
ABSENT = {
    "torch.autograd.profiler.load_nvprof": VENDORS,
    "torch.autograd.profiler.parse_nvprof_trace": VENDORS,
    "torch.autograd.profiler.EnforceUnique": "a helper for reading nvprof's traces",
    "torch.autograd.profiler.KinetoStepTracker": KINETO,
    "torch.autograd.profiler.MemRecordsAcc": KINETO,
    "torch.autograd.profiler.profile.config": KINETO,
    "torch.autograd.profiler.profile.create_trace_id": KINETO,
    "torch.autograd.profiler.profile.default_trace_id": KINETO,
    "torch.autograd.profiler.FunctionEvent.append_kernel": DEVICES,
    "torch.autograd.profiler.FunctionEvent.metadata_json": KINETO,
    **{
        f"torch.autograd.profiler.FunctionEvent.{name}": DEVICES
        for name in (
            "cuda_time", "cuda_time_total", "device_time_str", "device_time_total_str",
            "self_cuda_memory_usage", "self_cuda_time_total", "self_device_time_total_str",
        )
    },
    "torch.autograd.Function.maybe_clear_saved_tensors": CORE,
    **{
        f"torch.autograd.Function.{name}": NODE
        for name in (
            "metadata", "name", "next_functions", "register_hook", "register_prehook",
            "requires_grad", "saved_tensors", "saved_variables",
        )
    },
}  # fmt: skip

INTRODUCTION = f"""\
<!-- Written by tools/generate_autograd_names.py from both libraries' names; not by hand. -->

# PyTorch's autograd, name by name

Every public name about automatic differentiation in PyTorch {{torch}}, beside what Adjoint has
under the same path (`torch.func.grad` is `adjoint.func.grad`). {THERE} means that the name is
there and takes the same parameters; where it is not, the reason stands in its place.

Adjoint has {{there}} of {{all}} names.
"""


def find(path: str) -> Any:
    """What a dotted path names: a module, or an attribute of one or of a class."""
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError:
        home, _, name = path.rpartition(".")
        if not home:
            raise
        return getattr(find(home), name)


def ours(path: str) -> str:
    """The path in Adjoint of a name of PyTorch's."""
    return "adjoint" + path.removeprefix("torch")


def has(path: str, name: str) -> bool:
    """Whether Adjoint has a member of a module or class of PyTorch's."""
    try:
        home = find(ours(path))
        return hasattr(home, name) or name in getattr(home, "__annotations__", {})
    except (ModuleNotFoundError, AttributeError):
        return False


def state(path: str, name: str) -> str:
    """What stands in Adjoint's column."""
    if has(path, name):
        return THERE
    return ABSENT.get(f"{path}.{name}", ABSENT.get(path, MISSING))


def known() -> dict[str, Any]:
    """PyTorch's version, and its names by place with their signatures."""
    found: dict[str, Any] = json.loads(NAMES.read_text(encoding="utf-8"))
    return found


def states() -> dict[str, str]:
    """What Adjoint has of each name, by full path."""
    names = known()["names"]
    return {f"{path}.{name}": state(path, name) for path, inner in names.items() for name in inner}


def shown(signature: str | None) -> str:
    """A signature that fits into a cell."""
    if signature is None:
        return ""
    if len(signature) > SHOWN:
        signature = signature[:SHOWN].rsplit(",", 1)[0] + ", …)"
    return f"`{signature}`"


def page() -> str:
    """The whole page."""
    found = known()
    all_states = states()
    there = sum(each == THERE for each in all_states.values())
    parts = [INTRODUCTION.format(torch=found["torch"], there=there, all=len(all_states))]
    for path, inner in found["names"].items():
        if not inner:
            continue
        parts.append(f"\n## `{path}`\n\n")
        parts += [row_of(COLUMNS), row_of("---" for _ in COLUMNS)]
        for name, signature in inner.items():
            parts.append(row_of((f"`{name}`", shown(signature), all_states[f"{path}.{name}"])))
    return "".join(parts)


if __name__ == "__main__":
    sys.exit(write(TARGET, page, __doc__))
