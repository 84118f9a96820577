"""What programs say: templates of statements, with what each needs of the tensors it is about.

``{x}``, ``{y}``, ``{z}`` are tensors, ``{dim}`` and ``{other}`` dimensions of ``x``, ``{index}``,
``{start}``, ``{step}``, ``{size}`` places in it, ``{shape}`` one of its elements in another shape,
``{number}`` a number. What follows the bar are the words of ``fits`` below.

Left out, because PyTorch itself leaves it open:

- ties in ``max``, ``sort`` and their like, and comparisons of equal numbers: one rounding decides
  (``apart`` asks for distinct elements; masks compare with a number that no value hits);
- writing memory into itself where the two parts overlap: the order of PyTorch's loops decides
  (``growing`` looks for it);
- hooks on views whose memory was written to: where the view has not been used since, PyTorch 2.13
  crashes (``c = a.mT``, then ``c.zero_()`` under ``no_grad``, then ``c.register_hook(...)``);
- in integer memory, writes of what requires a gradient, which PyTorch records where it is a view;
- how results lie in memory that are no views: PyTorch's choice for inputs that lie otherwise;
- writes to inference tensors outside of inference mode: PyTorch writes, and then raises;
- writes through ``detach()`` in functions, which leave tangents as they were in PyTorch;
- indices into dimensions without elements, whose errors are those of PyTorch's allocator;
- a source for ``masked_scatter`` that is too short: PyTorch writes what there is, and then raises;
- the strides of gradients, which may be expanded (``own`` copies them);
- whether a gradient requires a gradient where its formula could do without (that of ``max``): what
  is recorded has a zero from its input added;
- values beyond 10,000 and results that are not finite: rounding would decide what is compared.
"""

from __future__ import annotations

from typing import Any, NamedTuple

MASK = "{x} > 0.4567"

UNARY = """
{x} * 2 | any
{x}.sin() | any
{x} * {x} | any
{x}.clone() | any
{x}.exp() | any
{x}.tanh() | any
{x}.cos() | any
-{x} | any
3 - {x} | any
{x} / 4 | any
{x} ** 2 | any
{x} ** 3 | any
{x}.abs() | any
{x}.square() | any
{x}.sigmoid() | real
{x}.relu() | real
{x}.clamp(-0.777, 0.777) | real
{x}.clamp_min(0.123) | real
({x} * {x} + 1).sqrt() | real
({x} * {x} + 1).log() | real
({x} * {x} + 2).reciprocal() | real
torch.nn.functional.softplus({x}) | real
torch.nn.functional.gelu({x}) | real
torch.nn.functional.leaky_relu({x}, 0.1) | real
torch.erf({x}) | real
torch.atan({x}) | real
torch.expm1({x}) | any
torch.softmax({x}, {dim}) | real dims1 floats
torch.log_softmax({x}, {dim}) | real dims1 floats
{x}.cumsum({dim}) | dims1
{x}.cumprod({dim}) | real dims1
{x}.flip({dim}) | dims1
{x}.roll(1, {dim}) | dims1
{x}.triu() | dims2
{x}.tril(-1) | dims2
{x}.sort({dim}).values | real dims1 apart
{x}.masked_fill(MASK, 0.5) | real
{x}.to(torch.float32) | real
{x}.to(torch.float64) | real
{x}.to(torch.complex128) | any
torch.conj_physical({x}) | any
{x}.real | any
{x}.imag | complex
{x}.angle() | complex
torch.view_as_real({x}.clone()) | complex
{x}.contiguous() | any
{x}.float() | real
{x}.repeat(2, *[1] * {x}.dim()) | small
{x}.roll(1) | any
torch.zeros_like({x}) | any
torch.ones_like({x}) | any
{x}.new_full(({size},), 0.5) | any
{x}.sign() | real
{x}[MASK] | real dims1
{x}[ROWS] | dims1
{x}.index_select({dim}, ROWS) | dims1
{x}.take(ROWS) | dims1
{x}.gather({dim}, {x}.detach().argsort({dim})) | real dims1 apart
{x}.frac() | real
{x}.nan_to_num() | real
{x}.round() | real
{x} + 1j | any
{x}.type_as({y}) | both
{x}.long() | real
"""

