"""The one reading of a field's annotation: columns, field tables and messages about YAML files start from it."""

import types
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from harness.schema.quantity import Quantity


@dataclass(frozen=True, slots=True)
class FieldType:
    """What an annotation such as `Annotated[list[str], Quantity(...)] | None` declares.

    Attributes:
        base: plain type or model; `list` and `dict` where there are several values; the type of its words for a
            choice.
        quantity: declared meaning and bounds.
        choices: admitted words of a choice.
        inner: type of the elements of a list; types of the keys and of the values of a mapping.
    """

    base: type
    quantity: Quantity | None = None
    choices: tuple[Any, ...] = ()
    inner: tuple["FieldType", ...] = ()

    @property
    def model(self) -> type[BaseModel] | None:
        """Model of a section; None where values are plain."""
        return self.base if issubclass(self.base, BaseModel) else None

    def walk(self) -> Iterator["FieldType"]:
        """This type, then those of its elements, keys and values."""
        yield self
        for part in self.inner:
            yield from part.walk()


def read_annotation(annotation: Any) -> FieldType:
    """Type that an annotation declares; `None` beside it means that the field may be absent, and is left out.

    >>> read_annotation(dict[str, int] | None)
    FieldType(base=<class 'dict'>, quantity=None, choices=(), inner=(FieldType(base=<class 'str'>, quantity=None, \
choices=(), inner=()), FieldType(base=<class 'int'>, quantity=None, choices=(), inner=())))
    """
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return read_annotation(next(part for part in arguments if part is not types.NoneType))
    if origin is Annotated:
        plain = read_annotation(arguments[0])
        quantity = next((note for note in arguments[1:] if isinstance(note, Quantity)), plain.quantity)
        return FieldType(plain.base, quantity, plain.choices, plain.inner)
    if origin is Literal:
        return FieldType(type(arguments[0]), choices=arguments)
    return FieldType(origin or annotation, inner=tuple(map(read_annotation, arguments)))


@cache
def field_types(model: type[BaseModel]) -> dict[str, FieldType]:
    """Type of every field of a model, by name, in order of declaration."""
    hints = get_type_hints(model, include_extras=True)
    return {name: read_annotation(hints[name]) for name in model.model_fields}
