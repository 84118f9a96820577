"""PyTorch's values and gradients for the samples, read from small files beside this one.

``tests/references/make_table.py`` writes them, one for each family. An entry knows the arguments
that it was made from, so that a sample which has changed since is told from a wrong value.
"""

from __future__ import annotations

import json
import zlib
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tests.harness import Call
from tests.samples.case import numpy_type

FOLDER = Path(__file__).resolve().parent / "table"


REFUSED = -1  # the checksum of a sample that PyTorch refuses


class Reference(NamedTuple):
    """What PyTorch gives for one sample, with the same cotangents for its gradients."""

    arguments: int  # checksum
    outputs: list[np.ndarray]
    gradients: list[np.ndarray]


class Family(NamedTuple):
    """What is known of one family, by case and element type of its samples ("add float64")."""

    samples: dict[str, list[Reference]]
    # The element types of the results of each sample, None where PyTorch refuses the input's type.
    types: dict[str, list[list[str] | None]]


class MissingReferenceError(AssertionError):
    """There is no reference for a sample, or it was made from other arguments."""


def checksum(call: Call) -> int:
    """A number that changes with the arguments of a call."""
    found = zlib.crc32(str(call).encode())
    for leaf in call.leaves:
        found = zlib.crc32(np.ascontiguousarray(leaf).view(np.uint8).tobytes(), found)
    return found


def find(call: Call) -> Reference:
    """The reference of a sample."""
    entries = load(call.case.family).samples.get(f"{call.key} {call.dtype}", [])
    if call.number >= len(entries):
        raise MissingReferenceError("no reference: run tests/references/make_table.py")
    entry = entries[call.number]
    if entry.arguments == REFUSED:
        raise MissingReferenceError("PyTorch refuses this sample: tests/references/make_table.py")
    if entry.arguments != checksum(call):
        raise MissingReferenceError("stale reference: run tests/references/make_table.py")
    return entry


def result_types(call: Call) -> list[str] | None:
    """The element types that PyTorch gives the results of a sample, None where it refuses."""
    entries = load(call.case.family).types.get(f"{call.key} {call.dtype}", [])
    if call.number >= len(entries):
        raise MissingReferenceError("no reference: run tests/references/make_table.py")
    return entries[call.number]


@cache
def load(family: str) -> Family:
    """All references of a family, none where there is no file."""
    path = FOLDER / f"{family}.npz"
    if not path.exists():
        return Family({}, {})
    with np.load(path) as file:
        pools = {name: file[name] for name in file.files}
    index = json.loads(pools.pop("index").tobytes())
    taken = dict.fromkeys(pools, 0)

    def take(kind: str, shape: list[int]) -> np.ndarray:
        start, count = taken[kind], int(np.prod(shape, dtype=int))
        taken[kind] = start + count
        return pools[kind][start : taken[kind]].view(numpy_type(kind)).reshape(shape)

    samples = {
        key: [
            Reference(
                arguments, [take(*each) for each in outputs], [take(*each) for each in gradients]
            )
            for arguments, outputs, gradients in entries
        ]
        for key, entries in index["samples"].items()
    }
    return Family(samples, index["types"])


def save(family: str, entries: Family) -> Path:
    """Write all references of a family: values of one type in one array, and an index of them."""
    pools: dict[str, list[np.ndarray]] = {}

    def put(array: np.ndarray) -> list[Any]:
        kind = array.dtype.name
        flat = np.ascontiguousarray(array).reshape(-1)
        pools.setdefault(kind, []).append(flat.view(np.uint16) if kind == "bfloat16" else flat)
        return [kind, list(array.shape)]

    samples = {
        key: [
            [each.arguments, [put(a) for a in each.outputs], [put(a) for a in each.gradients]]
            for each in listed
        ]
        for key, listed in sorted(entries.samples.items())
    }
    index = {"samples": samples, "types": dict(sorted(entries.types.items()))}
    text = np.frombuffer(json.dumps(index, separators=(",", ":")).encode(), np.uint8)
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{family}.npz"
    arrays = {kind: np.concatenate(pool) for kind, pool in pools.items()}
    np.savez_compressed(path, index=text, **arrays)
    return path
