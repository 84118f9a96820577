"""L-BFGS: Newton's method with the curvature of the last few steps."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from adjoint.face.attributes import plain
from adjoint.optim.checks import check_rate
from adjoint.optim.line_search import Trial, strong_wolfe
from adjoint.optim.optimizer import Closure, Optimizer, evaluate
from adjoint.optim.stepping import Note, as_number
from adjoint.tape.modes import no_grad
from adjoint.tape.tensor import Tensor, wrap

LEAST_CURVATURE = 1e-10  # of a pair of changes that is remembered


class LBFGS(Optimizer):
    """Minimizes by limited-memory BFGS; ``step`` needs a closure and takes many evaluations.

    A step makes up to ``max_iter`` iterations, with at most ``max_eval`` evaluations (1.25 times as
    many by default), from the curvature of the last ``history_size``. ``line_search_fn`` is None
    or "strong_wolfe". Raises ``ValueError`` for a negative rate and for several groups.

    >>> w = torch.tensor([3.0, -2.0], requires_grad=True)
    >>> optimizer = torch.optim.LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = (w * w).sum()
    ...     loss.backward()
    ...     return loss
    >>> optimizer.step(closure)
    tensor(13., grad_fn=<SumBackward0>)
    >>> bool(w.abs().max() < 1e-5)
    True
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        check_rate(lr)
        super().__init__(
            params,
            {
                "lr": lr,
                "max_iter": max_iter,
                "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
                "tolerance_grad": tolerance_grad,
                "tolerance_change": tolerance_change,
                "history_size": history_size,
                "line_search_fn": line_search_fn,
            },
        )
        if len(self.param_groups) != 1:
            raise ValueError(
                "LBFGS has one set of options: give all parameters in one group, and not in "
                f"{len(self.param_groups)}"
            )

    def step(self, closure: Closure) -> Any:  # type: ignore[override]
        """Iterate until a limit or tolerance is met; returns the closure's first loss.

        Raises ``RuntimeError`` for an unknown ``line_search_fn``.
        """
        with no_grad():
            return self._minimize(closure, Note(sys._getframe(1)))

    def _minimize(self, closure: Closure, note: Note) -> Any:
        group = self.param_groups[0]
        params = group["params"]
        searches = group["line_search_fn"] is not None
        if searches and group["line_search_fn"] != "strong_wolfe":
            raise RuntimeError(
                f"line_search_fn is None or 'strong_wolfe', but got {group['line_search_fn']!r}"
            )
        first_loss = evaluate(closure)
        loss, gradient = float(first_loss), flat_gradient(params)
        history = History(self.state[params[0]])
        history.evaluations += 1
        evaluations, iteration = 1, 0
        if largest(gradient) <= group["tolerance_grad"]:
            history.save()
            return first_loss

        def try_step(step: Any) -> Trial:
            kept = [plain(param, "LBFGS").copy() for param in params]
            move(params, step, direction, note)
            found = float(evaluate(closure))
            there = flat_gradient(params)
            note.renew()
            for param, array in zip(params, kept, strict=True):
                note.write(param)
                np.copyto(param._array, array)
            return Trial(step, found, there, there.dot(direction))

        while iteration < group["max_iter"]:
            iteration += 1
            direction, step = history.begin(gradient, loss, as_number(group["lr"]), group)
            slope = gradient.dot(direction)
            if slope > -group["tolerance_change"]:
                break
            before, taken = loss, 0
            if searches:
                start = Trial(0, loss, gradient, slope)
                most = group["max_eval"] - evaluations
                found, taken = strong_wolfe(try_step, start, step, largest(direction), most)
                step, loss, gradient = found.step, found.loss, found.gradient
                history.step = step
            move(params, step, direction, note)
            if not searches and iteration != group["max_iter"]:
                loss, taken = float(evaluate(closure)), 1
                gradient = flat_gradient(params)
            evaluations += taken
            history.evaluations += taken
            if (
                evaluations >= group["max_eval"]
                or largest(gradient) <= group["tolerance_grad"]
                or largest(direction * step) <= group["tolerance_change"]
                or abs(loss - before) < group["tolerance_change"]
            ):
                break
        history.save()
        return first_loss


