"""YAML bytes to a pydantic fact, with every fault at its line; aliases, tags and deep nesting are refused."""

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from harness.numbers import DECIMAL
from harness.validation.fact_faults import Notes, Path, report_fact
from harness.validation.faults import Faults

MOST_DEPTH = 20
_TAG = "tag:yaml.org,2002:"

Model = TypeVar("Model", bound=BaseModel)


class _PlainLoader(yaml.SafeLoader):
    """YAML whose plain values are null, true, false, decimal numbers and text; days, `no` and all keys are text."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "found unhashable key", key.start_mark)
        return {key.value: self.construct_object(value, deep=deep) for key, value in node.value}


_PlainLoader.yaml_implicit_resolvers = {}
for _name, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    # Longer whole numbers fit no field; as reals they need no big integers.
    ("int", r"[+-]?(0|[1-9][0-9]{0,17})", list("+-0123456789")),
    ("float", DECIMAL, list("+-.0123456789")),
):
    _PlainLoader.add_implicit_resolver(_TAG + _name, re.compile(f"({_pattern})\\Z"), _first)


@dataclass(frozen=True, slots=True)
class Document(Generic[Model]):
    """A fact and where it stands.

    Attributes:
        fact: what the file declares.
        lines: line of each part of the file.
    """

    fact: Model
    lines: Mapping[Path, int]


def read_fact(data: bytes, model: type[Model], shown: str, faults: Faults) -> Document[Model] | None:
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
    value, notes = document
    try:
        # A number in quotes is text, as the JSON Schema has it.
        return Document(model.model_validate(value, strict=True), notes.lines)
    except ValidationError as error:
        for details in error.errors():
            report_fact(details, model, notes, shown, faults)
        return None


def _document(data: bytes, shown: str, faults: Faults) -> tuple[Any, Notes] | None:
    """Plain value of a YAML file and where its parts stand, or None where it was reported."""
    text = data.decode("utf-8")
    try:
        loader = _PlainLoader(text)
    except yaml.reader.ReaderError as error:
        line = 1 + len(re.findall("\r\n|[\r\n]", text[: error.position]))
        _add(faults, "yaml-syntax", shown, line, f"the character U+{error.character:04X}", fix="Remove it.")
        return None
    try:
        if not _has_plain_events(text, shown, faults):
            return None
        node = loader.get_single_node()
        if node is None:
            value: Any = {}
            return value, Notes({(): 1}, {})
        notes = Notes({}, {})
        n_before = len(faults.issues)
        _note(node, (), notes, shown, faults)
        if len(faults.issues) > n_before:
            return None
        return loader.construct_document(node), notes
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem, fix = _PROBLEMS.get(error.problem or "", (error.problem or str(error), None))
        _add(faults, "yaml-syntax", shown, mark.line + 1 if mark else 1, problem, fix=fix)
    finally:
        loader.dispose()
    return None


_PROBLEMS = {
    "but found another document": ("a second document after ---", "Keep one document in the file."),
    "found character '\\t' that cannot start any token": ("a tab", "Indent by two spaces."),
    "could not find expected ':'": ("a line without a colon after its key", "Write key: value."),
    "mapping values are not allowed here": (
        "a colon in a value, or a wrong indent",
        "Quote the text, or correct the indent.",
    ),
    "found unhashable key": ("a list or mapping as key", "Write the key as text."),
}
"""Words for the most frequent problems of the parser, and how to fix them."""


def _add(faults: Faults, rule: str, shown: str, line: int, found: str, *, fix: str | None = None) -> None:
    expected, usual_fix = {
        "yaml-syntax": (
            "one YAML document of keys and values",
            "Indent by two spaces, and quote text that holds : # or quotes.",
        ),
        "yaml-alias": ("plain values without anchors and aliases", "Write the value out."),
        "yaml-tag": ("plain values without tags", "Remove the tag."),
        "yaml-nesting": (f"at most {MOST_DEPTH} levels", "Write the field as it is documented."),
    }[rule]
    faults.add(rule, shown, line=line, found=found, expected=expected, fix=fix or usual_fix)


def _has_plain_events(text: str, shown: str, faults: Faults) -> bool:
    """Whether the file has neither aliases nor tags nor deep nesting; looked at before anything is built."""
    depth = 0
    n_before = len(faults.issues)
    for event in yaml.parse(text, Loader=_PlainLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            _add(faults, "yaml-alias", shown, line, f"*{event.anchor}")
        elif isinstance(event, yaml.NodeEvent):
            if event.anchor is not None:
                _add(faults, "yaml-alias", shown, line, f"&{event.anchor}")
            tag = getattr(event, "tag", None)
            if tag is not None:
                _add(faults, "yaml-tag", shown, line, tag.replace(_TAG, "!!"))
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_DEPTH:
            _add(faults, "yaml-nesting", shown, line, f"more than {MOST_DEPTH} levels")
            break
    return len(faults.issues) == n_before


def _note(node: yaml.Node, path: Path, notes: Notes, shown: str, faults: Faults) -> None:
    """Note line and text of every key and item, and report keys that stand twice."""
    notes.lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.ScalarNode):
        quote = node.style if node.style in ("'", '"') else ""
        notes.texts[path] = f"{quote}{node.value}{quote}"
    if isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            _note(item, (*path, str(position)), notes, shown, faults)
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
                    is_value=False,
                    expected=f"the key once; it stands in line {seen[name]}",
                    fix="Keep one of the two.",
                )
            seen.setdefault(name, line)
            notes.lines[(*path, name)] = line
            _note(value, (*path, name), notes, shown, faults)
