"""Pydantic's errors about a fact in the words of a contributor: the line, what was expected, and how to fix it."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from harness.issues import suggested
from harness.schema.annotations import FieldType, field_types
from harness.schema.vocabulary import same_word
from harness.validation.faults import Faults

Path = tuple[str, ...]
"""Keys from the root of a file; items of a list are counted from 0."""


class Notes(NamedTuple):
    """Where the parts of a YAML file stand: the line of each, and the text of each scalar with its quotes."""

    lines: dict[Path, int]
    texts: dict[Path, str]


_BOUNDS: Final = {
    "string_pattern_mismatch", "string_too_long", "greater_than", "greater_than_equal", "less_than_equal",
}  # fmt: skip
_TYPES: Final[dict[str, tuple[str, str]]] = {
    "string_type": ("text", "Put the value in quotes."),
    "float_type": ("a number", "Write digits with a decimal point, without quotes and unit."),
    "int_type": ("a whole number", "Write digits only, without quotes."),
    "int_from_float": ("a whole number", "Write digits only."),
    "finite_number": ("a finite number", "Write the value that was measured."),
    "invalid_key": ("a key that is text", "Rename or remove it."),
    "list_type": ("a list", "Write one item per line, each after a hyphen."),
    "dict_type": ("names with values", "Write one name: value pair per line, indented below the field."),
    "model_type": ("fields with values", "Write one field: value pair per line."),
    "too_short": ("at least one entry", "Add the entries."),
}
"""Expectation and fix by the type of pydantic's error."""


def report_fact(details: ErrorDetails, model: type[BaseModel], notes: Notes, shown: str, faults: Faults) -> None:
    """Report one pydantic error at the line of the part it is about, or of what should hold it.

    Args:
        details: the error.
        model: what the file should hold.
        notes: where the parts of the file stand.
        shown: file name in messages.
        faults: collects what is wrong.
    """
    location = tuple(str(part) for part in details["loc"] if part != "[key]")
    line = next(notes.lines[location[:n]] for n in range(len(location), -1, -1) if location[:n] in notes.lines)
    name = ".".join(location) or None
    found: object = notes.texts.get(location, details["input"]) if location else "the file"
    rule = "fact-value"
    if details["type"] == "missing":
        rule, found = "fact-missing", "nothing"
        expected, fix = _meaning(model, location), f"Add the field {location[-1]}."
    elif details["type"] == "extra_forbidden":
        rule, found = "fact-unknown", "not a declared field"
        fields = _holder(model, location).model_fields
        expected = f"one of {', '.join(fields)}"
        asked = "Did you mean {}? Rename or remove it."
        _, fix = suggested(location[-1], fields, asked, "Rename or remove it.")
    elif details["input"] is None and location:
        found, expected, fix = "nothing", _meaning(model, location), "Fill in the field."
    elif details["type"] == "literal_error":
        expected, fix = _choice(model, location, found)
    elif details["type"] in _BOUNDS:
        quantities = [part.quantity for part in _declared_parts(model, location) if part.quantity]
        quantity = next(quantity for quantity in quantities if quantity.expected)
        expected, fix = quantity.expected, quantity.fix
    elif details["type"] == "model_type" and location:
        section = next(part.model for part in _declared_parts(model, location) if part.model)
        expected, fix = (
            f"the fields {', '.join(section.model_fields)}",
            "Write one field: value pair per line, indented.",
        )
    else:
        message = details["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
        expected, fix = _TYPES.get(details["type"], (message, "Correct the value." if location else "Add it."))
    faults.add(
        rule, shown, line=line, column=name, found=found, expected=expected, fix=fix,
        is_value=details["type"] != "extra_forbidden",
    )  # fmt: skip


def _choice(model: type[BaseModel], location: Path, found: object) -> tuple[str, str]:
    words = [str(word) for part in _declared_parts(model, location) for word in part.choices]
    if len(words) == 1:
        return words[0], f"Write {words[0]} without quotes."
    otherwise = "Write one of the words listed."
    named = same_word(str(found).strip("\"'"), words) or str(found).lower()
    _, fix = suggested(named, words, f"Did you mean {{}}? {otherwise}", otherwise, cutoff=0.7)
    return "one of " + ", ".join(words), fix


def _holder(model: type[BaseModel], location: Path) -> type[BaseModel]:
    """Model that holds the field at a location."""
    for _, inner in _walk(model, location[:-1]):
        model = inner or model
    return model


def _declared_parts(model: type[BaseModel], location: Path) -> list[FieldType]:
    """Declared type of the field at a location, with those in it; of the field that holds it, for an item or entry."""
    declared = [field for field, _ in _walk(model, location)]
    return list(declared[-1].walk()) if declared else []


def _walk(model: type[BaseModel], location: Path) -> Iterator[tuple[FieldType, type[BaseModel] | None]]:
    """Declared type of every field on the way to a location, and the model in it; items of lists are passed over."""
    inner: type[BaseModel] | None = model
    for part in location:
        if inner is not None and part in (fields := field_types(inner)):
            inner = next((kind.model for kind in fields[part].walk() if kind.model), None)
            yield fields[part], inner
            if inner is None:
                return


def _meaning(model: type[BaseModel], location: Path) -> str:
    """Sentence of a field, as its declaration or the JSON Schema has it."""
    holder, name = _holder(model, location), location[-1]
    if name not in holder.model_fields:
        return "a value"
    properties = holder.model_json_schema()["properties"]
    described: str = holder.model_fields[name].description or properties[name].get("description", "a value")
    is_acronym = described[1:2].isupper()
    return (described if is_acronym else described[:1].lower() + described[1:]).rstrip(".")
