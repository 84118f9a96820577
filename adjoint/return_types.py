"""The named tuples that some operations return, such as ``max(values=..., indices=...)``.

They are tuples whose items have names; a class is called with the items, or with one sequence of
them. ``adjoint.return_types.max`` is the class of what ``adjoint.max(x, dim)`` returns.
"""

from __future__ import annotations

from operator import itemgetter
from typing import Any, ClassVar, Self


class NamedResults(tuple[Any, ...]):
    """Base of the classes here: a tuple of fixed length with a name for each item."""

    __slots__ = ()
    _fields: ClassVar[tuple[str, ...]] = ()

    def __new__(cls, *items: Any) -> Self:
        """Take the items one by one, or one sequence; ``TypeError`` for a wrong number of them."""
        if len(items) == 1 and len(cls._fields) != 1:
            items = tuple(items[0])
        if len(items) != len(cls._fields):
            raise TypeError(
                f"{cls.__name__} has {len(cls._fields)} items ({', '.join(cls._fields)}), "
                f"not {len(items)}"
            )
        return tuple.__new__(cls, items)

    def __repr__(self) -> str:
        items = (f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
        return f"torch.return_types.{type(self).__name__}(\n" + ",\n".join(items) + ")"

    def __reduce__(self) -> Any:
        return type(self), tuple(self)


def named(name: str, fields: str) -> type[NamedResults]:
    """A class of results with these field names.

    >>> named("pair", "first second")(1, 2)
    torch.return_types.pair(
    first=1,
    second=2)
    """
    names = tuple(fields.split())
    body: dict[str, Any] = {each: property(itemgetter(i)) for i, each in enumerate(names)}
    body.update(__slots__=(), _fields=names, __module__=__name__)
    return type(name, (NamedResults,), body)


aminmax = named("aminmax", "min max")
cummax = named("cummax", "values indices")
cummin = named("cummin", "values indices")
frexp = named("frexp", "mantissa exponent")
histogram = named("histogram", "hist bin_edges")
kthvalue = named("kthvalue", "values indices")
linalg_cholesky_ex = named("linalg_cholesky_ex", "L info")
linalg_eig = named("linalg_eig", "eigenvalues eigenvectors")
linalg_eigh = named("linalg_eigh", "eigenvalues eigenvectors")
linalg_inv_ex = named("linalg_inv_ex", "inverse info")
linalg_qr = named("linalg_qr", "Q R")
linalg_slogdet = named("linalg_slogdet", "sign logabsdet")
linalg_solve_ex = named("linalg_solve_ex", "result info")
linalg_svd = named("linalg_svd", "U S Vh")
max = named("max", "values indices")
median = named("median", "values indices")
min = named("min", "values indices")
mode = named("mode", "values indices")
nanmedian = named("nanmedian", "values indices")
qr = named("qr", "Q R")
slogdet = named("slogdet", "sign logabsdet")
sort = named("sort", "values indices")
svd = named("svd", "U S V")
topk = named("topk", "values indices")
