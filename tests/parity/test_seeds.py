"""The programs that Adjoint begins with: run by both libraries, the same lines printed."""

import contextlib
import io
import re

import pytest

import adjoint

torch = pytest.importorskip("torch", reason="the parity suite compares with PyTorch: install torch")

NETWORK = """
x = torch.ones(5)
y = torch.zeros(3)
w = torch.randn(5, 3, requires_grad=True)
b = torch.randn(3, requires_grad=True)
z = torch.matmul(x, w) + b
loss = torch.nn.functional.binary_cross_entropy_with_logits(z, y)
print(loss)
print(f"Gradient function for z = {z.grad_fn}")
print(f"Gradient function for loss = {loss.grad_fn}")
loss.backward()
print(w.grad)
print(b.grad)
print(x, y, w, b, z, sep="\\n")
print(z.requires_grad, w.is_leaf, z.is_leaf, w.grad.shape, w.dtype)
with torch.no_grad():
    z = torch.matmul(x, w) + b
print(z.requires_grad, (torch.matmul(x, w) + b).detach().requires_grad)
"""

TRAINING = """
model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
print(model)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
x, y = torch.randn(16, 4), torch.randint(0, 2, (16,))
for step in range(20):
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    print(step, f"{loss.item():.4f}")
print(model[0].bias, y)
"""

HIGHER = """
x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
y = (x ** 3).sum()
(g,) = torch.autograd.grad(y, x, create_graph=True)
print(g)
g.sum().backward()
print(x.grad)
print(torch.func.grad(torch.func.grad(torch.sin))(torch.tensor(0.5)))
print(torch.func.vmap(torch.func.grad(lambda t: (t * t).sum()))(torch.arange(6.0).view(3, 2)))
try:
    (x * 2).backward()
except RuntimeError as error:
    print(type(error).__name__)
"""


def printed(program, library, seed):
    """What ``program`` prints with ``torch`` bound to a library; addresses left out."""
    library.manual_seed(seed)
    with contextlib.redirect_stdout(io.StringIO()) as text:
        exec(program, {"torch": library})
    return re.sub(r"0x[0-9a-f]+", "0x...", text.getvalue())


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "program", [NETWORK, TRAINING, HIGHER], ids=["network", "training", "higher"]
)
def test_both_print_the_same(program, seed):
    assert printed(program, adjoint, seed) == printed(program, torch, seed)
