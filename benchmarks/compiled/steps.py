"""The steps, written once for Adjoint and PyTorch.

``build(torch, whole, part)`` gives a step. ``whole`` is applied to all of it: ``adjoint.compile``.
``part`` is applied to what ``torch.compile`` takes without a break, the loss and the optimizer's
step. The one that is not meant is the identity.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

Step = Callable[[], Any]
Wrap = Callable[[Any], Any]


def seed_network(torch: Any, whole: Wrap, part: Wrap) -> Step:
    """The one-layer network of the introductory tutorials: forward and backward."""
    functional = torch.nn.functional
    torch.manual_seed(0)
    x, y = torch.ones(5), torch.zeros(3)
    w = torch.randn(5, 3, requires_grad=True)
    b = torch.randn(3, requires_grad=True)

    @part
    def loss_of(w: Any, b: Any) -> Any:
        return functional.binary_cross_entropy_with_logits(torch.matmul(x, w) + b, y)

    def step() -> Any:
        w.grad = b.grad = None
        loss = loss_of(w, b)
        loss.backward()
        return loss

    return whole(step)


def chain(torch: Any, whole: Wrap, part: Wrap) -> Step:
    """A hundred multiplications of three elements, forward and backward."""
    x = torch.tensor([0.9, 1.0, 1.1], requires_grad=True)
    y = torch.tensor([1.0, 0.9, 1.1])

    @part
    def product(x: Any) -> Any:
        z = x
        for _ in range(100):
            z = z * y
        return z.sum()

    def step() -> Any:
        x.grad = None
        out = product(x)
        out.backward()
        return out

    return whole(step)


def training(
    torch: Any, whole: Wrap, part: Wrap, model: Any, x: Any, y: Any, optimizer: Any
) -> Step:
    """Forward, cross entropy, backward, and the optimizer's step."""
    functional = torch.nn.functional
    update = part(optimizer.step)

    @part
    def loss_of(x: Any, y: Any) -> Any:
        scores = model(x)
        return functional.cross_entropy(scores.reshape(-1, scores.shape[-1]), y.reshape(-1))

    def step() -> Any:
        optimizer.zero_grad()
        loss = loss_of(x, y)
        loss.backward()
        update()
        return loss

    return whole(step)


def perceptron(torch: Any, whole: Wrap, part: Wrap, adam: bool = False) -> Step:
    """A 784-256-128-10 network at batch 64."""
    nn = torch.nn
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)
    )
    x, y = torch.randn(64, 784), torch.randint(0, 10, (64,))
    if adam:
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    else:
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    return training(torch, whole, part, model, x, y, optimizer)


def perceptron_adam(torch: Any, whole: Wrap, part: Wrap) -> Step:
    """The same with Adam."""
    return perceptron(torch, whole, part, adam=True)


def convolutional(torch: Any, whole: Wrap, part: Wrap) -> Step:
    """Two convolutions with pooling and a linear layer, on 32 images of 28x28."""
    nn = torch.nn
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(32 * 7 * 7, 10),
    )  # fmt: skip
    x, y = torch.rand(32, 1, 28, 28), torch.randint(0, 10, (32,))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    return training(torch, whole, part, model, x, y, optimizer)


WIDTH, HEADS, CONTEXT, BATCH, SYMBOLS, LAYERS = 64, 4, 64, 8, 65, 2


