"""Moving a module's tensors to another type or place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from adjoint import devices, dtypes
from adjoint.nn.registry import Registry
from adjoint.tape.changes import changes
from adjoint.tape.modes import no_grad
from adjoint.tape.tensor import Tensor


class Convertible(Registry):
    """``to`` and its short forms, which change a module in place and return it."""

    def _apply(self, fn: Callable[[Any], Any], recurse: bool = True) -> Self:
        """Give every parameter, its gradient and every buffer ``fn`` of itself as new data."""
        if recurse:
            for module in self.children():
                module._apply(fn)
        changes.count += 1
        with no_grad():
            for param in self._parameters.values():
                if param is None:
                    continue
                g = param.grad
                changed = fn(param)
                if changed is not param:
                    param.grad = None
                    param.data = changed
                    if g is not None:
                        param.grad = fn(g)
            for name, buffer in self._buffers.items():
                if buffer is not None:
                    self._buffers[name] = fn(buffer)
        return self

    def _cast(self, kind: dtypes.dtype, chosen: Callable[[dtypes.dtype], bool]) -> Self:
        return self._apply(lambda t: t.to(kind) if chosen(t.dtype) else t)

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Convert floating parameters and buffers to a dtype, given alone, by a tensor, or by name.

        A device may be given too, and must be the CPU. Raises ``TypeError`` unless the dtype is
        floating or complex.

        >>> torch.nn.Linear(2, 1).to(torch.float64).weight.dtype
        torch.float64
        """
        place, kind = kwargs.get("device"), kwargs.get("dtype")
        for value in args:
            if isinstance(value, Tensor):
                kind = dtypes.of(value)
            elif isinstance(value, dtypes.dtype):
                kind = value
            elif not isinstance(value, bool) and value is not None:
                place = value
        devices.require_cpu(place)
        if kind is None:
            return self
        if kind.category < dtypes.FLOATING:
            raise TypeError(
                "nn.Module.to only accepts floating point or complex dtypes, but got desired "
                f"dtype={kind!r}"
            )
        return self._cast(kind, lambda present: present.category >= dtypes.FLOATING)

    def type(self, dst_type: Any) -> Self:
        """Convert all parameters and buffers to a type."""
        return self._apply(lambda t: t.type(dst_type))

    def float(self) -> Self:
        """Convert floating parameters and buffers to float32."""
        return self._cast(dtypes.float32, _is_floating)

    def double(self) -> Self:
        """Convert floating parameters and buffers to float64."""
        return self._cast(dtypes.float64, _is_floating)

    def half(self) -> Self:
        """Convert floating parameters and buffers to float16."""
        return self._cast(dtypes.float16, _is_floating)

    def bfloat16(self) -> Self:
        """Convert floating parameters and buffers to bfloat16."""
        return self._cast(dtypes.bfloat16, _is_floating)

    def cpu(self) -> Self:
        """The module itself: it lies on the CPU."""
        return self

    def cuda(self, device: Any = None) -> Self:
        """Raises ``RuntimeError``: there is no accelerator here."""
        devices.require_cpu("cuda")
        return self

    def to_empty(self, *, device: Any = "cpu", recurse: bool = True) -> Self:
        """Give all parameters and buffers new memory with any numbers in it."""
        devices.require_cpu(device)
        return self._apply(lambda t: t.new_empty(t.shape), recurse)

    def share_memory(self) -> Self:
        """The module itself: there are no other processes to share with."""
        return self


def _is_floating(kind: dtypes.dtype) -> bool:
    return kind.category == dtypes.FLOATING


__all__ = ["Convertible"]
