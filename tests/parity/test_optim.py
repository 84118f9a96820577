"""Optimizers and schedules by both libraries, on the same models and gradients."""

import warnings

import numpy as np
import pytest

import adjoint
from tests.references import optim_cases

torch = pytest.importorskip("torch", reason="the parity suite compares with PyTorch: install torch")

CASES = optim_cases.CASES
NAMES = [f"{name}-{number}" for number, (name, _) in enumerate(CASES)]
SHAPES = ((5, 4), (5,), (1, 5), ())


def random(generator, shape, kind):
    values = generator.standard_normal(shape)
    if kind.kind == "c":
        values = values + 1j * generator.standard_normal(shape)
    return values.astype(kind)


def by_given_gradients(library, name, options, dtype, seed, steps=50):
    """Parameters and state after steps with gradients that do not depend on them."""
    generator = np.random.default_rng(seed)
    kind = np.dtype("float32" if dtype == "bfloat16" else dtype)
    wanted = getattr(library, dtype)
    params = [library.tensor(random(generator, shape, kind)).to(wanted) for shape in SHAPES]
    for param in params:
        param.requires_grad_()
    optimizer = getattr(library.optim, name)(params, **options)
    for _ in range(steps):
        for param in params:
            param.grad = library.tensor(random(generator, tuple(param.shape), kind)).to(wanted)
        optimizer.step()
    return params, optimizer


def by_model(library, name, options, seed, steps=50):
    """Parameters after training a small network in float64."""
    generator = np.random.default_rng(seed)
    params = [
        library.tensor(generator.standard_normal(shape), requires_grad=True) for shape in SHAPES
    ]
    w, b, v, c = params
    x = library.tensor(generator.standard_normal((8, 4)))
    y = library.tensor(generator.standard_normal((8, 1)))
    optimizer = getattr(library.optim, name)(params, **options)
    for _ in range(steps):
        optimizer.zero_grad()
        error = (x @ w.T + b).tanh() @ v.T + c - y
        (error * error).mean().backward()
        optimizer.step()
    return params, optimizer


def kind_of(tensor):
    """Adjoint's element type of the same name."""
    return getattr(adjoint, str(tensor.dtype).removeprefix("torch."))


def numbers(tensor):
    """The values of either library's tensor, bfloat16 as float32."""
    tensor = tensor.detach()
    wide = tensor.float() if str(tensor.dtype).endswith("bfloat16") else tensor
    return wide.numpy()


def compare(mine, theirs, tolerance):
    for ours, wanted in zip(mine[0], theirs[0], strict=True):
        assert str(ours.dtype) == str(wanted.dtype)
        np.testing.assert_allclose(numbers(ours), numbers(wanted), rtol=tolerance, atol=tolerance)
    state, wanted_state = mine[1].state_dict(), theirs[1].state_dict()
    assert state["param_groups"] == wanted_state["param_groups"]
    assert list(state["state"]) == list(wanted_state["state"])
    for number, parts in wanted_state["state"].items():
        assert list(state["state"][number]) == list(parts)
        for key, wanted in parts.items():
            ours = state["state"][number][key]
            assert str(ours.dtype) == str(wanted.dtype)
            np.testing.assert_allclose(
                numbers(ours), numbers(wanted), rtol=tolerance, atol=tolerance
            )
    assert repr(mine[1]) == repr(theirs[1])


@pytest.mark.parametrize("number", range(len(CASES)), ids=NAMES)
@pytest.mark.parametrize(
    ("dtype", "tolerance"),
    # 50 steps round some 500 times: float32 to 6e-8 of the greatest term, float64 to 1e-16.
    [("float64", 1e-12), ("float32", 1e-5), ("complex128", 1e-12), ("complex64", 1e-5)],
)
def test_given_gradients(number, dtype, tolerance):
    name, options = CASES[number]
    compare(
        by_given_gradients(adjoint, name, options, dtype, number),
        by_given_gradients(torch, name, options, dtype, number),
        tolerance,
    )


@pytest.mark.parametrize("number", range(len(CASES)), ids=NAMES)
@pytest.mark.parametrize(
    ("dtype", "tolerance"),
    # PyTorch rounds a sum with a factor once in whole vectors and twice in what is left of them.
    [("float16", 5e-3), ("bfloat16", 4e-2)],
)
def test_16_bits(number, dtype, tolerance):
    name, options = CASES[number]
    if options.get("centered"):
        options = {**options, "eps": 0.3}  # a difference of rounded squares may be below zero
    compare(
        by_given_gradients(adjoint, name, options, dtype, number, 20),
        by_given_gradients(torch, name, options, dtype, number, 20),
        tolerance,
    )


# Maximizing a loss that has no maximum multiplies every rounding; so does a mean that is short.
MODELS = [number for number, (_, options) in enumerate(CASES) if not options.get("maximize")]


@pytest.mark.parametrize("number", MODELS, ids=[NAMES[number] for number in MODELS])
def test_models(number):
    name, options = CASES[number]
    compare(by_model(adjoint, name, options, number), by_model(torch, name, options, number), 1e-10)


