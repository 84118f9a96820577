"""What is recorded of optimizers, schedules and random orders, for either library."""

from __future__ import annotations

import itertools
import math

# Every optimizer with options that between them take every branch of its formula.
OPTIMIZERS = {
    "SGD": [
        {},
        {"lr": 0.1, "momentum": 0.9},
        {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1},
        {"lr": 0.1, "momentum": 0.9, "nesterov": True},
        {"lr": 0.01, "momentum": 0.5, "nesterov": True, "weight_decay": 0.1, "maximize": True},
        {"lr": 0.01, "maximize": True},
    ],
    "Adam": [
        {},
        {"lr": 0.05, "amsgrad": True},
        {"lr": 0.01, "weight_decay": 0.1},
        {"lr": 0.01, "betas": (0.3, 0.9), "weight_decay": 0.1, "maximize": True},
        {"lr": 0.01, "betas": (0.0, 0.9), "weight_decay": 0.1, "decoupled_weight_decay": True},
    ],
    "AdamW": [{}, {"lr": 0.05, "weight_decay": 0.2, "amsgrad": True}],
    "RMSprop": [
        {},
        {"centered": True},
        {"momentum": 0.9},
        {"momentum": 0.5, "centered": True, "weight_decay": 0.1, "alpha": 0.4, "maximize": True},
    ],
    "Adagrad": [
        {},
        {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.1},
        {"initial_accumulator_value": 0.5, "maximize": True},
    ],
    "Adadelta": [{}, {"lr": 0.5, "rho": 0.5, "weight_decay": 0.1, "maximize": True}],
    "Adamax": [{}, {"lr": 0.1, "betas": (0.6, 0.7), "weight_decay": 0.1, "maximize": True}],
    "NAdam": [
        {},
        {"lr": 0.1, "weight_decay": 0.1, "maximize": True},
        {"weight_decay": 0.1, "decoupled_weight_decay": True, "momentum_decay": 0.1},
    ],
    "RAdam": [
        {},
        {"lr": 0.1, "weight_decay": 0.1, "betas": (0.9, 0.95)},
        {
            "lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True,
            "betas": (0.5, 0.9),
        },
    ],
    "Rprop": [
        {},
        {"lr": 0.1, "etas": (0.3, 1.5), "step_sizes": (0.01, 0.5), "maximize": True},
    ],
    "ASGD": [
        {},
        {"lr": 0.1, "lambd": 0.01, "alpha": 0.5, "t0": 10.0, "weight_decay": 0.1},
        {"t0": 3.0, "maximize": True},
    ],
}  # fmt: skip
CASES = [(name, options) for name, each in OPTIMIZERS.items() for options in each]

START = (0.5, -1.0, 2.0, 0.0)


def gradient(number, step):
    """The gradient of a parameter's element at a step: in any case something different."""
    return math.sin(1.7 * number + 0.9 * step) + 0.1 * number


def train(torch, name, options, dtype="float64", steps=25):
    """The elements of a parameter after some steps, and of its state."""
    param = torch.tensor(START, dtype=getattr(torch, dtype), requires_grad=True)
    optimizer = getattr(torch.optim, name)([param], **options)
    for step in range(steps):
        grad = [gradient(number, step) for number in range(len(START))]
        param.grad = torch.tensor(grad, dtype=param.dtype)
        optimizer.step()
    state = optimizer.state[param]
    return param.tolist(), {key: state[key].tolist() for key in state}


def banana(x, y):
    """Rosenbrock's function: a bent valley, least at (1, 1)."""
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


LBFGS = [
    {"lr": 0.001, "max_iter": 5},
    {"lr": 0.001, "history_size": 2},
    {"line_search_fn": "strong_wolfe"},
    {"line_search_fn": "strong_wolfe", "max_iter": 7, "history_size": 2},
    {"line_search_fn": "strong_wolfe", "max_eval": 3},
]


