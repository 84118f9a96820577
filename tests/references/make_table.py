"""Write the references of the table's samples: PyTorch's values and gradients.

Run it from the repository's root, with PyTorch installed, after a change of samples:

    python -m tests.references.make_table [family ...]

A family whose samples and values have not changed keeps its file.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch

from tests.harness import CASES, Call, calls, dtype_name, every_kind, exact_kinds
from tests.harness_torch import (
    from_torch,
    is_known,
    is_torch_floating,
    outcome,
    to_torch,
    torch_cotangents,
    torch_forward,
)
from tests.references.table import FOLDER, REFUSED, Family, Reference, checksum, load, save


def reference(call: Call) -> Reference:
    """PyTorch's results for one sample, and its gradients where the case is differentiable."""
    leaves = [to_torch(each) for each in call.leaves]
    for place in call.moving:
        leaves[place].requires_grad_()
    outs = torch_forward(call, leaves)
    found: list[np.ndarray] = []
    if call.moving:
        floating = [out for out in outs if is_torch_floating(out)]
        weighted = zip(floating, torch_cotangents(call, floating), strict=True)
        kept = [(out, to_torch(g)) for out, g in weighted if out.requires_grad]
        xs = [leaves[place] for place in call.moving]
        gradients = [None] * len(xs)
        if kept:
            roots, gs = zip(*kept, strict=True)
            gradients = torch.autograd.grad(roots, xs, gs, allow_unused=True)
        found = [
            np.zeros_like(leaf) if g is None else from_torch(g)
            for leaf, g in zip(call.moved, gradients, strict=True)
        ]
    return Reference(checksum(call), [from_torch(out) for out in outs], found)


def result_types(call: Call) -> list[str] | None:
    """The element types of PyTorch's results for one sample, None where it refuses the input's."""
    found = outcome(lambda: torch_forward(call, call.leaves))
    if isinstance(found, Exception) or not is_known(found):
        return None
    return [dtype_name(each) for each in found]


def references(family: str) -> Family:
    """All references of a family, made anew."""
    found = Family({}, {})
    for key, case in CASES.items():
        if case.family != family or case.random:
            continue
        for kind in every_kind(key):
            found.types[f"{key} {kind}"] = [result_types(call) for call in calls(key, kind)]
        for kind in exact_kinds(key):
            listed = found.samples[f"{key} {kind}"] = []
            for call in calls(key, kind):
                try:
                    listed.append(reference(call))
                except Exception as error:  # noqa: BLE001 - shown, and the others go on
                    print(f"{key}, {call} in {kind}: {type(error).__name__}: {error}")
                    listed.append(Reference(REFUSED, [], []))
    return found


def same(first: Family, second: Family) -> bool:
    """Whether two sets of references say the same but for rounding."""
    if first.types != second.types or first.samples.keys() != second.samples.keys():
        return False
    for key, listed in first.samples.items():
        if len(listed) != len(second.samples[key]):
            return False
        for a, b in zip(listed, second.samples[key], strict=True):
            if a.arguments != b.arguments or not (
                same_arrays(a.outputs, b.outputs) and same_arrays(a.gradients, b.gradients)
            ):
                return False
    return True


def same_arrays(first: list[np.ndarray], second: list[np.ndarray]) -> bool:
    """Whether two lists of arrays agree but for rounding."""
    return len(first) == len(second) and all(
        a.dtype == b.dtype
        and a.shape == b.shape
        and np.allclose(a, b, rtol=1e-12, atol=1e-14, equal_nan=a.dtype.kind in "fc")
        for a, b in zip(first, second, strict=True)
    )


def main() -> None:
    """Write the families named on the command line, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("family", nargs="*")
    families = sorted({case.family for case in CASES.values()})
    for family in parser.parse_args().family or families:
        made = references(family)
        if same(load(family), made):
            continue
        path = save(family, made)
        count = sum(map(len, made.samples.values()))
        print(f"{path.name}: {count} samples, {path.stat().st_size} bytes")
    for path in FOLDER.glob("*.npz"):
        if path.stem not in families:
            path.unlink()
            print(f"{path.name}: removed, there are no such samples")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