@pytest.mark.parametrize("number", range(len(CASES)), ids=NAMES)
def test_state_dicts_are_exchanged(number):
    """PyTorch's state, taken over by new optimizers of both, leads to the same numbers."""
    name, options = CASES[number]
    theirs, trained = by_given_gradients(torch, name, options, "float64", number, 5)
    saved = trained.state_dict()
    their_optimizer = getattr(torch.optim, name)(theirs)
    their_optimizer.load_state_dict(saved)
    params = [adjoint.from_numpy(numbers(each).copy()).requires_grad_() for each in theirs]
    optimizer = getattr(adjoint.optim, name)(params)
    state = {
        place: {key: adjoint.tensor(value.tolist(), dtype=kind_of(value)) for key, value in parts}
        for place, parts in ((place, parts.items()) for place, parts in saved["state"].items())
    }
    optimizer.load_state_dict({**saved, "state": state})
    generator = np.random.default_rng(number)
    for _ in range(3):
        for ours, wanted in zip(params, theirs, strict=True):
            g = generator.standard_normal(tuple(wanted.shape))
            ours.grad, wanted.grad = adjoint.tensor(g), torch.tensor(g)
        optimizer.step()
        their_optimizer.step()
    compare((params, optimizer), (theirs, their_optimizer), 1e-12)


@pytest.mark.parametrize("number", range(len(optim_cases.LBFGS)))
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-9), ("float32", 1e-3)])
def test_lbfgs(number, dtype, tolerance):
    mine, theirs = (
        optim_cases.minimize(library, optim_cases.LBFGS[number], 4, dtype)
        for library in (adjoint, torch)
    )
    np.testing.assert_allclose(mine[0], theirs[0], rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(mine[2], theirs[2], rtol=tolerance, atol=tolerance)
    assert mine[1] == theirs[1]


def plain(value):
    """State dicts with lists for tuples and numbers for tensors."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value.item() if hasattr(value, "item") else value


SCHEDULES = list(optim_cases.schedules(adjoint.optim.lr_scheduler))


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize("jumps", [{}, {6: 12, 7: 3, 15: 8}], ids=["steps", "jumps"])
def test_schedules(name, kind, jumps):
    found = []
    for library in (adjoint, torch):
        optimizer = optim_cases.two_groups(library, kind)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scheduler = optim_cases.schedules(library.optim.lr_scheduler)[name](optimizer)
            try:
                course = optim_cases.course(scheduler, optimizer, jumps=jumps)
            except TypeError:
                course = "takes no epoch"
        found.append((course, plain(scheduler.state_dict())))
    assert found[0] == found[1]


@pytest.mark.parametrize("name", optim_cases.PLATEAUS)
def test_plateaus(name):
    found = []
    for library in (adjoint, torch):
        optimizer = optim_cases.two_groups(library)
        scheduler = library.optim.lr_scheduler.ReduceLROnPlateau(
            optimizer, **optim_cases.PLATEAUS[name]
        )
        course = optim_cases.course(scheduler, optimizer, measured=optim_cases.MEASURED)
        found.append((course, plain(scheduler.state_dict())))
    assert found[0] == found[1]


def evaluate(w):
    """A closure for L-BFGS."""

    def closure():
        loss = w.sum()
        loss.backward()
        return loss

    return closure


BAD = [
    lambda library, w: library.optim.SGD(w),
    lambda library, w: library.optim.SGD([]),
    lambda library, w: library.optim.SGD([3]),
    lambda library, w: library.optim.SGD([{"params": {w}}]),
    lambda library, w: library.optim.SGD([w * 2]),
    lambda library, w: library.optim.SGD([{"params": [w]}, {"params": [w]}]),
    lambda library, w: library.optim.SGD([("w", w), library.ones(1)]),
    lambda library, w: library.optim.SGD([w]).add_param_group([w]),
    lambda library, w: library.optim.SGD([w], lr=-1),
    lambda library, w: library.optim.SGD([w], lr=library.ones(2)),
    lambda library, w: library.optim.SGD([w], nesterov=True),
    lambda library, w: library.optim.Adam([w], betas=(1.0, 0.9)),
    lambda library, w: library.optim.Adam([w], betas=(0, 0.9)),
    lambda library, w: library.optim.Adam([w], fused=True, foreach=True),
    lambda library, w: library.optim.Adadelta([w], rho=2),
    lambda library, w: library.optim.LBFGS([{"params": [w]}, {"params": [library.ones(1)]}]),
    lambda library, w: library.optim.LBFGS([w]).step(),
    lambda library, w: library.optim.LBFGS([w], line_search_fn="no").step(evaluate(w)),
    lambda library, w: library.optim.SGD([w]).load_state_dict(
        library.optim.SGD([library.ones(1), library.ones(1)]).state_dict()
    ),
    lambda library, w: library.optim.SGD([w]).load_state_dict({}),
    lambda library, w: library.optim.Optimizer([w], {}).step(),
    lambda library, w: library.optim.lr_scheduler.StepLR(w, 3),
    lambda library, w: library.optim.lr_scheduler.StepLR(library.optim.SGD([w]), 3, last_epoch=2),
    lambda library, w: library.optim.lr_scheduler.OneCycleLR(library.optim.SGD([w]), 0.1),
    lambda library, w: library.optim.lr_scheduler.CyclicLR(library.optim.Adagrad([w]), 0.1, 0.2),
    lambda library, w: library.optim.lr_scheduler.ChainedScheduler([]),
    lambda library, w: library.optim.lr_scheduler.SequentialLR(library.optim.SGD([w]), [3], []),
]


@pytest.mark.parametrize("number", range(len(BAD)))
def test_bad_input(number):
    raised = []
    for library in (adjoint, torch):
        w = library.ones(2, requires_grad=True)
        with pytest.raises(Exception) as caught:
            BAD[number](library, w)
        raised.append(caught.type)
    assert raised[0] is raised[1]


def test_the_same_names():
    optional = {"Adafactor", "Muon", "SparseAdam", "swa_utils"}
    theirs = set(torch.optim.__all__) - {"swap_in_optimizer_params_and_state"} - optional
    assert theirs <= set(dir(adjoint.optim))
    assert set(torch.optim.lr_scheduler.__all__) <= set(dir(adjoint.optim.lr_scheduler))