def minimize(torch, options, steps=3, dtype="float64"):
    """The losses before each step of L-BFGS, the number of evaluations, and the end point."""
    point = torch.tensor([-1.2, 1.0], dtype=getattr(torch, dtype), requires_grad=True)
    optimizer = torch.optim.LBFGS([point], **options)
    evaluations = 0

    def closure():
        nonlocal evaluations
        evaluations += 1
        optimizer.zero_grad()
        loss = banana(point[0], point[1])
        loss.backward()
        return loss

    losses = [float(optimizer.step(closure).detach()) for _ in range(steps)]
    return losses, evaluations, point.tolist()


class Fading:
    """A function of the epoch that has a state."""

    def __init__(self):
        self.pace = 0.5

    def __call__(self, epoch):
        return self.pace / (1 + epoch)


def schedules(S):
    """Every schedule by a name, as functions of the optimizer (of two groups)."""
    return {
        "LambdaLR": lambda o: S.LambdaLR(o, [lambda epoch: 0.95**epoch, Fading()]),
        "MultiplicativeLR": lambda o: S.MultiplicativeLR(o, lambda epoch: 0.95),
        "StepLR": lambda o: S.StepLR(o, 3, 0.5),
        "MultiStepLR": lambda o: S.MultiStepLR(o, [2, 5, 5, 9], 0.3),
        "ConstantLR": lambda o: S.ConstantLR(o, 0.3, 4),
        "LinearLR": lambda o: S.LinearLR(o, 0.2, 0.9, 7),
        "ExponentialLR": lambda o: S.ExponentialLR(o, 0.87),
        "PolynomialLR": lambda o: S.PolynomialLR(o, 8, 1.7),
        "CosineAnnealingLR": lambda o: S.CosineAnnealingLR(o, 5, 0.01),
        "CosineAnnealingWarmRestarts": lambda o: S.CosineAnnealingWarmRestarts(o, 3, 2, 0.01),
        "restarts of one length": lambda o: S.CosineAnnealingWarmRestarts(o, 4),
        "OneCycleLR": lambda o: S.OneCycleLR(o, [0.5, 0.6], total_steps=26),
        "three phases": lambda o: S.OneCycleLR(
            o, 0.5, epochs=13, steps_per_epoch=2, three_phase=True, anneal_strategy="linear",
            pct_start=0.2,
        ),
        "CyclicLR": lambda o: S.CyclicLR(o, 0.01, 0.3, 4, 3),
        "triangular2": lambda o: S.CyclicLR(
            o, [0.01, 0.02], 0.3, 4, mode="triangular2", base_momentum=0.5, max_momentum=0.7
        ),
        "exp_range": lambda o: S.CyclicLR(o, 0.01, 0.3, 4, mode="exp_range", gamma=0.9),
        "scale_fn": lambda o: S.CyclicLR(
            o, 0.01, 0.3, 4, scale_fn=Fading(), scale_mode="iterations", cycle_momentum=False
        ),
        "SequentialLR": lambda o: S.SequentialLR(
            o, [S.ConstantLR(o, 0.1, 3), S.ExponentialLR(o, 0.9), S.CosineAnnealingLR(o, 6)], [4, 9]
        ),
        "warm-up and restarts": lambda o: S.SequentialLR(
            o, [S.LinearLR(o, 0.1, 1, 5), S.CosineAnnealingWarmRestarts(o, 4)], [5]
        ),
        "chain in sequence": lambda o: S.SequentialLR(
            o,
            [
                S.ChainedScheduler([S.ConstantLR(o, 0.1, 3), S.ExponentialLR(o, 0.9)]),
                S.StepLR(o, 3),
            ],
            [4],
        ),
        "ChainedScheduler": lambda o: S.ChainedScheduler(
            [S.ConstantLR(o, 0.1, 3), S.ExponentialLR(o, 0.9), S.LinearLR(o)]
        ),
    }  # fmt: skip


