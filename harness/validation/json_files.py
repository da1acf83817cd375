"""JSON bytes to plain values, with the line of every part; syntax, repeated keys and deep nesting are reported.

What the values must be is checked elsewhere.
"""

import json
import math
import re
from collections.abc import Callable, Iterator
from typing import Any, Final, NoReturn

from harness.budget import MOST_NESTING
from harness.validation.fact_faults import Notes, Path
from harness.validation.faults import Faults

_MOST_DIGITS: Final = 19
"""Longer whole numbers fit no field; as infinities they need no big integers."""
_STRING: Final = r'"(?:[^"\\]++|\\.)*+"?'
_BRACKETS: Final = re.compile(rf"{_STRING}|[\[\]{{}}]", re.DOTALL)
_TOKENS: Final = re.compile(rf'{_STRING}|[\[\]{{}}:,]|[^\s\[\]{{}}:,"]+', re.DOTALL)
_SHOWN: Final = 20

Token = tuple[str, int]
"""Text and line."""


class _NotJsonError(ValueError):
    """A word that some programs read as a number."""


def read_json(data: bytes, shown: str, faults: Faults) -> Any:
    """Plain value of a JSON file, or None where it was reported; a file of null alone is reported as well.

    Whole numbers of more digits than any field holds are infinite.

    Args:
        data: the file, known to be UTF-8 without NUL bytes.
        shown: file name in messages.
        faults: collects what is wrong.
    """
    text = data.decode("utf-8")
    if not _is_shallow(text, shown, faults):
        return None
    repeated: list[int] = []

    def mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            repeated.append(len(pairs))
        return found

    try:
        value = json.loads(text, object_pairs_hook=mapping, parse_int=_whole_number, parse_constant=_refuse)
    except _NotJsonError as error:
        line = next(line for token, line in _tokens(text, _TOKENS) if token == str(error))
        _report_syntax(shown, line, str(error), "Write the number, or leave the field out.", faults)
        return None
    except json.JSONDecodeError as error:
        found = text[error.pos : error.pos + _SHOWN].partition("\n")[0].strip() or "the end of the line"
        # The reason that Python gives differs from version to version.
        fix = (
            "Correct this line or the one before: quotes around keys and words, a comma between parts, none at the end."
        )
        _report_syntax(shown, error.lineno, found, fix, faults)
        return None
    if repeated:
        _report_repeated(data, shown, faults)
    elif value is None:
        _report_syntax(shown, 1, "null", "Write the file as it is documented.", faults)
    return None if repeated else value


def _report_repeated(data: bytes, shown: str, faults: Faults) -> None:
    def report(path: Path, line: int, first: int) -> None:
        expected, fix = f"the key once; it stands in line {first}", "Keep one of the two."
        column = ".".join(path)
        faults.add(
            "json-duplicate", shown, line=line, column=column, found="the key again", is_value=False,
            expected=expected, fix=fix,
        )  # fmt: skip

    _places(data, report)


def notes_of(data: bytes) -> Notes:
    """Where the parts of a JSON file stand that parses.

    >>> notes_of(b'{"a": [\\n1,\\n"b"]}').lines["a", "1"]
    3
    """
    return _places(data, lambda _path, _line, _first: None)


def _places(data: bytes, on_repeated: Callable[[Path, int, int], None]) -> Notes:
    notes = Notes({}, {})
    tokens = _tokens(data.decode("utf-8"), _TOKENS)
    _note(next(tokens), tokens, (), notes, on_repeated)
    return notes


def _note(
    token: Token, rest: Iterator[Token], path: Path, notes: Notes, on_repeated: Callable[[Path, int, int], None]
) -> None:
    """Note line and text of a value that begins with a token, and of all keys and items in it."""
    text, line = token
    notes.lines.setdefault(path, line)
    if text == "{":
        for key in _until("}", rest):
            inner = (*path, str(json.loads(key[0])))
            if inner in notes.lines:
                on_repeated(inner, key[1], notes.lines[inner])
            notes.lines.setdefault(inner, key[1])
            next(rest)  # the colon
            _note(next(rest), rest, inner, notes, on_repeated)
    elif text == "[":
        for position, item in enumerate(_until("]", rest)):
            _note(item, rest, (*path, str(position)), notes, on_repeated)
    else:
        notes.texts[path] = text


def _until(end: str, rest: Iterator[Token]) -> Iterator[Token]:
    """First token of every part up to a closing bracket."""
    for token in rest:
        if token[0] == end:
            return
        yield next(rest) if token[0] == "," else token


def _whole_number(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MOST_DIGITS else math.copysign(math.inf, -1 if digits[0] == "-" else 1)


def _refuse(word: str) -> NoReturn:
    raise _NotJsonError(word)


def _report_syntax(shown: str, line: int, found: str, fix: str, faults: Faults) -> None:
    faults.add("json-syntax", shown, line=line, found=found, expected="one JSON object", fix=fix)


def _tokens(text: str, pattern: re.Pattern[str]) -> Iterator[Token]:
    line, seen = 1, 0
    for match in pattern.finditer(text):
        line += text.count("\n", seen, match.start())
        seen = match.start()
        yield match.group(), line


def _is_shallow(text: str, shown: str, faults: Faults) -> bool:
    """Whether the file does not nest deeply; looked at before anything is built."""
    depth = 0
    for token, line in _tokens(text, _BRACKETS):
        depth += (token in ("[", "{")) - (token in ("]", "}"))
        if depth > MOST_NESTING:
            expected, fix = f"at most {MOST_NESTING} levels", "Write the file as it is documented."
            found = f"more than {MOST_NESTING} levels"
            faults.add("json-nesting", shown, line=line, found=found, expected=expected, fix=fix)
            return False
    return True
