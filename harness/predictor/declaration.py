"""Reads what a predictor declares of itself, which is data: `predictor.toml` in its folder."""

import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from harness.issues import printable, quoted, suggested
from harness.predictor.protocol import DECLARED, PredictorError, PredictorInfo

FILE: Final = "predictor.toml"
OLD_FILE: Final = "info.py"
"""Module that declared predictors before; it is never read."""
_MOST_BYTES: Final = 1 << 13
"""Keys of many parts take memory that grows with the square of their length."""
_MOST_FAULTS: Final = 5
_FIELDS: Final = PredictorInfo.model_fields
_KINDS: Final[Mapping[str, str]] = {
    "string_type": "text in quotes",
    "string_too_short": "at least {min_length} character",
    "string_too_long": "at most {max_length} characters",
    "tuple_type": "a list",
    "too_short": "at least {min_length} entry",
    "dict_type": "names with values, in braces",
    "bool_type": "true or false",
}
"""What a field should have been, by the type of pydantic's error."""


def read_declaration(home: Path, place: str) -> PredictorInfo:
    """What the predictor of a folder declares.

    Args:
        home: folder of the predictor.
        place: path of the folder as messages show it.

    Raises:
        PredictorError: there is no declaration, or it is not as expected; one line with the first faults, each with
            its place.
    """
    place = printable(f"{place}/{FILE}")
    text = _text_of(home, place)
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # Its lists may be nested deeper, and its numbers longer, than Python reads.
        place = f"{place}:{_line_said(str(error), text)}"
        raise PredictorError(
            f'{place}: no TOML: {quoted(str(error))}; expected lines such as licence = "Apache-2.0". Correct the line'
        ) from error
    try:
        return PredictorInfo.model_validate(content)
    except ValidationError as error:
        found = error.errors(include_url=False)
        faults = sorted({_fault(fault, content, text, place) for fault in found[:_MOST_FAULTS]})
        more = [f"and {len(found) - _MOST_FAULTS} more faults"] if len(found) > _MOST_FAULTS else []
        raise PredictorError("; ".join((*faults, *more))) from error


def _line_said(message: str, text: str) -> int:
    """Line that the parser names; the first where it names none."""
    found = re.search(r"at line (\d+)", message)
    return int(found[1]) if found else text.rstrip().count("\n") + 1 if "end of document" in message else 1


def _text_of(home: Path, place: str) -> str:
    path = home / FILE
    try:
        mode = path.lstat().st_mode
        if not stat.S_ISREG(mode):
            raise PredictorError(f"{place}: no file but a link or a device; expected a file. Put the file itself there")
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except FileNotFoundError as error:
        old = f"{OLD_FILE} beside it is not read" if (home / OLD_FILE).is_file() else "no such file"
        raise PredictorError(f"{place}: {old}; expected the declaration. {_how_to_write(home)}") from error
    except OSError as error:
        raise PredictorError(f"{place}: {error.strerror}; expected a file that can be read. Let it be read") from error
    if len(content) > _MOST_BYTES:
        raise PredictorError(f"{place}: more than {_MOST_BYTES} bytes; expected a few lines. Shorten it")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise PredictorError(f"{place}:{line}: no UTF-8; expected text in UTF-8. Save it as UTF-8") from error


def _how_to_write(home: Path) -> str:
    key = quoted(home.name.replace("_", "-"))
    others = [name for name, field in _FIELDS.items() if field.is_required() and name != "key"]
    lines = [f'key = "{key}"', *(f"{name} = {_example(name)}" for name in others)]
    return f"Write it with the lines {'; '.join(lines)}"


def _example(field: str) -> str:
    """Value of a field as TOML writes it."""
    (example,) = _FIELDS[field].examples or ("",)
    return str(example)


def _fault(fault: Any, content: Mapping[str, Any], text: str, place: str) -> str:
    """One fault of the content on one line: place, what was found, what was expected, and how to fix it."""
    field = str(fault["loc"][0]) if fault["loc"] else ""
    line = _line_of(field, text)
    where = place if line is None else f"{place}:{line}"
    if field not in _FIELDS:
        expected, fix = suggested(field, list(_FIELDS))
        return f"{where}: {quoted(field)}: no field of a predictor; expected {expected}. {fix}"
    found = f"{field} = {quoted(content[field])}" if field in content else f"{field} is not there"
    if fault["type"] == DECLARED:
        return f"{where}: {found}; expected {printable(fault['msg'])}"
    described = f"{_FIELDS[field].description}".rstrip(".")
    if fault["type"] == "value_error":
        described += f" ({printable(str(fault['ctx']['error']))})"
    elif fault["type"] in _KINDS:
        described += f" ({_KINDS[fault['type']].format(**fault.get('ctx', {}))})"
    return f"{where}: {found}; expected: {described}. Write it as in {field} = {_example(field)}"


def _line_of(field: str, text: str) -> int | None:
    """Line of a field, counted from 1; None where it is not there, or not in a form that is easily found."""
    start = re.compile(rf"\s*\[?\s*[\"']?{re.escape(field)}[\"']?\s*[=\].]")
    return next((number for number, line in enumerate(text.split("\n"), 1) if field and start.match(line)), None)