class History:
    """What is remembered from step to step, and the direction that it gives.

    It is kept in the optimizer's state under PyTorch's names: "old_dirs" are changes of the
    gradient, "old_stps" those of the parameters, "ro" the reciprocals of their products.
    """

    def __init__(self, state: dict[str, Any]) -> None:
        self._state = state
        self.evaluations: int = state.get("func_evals", 0)
        self.iterations: int = state.get("n_iter", 0)
        self.direction, self.step = raw(state.get("d")), raw(state.get("t"))
        self.turns: list[Any] = raw(state.get("old_dirs")) or []
        self.moves: list[Any] = raw(state.get("old_stps")) or []
        self.reciprocals: list[Any] = raw(state.get("ro")) or []
        self.scale: Any = raw(state.get("H_diag"))
        self.gradient, self.loss = raw(state.get("prev_flat_grad")), state.get("prev_loss")

    def save(self) -> None:
        """Put everything back into the optimizer's state."""
        self._state["func_evals"] = self.evaluations
        self._state["n_iter"] = self.iterations
        if self.direction is None:
            return
        self._state.update(
            d=kept(self.direction),
            t=kept(self.step),
            old_dirs=kept(self.turns),
            old_stps=kept(self.moves),
            ro=kept(self.reciprocals),
            H_diag=kept(self.scale),
            prev_flat_grad=kept(self.gradient),
            prev_loss=self.loss,
        )

    def begin(self, gradient: Any, loss: float, lr: float, group: dict[str, Any]) -> Any:
        """Take in the gradient; the direction to go from there, and how far to begin with."""
        self.iterations += 1
        step: Any = lr
        if self.iterations == 1:
            self.turns, self.moves, self.reciprocals, self.scale = [], [], [], 1
            self.direction = -gradient
            step = min(1.0, 1.0 / np.abs(gradient).sum()) * lr
        else:
            self._remember(
                gradient - self.gradient, self.direction * self.step, group["history_size"]
            )
            self.direction = self._newton(gradient)
        self.gradient, self.loss, self.step = gradient, loss, step
        return self.direction, step

    def _remember(self, turn: Any, move: Any, size: int) -> None:
        """Keep a pair of changes if the loss curves upward along it, and forget the oldest."""
        curvature = turn.dot(move)
        if not curvature > LEAST_CURVATURE:
            return
        if len(self.turns) == size:
            for each in (self.turns, self.moves, self.reciprocals):
                del each[0]
        self.turns.append(turn)
        self.moves.append(move)
        self.reciprocals.append(1.0 / curvature)
        self.scale = curvature / turn.dot(turn)

    def _newton(self, gradient: Any) -> Any:
        """The approximate inverse Hessian times the opposite of the gradient, by two loops."""
        out = -gradient
        shares = []
        for turn, move, reciprocal in reversed(
            list(zip(self.turns, self.moves, self.reciprocals, strict=True))
        ):
            share = move.dot(out) * reciprocal
            shares.append(share)
            out -= share * turn
        out = out * self.scale
        for turn, move, reciprocal in zip(self.turns, self.moves, self.reciprocals, strict=True):
            out += (shares.pop() - turn.dot(out) * reciprocal) * move
        return out


def flat_gradient(params: list[Any]) -> Any:
    """The gradients of all parameters in one row, complex ones as pairs; zeros for none."""
    rows = []
    for param in params:
        array = plain(param, "LBFGS")
        g = np.zeros_like(array) if param.grad is None else plain(param.grad, "LBFGS")
        g = np.ascontiguousarray(g).reshape(-1)
        rows.append(g.view(g.real.dtype) if g.dtype.kind == "c" else g)
    return np.concatenate(rows)


def move(params: list[Any], step: Any, direction: Any, note: Note) -> None:
    """Go along the direction."""
    note.renew()
    offset = 0
    for param in params:
        array = param._array
        pairs = array.dtype.kind == "c"
        end = offset + array.size * (2 if pairs else 1)
        part = direction[offset:end] * step
        offset = end
        if pairs:
            part = part.view(np.result_type(part.dtype, np.complex64))
        part = part.reshape(array.shape)
        note.write(param)
        np.add(array, part, out=array, casting="same_kind")


def largest(values: Any) -> Any:
    """The largest absolute value."""
    return np.abs(values).max()


def raw(value: Any) -> Any:
    """Saved state as arrays and numbers of NumPy, and as Python's own."""
    if isinstance(value, list):
        return [raw(item) for item in value]
    if isinstance(value, Tensor):
        return value._array if value.dim() else value._array[()]
    return value


def kept(value: Any) -> Any:
    """Arrays and numbers of NumPy as Tensors."""
    if isinstance(value, list):
        return [kept(item) for item in value]
    return wrap(np.asarray(value)) if isinstance(value, (np.ndarray, np.generic)) else value
