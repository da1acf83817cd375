"""The parts of a quantity's declaration; the quantities themselves are in `harness.schema.quantities`.

Pydantic constraints, Arrow metadata, JSON Schema, CSV documentation, cards, column checks and pages derive from it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import annotated_types as at
from pydantic import GetJsonSchemaHandler, StringConstraints
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

Group = Literal["workload", "setting", "condition", "result", "cost", "provenance"]
"""What a column of a row states: what was run, how, under which conditions, the result, the cost in FLOPs, the source.

Workload and setting together identify a measurement.
"""
DeviceTable = Literal["kernels", "networks"]
"""Tables of rows that every device offers: those of its kernels, and those of its networks and applications."""


@dataclass(frozen=True, slots=True)
class Display:
    """How pages show a column.

    Attributes:
        title: header of the column, or name of the fact.
        tables: tables of rows that contain the column.
        digits: significant digits of a number.
        is_code: whether it is an identifier, which is shown as code.
    """

    title: str
    tables: tuple[DeviceTable, ...] = ("kernels", "networks")
    digits: int = 6
    is_code: bool = False


@dataclass(frozen=True, slots=True)
class Quantity(at.GroupedMetadata):
    """What a column means and which values it admits; pydantic reads it as constraints.

    Attributes:
        unit: symbol of the unit; empty for text, counts and truth values.
        sentence: one sentence of meaning.
        rule: id of the rule that a value outside the bounds breaks.
        fix: what the contributor does about such a value.
        gt: exclusive lower bound.
        ge: inclusive lower bound.
        le: inclusive upper bound; a number with any bound must also be finite.
        pattern: regular expression that text must match as a whole.
        max_length: most characters of text.
        form: what the pattern admits, in words.
        why: what went wrong where the bounds were not kept; declares the rule, where no other column shares it.
        group: what the column is about; None outside of rows.
        display: how pages show it; None where no page does.
    """

    unit: str
    sentence: str
    rule: str
    fix: str
    gt: float | None = None
    ge: float | None = None
    le: float | None = None
    pattern: str | None = None
    max_length: int | None = None
    form: str = ""
    why: str = ""
    group: Group | None = None
    display: Display | None = None

    def __iter__(self) -> Iterator[Any]:
        if self.gt is not None:
            yield at.Gt(self.gt)
        if self.ge is not None:
            yield at.Ge(self.ge)
        if self.le is not None:
            yield at.Le(self.le)
        if self.pattern is not None or self.max_length is not None:
            yield StringConstraints(pattern=self.pattern, max_length=self.max_length)
        yield _JsonSchemaNote(self.sentence, self.unit)

    @property
    def expected(self) -> str:
        """Admitted values in words, as messages quote them.

        >>> Quantity("mJ", "", "", "", gt=0, le=1e9).expected
        '> 0 and <= 1000000000 mJ'
        """
        bounds = [
            f"{sign} {bound:.12g}"
            for sign, bound in ((">", self.gt), (">=", self.ge), ("<=", self.le))
            if bound is not None
        ]
        words = " and ".join(bounds) + (f" {self.unit}" if bounds and self.unit else "") or self.form
        return f"{words}, at most {self.max_length} characters" if self.max_length is not None else words


@dataclass(frozen=True, slots=True)
class _JsonSchemaNote:
    sentence: str
    unit: str

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        described = handler(schema)
        described["description"] = self.sentence
        if self.unit:
            described["unit"] = self.unit
        return described
