"""Write the list of PyTorch's public names about automatic differentiation, with signatures.

Run it from the repository's root, with PyTorch installed: ``python -m
tests.references.make_autograd_names``. A module's public names are those of its ``__all__`` and its
public submodules; of the classes named below, the members that have no leading underscore; of
``torch`` and ``torch.Tensor``, those listed here.
"""

from __future__ import annotations

import enum
import importlib
import inspect
import json
from pathlib import Path
from typing import Any

import torch

TARGET = Path(__file__).with_name("autograd_names.json")
MODULES = (
    "torch.autograd",
    "torch.autograd.graph",
    "torch.autograd.forward_ad",
    "torch.autograd.functional",
    "torch.autograd.function",
    "torch.autograd.grad_mode",
    "torch.autograd.gradcheck",
    "torch.autograd.anomaly_mode",
    "torch.autograd.variable",
    "torch.autograd.profiler",
    "torch.func",
    "torch.utils.checkpoint",
    "torch.utils.hooks",
)
CLASSES = (
    "torch.autograd.Function",
    "torch.autograd.function.FunctionCtx",
    "torch.autograd.graph.Node",
    "torch.autograd.graph.GradientEdge",
    "torch.autograd.forward_ad.UnpackedDualTensor",
    "torch.autograd.profiler.profile",
    "torch.autograd.profiler.record_function",
    "torch.autograd.profiler.EventList",
    "torch.autograd.profiler.FunctionEvent",
    "torch.utils.hooks.RemovableHandle",
    "torch.utils.checkpoint.CheckpointPolicy",
    "torch.utils.checkpoint.SelectiveCheckpointContext",
)
CHOSEN = {
    "torch": (
        "enable_grad no_grad set_grad_enabled is_grad_enabled inference_mode "
        "is_inference_mode_enabled is_inference vmap set_anomaly_enabled is_anomaly_enabled "
        "is_anomaly_check_nan_enabled"
    ),
    "torch.Tensor": (
        "backward data detach detach_ grad grad_dtype grad_fn is_inference is_leaf name output_nr "
        "register_hook register_post_accumulate_grad_hook requires_grad requires_grad_ retain_grad "
        "retains_grad _base _is_view _version"
    ),
}


class Something:
    """Stands for a default that has no short name."""

    def __repr__(self) -> str:
        return "..."


def resolve(path: str) -> Any:
    """The module or class of a dotted path."""
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError:
        home, name = path.rsplit(".", 1)
        return getattr(resolve(home), name)


def public_names(path: str) -> list[str]:
    """The public names of a module or a class."""
    found = resolve(path)
    if inspect.ismodule(found):
        inner = [name for name in MODULES if name.startswith(f"{path}.")]
        return sorted({*found.__all__, *(name.rsplit(".", 1)[1] for name in inner)})
    plain = {name for base in (object, list, tuple) for name in dir(base)}
    if issubclass(found, enum.Enum):
        return sorted(found.__members__)
    names = {name for name in dir(found) if not name.startswith("_")}
    return sorted(names - (plain - set(vars(found))))


def signature(value: Any) -> str | None:
    """The parameters and their defaults, None for what has none or does not tell."""
    if not callable(value) or (inspect.isclass(value) and issubclass(value, enum.Enum)):
        return None
    try:
        found = inspect.signature(value)
    except (ValueError, TypeError):
        return None
    parameters = [each.replace(annotation=each.empty) for each in found.parameters.values()]
    simple = (bool, int, float, str, type(None), tuple, type)
    parameters = [
        each if isinstance(each.default, simple) else each.replace(default=Something())
        for each in parameters
    ]
    return str(inspect.Signature(parameters))


def names() -> dict[str, dict[str, str | None]]:
    """All names, by where they are."""
    places = {path: public_names(path) for path in (*MODULES, *CLASSES)}
    places |= {path: text.split() for path, text in CHOSEN.items()}
    return {
        path: {name: signature(getattr(resolve(path), name)) for name in sorted(inner)}
        for path, inner in places.items()
    }


def main() -> None:
    text = json.dumps({"torch": torch.__version__.split("+")[0], "names": names()}, indent=1)
    TARGET.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
