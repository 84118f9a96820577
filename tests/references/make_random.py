"""Write random.json: what PyTorch's CPU generator draws in sequences of calls of all kinds.

Run with PyTorch 2.13 on a processor with AVX2: ``python tests/references/make_random.py``.
Each step of a sequence holds the call in ``adjoint.array.generator``'s terms, the bytes that
PyTorch drew for it, and the generator's state afterwards: a digest of all but the kept normal
number, and that number.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

TARGET = Path(__file__).with_name("random.json")
WORDS = 24 + 8 * 624  # the bytes of a state before those of the kept normal number

FLOATING = ("float16", "bfloat16", "float32", "float64")
INTEGER = ("uint8", "int8", "int16", "int32", "int64")
COMPLEX = ("complex64", "complex128")


def sequences():
    """The calls to record, by name: function, type, shape and further arguments."""
    yield (
        "uniform",
        [("uniform", dtype, [size], {}) for dtype in FLOATING for size in (1, 7, 40)]
        + [("uniform", dtype, [3], {}) for dtype in COMPLEX]
        + [
            ("uniform", dtype, [30], {"low": low, "high": high})
            for dtype in (*FLOATING, "complex64")
            for low, high in ((0.1, 0.7), (-0.25, 0.25), (-0.3333, 5.123), (1000.1, 1000.2))
        ],
    )
    yield (
        "normal",
        [("normal", dtype, [size], {}) for size in (1, 2, 5, 15) for dtype in FLOATING]
        + [("normal", dtype, [size], {}) for size in (16, 17, 32, 41) for dtype in FLOATING]
        + [("normal", dtype, [size], {}) for size in (1, 7, 8, 9) for dtype in COMPLEX]
        + [
            ("normal", dtype, [size], {"mean": mean, "std": std})
            for mean, std in ((0.0, 0.3), (2.5, 0.7))
            for size in (3, 37)
            for dtype in ("float16", "bfloat16", "float32")
        ],
    )
    yield (
        "integers",
        [
            ("integers", dtype, [9], {"low": low, "high": high})
            for low, high in ((0, 10), (-5, 100))
            for dtype in (*INTEGER[1:], *FLOATING)
        ]
        + [
            ("integers", "int64", [9], {"low": low, "high": high})
            for low, high in (
                (0, 2**28 - 1), (0, 2**28), (-7, 2**32), (-(2**63), 2**63 - 1), (0, 2**40 + 3)
            )
        ]
        + [("integers", "bool", [9], {"low": 0, "high": 2})]
        + [("random_", dtype, [9], {}) for dtype in ("bool", *INTEGER, *FLOATING)]
        + [("random_", dtype, [9], {"low": 3}) for dtype in (*INTEGER, *FLOATING)]
        + [("permutation", dtype, [], {"n": 50}) for dtype in (*INTEGER, *FLOATING)]
        + [("permutation", "int16", [], {"n": n}) for n in (0, 1, 2, 3, 999, 1000, 1500)],
    )  # fmt: skip
    yield (
        "others",
        [
            ("bernoulli_scalar", dtype, [20], {"p": p})
            for p in (0.0, 0.3, 1.0)
            for dtype in ("bool", "int64", *FLOATING)
        ]
        + [("bernoulli", dtype, [20], {}) for dtype in FLOATING]
        + [("exponential", dtype, [20], {"rate": 1.5}) for dtype in FLOATING]
        + [("cauchy", dtype, [20], {"median": 0.5, "sigma": 2.0}) for dtype in FLOATING]
        + [("geometric", dtype, [20], {"p": 0.25}) for dtype in ("int64", "uint8", *FLOATING)]
        + [("log_normal", dtype, [size], {}) for size in (5, 40) for dtype in FLOATING]
        + [
            ("multinomial", "float32", shape, {"num_samples": samples, "replacement": again})
            for shape in ([6], [3, 6])
            for samples, again in ((1, False), (4, False), (1, True), (20, True))
        ],
    )
    yield (
        "mixed",
        [
            step
            for size in (1, 5, 16, 21)
            for step in (
                ("normal", "float32", [size], {}),
                ("uniform", "float64", [size], {}),
                ("normal", "float64", [3], {}),
                ("permutation", "int64", [], {"n": size}),
                ("bernoulli_scalar", "float32", [size], {"p": 0.5}),
                ("normal", "float32", [2], {}),
                ("uniform", "float32", [60 * size], {}),
                ("exponential", "float32", [size], {}),
            )
        ],
    )


def weights(shape):
    """Probabilities for ``bernoulli`` and ``multinomial``, exact in every type."""
    count = 1
    for size in shape:
        count *= size
    return [(7 * index % 32 + 1) / 64 for index in range(count)]


def draw(torch, generator, function, dtype, shape, arguments):
    """The call as PyTorch spells it."""
    kind = getattr(torch, dtype)
    empty = torch.empty(shape, dtype=kind)
    given = torch.tensor(weights(shape), dtype=kind) if kind.is_floating_point else None
    low, high = arguments.get("low"), arguments.get("high")
    if function == "uniform":
        return empty.uniform_(low or 0.0, 1.0 if high is None else high, generator=generator)
    if function == "normal":
        return empty.normal_(*arguments.values(), generator=generator)
    if function == "integers":
        return torch.randint(low, high, shape, dtype=kind, generator=generator)
    if function == "random_":
        bounds = () if low is None else (low, None)
        return empty.random_(*bounds, generator=generator)
    if function == "permutation":
        return torch.randperm(arguments["n"], dtype=kind, generator=generator)
    if function == "bernoulli_scalar":
        return empty.bernoulli_(arguments["p"], generator=generator)
    if function == "bernoulli":
        return torch.bernoulli(given, generator=generator)
    if function == "multinomial":
        return torch.multinomial(given.reshape(shape), *arguments.values(), generator=generator)
    return getattr(empty, function + "_")(*arguments.values(), generator=generator)


def main():
    import torch

    recorded = []
    for seed, (name, steps) in enumerate(sequences(), 20260101):
        generator = torch.Generator().manual_seed(seed)
        entries = []
        for function, dtype, shape, arguments in steps:
            drawn = draw(torch, generator, function, dtype, shape, arguments).contiguous()
            state = generator.get_state().numpy()
            valid = state[WORDS + 24 :].view("<i4")[0]
            entries.append(
                {
                    "function": function,
                    "dtype": dtype,
                    "shape": shape,
                    "arguments": arguments,
                    "bytes": base64.b64encode(drawn.view(torch.uint8).numpy().tobytes()).decode()
                    if drawn.ndim
                    else "",
                    "words": hashlib.sha256(state[:WORDS].tobytes()).hexdigest()[:16],
                    "normal": float(state[WORDS + 8 :].view("<f8")[0]).hex() if valid else None,
                }
            )
        recorded.append({"name": name, "seed": seed, "steps": entries})
    lines = ",\n".join(
        json.dumps(each).replace('{"function"', '\n{"function"') for each in recorded
    )
    TARGET.write_text(f"[{lines}]\n", encoding="utf-8")
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes, torch {torch.__version__}")


if __name__ == "__main__":
    main()
