"""YAML bytes to a pydantic fact, with every fault at its line; aliases, tags and deep nesting are refused."""

import difflib
from collections.abc import Mapping
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from harness.validation.faults import Faults

MOST_DEPTH = 20
_PLAIN_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "str", "seq", "map")}

Model = TypeVar("Model", bound=BaseModel)
Path = tuple[str | int, ...]


class _PlainLoader(yaml.SafeLoader):
    """YAML without dates, so that a day stays the text that was written."""


_PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag in _PLAIN_TAGS]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_fact(data: bytes, model: type[Model], shown: str, faults: Faults) -> Model | None:
    """Fact declared in a YAML file, or None where it was reported as faulty.

    Args:
        data: the file, known to be UTF-8 without NUL bytes.
        model: what it must hold.
        shown: file name in messages.
        faults: collects what is wrong.
    """
    document = _document(data, shown, faults)
    if document is None:
        return None
    value, lines = document
    try:
        return model.model_validate(value)
    except ValidationError as error:
        for details in error.errors():
            _report(details, model, lines, shown, faults)
        return None


def _document(data: bytes, shown: str, faults: Faults) -> tuple[Any, dict[Path, int]] | None:
    """Plain value of a YAML file and the line of each of its parts, or None where it was reported."""
    loader = _PlainLoader(data.decode("utf-8"))
    try:
        if not _has_plain_events(data, shown, faults):
            return None
        node = loader.get_single_node()
        if node is None:
            value: Any = {}
            return value, {(): 1}
        lines: dict[Path, int] = {}
        n_before = len(faults.issues)
        _note_lines(node, (), lines, shown, faults)
        if len(faults.issues) > n_before:
            return None
        return loader.construct_document(node), lines
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        _add(faults, "yaml-syntax", shown, mark.line + 1 if mark else 1, error.problem or str(error))
    except (yaml.YAMLError, ValueError) as error:
        _add(faults, "yaml-syntax", shown, 1, str(error).splitlines()[0])
    finally:
        loader.dispose()
    return None


def _add(faults: Faults, rule: str, shown: str, line: int, found: str) -> None:
    expected, fix = {
        "yaml-syntax": ("YAML", "Mend the line; indent by two spaces and quote text that holds a colon."),
        "yaml-alias": ("plain values without anchors and aliases", "Write the value out."),
        "yaml-tag": ("plain values without tags", "Remove the tag."),
        "yaml-nesting": (f"at most {MOST_DEPTH} levels", "Write the field as it is documented."),
    }[rule]
    faults.add(rule, shown, line=line, found=found, expected=expected, fix=fix)


def _has_plain_events(data: bytes, shown: str, faults: Faults) -> bool:
    """Whether the file has neither aliases nor tags nor deep nesting; looked at before anything is built."""
    depth = 0
    n_before = len(faults.issues)
    for event in yaml.parse(data.decode("utf-8"), Loader=_PlainLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            _add(faults, "yaml-alias", shown, line, f"*{event.anchor}")
        elif isinstance(event, yaml.NodeEvent):
            if event.anchor is not None:
                _add(faults, "yaml-alias", shown, line, f"&{event.anchor}")
            tag = getattr(event, "tag", None)
            if tag is not None:
                _add(faults, "yaml-tag", shown, line, tag)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_DEPTH:
            _add(faults, "yaml-nesting", shown, line, f"more than {MOST_DEPTH} levels")
            break
    return len(faults.issues) == n_before


def _note_lines(node: yaml.Node, path: Path, lines: dict[Path, int], shown: str, faults: Faults) -> None:
    """Note the line of every key and item, and report keys that stand twice."""
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            _note_lines(item, (*path, position), lines, shown, faults)
    elif isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            name = str(getattr(key, "value", "a collection"))
            if name in seen:
                faults.add(
                    "yaml-duplicate",
                    shown,
                    line=line,
                    column=name,
                    found="the key again",
                    expected=f"the key once; it stands in line {seen[name]}",
                    fix="Keep one of the two.",
                )
            seen.setdefault(name, line)
            lines[(*path, name)] = line
            _note_lines(value, (*path, name), lines, shown, faults)


def _report(
    details: ErrorDetails, model: type[BaseModel], lines: Mapping[Path, int], shown: str, faults: Faults
) -> None:
    """Report one pydantic error at the line of the part it is about, or of what should hold it."""
    location = tuple(part for part in details["loc"] if part != "[key]")
    line = next(lines[location[:n]] for n in range(len(location), -1, -1) if location[:n] in lines)
    name = ".".join(str(part) for part in location) or None
    if details["type"] == "missing":
        meaning = _meaning(model, location)
        faults.add(
            "fact-missing", shown, line=line, column=name, found="nothing",
            expected=meaning.rstrip(".") or "a value", fix=f"Add the field {location[-1]}.",
        )  # fmt: skip
    elif details["type"] == "extra_forbidden":
        fields = list(_model_at(model, location[:-1]).model_fields)
        near = difflib.get_close_matches(str(location[-1]), fields, n=1)
        faults.add(
            "fact-unknown", shown, line=line, column=name, found="a field that is not declared",
            expected=near[0] if near else "one of " + ", ".join(fields),
            fix=f"Rename it to {near[0]}." if near else "Remove it.",
        )  # fmt: skip
    else:
        found = details["input"] if location else "the file"
        message = details["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
        faults.add(
            "fact-value", shown, line=line, column=name, found=found, expected=message,
            fix="Correct the value.",
        )  # fmt: skip


def _model_at(model: type[BaseModel], location: Path) -> type[BaseModel]:
    """Model that holds the field at a location, as far down as it can be followed."""
    for part in location:
        field = model.model_fields.get(str(part))
        if field is None:
            continue
        inner = next((kind for kind in _kinds(field.annotation) if _is_model(kind)), None)
        model = inner or model
    return model


def _kinds(annotation: Any) -> list[Any]:
    return [annotation, *(kind for part in getattr(annotation, "__args__", ()) for kind in _kinds(part))]


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _meaning(model: type[BaseModel], location: Path) -> str:
    """Sentence of a field, from the JSON Schema that its declaration gives."""
    holder = _model_at(model, location[:-1])
    described: str = holder.model_json_schema()["properties"].get(str(location[-1]), {}).get("description", "")
    return described
