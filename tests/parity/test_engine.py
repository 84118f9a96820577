"""``backward`` and ``grad`` with every argument, against PyTorch itself: values, flags and errors."""

# ruff: noqa: E501 - small programs, a line each

import pytest

import adjoint

torch = pytest.importorskip("torch", reason="the parity suite compares with PyTorch: install torch")

BEFORE = """
grad, backward = torch.autograd.grad, torch.autograd.backward
edge_of = torch.autograd.graph.get_gradient_edge
x = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64, requires_grad=True)
w = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64, requires_grad=True)
c = torch.tensor([0.5, 0.25, 2.0], dtype=torch.float64)
unused = torch.ones(2, requires_grad=True)
y = x * w
z = y.exp()
loss = z.sum()
eye = torch.eye(3, dtype=torch.float64)
"""

# Each program leaves a list of tensors and other values in ``out``.
PROGRAMS = {
    "plain": "loss.backward(); out = [x.grad, w.grad]",
    "accumulates": "loss.backward(retain_graph=True); loss.backward(); out = [x.grad]",
    "vector": "z.backward(c); out = [x.grad]",
    "vector without a gradient": "z.backward()",
    "one element is a scalar": "x[:1].exp().backward(); out = [x.grad]",
    "wrong gradient shape": "z.backward(torch.ones(2, dtype=torch.float64))",
    "gradient of another type": "z.backward(torch.ones(3)); out = [x.grad]",
    "gradient that is no tensor": "z.backward([1.0, 2.0, 3.0])",
    "broadcastable gradient refused": "z.backward(torch.ones(1, dtype=torch.float64))",
    "second backward": "loss.backward(); loss.backward()",
    "second backward of sums": "s = x.sum(); s.backward(); s.backward(); out = [x.grad]",
    "retain_graph false with create_graph": "loss.backward(create_graph=True, retain_graph=False); loss.backward()",
    "several tensors": "backward([z.sum(), y.sum()]); out = [x.grad, w.grad]",
    "several tensors with gradients": "backward([z, loss], [c, None]); out = [x.grad]",
    "too few gradients": "backward([z, y], [c])",
    "no tensors": "backward([])",
    "tensor that needs no gradient": "c.sum().backward()",
    "one of two needs none": "backward([loss, c.sum()]); out = [x.grad]",
    "inputs": "loss.backward(inputs=[x]); out = [x.grad, w.grad]",
    "inputs as a tensor": "loss.backward(inputs=x); out = [x.grad, w.grad]",
    "inputs empty": "loss.backward(inputs=[])",
    "inputs that are results": "loss.backward(inputs=[y]); out = [x.grad, y.grad]",
    "inputs that are results and leaves": "loss.backward(inputs=[y, w]); out = [x.grad, w.grad, y.grad]",
    "inputs without gradients": "loss.backward(inputs=[c])",
    "inputs unused": "loss.backward(inputs=[unused]); out = [unused.grad, x.grad]",
    "inputs twice": "loss.backward(inputs=[x, x]); out = [x.grad]",
    "inputs is the output": "loss.backward(inputs=[loss]); out = [loss.grad, x.grad]",
    "grad": "out = [*grad(loss, [x, w])]",
    "grad leaves no trace": "grad(loss, x); out = [x.grad, w.grad]",
    "grad of a result": "out = [*grad(loss, [y, z])]",
    "grad of the output itself": "out = [*grad(loss, loss)]",
    "grad of a vector by itself": "out = [*grad(z, z, c)]",
    "grad of several outputs": "out = [*grad([loss, y.sum()], [x, w])]",
    "grad weighed": "out = [*grad([z, y], [x], [c, c * 2])]",
    "grad with None among the weights": "out = [*grad([loss, y], [x], [None, c])]",
    "grad of the same output twice": "out = [*grad([loss, loss], [x])]",
    "grad with the same input twice": "out = [*grad(loss, [x, x])]",
    "grad unused": "grad(loss, [x, unused])",
    "grad unused allowed": "out = [*grad(loss, [x, unused], allow_unused=True)]",
    "grad unused materialised": "out = [*grad(loss, [x, unused], materialize_grads=True)]",
    "grad materialise against allow": "grad(loss, [unused], allow_unused=False, materialize_grads=True)",
    "grad without gradient": "grad(loss, [c])",
    "grad of what needs none": "grad(c.sum(), [x])",
    "grad allow unused of no gradient": "grad(loss, [c], allow_unused=True)",
    "grad twice": "grad(loss, x); grad(loss, x)",
    "grad twice retained": "grad(loss, x, retain_graph=True); out = [*grad(loss, x)]",
    "create_graph": "(g,) = grad(loss, x, create_graph=True); out = [g, g.requires_grad, *grad(g.sum(), [x, w])]",
    "create_graph third order": """
(g,) = grad(loss, x, create_graph=True)
(h,) = grad(g.sum(), x, create_graph=True)
out = [h, *grad(h.sum(), [x, w])]""",
    "gradient that is recorded": """
v = torch.ones(3, dtype=torch.float64, requires_grad=True)
(g,) = grad(z, x, v, create_graph=True)
out = [*grad(g, v, c)]""",
    "grad weighed by what needs gradients without create_graph": """
v = torch.ones(3, dtype=torch.float64, requires_grad=True)
(g,) = grad(z, x, v)
out = [g, g.requires_grad]""",
    "create_graph into grad": "loss.backward(create_graph=True); out = [x.grad, x.grad.requires_grad, *grad(x.grad.sum(), x)]; x.grad = w.grad = None",
    "accumulating on a recorded grad": """
loss.backward(create_graph=True)
before = x.grad
(y * y).sum().backward()
out = [x.grad, x.grad is before, x.grad.requires_grad]
x.grad = w.grad = None""",
    "accumulating in place": """
loss.backward(retain_graph=True)
before = x.grad
loss.backward()
out = [x.grad is before, before]""",
    "accumulating with create_graph is not in place": """
loss.backward(retain_graph=True)
before = x.grad
loss.backward(create_graph=True)
out = [x.grad is before, before, x.grad]
x.grad = w.grad = None""",
    "accumulating into a user's grad": """
mine = torch.ones(3, dtype=torch.float64)
x.grad = mine
loss.backward()
out = [x.grad is mine, mine]""",
    "no_grad around backward": "\nwith torch.no_grad():\n    loss.backward()\nout = [x.grad]",
    "no_grad around grad with create_graph": "\nwith torch.no_grad():\n    (g,) = grad(loss, x, create_graph=True)\nout = [g, g.requires_grad]",
    "batched": "out = [*grad(z, [x, w], eye, is_grads_batched=True)]",
    "batched unused": "out = [*grad(z, [x, unused], eye, is_grads_batched=True, allow_unused=True)]",
    "batched materialised": "out = [*grad(z, [x, unused], eye, is_grads_batched=True, materialize_grads=True)]",
    "batched create_graph": """
(g,) = grad(z, x, eye, is_grads_batched=True, create_graph=True)
out = [g, *grad(g.sum(), [x, w])]""",
    "batched several": "out = [*grad([z, y], [x], [eye, eye * 2], is_grads_batched=True)]",
    "batched of a matrix": """
m = torch.arange(6.0, dtype=torch.float64).reshape(2, 3).requires_grad_()
out = [*grad(m @ x, [m, x], torch.eye(2, dtype=torch.float64), is_grads_batched=True)]""",
    "batched with a wrong shape": "grad(z, x, torch.ones(2, 2, dtype=torch.float64), is_grads_batched=True)",
    "batched by the scalar": "out = [*grad(loss, x, torch.ones(4, dtype=torch.float64), is_grads_batched=True)]",
    "edge as input": "out = [*grad(loss, edge_of(y))]",
    "edge of a leaf": "out = [*grad(loss, [edge_of(x)])]; e = edge_of(x); out += [e.node.name(), e.output_nr]",
    "edge as output": "out = [*grad(edge_of(loss), x)]",
    "edge as output with a gradient": "out = [*grad(edge_of(z), x, c)]",
    "edge as output needs a gradient": "grad(edge_of(z), x)",
    "edge survives the tensor": "e = edge_of(y); del y; out = [*grad(loss, e)]",
    "edge of what needs none": "edge_of(c)",
    "edge made by hand": "out = [*grad(loss, torch.autograd.graph.GradientEdge(z.grad_fn, 0))]",
    "edges in backward inputs": "loss.backward(inputs=[edge_of(x)]); out = [x.grad, w.grad]",
    "edge of one of several": """
a, b = (x * 2).unbind()[:2]
s = a * b
out = [*grad(s, [edge_of(a), edge_of(b)])]""",
    "backward from an edge": "backward(edge_of(loss)); out = [x.grad]",
    "retain_grad": "y.retain_grad(); z.retain_grad(); loss.backward(); out = [y.grad, z.grad, y.retains_grad]",
    "retain_grad of a leaf": "x.retain_grad(); loss.backward(); out = [x.grad, x.retains_grad]",
    "retain_grad of a constant": "c.retain_grad()",
    "complex scalar": "(x * 1j).sum().backward()",
    "complex with a gradient": "(x * (1 + 2j)).backward(torch.ones(3, dtype=torch.complex128)); out = [x.grad]",
    "complex gradient for real": "z.backward(torch.ones(3, dtype=torch.complex128))",
    "integers": "torch.ones(3, dtype=torch.int64).requires_grad_()",
    "an integer result": "x.argmax().backward()",
    "spoiled": "y.mul_(2); z2 = y.exp(); y.add_(1); z2.sum().backward(); out = [x.grad]",
    "spoiled input": "q = y * y; y.add_(1); q.sum().backward()",
    "re-entrant in a hook": """
def hook(g):
    inner = torch.ones(2, dtype=torch.float64, requires_grad=True)
    (inner * inner * g.sum()).sum().backward()
    return g * inner.grad.sum()
y.register_hook(hook)
loss.backward()
out = [x.grad]""",
    "re-entrant to the same leaves": """
def hook(g):
    (w * w).sum().backward()
y.register_hook(hook)
loss.backward()
out = [x.grad, w.grad]""",
    "a hook raises and all may be done again": """
def hook(g):
    raise ValueError("no")
handle = y.register_hook(hook)
try:
    loss.backward(retain_graph=True)
except ValueError:
    pass
handle.remove()
loss.backward()
out = [x.grad]""",
    "grad set by hand": "x.grad = torch.ones(3, dtype=torch.float64); loss.backward(); out = [x.grad]",
    "grad of a wrong shape": "x.grad = torch.ones(2, dtype=torch.float64)",
    "grad of a wrong type": "x.grad = torch.ones(3)",
    "grad that is no tensor": "x.grad = 1.0",
    "grad is itself": "x.grad = x",
    "grad deleted": "loss.backward(); del x.grad; out = [x.grad]",
    "through a detach": "(x.detach() * w).sum().backward(); out = [x.grad, w.grad]",
    "nothing but detached": "(x.detach() * 2).sum().backward()",
    "zero-sized": "e = torch.zeros(0, requires_grad=True); e.sum().backward(); out = [e.grad]",
    "an unused branch": "u = x.exp(); loss.backward(); out = [x.grad]",
    "diamond": "a = x * 2; b = a + a * a; (b * a).sum().backward(); out = [x.grad]",
    "grad_fn names": "out = [loss.grad_fn.name(), [f[0].name() for f in y.grad_fn.next_functions]]",
    "expanded gradient": "z.backward(torch.ones(1, dtype=torch.float64).expand(3)); out = [x.grad, x.grad.is_contiguous()]",
    "gradient is not aliased": """
g = torch.ones(3, dtype=torch.float64)
(x + w).backward(g)
g.mul_(5)
out = [x.grad, w.grad]""",
}  # fmt: skip