PLATEAUS = {
    "patient": {"patience": 1},
    "upward": {"mode": "max", "patience": 0, "cooldown": 2, "factor": 0.5},
    "absolute": {
        "threshold_mode": "abs", "threshold": 0.1, "patience": 2, "min_lr": [0.05, 0.01],
    },
    "absolute upward": {
        "mode": "max", "threshold_mode": "abs", "threshold": 0.2, "patience": 0, "eps": 0.02,
    },
}  # fmt: skip
MEASURED = [abs(math.sin(1.3 * epoch)) * (1 if epoch < 8 else 0.9) for epoch in range(30)]


def two_groups(torch, name="SGD"):
    """An optimizer of two groups with rates of their own, and gradients for a step."""
    params = [torch.ones(2, requires_grad=True), torch.zeros(3, requires_grad=True)]
    for param in params:
        param.grad = torch.ones_like(param)
    groups = [{"params": params[:1]}, {"params": params[1:], "lr": 0.25}]
    options = {"momentum": 0.9} if name == "SGD" else {}
    return getattr(torch.optim, name)(groups, lr=0.1, **options)


def course(scheduler, optimizer, epochs=25, measured=None, jumps=()):
    """The rates at the beginning and after every epoch, with the momentum; jumps by epoch."""
    found = [[scheduler.get_last_lr(), *momentum_of(optimizer)]]
    for epoch in range(epochs):
        optimizer.step()
        if measured is not None:
            scheduler.step(measured[epoch])
        elif epoch in jumps:
            scheduler.step(jumps[epoch])
        else:
            scheduler.step()
        found.append([scheduler.get_last_lr(), *momentum_of(optimizer)])
    return found


def momentum_of(optimizer):
    """The momentum of the first group, as it may be called there."""
    group = optimizer.param_groups[0]
    return [group["momentum"]] if "momentum" in group else list(group["betas"])


def orders(torch):
    """Random orders, splits and batches after a seed; and what is drawn afterwards."""
    data = torch.utils.data
    examples = data.TensorDataset(torch.arange(13))
    generator = torch.Generator().manual_seed(5)

    def batches(*args, **kwargs):
        loader = data.DataLoader(*args, **kwargs)
        return [batch[0].tolist() for _ in range(2) for batch in loader]

    def number(batch):
        return [item[0].item() for item in batch]

    makers = {
        "shuffle": lambda: batches(examples, 4, shuffle=True),
        "shuffle, drop_last": lambda: batches(examples, 4, shuffle=True, drop_last=True),
        "shuffle, generator": lambda: batches(examples, 13, shuffle=True, generator=generator),
        "generator afterwards": lambda: torch.rand(2, generator=generator).tolist(),
        "no batches": lambda: batches(examples, None, shuffle=True),
        "replacement": lambda: list(data.RandomSampler(examples, True, 70)),
        "more than there are": lambda: list(data.RandomSampler(examples, num_samples=30)),
        "subset": lambda: list(data.SubsetRandomSampler([1, 4, 7, 9])),
        "weighted": lambda: list(data.WeightedRandomSampler([0.1] * 6 + [0.9] * 7, 20)),
        "weighted once": lambda: list(data.WeightedRandomSampler(range(1, 14), 5, False)),
        "split": lambda: [list(part.indices) for part in data.random_split(examples, [8, 5])],
        "split by shares": lambda: [
            list(part.indices) for part in data.random_split(examples, [0.5, 0.3, 0.2])
        ],
        "subset of tensors": lambda: batches(
            data.random_split(examples, [8, 5])[0], 3, shuffle=True
        ),
        "collate_fn": lambda: list(
            itertools.chain(*data.DataLoader(examples, 4, shuffle=True, collate_fn=number))
        ),
    }
    found = {}
    for seed, (name, make) in enumerate(makers.items()):
        torch.manual_seed(seed)
        found[name] = [make(), torch.rand(2).tolist()]
    return found
