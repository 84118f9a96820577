"""Functions of the running package as lines of a stub, in names that it imports."""

from __future__ import annotations

import ast
import builtins
import inspect
import types
import typing
from collections.abc import Callable
from typing import Any

from adjoint.array.generator import Generator
from adjoint.array.value import Value
from adjoint.devices import device, layout, memory_format
from adjoint.dtypes import dtype
from adjoint.face.size import Size
from adjoint.ops.kinds.public import PUBLIC
from adjoint.tape.tensor import Tensor

# Each with an underscore: tensors have methods ``float`` and ``type``, ``adjoint`` a ``bool``.
IMPORTS = """\
from builtins import bool as _bool
from builtins import complex as _complex
from builtins import dict as _dict
from builtins import float as _float
from builtins import int as _int
from builtins import list as _list
from builtins import object as _object
from builtins import str as _str
from builtins import tuple as _tuple
from builtins import type as _type
from collections.abc import Callable as _Callable
from collections.abc import Iterable as _Iterable
from collections.abc import Iterator as _Iterator
from collections.abc import Sequence as _Sequence
from typing import Any as _Any

from adjoint.array.generator import Generator as _Generator
from adjoint.devices import device as _device
from adjoint.devices import layout as _layout
from adjoint.devices import memory_format as _memory_format
from adjoint.dtypes import dtype as _dtype
from adjoint.face.size import Size as _Size
from adjoint.tape.tensor import Tensor as _Tensor
"""
IMPORTED = frozenset(
    line.rpartition(" ")[2].removeprefix("_") for line in IMPORTS.splitlines() if line
)
CLASSES = {
    dtype: "dtype", device: "device", layout: "layout", memory_format: "memory_format",
    Size: "Size", Generator: "Generator", Tensor: "Tensor", Value: "Tensor",
    type(None): "None",
}  # fmt: skip
# What a function gives is a tensor where it says Any, but for these, which give several or none.
NOT_ONE_TENSOR = frozenset(
    (
        "__array__", "__dlpack__", "__reduce_ex__", "aminmax", "atleast_1d", "atleast_2d",
        "atleast_3d", "compile", "cummax", "cummin", "eigh", "frexp", "grad_fn", "histogram",
        "histogramdd",
        "item", "kthvalue", "manual_seed", "max", "median", "min", "mode",
        "multi_head_attention_forward", "nanmedian", "nonzero", "numpy", "qr", "size", "slogdet",
        "sort", "split", "std_mean", "stride", "svd", "to_dlpack", "tolist", "topk", "type",
        "unique", "unique_consecutive", "var_mean", "where",
    )
)  # fmt: skip
WITH_INDICES = ("max_pool", "adaptive_max_pool", "fractional_max_pool")  # where asked for
TENSORS = frozenset(("input", "self", "tensor"))  # parameters that are, where they say Any
PLACEMENT = (
    ("device", "device | str | None"), ("layout", "layout | None"), ("pin_memory", "bool | None")
)  # fmt: skip


class _Spelling(ast.NodeTransformer):
    """An annotation with each name replaced by what it stands for in its module."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = {**vars(builtins), **names}

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._spelled(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        return self._spelled(node)

    def _spelled(self, node: ast.expr) -> ast.expr:
        text = ast.unparse(node)
        found = eval(text, self.names)
        if not isinstance(found, type) and hasattr(builtins, text):
            found = getattr(builtins, text)  # a module's own ``complex`` or ``type``
        return ast.parse(spell(found), mode="eval").body


def spell(value: Any) -> str:
    """A type as source text, in the names that stubs import."""
    if value is ...:
        return "..."
    if value is typing.Self:
        return "_Tensor"
    origin = typing.get_origin(value)
    if origin in (types.UnionType, typing.Union):
        return " | ".join(map(spell, typing.get_args(value)))
    if origin is not None:
        return f"{spell(origin)}[{', '.join(map(spell, typing.get_args(value)))}]"
    if isinstance(value, type):
        name = CLASSES.get(value, value.__name__)
        if name in IMPORTED:
            return f"_{name}"
        return name if name == "None" else "_Any"
    return "_Any"


def annotation(text: Any, names: dict[str, Any]) -> str:
    """An annotation, mostly a string, in the names that stubs import."""
    if text is inspect.Parameter.empty:
        return "_Any"
    if not isinstance(text, str):
        return spell(text)
    return ast.unparse(_Spelling(names).visit(ast.parse(text, mode="eval")))


def written_out(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The function whose signature counts: that of the operation for its in-place form."""
    inner = inspect.unwrap(function)
    parameters = list(inspect.signature(inner).parameters.values())
    hides_it = any(each.kind is each.VAR_POSITIONAL for each in parameters[:2])
    if name.endswith("_") and hides_it:
        for each in PUBLIC:
            if each.name == name.removesuffix("_") and each.in_place:
                return inspect.unwrap(each.function)
    return inner


def signature(function: Callable[..., Any], name: str, *, method: bool) -> str:
    """``def name(...) -> ...: ...``, as a method's if wanted."""
    inner = written_out(function, name)
    names = inner.__globals__
    found = inspect.signature(inner)
    given = [
        each
        for each in found.parameters.values()
        if each.name != "out" or not (method or name.endswith("_"))
    ]  # methods of rows and forms in place do not take what their functions do
    parts: list[str] = []
    for place, each in enumerate(given):
        before = given[place - 1].kind if place else None
        if before is each.POSITIONAL_ONLY and each.kind is not each.POSITIONAL_ONLY:
            parts.append("/")
        if each.kind is each.KEYWORD_ONLY and before not in (
            each.KEYWORD_ONLY,
            each.VAR_POSITIONAL,
        ):
            parts.append("*")
        if each.kind is each.VAR_KEYWORD and each.name == "placement":
            names = {**names, "device": device, "layout": layout}
            parts += [f"{key}: {annotation(kind, names)} = None" for key, kind in PLACEMENT]
        else:
            parts.append("self" if method and place == 0 else _parameter(each, names, name))
    result = _result(name, found.return_annotation, names)
    return f"def {name}({', '.join(parts)}) -> {result}: ..."


def _parameter(each: inspect.Parameter, names: dict[str, Any], function: str) -> str:
    star = {each.VAR_POSITIONAL: "*", each.VAR_KEYWORD: "**"}.get(each.kind, "")
    kind = annotation(each.annotation, names)
    if kind == "_Any" and each.name in TENSORS:
        kind = "_Tensor" if each.default is each.empty else "_Tensor | None"
    elif kind == "_Any" and each.name == "out":
        several = "_tuple[_Tensor, ...] | " if function in NOT_ONE_TENSOR else ""
        kind = f"_Tensor | {several}None"
    text = f"{star}{each.name}: {kind}"
    if each.default is each.empty:
        return text
    plain = each.default is None or type(each.default) in (bool, int, float, str)
    return text + (f" = {each.default!r}" if plain else " = ...")


def _result(name: str, said: Any, names: dict[str, Any]) -> str:
    found = annotation(said, names)
    base = name if name.startswith("__") else name.removesuffix("_")
    if base in NOT_ONE_TENSOR or base.startswith(WITH_INDICES):
        return found
    if said in (Any, "Any", inspect.Signature.empty):
        return "_Tensor"
    return "_tuple[_Tensor, ...]" if found == "_tuple[_Any, ...]" else found
