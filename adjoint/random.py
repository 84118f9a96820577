"""Seeds, states and generators of random numbers: those of PyTorch's CPU generator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from adjoint import devices
from adjoint.array.random_engine import Generator as Source
from adjoint.array.random_engine import default_generator
from adjoint.face.attributes import plain
from adjoint.tape.tensor import Tensor, wrap


class Generator(Source):
    """A source of random numbers, for the ``generator=`` of every function that draws.

    For the same seed it gives the numbers of PyTorch's. Raises ``RuntimeError`` for a device
    other than the CPU.

    >>> torch.rand(2, generator=torch.Generator().manual_seed(0))
    tensor([0.4963, 0.7682])
    """

    __slots__ = ()

    @property
    def device(self) -> Any:
        """The CPU."""
        return devices.CPU

    def get_state(self) -> Any:
        """The state, as a tensor of 5,056 bytes laid out as PyTorch lays them out."""
        return wrap(Source.get_state(self))

    def set_state(self, new_state: Any) -> None:
        """Go on from a state that ``get_state`` gave, here or in PyTorch.

        Raises ``TypeError`` for anything but a tensor of bytes, ``RuntimeError`` for no state.
        """
        if not isinstance(new_state, Tensor):
            raise TypeError(f"a state is a tensor of uint8, not {type(new_state).__name__}")
        Source.set_state(self, plain(new_state, "set_state()"))

    def clone_state(self) -> Generator:
        """Another generator that goes on from the same state."""
        clone = Generator()
        clone.set_state(self.get_state())
        return clone

    graphsafe_get_state = get_state
    graphsafe_set_state = set_state


__all__ = [
    "Generator",
    "default_generator",
    "fork_rng",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "seed",
    "set_rng_state",
]

# The one generator that functions draw from by default: users see it with tensors for states.
default_generator.__class__ = Generator


def manual_seed(seed: Any) -> Any:
    """Start the default generator again from ``seed``, and return it.

    A negative seed counts down from 2**64. Raises ``ValueError`` outside [-2**63, 2**64).

    >>> torch.manual_seed(0).initial_seed()
    0
    """
    return default_generator.manual_seed(int(seed))


def seed() -> int:
    """Start the default generator again from 64 random bits, and return them.

    >>> 0 <= torch.seed() < 2**64
    True
    """
    return default_generator.seed()


def initial_seed() -> int:
    """The seed that the default generator's numbers come from.

    >>> _ = torch.manual_seed(7)
    >>> torch.initial_seed()
    7
    """
    return default_generator.initial_seed()


def get_rng_state() -> Any:
    """The state of the default generator, as a tensor of bytes.

    >>> state = torch.get_rng_state()
    >>> first = torch.rand(2)
    >>> torch.set_rng_state(state)
    >>> bool((torch.rand(2) == first).all())
    True
    """
    return default_generator.get_state()


def set_rng_state(new_state: Any) -> None:
    """Let the default generator go on from a state that ``get_rng_state`` gave.

    Raises ``TypeError`` for anything but a tensor of bytes, ``RuntimeError`` for no state.
    """
    default_generator.set_state(new_state)


@contextmanager
def fork_rng(
    devices: Any = None,
    enabled: bool = True,
    _caller: str = "fork_rng",
    _devices_kw: str = "devices",
    device_type: str = "cpu",
) -> Iterator[None]:
    """Put the default generator's state back after the block, or after the decorated function.

    The other arguments are for accelerators, of which there are none.

    >>> state = torch.get_rng_state()
    >>> with torch.random.fork_rng():
    ...     _ = torch.rand(3)
    >>> bool((torch.get_rng_state() == state).all())
    True
    """
    if not enabled:
        yield
        return
    state = default_generator.get_state()
    try:
        yield
    finally:
        default_generator.set_state(state)
