"""The same steps for ``jax.jit``: pure functions, their state handed over from call to call."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.compiled.steps import (
    BATCH,
    CONTEXT,
    HEADS,
    HIDDEN,
    LAYERS,
    POINTS,
    SYMBOLS,
    WIDTH,
    rosenbrock,
)

Step = Callable[[], Any]


def _random(seed: int = 0) -> Callable[..., Any]:
    source = np.random.default_rng(seed)
    return lambda *shape: jnp.asarray(source.standard_normal(shape), jnp.float32)


def _gradients(function: Callable[..., Any], *args: Any) -> Step:
    """Value and gradients of a function at the same arguments each time."""
    compiled = jax.jit(jax.value_and_grad(function, tuple(range(len(args)))))
    return lambda: jax.block_until_ready(compiled(*args))


def _training(loss: Callable[[Any], Any], state: Any, update: Callable[[Any, Any], Any]) -> Step:
    """A step that hands its state, (parameters, more), to the next; its memory is used again."""

    def step(state: Any) -> Any:
        value, gradients = jax.value_and_grad(loss)(state[0])
        return value, update(state, gradients)

    compiled = jax.jit(step, donate_argnums=0)

    def call() -> Any:
        nonlocal state
        value, state = jax.block_until_ready(compiled(state))
        return value

    return call


def _momentum(state: Any, gradients: Any) -> Any:
    parameters, speeds = state
    speeds = jax.tree.map(lambda v, g: 0.9 * v + g, speeds, gradients)
    return jax.tree.map(lambda p, v: p - 0.01 * v, parameters, speeds), speeds


def _adam(decay: float) -> Callable[[Any, Any], Any]:
    def update(state: Any, gradients: Any) -> Any:
        parameters, first, second, count = state
        count = count + 1
        first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradients)
        second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradients)
        rate = 1e-3 / (1 - 0.9**count)
        scale = jnp.sqrt(1 - 0.999**count)
        parameters = jax.tree.map(
            lambda p, m, v: p * (1 - 1e-3 * decay) - rate * m / (jnp.sqrt(v) / scale + 1e-8),
            parameters,
            first,
            second,
        )
        return parameters, first, second, count

    return update


def _zeros(parameters: Any) -> Any:
    return jax.tree.map(jnp.zeros_like, parameters)


def _start_adam(parameters: Any) -> Any:
    return parameters, _zeros(parameters), _zeros(parameters), jnp.float32(0)


def _cross_entropy(scores: Any, y: Any) -> Any:
    likely = jax.nn.log_softmax(scores)
    return -jnp.take_along_axis(likely, y[..., None], -1).mean()


def seed_network() -> Step:
    """The network of the tutorials."""
    random = _random()
    x, y = jnp.ones(5), jnp.zeros(3)

    def loss(w: Any, b: Any) -> Any:
        z = x @ w + b
        return (jnp.maximum(z, 0) - z * y + jnp.log1p(jnp.exp(-jnp.abs(z)))).mean()

    return _gradients(loss, random(5, 3), random(3))


def chain() -> Step:
    """A hundred multiplications."""
    y = jnp.asarray([1.0, 0.9, 1.1])

    def product(x: Any) -> Any:
        for _ in range(100):
            x = x * y
        return x.sum()

    return _gradients(product, jnp.asarray([0.9, 1.0, 1.1]))


def _perceptron() -> tuple[Any, Any]:
    random = _random()
    sizes = [784, 256, 128, 10]
    layers = [(random(a, b) / math.sqrt(a), jnp.zeros(b)) for a, b in pairwise(sizes)]
    x, y = random(64, 784), jnp.asarray(np.random.default_rng(1).integers(0, 10, 64))

    def loss(layers: Any) -> Any:
        h = x
        for w, b in layers[:-1]:
            h = jax.nn.relu(h @ w + b)
        return _cross_entropy(h @ layers[-1][0] + layers[-1][1], y)

    return loss, layers


def perceptron() -> Step:
    """With momentum."""
    loss, layers = _perceptron()
    return _training(loss, (layers, _zeros(layers)), _momentum)


def perceptron_adam() -> Step:
    """With Adam."""
    loss, layers = _perceptron()
    return _training(loss, _start_adam(layers), _adam(0.0))


def convolutional() -> Step:
    """Two convolutions with pooling."""
    random = _random()
    parameters = {
        "first": (random(16, 1, 3, 3) / 3, jnp.zeros((16, 1, 1))),
        "second": (random(32, 16, 3, 3) / 12, jnp.zeros((32, 1, 1))),
        "last": (random(32 * 49, 10) / 40, jnp.zeros(10)),
    }
    x = random(32, 1, 28, 28)
    y = jnp.asarray(np.random.default_rng(1).integers(0, 10, 32))

    def pooled(h: Any) -> Any:
        window = (1, 1, 2, 2)
        return jax.lax.reduce_window(h, -jnp.inf, jax.lax.max, window, window, "VALID")

    def loss(parameters: Any) -> Any:
        h = x
        for name in ("first", "second"):
            w, b = parameters[name]
            h = jax.lax.conv_general_dilated(h, w, (1, 1), "SAME") + b
            h = pooled(jax.nn.relu(h))
        w, b = parameters["last"]
        return _cross_entropy(h.reshape(32, -1) @ w + b, y)

    return _training(loss, (parameters, _zeros(parameters)), _momentum)


def transformer() -> Step:
    """The 2-layer GPT."""
    random = _random()

    def linear(a: int, b: int) -> Any:
        return random(a, b) / math.sqrt(a), jnp.zeros(b)

    def norm() -> Any:
        return jnp.ones(WIDTH), jnp.zeros(WIDTH)

    parameters = {
        "symbols": random(SYMBOLS, WIDTH),
        "places": random(CONTEXT, WIDTH),
        "blocks": [
            (norm(), linear(WIDTH, 3 * WIDTH), linear(WIDTH, WIDTH), norm(),
             linear(WIDTH, 4 * WIDTH), linear(4 * WIDTH, WIDTH))
            for _ in range(LAYERS)
        ],
        "norm": norm(),
        "scores": linear(WIDTH, SYMBOLS),
    }  # fmt: skip
    source = np.random.default_rng(1)
    symbols, y = (jnp.asarray(source.integers(0, SYMBOLS, (BATCH, CONTEXT))) for _ in range(2))
    mask = jnp.tril(jnp.ones((CONTEXT, CONTEXT), bool))

    def normal(x: Any, facts: Any) -> Any:
        mean = x.mean(-1, keepdims=True)
        variance = ((x - mean) ** 2).mean(-1, keepdims=True)
        return (x - mean) * jax.lax.rsqrt(variance + 1e-5) * facts[0] + facts[1]

    def heads(x: Any) -> Any:
        return x.reshape(BATCH, CONTEXT, HEADS, WIDTH // HEADS).transpose(0, 2, 1, 3)

    def attention(x: Any, facts: Any) -> Any:
        q, k, v = map(heads, jnp.split(x @ facts[0] + facts[1], 3, -1))
        scores = q @ k.swapaxes(-1, -2) / math.sqrt(WIDTH // HEADS)
        shares = jax.nn.softmax(jnp.where(mask, scores, -jnp.inf), -1)
        return (shares @ v).transpose(0, 2, 1, 3).reshape(BATCH, CONTEXT, WIDTH)

    def loss(parameters: Any) -> Any:
        x = parameters["symbols"][symbols] + parameters["places"]
        for before, mixed, attended, between, widened, narrowed in parameters["blocks"]:
            x = x + attention(normal(x, before), mixed) @ attended[0] + attended[1]
            inside = normal(x, between) @ widened[0] + widened[1]
            x = x + jax.nn.gelu(inside, approximate=False) @ narrowed[0] + narrowed[1]
        scores = normal(x, parameters["norm"]) @ parameters["scores"][0] + parameters["scores"][1]
        return _cross_entropy(scores, y)

    return _training(loss, _start_adam(parameters), _adam(0.01))


def recurrent() -> Step:
    """The tanh network, its loop unrolled as by the others."""
    random = _random()
    xs, target = random(50, 16, 32), random(16, 64)

    def loss(w: Any, u: Any, b: Any) -> Any:
        h = jnp.zeros((16, 64))
        for t in range(50):
            h = jnp.tanh(xs[t] @ w + h @ u + b)
        return ((h - target) ** 2).mean()

    return _gradients(loss, random(32, 64) * 0.1, random(64, 64) * 0.1, jnp.zeros(64))


def elementwise() -> Step:
    """Four million elements."""
    random = _random()

    def value(x: Any, w: Any) -> Any:
        out = jnp.tanh(x * w + 0.5) * jax.nn.sigmoid(x) + jnp.exp(-x * x)
        return (out**2).mean()

    return _gradients(value, random(4_000_000), random(4_000_000))


def burgers() -> Step:
    """Second derivatives by nested ``grad``, mapped over the points."""
    random = _random()
    sizes = [2, HIDDEN, HIDDEN, HIDDEN, 1]
    layers = [(random(a, b) / math.sqrt(a), jnp.zeros(b)) for a, b in pairwise(sizes)]
    x, t = random(POINTS, 1), random(POINTS, 1)

    def network(layers: Any, x: Any, t: Any) -> Any:
        h = jnp.concatenate([x, t], 1)
        for w, b in layers[:-1]:
            h = jnp.tanh(h @ w + b)
        return h @ layers[-1][0] + layers[-1][1]

    def loss(layers: Any) -> Any:
        def first(x: Any, t: Any) -> Any:
            return jax.grad(lambda x, t: network(layers, x, t).sum(), (0, 1))(x, t)

        u = network(layers, x, t)
        u_x, u_t = first(x, t)
        u_xx = jax.grad(lambda x: first(x, t)[0].sum())(x)
        return ((u_t + u * u_x - 0.01 / math.pi * u_xx) ** 2).mean()

    return _gradients(loss, layers)


def hessian() -> Step:
    """The Hessian of Rosenbrock's function."""
    x = jnp.asarray(np.random.default_rng(0).random(50), jnp.float32)
    compiled = jax.jit(jax.hessian(rosenbrock))
    return lambda: jax.block_until_ready(compiled(x))
