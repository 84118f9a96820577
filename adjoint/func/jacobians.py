"""``jacrev``, ``jacfwd`` and ``hessian``: whole derivatives, in chunks that memory allows."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from adjoint import dtypes
from adjoint.array.batch import Batch
from adjoint.array.dual import Dual
from adjoint.array.lifting import refusing_writes
from adjoint.array.memory import ones_like, zeros_like
from adjoint.array.randomness import check_mode, drawing
from adjoint.array.value import transform_level
from adjoint.func.forward import primal_and_tangent, require_floating
from adjoint.func.gradients import Places, Recorded, record
from adjoint.func.levels import (
    aux_of,
    check_outputs,
    cut,
    lower,
    outside,
    places_of,
    raise_leaves,
    raise_level,
    recording,
    split_aux,
    unwrap,
)
from adjoint.func.pieces import Pieces
from adjoint.func.rows import (
    FLOOR,
    SHARE,
    as_rows,
    basis,
    jacobian_rows,
    rows_at_a_time,
    single_row,
    survey,
)
from adjoint.pytree import Structure, flatten
from adjoint.shapes import product
from adjoint.tape.tensor import Tensor, wrap


def jacrev(
    func: Callable[..., Any],
    argnums: Places = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
    _preallocate_and_copy: bool = False,
) -> Callable[..., Any]:
    """A function that gives the Jacobian with respect to ``argnums``, by reverse mode.

    For each Tensor that ``func`` returns there is one for each argument, of the shape of the
    first followed by that of the second, in the structures of both. ``chunk_size`` is how many
    rows to compute at a time; by default as many as take a quarter of the result's memory.
    Raises ``RuntimeError`` for complex Tensors, ``ValueError`` for a chunk size below 1.

    >>> import adjoint as torch
    >>> torch.func.jacrev(torch.sin)(torch.zeros(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    _check_chunk_size(chunk_size, "jacrev")

    @functools.wraps(func)
    def jacobian(*args: Any) -> Any:
        _refuse_complex(flatten(args)[0], "jacrev", "argument")
        with refusing_writes("jacrev"):
            return _by_rows(func, args, argnums, has_aux, chunk_size)

    return jacobian


def _by_rows(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    argnums: Places,
    has_aux: bool,
    chunk_size: int | None,
) -> Any:
    taken = record(function, args, {}, argnums, has_aux, "jacrev")
    _refuse_complex(taken.values, "jacrev", "output")
    with recording():
        tree = _tree_of_rows(taken, chunk_size)
    return (tree, taken.aux) if has_aux else tree


def _tree_of_rows(taken: Recorded, chunk_size: int | None) -> Any:
    if len(taken.outs) == 1 and product(taken.outs[0].shape) == 1 and chunk_size is None:
        found = single_row(lambda gradients: taken.pull(gradients, False), taken.outs[0])
        shape = tuple(taken.outs[0].shape)
        if shape:
            found = [None if g is None else outside(g).reshape(shape + g.shape) for g in found]
        gradients = taken.finish(found, [], taken.visible)
        if shape:  # zeros have not that shape yet
            leaves, structure = flatten(gradients)
            wanted = [shape + tuple(leaf.shape) for leaf in taken.leaves]
            gradients = structure(iter([g.reshape(s) for g, s in zip(leaves, wanted, strict=True)]))
        return taken.out_structure(iter([gradients]))
    rows = chunk_size or rows_at_a_time(
        taken.nodes, taken.outs, taken.leaves, survey(taken.nodes).size
    )
    table = jacobian_rows(
        lambda gradients: taken.pull(gradients, True), taken.nodes, taken.outs, taken.leaves, rows
    )
    return build_tree(
        table, taken.outs, taken.leaves, taken.out_structure, taken.structure, taken.visible
    )


def build_tree(
    table: list[list[Pieces]],
    outs: list[Any],
    leaves: list[Any],
    out_structure: Structure,
    structure: Structure,
    visible: bool = True,
    front: tuple[int, ...] = (),
) -> Any:
    """The pieces of a Jacobian as the tree that users get; ``front`` comes before each shape."""
    branches = []
    for out, line in zip(outs, table, strict=True):
        whole = [
            pieces.whole((*front, *out.shape, *leaf.shape), leaf)
            for pieces, leaf in zip(line, leaves, strict=True)
        ]
        line.clear()
        branches.append(structure(iter(whole if visible else map(cut, whole))))
    return out_structure(iter(branches))


def jacfwd(
    func: Callable[..., Any],
    argnums: Places | None = 0,
    has_aux: bool = False,
    *,
    randomness: str = "error",
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function that gives the Jacobian with respect to ``argnums``, by forward mode.

    The results are as those of ``jacrev``; it is the faster one where there are fewer inputs than
    outputs. ``randomness`` is that of ``vmap``, ``chunk_size`` how many columns to compute at a
    time. Raises ``RuntimeError`` for complex Tensors, ``ValueError`` for a chunk size below 1.

    >>> import adjoint as torch
    >>> torch.func.jacfwd(torch.sin)(torch.zeros(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    check_mode(randomness)
    _check_chunk_size(chunk_size, "jacfwd")

    @functools.wraps(func)
    def jacobian(*args: Any) -> Any:
        _refuse_complex(flatten(args)[0], "jacfwd", "argument")
        columns = _Columns(func, args, argnums, has_aux, randomness)
        with refusing_writes("jacfwd"):
            tree = columns.tree(chunk_size)
        return (tree, columns.aux) if has_aux else tree

    return jacobian


class _Columns:
    """One call of ``jacfwd``: the function is run once for each chunk of directions."""

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        argnums: Places | None,
        has_aux: bool,
        randomness: str,
    ) -> None:
        self.function = function
        self.args = args
        self.has_aux = has_aux
        self.randomness = randomness
        self.single = isinstance(argnums, int)
        count = len(args)
        self.places = tuple(range(count)) if argnums is None else places_of(argnums, count)
        chosen: Any = tuple(args[place] for place in self.places)
        self.leaves, self.structure = flatten(chosen[0] if self.single else chosen)
        require_floating(self.leaves, "primals")
        self.sizes = [product(leaf.shape) for leaf in self.leaves]
        self.outs: list[Any] = []
        self.out_structure: Any = None
        self.aux: Any = None

    def tree(self, chunk_size: int | None) -> Any:
        """The Jacobian, as ``jacrev`` gives it."""
        total = sum(self.sizes)
        table: list[list[Pieces]] = []
        start, chunk = 0, chunk_size or min(total, 64)
        while start < total or not self.outs:
            stop = min(start + chunk, total)
            spans, moves = self._chunk(start, stop)
            if not table:
                table = [[Pieces(size, 1) for size in self.sizes] for _ in self.outs]
                chunk = chunk_size or self._columns_at_a_time(total)
            for line, move in zip(table, moves, strict=True):
                for number, low, high in spans:
                    columns = move[low - start : high - start]
                    line[number].add(_transposed(columns))
            start = stop
        return build_tree(table, self.outs, self.leaves, self.out_structure, self.structure)

    def _columns_at_a_time(self, total: int) -> int:
        """What a value of the function's size takes, for some of them at a time."""
        column = sum(out.dtype.itemsize * product(out.shape) for out in self.outs)
        value = max(column, sum(leaf.dtype.itemsize * product(leaf.shape) for leaf in self.leaves))
        allowed = int(max(FLOOR, total * column // SHARE))
        return max(1, min(total, allowed // max(1, 8 * int(value))))

    def _chunk(self, start: int, stop: int) -> tuple[list[tuple[int, int, int]], list[Any]]:
        """Tangents of the outputs along directions ``start`` to ``stop``, numbered in front."""
        first, spans = 0, []
        tangents: list[Any] = []
        count = stop - start
        with transform_level() as outer, drawing(outer, count, self.randomness):
            for number, (leaf, size) in enumerate(zip(self.leaves, self.sizes, strict=True)):
                low, high = max(start, first), min(stop, first + size)
                if low < high:
                    spans.append((number, low, high))
                    t = basis(leaf, low - first, high - low, low - start, count)
                    tangents.append(Batch(outer, t))
                else:
                    tangents.append(None)
                first += size
            with transform_level() as level:
                outs, aux = self._run(tangents, level)
                parts = [primal_and_tangent(unwrap(out, level), level) for out in outs]
                if not self.outs:
                    self.outs = [_first(value, outer) for value, _ in parts]
                    if self.has_aux:
                        self.aux = aux_of(
                            aux,
                            lambda leaf: _first(
                                primal_and_tangent(unwrap(leaf, level), level)[0], outer
                            ),
                        )
            return spans, [as_rows(t, outer, count, value) for value, t in parts]

    def _run(self, tangents: list[Any], level: int) -> tuple[list[Any], Any]:
        inner = [
            raise_level(Dual(level, lower(leaf), t), level)
            for leaf, t in zip(self.leaves, tangents, strict=True)
        ]
        full = [
            each if place in self.places else raise_leaves(each, level, [])
            for place, each in enumerate(self.args)
        ]
        rebuilt = self.structure(iter(inner))
        for place, value in zip(self.places, (rebuilt,) if self.single else rebuilt, strict=True):
            full[place] = value
        result, aux = split_aux(self.function(*full), self.has_aux, "jacfwd")
        outs, self.out_structure = flatten(result)
        check_outputs(outs, "jacfwd")
        _refuse_complex(outs, "jacfwd", "output")
        return outs, aux


def _first(value: Any, level: int) -> Any:
    """One example of what may be a batch of this level."""
    if isinstance(value, Batch) and value._level == level:
        value = value.value[0]
    return outside(value)


def _transposed(rows: Any) -> Any:
    """Rows of a Jacobian's columns, (columns, *shape of the output), as (elements, columns)."""
    shape = tuple(rows.shape)
    flat = rows.reshape(shape[0], product(shape[1:]))
    return flat.T


def hessian(
    func: Callable[..., Any], argnums: Places = 0, *, chunk_size: int | None = None
) -> Callable[..., Any]:
    """A function that gives the second derivative with respect to ``argnums``.

    For a function of one number it is the Jacobian of the gradient, batched, through one tape;
    for others ``jacfwd`` of ``jacrev``. ``chunk_size`` is how many rows to compute at a time.

    >>> import adjoint as torch
    >>> torch.func.hessian(lambda x: (x**3).sum())(torch.ones(2))
    tensor([[6., 0.],
            [0., 6.]])
    """
    _check_chunk_size(chunk_size, "hessian")

    @functools.wraps(func)
    def second(*args: Any) -> Any:
        _refuse_complex(flatten(args)[0], "hessian", "argument")
        for place in places_of(argnums, len(args)):
            require_floating(flatten(args[place])[0], "primals")
        with refusing_writes("hessian"):
            found = _of_one_number(func, args, argnums, chunk_size)
        if found is None:
            return jacfwd(jacrev(func, argnums), argnums, chunk_size=chunk_size)(*args)
        return found

    return second


def _of_one_number(
    func: Callable[..., Any], args: tuple[Any, ...], argnums: Places, chunk_size: int | None
) -> Any:
    """The Hessian of a function that gives one number; None for one that gives several."""
    taken = record(func, args, {}, argnums, False, "hessian")
    _refuse_complex(taken.values, "hessian", "output")
    if len(taken.outs) != 1 or product(taken.outs[0].shape) != 1:
        return None
    with recording():
        return _second_derivative(taken, chunk_size)


def _second_derivative(taken: Recorded, chunk_size: int | None) -> Any:
    """The Jacobian of the gradient: one recorded pass, and its rows through both."""
    out, level = taken.outs[0], taken.level + 1
    gradients = taken.pull([wrap(ones_like(out), level)], True, history=True)
    gradients = [
        zeros_like(leaf) if g is None else g
        for g, leaf in zip(gradients, taken.leaves, strict=True)
    ]
    nodes = [g._node if isinstance(g, Tensor) and g._level == level else None for g in gradients]
    outs = [g._array if isinstance(g, Tensor) else g for g in gradients]
    both = taken.following(nodes)
    rows = chunk_size or rows_at_a_time(nodes, outs, taken.leaves, survey(nodes).size)
    table = jacobian_rows(lambda given: both.pull(given, True), nodes, outs, taken.leaves, rows)
    front = tuple(out.shape)
    seconds = build_tree(
        table, outs, taken.leaves, taken.structure, taken.structure, taken.visible, front
    )
    return taken.out_structure(iter([seconds]))


def _check_chunk_size(chunk_size: int | None, caller: str) -> None:
    if chunk_size is not None and not chunk_size > 0:
        raise ValueError(f"{caller}: chunk_size is a positive number or None, not {chunk_size}")


def _refuse_complex(leaves: list[Any], caller: str, what: str) -> None:
    for number, leaf in enumerate(leaves):
        if hasattr(leaf, "dtype") and isinstance(leaf, Tensor) and dtypes.of(leaf).is_complex:
            raise RuntimeError(
                f"{caller}: {what} {number} (flattened) is {dtypes.of(leaf)!r}; Jacobians are of "
                "real Tensors: take view_as_real(), or use vjp and jvp"
            )
