"""Columns derived from the pydantic models; Arrow schemas, field tables, column checks and pages start from them.

It declares nothing of its own. pyarrow is imported where it is used, because a model file is listed without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel

from harness.schema.annotations import field_types
from harness.schema.quantity import Display, Quantity

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

_ARROW_TYPES: Final = {float: "double", int: "int64", bool: "bool", str: "string"}
"""Arrow types of plain values, by the names that pyarrow has for them."""


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a model.

    Attributes:
        name: field name, which is also the CSV header.
        python_type: `float`, `int`, `bool` or `str`, or the model of a nested record; of the elements, for a list.
        quantity: unit, sentence, bounds and display.
        is_required: whether a row must have it.
        is_list: whether it has several values.
        element: bounds of one of several values, where they have any.
        default: value of an absent cell; None for a list.
        choices: admitted words, empty where any text goes.
    """

    name: str
    python_type: type
    quantity: Quantity
    is_required: bool
    is_list: bool
    element: Quantity | None
    default: Any
    choices: tuple[str, ...]

    @property
    def fields(self) -> dict[str, Column]:
        """Columns of the nested record; none where values are plain."""
        return columns_of(self.python_type) if issubclass(self.python_type, BaseModel) else {}

    @property
    def arrow_type(self) -> pa.DataType:
        """Arrow type of the column in a release."""
        import pyarrow as pa

        plain = _ARROW_TYPES.get(self.python_type)
        single = pa.struct(map(_arrow_field, self.fields.values())) if plain is None else pa.type_for_alias(plain)
        return pa.list_(single) if self.is_list else single

    @property
    def display(self) -> Display:
        """How pages show the column.

        Raises:
            TypeError: its quantity has no display.
        """
        if self.quantity.display is None:
            raise TypeError(f"{self.name} has no display")
        return self.quantity.display

    @property
    def expected(self) -> str:
        """Admitted values in words."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if self.fields:
            return "records of the fields below"
        bounds = (self.element or self.quantity).expected
        return bounds or {bool: "true or false", str: "text"}.get(self.python_type, "a number")


@cache
def columns_of(model: type[BaseModel]) -> dict[str, Column]:
    """Columns of a record or row model, by name, in order of declaration.

    Raises:
        TypeError: a field that is not declared as a quantity.
    """
    columns = {}
    for name, declared in field_types(model).items():
        if declared.quantity is None:
            raise TypeError(f"{model.__name__}.{name} is not declared as a quantity")
        is_list = declared.base is list
        value = declared.inner[0] if is_list else declared
        field = model.model_fields[name]
        columns[name] = Column(
            name=name,
            python_type=value.base,
            quantity=declared.quantity,
            is_required=field.is_required(),
            is_list=is_list,
            element=value.quantity if is_list else None,
            default=None if field.is_required() or is_list else field.default,
            choices=value.choices,
        )
    return columns


def flat_columns(model: type[BaseModel]) -> Iterator[tuple[str, Column]]:
    """Columns of a model with those of its nested records after each, under dotted names.

    >>> from harness.schema.records import ModelRecord
    >>> [name for name, _ in flat_columns(ModelRecord) if name.startswith("kernels")][:3]
    ['kernels', 'kernels.operator', 'kernels.kernel']
    """
    for column in columns_of(model).values():
        yield column.name, column
        for inner in column.fields.values():
            yield f"{column.name}.{inner.name}", inner


def _arrow_field(column: Column) -> pa.Field:
    import pyarrow as pa

    metadata = {"description": column.quantity.sentence}
    if column.quantity.unit:
        metadata["unit"] = column.quantity.unit
    is_nullable = not column.is_required and column.default is None
    return pa.field(column.name, column.arrow_type, nullable=is_nullable, metadata=metadata)


@cache
def arrow_schema(model: type[BaseModel]) -> pa.Schema:
    """Arrow schema of a model; each field's metadata holds `description` and, where there is one, `unit`."""
    import pyarrow as pa

    return pa.schema(map(_arrow_field, columns_of(model).values()))