BINARY = """
{x} * {y} | both
{x} + {y} | both
{x} - {y} | both
{x} / ({y} * {y} + 2) | both
torch.add({x}, {y}, alpha=0.5) | both
torch.where(MASK, {x}, {y}) | real both
torch.lerp({x}, {y}, 0.25) | both same
torch.addcmul({x}, {y}, {z}, value=0.5) | both
torch.atan2({x}, {y} * {y} + 1) | real both
torch.maximum({x}, {y} + 0.01) | real both
torch.minimum({x}, {y} - 0.01) | real both
torch.hypot({x} + 3, {y} + 3) | real both same
torch.logaddexp({x}, {y}) | real both same
torch.cat([{x}, {y}]) | small
torch.cat([{x}, {y}], {dim}) | small
torch.stack([{x}, {y}]) | small both
torch.stack([{x}, {x}], {dim}) | small
{x} @ {y} | small floats same
{x} @ {y}.mT | small dims2 floats same
torch.outer({x}.reshape(-1), {y}.reshape(-1)) | small
own(torch.tensordot({x}, {y}, 0)) | small
torch.vdot({x}.reshape(-1), {y}.reshape(-1)) | small
torch.einsum("...i,...i->...", {x}, {y}) | dims1 small both same
torch.dot({x}.reshape(-1), {y}.reshape(-1)) | small
torch.nn.functional.mse_loss({x}, {y}) | real both same
torch.complex({x}, {y}) | real both
{x}.masked_scatter(MASK, {y}) | real both enough
{x}.index_add({dim}, ROWS, {y}[:2]) | dims1
{x} ** ({y} * 0.1) | real both
({x} + 3).pow({y}) | real both
"""

REDUCTIONS = """
{x}.sum() | any
{x}.sum({dim}) | any
{x}.mean() | any
{x}.mean({dim}, keepdim=True) | any
{x}.sum({dim}, keepdim=True) | any
{x}.prod() | real
{x}.prod({dim}) | real
{x}.norm() | filled
{x}.var() | real
{x}.std({dim}) | real dims1
{x}.amax({dim}) | real dims1 apart
{x}.amin({dim}) | real dims1 apart
{x}.max() | real apart
{x}.min({dim}).values | real dims1 apart
{x}.logsumexp({dim}) | real dims1
{x}.sum((0, -1)) | dims2
{x}.trace() | dims2
{x}.median() | real apart
{x}.argmax() | real apart
"""

VIEWS = """
{x}[{index}] | dims1
{x}[{start}:] | dims1
{x}[..., {index}] | dims1
{x}[..., ::2] | dims1
{x}[None] | any
{x}[:] | dims1
{x}[...] | any
{x}.T | dims2
{x}.mT | dims2
{x}.t() | any
{x}.reshape(-1) | any
{x}.view(-1) | any
{x}.view({shape}) | any
{x}.reshape({shape}) | any
{x}.unsqueeze(0) | any
{x}.unsqueeze(-1) | any
{x}.squeeze() | any
{x}.squeeze({dim}) | any
{x}.transpose({dim}, {other}) | any
{x}.permute(*range({x}.dim() - 1, -1, -1)) | any
{x}.movedim({dim}, {other}) | any
{x}.expand(2, *{x}.shape) | small
{x}.expand_as({y}) | any
{x}.select({dim}, {index}) | dims1
{x}.narrow({dim}, {start}, {size}) | dims1
{x}.diagonal() | dims2
{x}.diagonal({index}) | dims2
{x}.flatten() | any
{x}.view_as({x}) | any
{x}.unfold({dim}, 2, 1) | dims1 small
{x}.as_strided(({size},), (1,)) | two
{x}.real | any
torch.view_as_real({x}) | complex
{x}.ravel() | any
{x}.swapaxes({dim}, {other}) | any
{x}[[{index}]] | dims1
{x}.unbind({dim})[0] | dims1
{x}.split(1, {dim})[-1] | dims1
{x}.chunk(2)[0] | dims1
{x}.tensor_split(2)[-1] | dims1
{x}.detach() | any
{x}.data | any
torch.atleast_2d({x}) | any
{x}.narrow_copy(0, {start}, {size}) | dims1
"""