def plain(value):
    if isinstance(value, (torch.Tensor, adjoint.Tensor)):
        return str(value.dtype), tuple(value.shape), value.detach().tolist()
    return value


def outcome(library, program):
    names = {"torch": library}
    try:
        exec(BEFORE, names)
        exec(program, names)
    except (RuntimeError, TypeError, ValueError, NotImplementedError) as error:
        kinds = (RuntimeError, TypeError, ValueError)
        return next(kind.__name__ for kind in kinds if isinstance(error, kind))
    return [plain(each) for each in names.get("out", [])]


def close(ours, theirs):
    if isinstance(ours, (list, tuple)) and isinstance(theirs, (list, tuple)):
        return len(ours) == len(theirs) and all(map(close, ours, theirs))
    if isinstance(ours, float) and isinstance(theirs, float):
        return ours == pytest.approx(theirs, rel=1e-6)
    return ours == theirs


@pytest.mark.filterwarnings("ignore:Using backward.. with create_graph:UserWarning")
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")
@pytest.mark.parametrize("name", PROGRAMS)
def test_the_same_comes_of_it(name):
    ours, theirs = outcome(adjoint, PROGRAMS[name]), outcome(torch, PROGRAMS[name])
    assert close(ours, theirs), f"{ours}\n{theirs}"
