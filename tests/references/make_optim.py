"""Write optim.json: PyTorch's optimizers after some steps, rates of its schedules, random orders.

Run with PyTorch 2.13: ``python -m tests.references.make_optim``. Nothing but arithmetic of IEEE
numbers is recorded of optimizers and schedules, in float64, and the orders are whole numbers.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path

from tests.references import optim_cases

TARGET = Path(__file__).with_name("optim.json")


def main():
    import torch

    warnings.simplefilter("ignore")  # SequentialLR of PyTorch warns of its own steps
    optimizers = [
        {"name": name, "options": options, "result": optim_cases.train(torch, name, options)}
        for name, options in optim_cases.CASES
    ]
    minimized = [
        {"options": options, "result": optim_cases.minimize(torch, options)}
        for options in optim_cases.LBFGS
    ]
    S = torch.optim.lr_scheduler
    courses = {}
    for name, make in optim_cases.schedules(S).items():
        optimizer = optim_cases.two_groups(torch)
        courses[name] = optim_cases.course(make(optimizer), optimizer)
    plateaus = {}
    for name, options in optim_cases.PLATEAUS.items():
        optimizer = optim_cases.two_groups(torch)
        scheduler = S.ReduceLROnPlateau(optimizer, **options)
        plateaus[name] = optim_cases.course(scheduler, optimizer, measured=optim_cases.MEASURED)
    sections = {
        "optimizers": optimizers,
        "minimized": minimized,
        "schedules": courses,
        "plateaus": plateaus,
        "orders": optim_cases.orders(torch),
    }
    lines = []
    for title, section in sections.items():
        if isinstance(section, dict):
            entries = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in section.items()]
            body = "{\n" + ",\n".join(entries) + "}"
        else:
            body = "[\n" + ",\n".join(json.dumps(entry) for entry in section) + "]"
        lines.append(f"{json.dumps(title)}: {body}")
    TARGET.write_text("{" + ",\n".join(lines) + "}\n", encoding="utf-8")
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes, torch {torch.__version__}")


if __name__ == "__main__":
    main()