def transformer_class(torch: Any) -> Any:
    """A small GPT: pre-norm blocks with causal attention and a perceptron of GELUs."""
    nn, functional = torch.nn, torch.nn.functional

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm_before_attention = nn.LayerNorm(WIDTH)
            self.queries_keys_values = nn.Linear(WIDTH, 3 * WIDTH)
            self.attended = nn.Linear(WIDTH, WIDTH)
            self.norm_before_perceptron = nn.LayerNorm(WIDTH)
            self.widened = nn.Linear(WIDTH, 4 * WIDTH)
            self.narrowed = nn.Linear(4 * WIDTH, WIDTH)

        def forward(self, x: Any) -> Any:
            batch, length, width = x.shape
            parts = self.queries_keys_values(self.norm_before_attention(x)).split(width, dim=2)
            q, k, v = (
                each.view(batch, length, HEADS, width // HEADS).transpose(1, 2) for each in parts
            )
            mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.attended(mixed.transpose(1, 2).reshape(batch, length, width))
            inside = functional.gelu(self.widened(self.norm_before_perceptron(x)))
            return x + self.narrowed(inside)

    class Transformer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.symbols = nn.Embedding(SYMBOLS, WIDTH)
            self.places = nn.Embedding(CONTEXT, WIDTH)
            self.blocks = nn.ModuleList([Block() for _ in range(LAYERS)])
            self.norm = nn.LayerNorm(WIDTH)
            self.scores = nn.Linear(WIDTH, SYMBOLS)

        def forward(self, x: Any) -> Any:
            x = self.symbols(x) + self.places(torch.arange(x.shape[1]))
            for block in self.blocks:
                x = block(x)
            return self.scores(self.norm(x))

    return Transformer


def transformer(torch: Any, whole: Wrap, part: Wrap) -> Step:
    """A 2-layer GPT of width 64 on 8 texts of 64 symbols, with AdamW."""
    torch.manual_seed(0)
    model = transformer_class(torch)()
    x, y = (torch.randint(0, SYMBOLS, (BATCH, CONTEXT)) for _ in range(2))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    return training(torch, whole, part, model, x, y, optimizer)


def recurrent(torch: Any, whole: Wrap, part: Wrap) -> Step:
    """A tanh network over 50 steps, hidden 64, batch 16, as a Python loop."""
    torch.manual_seed(0)
    xs = torch.randn(50, 16, 32)
    target = torch.randn(16, 64)
    w = (torch.randn(32, 64) * 0.1).requires_grad_()
    u = (torch.randn(64, 64) * 0.1).requires_grad_()
    b = torch.zeros(64, requires_grad=True)

    @part
    def loss_of(w: Any, u: Any, b: Any) -> Any:
        h = torch.zeros(16, 64)
        for t in range(50):
            h = torch.tanh(xs[t] @ w + h @ u + b)
        return ((h - target) ** 2).mean()

    def step() -> Any:
        w.grad = u.grad = b.grad = None
        loss = loss_of(w, u, b)
        loss.backward()
        return loss

    return whole(step)


def elementwise(torch: Any, whole: Wrap, part: Wrap) -> Step:
    """A fused expression over 4 million elements, with the gradients of both inputs."""
    torch.manual_seed(0)
    x = torch.randn(4_000_000, requires_grad=True)
    w = torch.randn(4_000_000, requires_grad=True)

    @part
    def value(x: Any, w: Any) -> Any:
        out = torch.tanh(x * w + 0.5) * torch.sigmoid(x) + torch.exp(-x * x)
        return (out**2).mean()

    def step() -> Any:
        x.grad = w.grad = None
        out = value(x, w)
        out.backward()
        return out

    return whole(step)


POINTS, HIDDEN = 512, 32


def burgers(torch: Any, whole: Wrap, part: Wrap) -> Step:
    """The residual of Burgers' equation of a network, squared, and its gradient."""
    torch.manual_seed(0)
    sizes = [2, HIDDEN, HIDDEN, HIDDEN, 1]
    weights = [(torch.randn(a, b) / math.sqrt(a)).requires_grad_() for a, b in pairwise(sizes)]
    biases = [torch.zeros(b, requires_grad=True) for b in sizes[1:]]
    x0, t0 = torch.rand(POINTS, 1) * 2 - 1, torch.rand(POINTS, 1)

    def loss_of() -> Any:
        x, t = x0.detach().requires_grad_(), t0.detach().requires_grad_()
        h = torch.cat([x, t], 1)
        for w, b in zip(weights[:-1], biases[:-1], strict=True):
            h = torch.tanh(h @ w + b)
        u = h @ weights[-1] + biases[-1]
        u_x, u_t = torch.autograd.grad(u.sum(), (x, t), create_graph=True)
        (u_xx,) = torch.autograd.grad(u_x.sum(), (x,), create_graph=True)
        return ((u_t + u * u_x - 0.01 / math.pi * u_xx) ** 2).mean()

    def step() -> Any:
        for each in (*weights, *biases):
            each.grad = None
        loss = loss_of()
        loss.backward()
        return loss

    return whole(step)


def rosenbrock(x: Any) -> Any:
    """Rosenbrock's function of any number of variables."""
    return ((1 - x[:-1]) ** 2 + 100 * (x[1:] - x[:-1] ** 2) ** 2).sum()


def hessian(torch: Any, whole: Wrap, part: Wrap) -> Step:
    """The Hessian of Rosenbrock's function at 50 variables."""
    torch.manual_seed(0)
    x = torch.rand(50)
    found = part(whole(torch.func.hessian(rosenbrock)))
    return lambda: found(x)
