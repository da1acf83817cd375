"""YAML bytes to a pydantic fact, with every fault at its line; aliases, tags and deep nesting are refused."""

import re
from collections import deque
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from harness.budget import MOST_NESTING
from harness.numbers import DECIMAL
from harness.validation.fact_faults import Notes, Path, report_fact
from harness.validation.faults import Faults

_TAG = "tag:yaml.org,2002:"

Model = TypeVar("Model", bound=BaseModel)


class _PlainValues(yaml.composer.Composer, yaml.constructor.SafeConstructor, yaml.resolver.Resolver):
    """Values of parsed YAML. Plain ones are null, true, false, decimal numbers and text; days, `no` and keys are text.

    It reads the events that were looked at already, so that no file is parsed twice.
    """

    def __init__(self, events: Iterable[yaml.Event]):
        yaml.composer.Composer.__init__(self)
        yaml.constructor.SafeConstructor.__init__(self)
        yaml.resolver.Resolver.__init__(self)
        self._events = deque(events)

    def check_event(self, *kinds: type[yaml.Event]) -> bool:
        return bool(self._events) and isinstance(self._events[0], kinds or yaml.Event)

    def peek_event(self) -> yaml.Event | None:
        return self._events[0] if self._events else None

    def get_event(self) -> yaml.Event | None:
        return self._events.popleft() if self._events else None

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "found unhashable key", key.start_mark)
        return {key.value: self.construct_object(value, deep=deep) for key, value in node.value}


_PlainValues.yaml_implicit_resolvers = {}
for _name, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    # Longer whole numbers fit no field; as reals they need no big integers.
    ("int", r"[+-]?(0|[1-9][0-9]{0,17})", list("+-0123456789")),
    ("float", DECIMAL, list("+-.0123456789")),
):
    _PlainValues.add_implicit_resolver(_TAG + _name, re.compile(f"({_pattern})\\Z"), _first)


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
        parser = yaml.SafeLoader(text)
    except yaml.reader.ReaderError as error:
        line = 1 + len(re.findall("\r\n|[\r\n]", text[: error.position]))
        _add(faults, "yaml-syntax", shown, line, f"the character U+{error.character:04X}", fix="Remove it.")
        return None
    try:
        events = _plain_events(parser, shown, faults)
        if events is None:
            return None
        values = _PlainValues(events)
        node = values.get_single_node()
        if node is None:
            value: Any = {}
            return value, Notes({(): 1}, {})
        notes = Notes({}, {})
        n_before = faults.n
        _note(node, (), notes, shown, faults)
        if faults.n > n_before:
            return None
        return values.construct_document(node), notes
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem, fix = _PROBLEMS.get(error.problem or "", (error.problem or str(error), None))
        _add(faults, "yaml-syntax", shown, mark.line + 1 if mark else 1, problem, fix=fix)
    finally:
        parser.dispose()
    return None


_HALF_CHARACTER = re.compile("[\ud800-\udfff]")
_NO_CHARACTER = "Write the character itself; this number is none of a character."
_BIG_ESCAPE = "an escape beyond U+10FFFF"
_LONG_DIRECTIVE = "a directive with a number that is none of a version"
_PROBLEMS = {
    _BIG_ESCAPE: (_BIG_ESCAPE, _NO_CHARACTER),
    _LONG_DIRECTIVE: (_LONG_DIRECTIVE, "Remove the line that begins with %."),
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
        "yaml-nesting": (f"at most {MOST_NESTING} levels", "Write the field as it is documented."),
    }[rule]
    faults.add(rule, shown, line=line, found=found, expected=expected, fix=fix or usual_fix)


def _next_event(parser: yaml.SafeLoader) -> yaml.Event | None:
    """Next event of a file; None after the last.

    Raises:
        yaml.MarkedYAMLError: the file is not YAML there.
    """
    try:
        return parser.get_event() if parser.check_event() else None  # type: ignore[no-untyped-call]
    except (ValueError, OverflowError) as error:
        # The scanner turns digits of escapes and directives into numbers without a look at how many they are.
        problem = _BIG_ESCAPE if parser.column and not _is_directive(parser) else _LONG_DIRECTIVE
        raise yaml.MarkedYAMLError(None, None, problem, parser.get_mark()) from error


def _is_directive(parser: yaml.SafeLoader) -> bool:
    start = parser.buffer.rfind("\n", 0, parser.pointer) + 1
    return bool(parser.buffer.startswith("%", start))


def _plain_events(parser: yaml.SafeLoader, shown: str, faults: Faults) -> list[yaml.Event] | None:
    """Events of a file without aliases, tags and deep nesting, or None where these were reported; nothing is built."""
    depth = 0
    events: list[yaml.Event] = []
    n_before = faults.n
    while (event := _next_event(parser)) is not None:
        events.append(event)
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            _add(faults, "yaml-alias", shown, line, f"*{event.anchor}")
        elif isinstance(event, yaml.NodeEvent):
            if event.anchor is not None:
                _add(faults, "yaml-alias", shown, line, f"&{event.anchor}")
            tag = getattr(event, "tag", None)
            if tag is not None:
                _add(faults, "yaml-tag", shown, line, tag.replace(_TAG, "!!"))
            half = _HALF_CHARACTER.search(getattr(event, "value", ""))
            if half is not None:
                _add(faults, "yaml-syntax", shown, line, f"the escape of U+{ord(half[0]):04X}", fix=_NO_CHARACTER)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_NESTING:
            _add(faults, "yaml-nesting", shown, line, f"more than {MOST_NESTING} levels")
            break
    return events if faults.n == n_before else None


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