SEVERAL = """
{x}.unbind({dim}) | dims1
{x}.split(1, {dim}) | dims1
{x}.chunk(2, {dim}) | dims1
torch.split({x}, [1, {size}], {dim}) | dims1
torch.tensor_split({x}, 2, {dim}) | dims1
{x}.sort({dim}) | real dims1 apart
{x}.max({dim}) | real dims1 apart
torch.broadcast_tensors({x}, {y}) | both small
torch.meshgrid({x}.reshape(-1), {y}.reshape(-1), indexing="ij") | small
{x}.std_mean({dim}) | real dims1
"""

WRITES = """
{x}.mul_(2) | any
{x}.add_({y}) | into
{x}.mul_({y}) | into
{x}.copy_({y}) | into
{x}.add_(1) | any
{x}.fill_(0.5) | any
{x}.zero_() | any
{x}[{index}] = {y} | dims1 overwrites
{x}[{start}:] = {y} | dims1 overwrites
{x}[{index}] = 1.5 | dims1
{x}[...] = {y} | into
{x}[MASK] = 0.5 | real
{x}[ROWS] = {y} | dims1 overwrites
{x}[..., {index}] = {y} | dims1 overwrites
{x} += {y} | into
{x} *= 0.5 | any
{x} -= {y} | into
{x} /= 2 | any
{x}[{index}] += {y} | dims1 overwrites
{x}[{start}:] *= 2 | dims1
{x}.sub_({y}, alpha=2) | into
{x}.div_({y} * {y} + 2) | into
{x}.sin_() | any
{x}.tanh_() | any
{x}.neg_() | any
{x}.relu_() | real
{x}.sigmoid_() | real
{x}.exp_() | any
{x}.square_() | any
{x}.clamp_(-0.777, 0.777) | real
{x}.abs_() | any
{x}.pow_(2) | any
{x}.masked_fill_(MASK, 0.25) | real
{x}.index_fill_({dim}, ROWS, 0.5) | dims1 filled
{x}.index_add_({dim}, ROWS, {y}) | dims1 other filled
{x}.index_copy_({dim}, ROWS, {y}) | dims1 other filled
{x}.lerp_({y}, 0.25) | into
{x}.addcmul_({y}, {y}, value=0.5) | into
{x}.fill_({y}.sum()) | floats
{x}.tril_() | dims2
{x}.round_() | real
{x}.fill_diagonal_(0.5) | dims2
{x}.diagonal().zero_() | dims2
{x}.cumsum_({dim}) | dims1
{x}.t_() | any
{x}.unsqueeze_(0) | small
{x}.squeeze_() | any
{x}.transpose_({dim}, {other}) | dims1
torch.mul({x}, {y}, out={z}) | both
torch.exp({x}, out={z}) | any
torch.nn.functional.relu({x}, inplace=True) | real
{x}.masked_scatter_(MASK, {y}) | real other enough
{x}.where(MASK, {y}).sum() | real both
{x}.view(-1).mul_(2) | any
{x}.detach().mul_(2) | normal outside
{x}.data.mul_(2) | normal outside
{x}.data.fill_(0.5) | normal outside
{x}.unbind(0)[0].mul_(2) | dims1
{x}.expand(2, *{x}.shape).mul_(2) | any
{x}.index_put_((ROWS,), {y}, accumulate=True) | dims1 overwrites
{x}.scatter_({dim}, {x}.detach().argsort({dim}), 0.5) | real dims1 apart
"""

