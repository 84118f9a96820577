"""Whole Jacobians on the ordinary tape: rows by reverse mode, columns by forward mode."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.autograd.functional_checks import as_tuple
from adjoint.func.forward import jvp
from adjoint.func.jacobians import jacfwd
from adjoint.func.mapping import vmap
from adjoint.func.rows import jacobian_rows, rows_at_a_time, survey
from adjoint.tape.engine import run
from adjoint.tape.passes import Capture
from adjoint.tape.tensor import Tensor, wrap

Tensors = tuple[Any, ...]


def rows(
    outputs: Tensors, inputs: Tensors, create_graph: bool, strict: bool, vectorize: bool
) -> list[Tensors]:
    """For each output the Jacobians with respect to each input."""
    level = max(each._level for each in (*outputs, *inputs))
    nodes = [out._node if out._level == level else None for out in outputs]
    pull = _Pull(nodes, inputs, level, create_graph)
    found = survey(nodes)
    if found.runs_users_code and not vectorize:
        chunk = 1
    else:
        chunk = rows_at_a_time(nodes, outputs, inputs, found.size, create_graph)
    pull.alone = found.leaves <= set(pull.edges)
    if not strict:
        return _whole(jacobian_rows(pull, nodes, outputs, inputs, chunk), outputs, inputs)
    table = []
    for number, out in enumerate(outputs):  # one by one, to know what does not depend on what
        line = _Pull([nodes[number]], inputs, level, create_graph)
        pieces = jacobian_rows(line, line.nodes, [out], inputs, chunk)
        if out.numel():
            line.require_all(number)
        table += _whole(pieces, (out,), inputs)
    return table


def _whole(table: Any, outputs: Tensors, inputs: Tensors) -> list[Tensors]:
    return [
        tuple(
            [
                pieces.whole(tuple(out.shape) + tuple(each.shape), each)
                for pieces, each in zip(line, inputs, strict=True)
            ]
        )
        for line, out in zip(table, outputs, strict=True)
    ]


class _Pull:
    """Cotangents of the outputs to those of the inputs, on the tape of one level."""

    def __init__(self, nodes: Sequence[Any], inputs: Tensors, level: int, record: bool) -> None:
        self.nodes = nodes
        self.edges = [each._node for each in inputs]
        self.level = level
        self.record = record
        self.missing: set[int] = set()
        self.constant: set[int] = set()
        self.alone = False  # whether the inputs are all leaves, and the tape has no others

    def __call__(self, gradients: list[Any]) -> list[Any]:
        roots = []
        for node, g in zip(self.nodes, gradients, strict=True):
            if node is None or g is None:
                continue
            if self.record and isinstance(g, np.ndarray):
                g = wrap(g, self.level)
            roots.append((node, g))
        if self.alone and not self.record:
            arrived = run(roots, self.level, keep_graph=True, record=False)
            return [arrived[edge][1] if edge in arrived else None for edge in self.edges]
        capture = Capture(self.edges)
        if roots:
            run(roots, self.level, keep_graph=True, record=self.record, capture=capture)
        found = [capture.get(edge) for edge in self.edges]
        for number, g in enumerate(found):
            if g is None:
                self.missing.add(number)
            elif not has_history(g):
                self.constant.add(number)
        return found

    def require_all(self, output: int) -> None:
        """Raise ``RuntimeError`` for an input that did not matter, or has a constant Jacobian."""
        for number in sorted(self.missing):
            raise RuntimeError(
                f"strict=True: output {output} of the function does not depend on input {number}"
            )
        if self.record and self.constant:
            raise RuntimeError(
                "strict=True: with create_graph=True the Jacobian must depend on the inputs, but "
                f"that of output {output} with respect to input {min(self.constant)} does not"
            )


def has_history(value: Any) -> bool:
    """Whether a gradient, alone or a batch of them, was recorded."""
    while not isinstance(value, Tensor):
        if not hasattr(value, "value"):
            return False
        value = value.value
    return value._node is not None


def columns(func: Any, inputs: Tensors, several: bool) -> Any:
    """The Jacobian by forward mode."""
    shape_of_result: list[bool] = []

    def checked(*args: Any) -> Any:
        out = func(*args)
        several_out, outputs = as_tuple(out, "outputs of the function", "jacobian")
        shape_of_result.append(several_out)
        return outputs

    # Lists where PyTorch gives lists.
    if any(dtypes.of(each).is_complex for each in inputs):
        table: Any = _columns_of_complex(checked, inputs)
    else:
        table = [list(line) for line in jacfwd(checked, argnums=None)(*inputs)]
    if not several:
        table = tuple([line[0] for line in table])
    return table if shape_of_result[0] else table[0]


def _columns_of_complex(function: Any, inputs: Tensors) -> list[list[Any]]:
    """Columns along the real axis of every number: all there is to know where it is holomorphic."""
    lines: list[list[Any]] = []
    for place, x in enumerate(inputs):

        def moved(t: Any, place: int = place) -> Any:
            along = [t if at == place else each * 0 for at, each in enumerate(inputs)]
            return jvp(function, inputs, tuple(along))[1]

        count, shape = x.numel(), tuple(x.shape)
        basis = wrap(np.eye(count, dtype=dtypes.of(x).numpy).reshape(count, *shape))
        found = vmap(moved)(basis)
        lines.append([each.movedim(0, -1).reshape((*each.shape[1:], *shape)) for each in found])
    return [list(line) for line in zip(*lines, strict=True)]
