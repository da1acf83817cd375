"""One fault of a submission, and the report of many: text, JSON, GitHub annotations, SARIF.

Faults are collected, never raised; `harness.validation` declares which faults exist.
"""

import difflib
import json
import traceback
import urllib.parse
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypedDict

from harness.errors import UsageError

Severity = Literal["error", "warning"]

_LONGEST_FOUND = 120
_LONGEST_NAME = 100
_HARNESS = Path(__file__).parent
_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def printable(text: str) -> str:
    """Text on one line, with everything that could break the line or steer a terminal written as an escape.

    >>> printable("a\\nb")
    'a\\\\nb'
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def quoted(value: object) -> str:
    """A contributor's value as messages show it: one line, printable, not too long.

    >>> quoted("a\\nb")
    'a\\\\nb'
    >>> len(quoted("x" * 1000)) < 200
    True
    """
    try:
        text = value if isinstance(value, str) else repr(value)
    except (RecursionError, ValueError):
        # Python writes out neither values nested very deeply nor whole numbers of very many digits.
        text = f"a {type(value).__name__} too deep or too long to show"
    shown = printable(text[: _LONGEST_FOUND + 1])
    if len(text) <= _LONGEST_FOUND and len(shown) <= _LONGEST_FOUND:
        return shown
    return f"{shown[:_LONGEST_FOUND]}… ({len(text)} characters)"


def counted(n: int, noun: str) -> str:
    """A number of things in words, the noun in the plural where it is not one.

    >>> counted(1, "error"), counted(0, "error")
    ('1 error', '0 errors')
    """
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def share_in_words(share: float) -> str:
    """Share in per cent, which reads 0 or 100 only where it is so exactly.

    >>> share_in_words(0.5), share_in_words(0.99999), share_in_words(0.0001)
    ('50.0 %', '> 99.9 %', '< 0.1 %')
    """
    if 0 < share < 0.001:
        return "< 0.1 %"
    if 0.999 < share < 1:
        return "> 99.9 %"
    return f"{100 * share:.1f} %"


def unknown(kind: str, name: str, known: Iterable[str]) -> UsageError:
    """Exception about an unknown name, with the nearest known one.

    >>> str(unknown("fix", "unit-slp", ["unit-slip"]))
    "'unit-slp' is not a known fix; did you mean unit-slip? Known: unit-slip"
    """
    names = sorted(known)
    near = nearest(name, names)
    meant = f"; did you mean {near}?" if near else "."
    there = f"Known: {', '.join(names)}" if names else "None is known"
    return UsageError(f"'{quoted(name)}' is not a known {kind}{meant} {there}")


def nearest(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """Known name that is most like another one; None where none is.

    Args:
        name: the other name; one of more than 100 characters is like none, and comparing it takes long.
        known: the known names.
        cutoff: least similarity, from 0 to 1.

    >>> nearest("unit-slp", ["unit-slip", "repeat"]), nearest("xyz", ["unit-slip"])
    ('unit-slip', None)
    """
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=cutoff) if len(name) <= _LONGEST_NAME else []
    return near[0] if near else None


def suggested(
    name: str,
    known: Collection[str],
    fix: str = "Rename it to {}.",
    otherwise: str = "Rename or remove it.",
    *,
    cutoff: float = 0.6,
) -> tuple[str, str]:
    """What is expected in place of an unknown name, and how to fix it.

    Args:
        name: the unknown name.
        known: names that may stand in its place.
        fix: sentence with a place for the nearest known name.
        otherwise: sentence for a name that is like none of them.
        cutoff: least similarity, from 0 to 1.

    >>> suggested("modl", ["model", "energy_mj"])
    ('model', 'Rename it to model.')
    >>> suggested("x", ["model", "energy_mj"])
    ('one of model, energy_mj', 'Rename or remove it.')
    """
    near = nearest(name, known, cutoff=cutoff)
    return ("one of " + ", ".join(known), otherwise) if near is None else (near, fix.format(near))


class Words(TypedDict):
    """What an issue says beside its place."""

    found: str
    expected: str
    fix: str


def internal_fault(error: Exception) -> Words:
    """Words about an exception that nothing expected, with the line of the harness that raised it.

    >>> internal_fault(KeyError("a"))["found"]
    "KeyError 'a'"
    """
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(_HARNESS)]
    place = f" in {Path(own[-1].filename).relative_to(_HARNESS.parent).as_posix()}:{own[-1].lineno}" if own else ""
    return Words(
        found=quoted(f"{type(error).__name__} {error}".strip()) + place,
        expected="a reader that reports what it cannot read",
        fix="Report this as a fault of DeepEn, with this line and the file; everything else is checked.",
    )


@dataclass(frozen=True, slots=True)
class Issue:
    """One fault: where it is, what was found, what was expected, and how to fix it.

    Attributes:
        rule: id of the broken rule.
        severity: `error` keeps the submission out; `warning` is for the reader.
        file: path as the contributor knows it; like all text of an issue, printable and on one line.
        line: line of the file, counted from 1; None for the file as a whole.
        column: column or field; None where the fault is not about one.
        found: the contributor's value.
        expected: what would have been right.
        fix: how to fix it, a sentence.
        is_value: whether `found` is the value itself, and not words about the column or field.
        n_more: faults that it stands for, where it counts those that are not listed; otherwise 0.
    """

    rule: str
    severity: Severity
    file: str
    line: int | None
    column: str | None
    found: str
    expected: str
    fix: str
    is_value: bool = True
    n_more: int = 0

    @property
    def n_faults(self) -> int:
        """Faults that it stands for."""
        return self.n_more or 1

    @property
    def message(self) -> str:
        """Fault without its place, as annotations show it."""
        found = f"{self.column}{' = ' if self.is_value else ': '}{self.found}" if self.column else self.found
        return f"{found}; expected {self.expected}. {self.fix} [{self.rule}]"

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {'warning: ' if self.severity == 'warning' else ''}{self.message}"


@dataclass(frozen=True, slots=True)
class Report:
    """All faults of one validation, sorted by place.

    Attributes:
        n_rows: data rows that were read, good or bad.
        issues: faults in order of file, line, column and rule.
    """

    n_rows: int
    issues: tuple[Issue, ...]

    @classmethod
    def of(cls, n_rows: int, issues: Sequence[Issue]) -> "Report":
        """Report with its issues sorted and each kept once."""
        unique = dict.fromkeys(issues)
        return cls(
            n_rows,
            tuple(sorted(unique, key=_place)),
        )

    @property
    def n_errors(self) -> int:
        """Faults that keep a submission out."""
        return sum(issue.n_faults for issue in self.issues if issue.severity == "error")

    @property
    def n_warnings(self) -> int:
        """Faults that a reader should know."""
        return sum(issue.n_faults for issue in self.issues if issue.severity == "warning")

    @property
    def counts(self) -> str:
        """Rows, errors and warnings in words."""
        counts = {"row": self.n_rows, "error": self.n_errors, "warning": self.n_warnings}
        return ", ".join(counted(n, noun) for noun, n in counts.items())


def _place(issue: Issue) -> tuple[str, bool, int, str, str]:
    """Order of issues: by place, and those that count others at the end of their file."""
    return issue.file, issue.n_more > 0, issue.line or 0, issue.column or "", issue.rule


def as_text(report: Report) -> str:
    """One line per issue, then the counts."""
    return "\n".join([*map(str, report.issues), report.counts])


def as_json(report: Report) -> str:
    """Counts and issues as one JSON object; absent places are null."""
    fields = ("rule", "severity", "file", "line", "column", "found", "expected", "fix")
    return json.dumps(
        {
            "rows": report.n_rows,
            "errors": report.n_errors,
            "warnings": report.n_warnings,
            "issues": [{field: getattr(issue, field) for field in fields} for issue in report.issues],
        },
        indent=2,
        ensure_ascii=False,
    )


def as_github(report: Report) -> str:
    """Workflow commands that annotate the lines of a pull request, then the counts.

    Source:
        GitHub documentation, workflow commands: properties escape percent, line ends, colon and comma.
    """

    def escaped(text: str, extra: dict[str, str]) -> str:
        for character, code in ({"%": "%25", "\r": "%0D", "\n": "%0A"} | extra).items():
            text = text.replace(character, code)
        return text

    lines = []
    for issue in report.issues:
        properties = {"file": issue.file, "line": str(issue.line or 1), "title": issue.rule}
        joined = ",".join(f"{key}={escaped(value, {':': '%3A', ',': '%2C'})}" for key, value in properties.items())
        lines.append(f"::{issue.severity} {joined}::{escaped(issue.message, {})}")
    lines.append(report.counts)
    return "\n".join(lines)


def as_sarif(report: Report, rules: Mapping[str, str], version: str) -> str:
    """SARIF 2.1.0 log, as code scanning reads it.

    Args:
        report: faults.
        rules: summary of every rule by id.
        version: version of the harness.
    """
    ids = list(rules)
    results: list[dict[str, Any]] = []
    for issue in report.issues:
        location: dict[str, Any] = {"artifactLocation": {"uri": urllib.parse.quote(issue.file)}}
        if issue.line is not None:
            location["region"] = {"startLine": issue.line}
        results.append(
            {
                "ruleId": issue.rule,
                "ruleIndex": ids.index(issue.rule),
                "level": issue.severity,
                "message": {"text": issue.message},
                "locations": [{"physicalLocation": location}],
            }
        )
    driver = {
        "name": "deepen validate",
        "version": version,
        "rules": [{"id": rule, "shortDescription": {"text": summary}} for rule, summary in rules.items()],
    }
    log = {"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}
    return json.dumps(log, indent=2, ensure_ascii=False)
