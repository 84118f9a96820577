"""What a module is made of: parameters, buffers and modules below it, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from adjoint.nn.parameter import Buffer, Parameter
from adjoint.tape.changes import changes
from adjoint.tape.tensor import Tensor

Named = Iterator[tuple[str, Any]]


def _kind(value: Any) -> str:
    return type(value).__name__


class Registry:
    """Three dictionaries that assigning attributes fills, and the walks over the tree they make."""

    training: bool
    _parameters: dict[str, Any]
    _buffers: dict[str, Any]
    _modules: dict[str, Any]
    _non_persistent_buffers_set: set[str]

    def _begin(self) -> None:
        """An empty module."""
        self.__dict__.update(
            training=True,
            _parameters={},
            _buffers={},
            _non_persistent_buffers_set=set(),
            _modules={},
            _hooks=None,
        )

    # -- registering --------------------------------------------------------------------------

    def _check_name(self, name: Any, what: str, table: dict[str, Any]) -> None:
        if not isinstance(name, str):
            raise TypeError(f"the name of a {what} is a string, not {_kind(name)}")
        if hasattr(self, name) and name not in table:
            raise KeyError(f"a {what} cannot be named {name!r}: that attribute already exists")
        if "." in name:
            raise KeyError(f'a {what} name can\'t contain ".", but got {name!r}')
        if name == "":
            raise KeyError(f"a {what} name can't be empty")

    def _table(self, name: str, what: str) -> dict[str, Any]:
        changes.count += 1
        table: dict[str, Any] | None = self.__dict__.get(name)
        if table is None:
            raise AttributeError(
                f"cannot assign {what} before Module.__init__() call: "
                f"{type(self).__name__}.__init__ must call super().__init__() first"
            )
        return table

    def register_parameter(self, name: str, param: Any) -> None:
        """Add a parameter, or None to keep its place.

        Raises ``KeyError`` for a name that cannot be, ``TypeError`` for what is no Parameter.
        """
        table = self._table("_parameters", "parameters")
        self._check_name(name, "parameter", table)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign {_kind(param)!r} object to parameter {name!r} "
                "(a Parameter or None is required)"
            )
        table[name] = param

    def register_buffer(self, name: str, tensor: Any, persistent: bool = True) -> None:
        """Add a tensor that is part of the module's state without being learnt.

        ``persistent=False`` leaves it out of ``state_dict``. Errors as of ``register_parameter``.
        """
        table = self._table("_buffers", "buffers")
        self._check_name(name, "buffer", table)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign {_kind(tensor)!r} object to buffer {name!r} "
                "(a Tensor or None is required)"
            )
        table[name] = tensor
        hidden = self._non_persistent_buffers_set
        hidden.discard(name) if persistent else hidden.add(name)

    def add_module(self, name: str, module: Any) -> None:
        """Add a module below this one, or None to keep its place; errors likewise."""
        table = self._table("_modules", "module")
        if module is not None and not isinstance(module, Registry):
            raise TypeError(f"{_kind(module)} is not a Module subclass")
        self._check_name(name, "module", table)
        table[name] = module

    def register_module(self, name: str, module: Any) -> None:
        """The same as ``add_module``."""
        self.add_module(name, module)

    # -- attributes ---------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        own = self.__dict__
        for table in ("_parameters", "_buffers", "_modules"):
            found = own.get(table)
            if found is not None and name in found:
                return found[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        changes.count += 1
        own = self.__dict__
        if isinstance(value, Parameter):
            self._table("_parameters", "parameters")
            self._forget(name, "_parameters")
            self.register_parameter(name, value)
        elif isinstance(value, Registry):
            self._table("_modules", "module")
            self._forget(name, "_modules")
            self._modules[name] = value
        elif isinstance(value, Buffer):
            self._table("_buffers", "buffers")
            self._forget(name, "_buffers")
            self.register_buffer(name, value, value.__dict__.get("persistent", True))
        elif name in own.get("_parameters", ()):
            self._replace(self._parameters, name, value, "parameter", "a Parameter", ())
        elif name in own.get("_modules", ()):
            self._replace(self._modules, name, value, "child module", "a Module", ())
        elif name in own.get("_buffers", ()):
            self._replace(self._buffers, name, value, "buffer", "a Tensor", Tensor)
        else:
            object.__setattr__(self, name, value)

    def _replace(
        self, table: dict[str, Any], name: str, value: Any, what: str, needed: str, allowed: Any
    ) -> None:
        if value is not None and not isinstance(value, allowed):
            raise TypeError(
                f"cannot assign {_kind(value)!r} as {what} {name!r} ({needed} or None is expected)"
            )
        table[name] = value

    def _forget(self, name: str, kept: str) -> None:
        """Take a name out of everything but the table ``kept``, where it has its place."""
        own = self.__dict__
        own.pop(name, None)
        for table in ("_parameters", "_buffers", "_modules"):
            if table != kept:
                own[table].pop(name, None)
        self._non_persistent_buffers_set.discard(name)

    def __delattr__(self, name: str) -> None:
        changes.count += 1
        for table in (self._parameters, self._buffers, self._modules):
            if name in table:
                del table[name]
                self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        names = {*object.__dir__(self), *self._parameters, *self._buffers, *self._modules}
        return sorted(name for name in names if not name[:1].isdigit())

    # -- walking ------------------------------------------------------------------------------

    def named_modules(
        self, memo: set[Any] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Named:
        """The module itself and all below it, with their dotted names; a shared one once."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                below = f"{prefix}.{name}" if prefix else name
                yield from module.named_modules(memo, below, remove_duplicate)

    def modules(self) -> Iterator[Any]:
        """The module itself and all below it."""
        for _, module in self.named_modules():
            yield module

    def named_children(self) -> Named:
        """The modules right below this one, with their names; a shared one once."""
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Any]:
        """The modules right below this one."""
        for _, module in self.named_children():
            yield module

    def _named_members(
        self,
        members: Callable[[Any], Any],
        prefix: str = "",
        recurse: bool = True,
        remove_duplicate: bool = True,
    ) -> Named:
        seen = set()
        whole = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
        for path, module in whole if recurse else [(prefix, self)]:
            for name, value in members(module):
                if value is None or value in seen:
                    continue
                if remove_duplicate:
                    seen.add(value)
                yield (f"{path}.{name}" if path else name), value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Named:
        """Parameters of this module and (``recurse``) those below, with their dotted names."""
        return self._named_members(
            lambda module: module._parameters.items(), prefix, recurse, remove_duplicate
        )

    def parameters(self, recurse: bool = True) -> Iterator[Any]:
        """Parameters of this module and (``recurse``) those below; a shared one once."""
        for _, param in self.named_parameters(recurse=recurse):
            yield param

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Named:
        """Buffers of this module and (``recurse``) those below, with their dotted names."""
        return self._named_members(
            lambda module: module._buffers.items(), prefix, recurse, remove_duplicate
        )

    def buffers(self, recurse: bool = True) -> Iterator[Any]:
        """Buffers of this module and (``recurse``) those below."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    # -- by path ------------------------------------------------------------------------------

    def get_submodule(self, target: str) -> Any:
        """The module at a dotted path; ``AttributeError`` where there is none."""
        found: Any = self
        for name in target.split(".") if target else ():
            if not hasattr(found, name):
                raise AttributeError(f"{_kind(found)} has no attribute {name!r} (in {target!r})")
            found = getattr(found, name)
            if not isinstance(found, Registry):
                raise AttributeError(f"{name!r} (in {target!r}) is not a Module")
        return found

    def set_submodule(self, target: str, module: Any, strict: bool = False) -> None:
        """Put a module at a dotted path whose last part may be new, unless ``strict``.

        Raises ``ValueError`` for an empty path or what is no Module, ``AttributeError`` where the
        path leads nowhere.
        """
        path, _, name = target.rpartition(".")
        if not name:
            raise ValueError("a submodule cannot be set at an empty path")
        if not isinstance(module, Registry):
            raise ValueError(f"a submodule is a Module, not {_kind(module)}")
        parent = self.get_submodule(path)
        if strict and not hasattr(parent, name):
            raise AttributeError(f"{_kind(parent)} has no attribute {name!r} (in {target!r})")
        if hasattr(parent, name) and not isinstance(getattr(parent, name), Registry):
            raise AttributeError(f"{name!r} (in {target!r}) is not a Module")
        setattr(parent, name, module)

    def _get_tensor(self, target: str, table: str, what: str) -> Any:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(f"{_kind(module)} has no attribute {name!r}")
        if name not in module.__dict__[table]:
            raise AttributeError(f"{name!r} of {_kind(module)} is not a {what}")
        return getattr(module, name)

    def get_parameter(self, target: str) -> Any:
        """The parameter at a dotted path; ``AttributeError`` where there is none."""
        return self._get_tensor(target, "_parameters", "parameter")

    def get_buffer(self, target: str) -> Any:
        """The buffer at a dotted path; ``AttributeError`` where there is none."""
        return self._get_tensor(target, "_buffers", "buffer")


__all__ = ["Registry"]