RECORDING = """
{x}.requires_grad_() | any
{x}.requires_grad_(False) | any
{x}.requires_grad = True | any
{x}.detach_() | any
{x}.retain_grad() | calm
{x}.register_hook(lambda g: g * 2) | calm
{x}.register_hook(lambda g: g + 1) | calm
{x}.register_hook(lambda g: None) | calm
{x}.register_hook(lambda g: g.detach()) | calm
{x}.register_post_accumulate_grad_hook(lambda t: t.grad.mul_(2)) | calm
{x}.register_post_accumulate_grad_hook(lambda t: t.mul_(1) if not t.requires_grad else None) | calm
{x}.grad = None | any
{x}.grad = torch.ones_like({x}) | any
{x}.grad = {y} | any
{x}.grad.zero_() | any
{x}.grad.mul_(2) | any
del {x} | any
{x}.data = {y}.detach().clone() | any
{x}.grad_fn.register_hook(lambda inputs, outputs: None) | calm
{x}.grad_fn.register_prehook(lambda outputs: tuple(g * 2 for g in outputs)) | calm
{x}.grad_fn.next_functions[0][0].name() | any"""

PASSES = """
{x}.sum().backward() | any
{x}.backward(torch.ones_like({x})) | any
({x} * {y}).sum().backward() | both
{x}.backward(torch.full_like({x}, 0.5), retain_graph=True) | any
({x} * {x}).sum().backward(create_graph=True) | real
{x}.sum().backward(inputs=[{y}]) | any
torch.autograd.backward([{x}.sum(), {y}.sum()]) | any
torch.autograd.backward([{x}, {y}], [torch.ones_like({x}), torch.ones_like({y})]) | any
{x}.backward() | any
"""

GRADIENTS = """
own(torch.autograd.grad({x}.sum(), {y}, create_graph=True)[0] + {y} * 0) | any
own(torch.autograd.grad({x}.sum(), {y}, retain_graph=True)[0]) | any
own(torch.autograd.grad({x}.sum(), {y}, retain_graph=True, allow_unused=True)[0]) | any
own(torch.autograd.grad({x}.sum(), {y}, create_graph=True, allow_unused=True)[0] + {y} * 0) | any
own(torch.autograd.grad({x}, {y}, torch.ones_like({x}), create_graph=True)[0] + {y} * 0) | any
own(torch.autograd.grad({x}.sum(), {y}, create_graph=True, materialize_grads=True)[0] \
+ {y} * 0) | any
own(torch.autograd.grad({x}.sin().sum(), {y})[0]) | real
own(torch.autograd.grad([{x}.sum(), {y}.sum()], {z}, create_graph=True, \
allow_unused=True)[0] + {z} * 0) | any
own(torch.autograd.grad({x}, {y}, torch.stack([torch.ones_like({x}), torch.ones_like({x})]), \
is_grads_batched=True, retain_graph=True)[0]) | any
own({x}.grad) | any
"""

BLOCKS = ("torch.no_grad()", "torch.enable_grad()", "torch.set_grad_enabled(False)",
          "torch.inference_mode()")  # fmt: skip


class Template(NamedTuple):
    """One kind of statement, and words that say which tensors it can be about."""

    text: str
    needs: frozenset[str]


def templates(text: str) -> list[Template]:
    """The templates of a text, a line each."""
    found = []
    for line in text.strip().replace("\\\n", "").splitlines():
        code, needs = line.rsplit(" | ", 1)
        code = code.replace("MASK", MASK).replace("ROWS", "rows")
        found.append(Template(code, frozenset(needs.split())))
    return found


def apart(x: Any) -> bool:
    """Whether no two elements are close."""
    values = x.detach().reshape(-1).sort().values
    return bool(values.numel() and (values[1:] - values[:-1] > 1e-4).all())


def fits(word: str, x: Any) -> bool:
    """Whether a tensor is as a word says; words about two tensors hold here."""
    match word:
        case "real":
            return not x.is_complex()
        case "complex":
            return bool(x.is_complex())
        case "dims1":
            return x.dim() >= 1
        case "dims2":
            return x.dim() >= 2
        case "filled":
            return x.numel() > 0
        case "normal":
            return not x.is_inference()
        case "two":
            return x.numel() >= 2
        case "floats":
            return bool(x.is_floating_point() or x.is_complex())
        case "small":
            return x.numel() <= 12 and x.dim() <= 3
        case "apart":
            return not x.is_complex() and apart(x)
        case "calm":
            return x.is_inference() or not (x._is_view() and x._version)
    return True
