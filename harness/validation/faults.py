"""The collector of faults: every check reports through it, under a rule of the registry."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from harness.budget import MOST_FAULTS_EACH, MOST_FAULTS_OF_RULE
from harness.issues import Issue, counted, internal_fault, printable, quoted
from harness.validation.registry import RULES


@dataclass(slots=True)
class Faults:
    """Faults of one validation, in the order they were found.

    Attributes:
        keeps_all: whether every fault is kept; otherwise those beyond the limits of a report are counted.
        errors: number of errors so far by rule, those included that are only counted.
        n_warnings: warnings so far.
    """

    keeps_all: bool = False
    errors: Counter[str] = field(default_factory=Counter)
    n_warnings: int = 0
    _kept: list[Issue] = field(default_factory=list)
    _n_kept: Counter[tuple[str, str]] = field(default_factory=Counter)
    _n_of_rule: Counter[str] = field(default_factory=Counter)
    _n_more: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def n_errors(self) -> int:
        """Errors so far, those included that are only counted."""
        return self.errors.total()

    @property
    def n(self) -> int:
        """Faults so far, those included that are only counted."""
        return self.n_errors + self.n_warnings

    @property
    def issues(self) -> list[Issue]:
        """What was found so far: faults, and for each file and rule with too many the number of the others."""
        return [*self._kept, *self._rests()]

    def add(
        self,
        rule: str,
        file: str,
        *,
        found: object,
        expected: str,
        fix: str,
        line: int | None = None,
        column: str | None = None,
        is_value: bool = True,
    ) -> None:
        """Report one fault.

        Args:
            rule: id in the registry, which also gives the severity.
            file: path as the contributor knows it.
            found: the contributor's value.
            expected: what would have been right.
            fix: how to fix it, a sentence.
            line: line of the file, counted from 1.
            column: column or field.
            is_value: whether `found` is the value itself, and not words about the column or field.

        Raises:
            KeyError: the rule is not declared.
        """
        file = printable(file)
        if not self._is_kept(rule, file):
            return
        self._kept.append(
            Issue(
                rule=rule,
                severity=RULES[rule].severity,
                file=file,
                line=line,
                column=None if column is None else quoted(column),
                found=quoted(found),
                expected=printable(expected),
                fix=printable(fix),
                is_value=is_value,
            )
        )

    def is_listed(self, rule: str, file: str) -> bool:
        """Whether another fault of a rule in a file would be listed, and not only counted."""
        is_full = (
            self._n_kept[rule, printable(file)] >= MOST_FAULTS_EACH or self._n_of_rule[rule] >= MOST_FAULTS_OF_RULE
        )
        return self.keeps_all or not is_full

    def count(self, rule: str, file: str, n_faults: int) -> None:
        """Count faults that are not listed, because enough of their rule and file are."""
        self._count(rule, n_faults)
        self._n_more[rule, printable(file)] += n_faults

    def join(self, other: "Faults") -> None:
        """Add all faults that another collector has."""
        for issue in other._kept:
            if self._is_kept(issue.rule, issue.file):
                self._kept.append(issue)
        for (rule, file), n_more in other._n_more.items():
            self.count(rule, file, n_more)

    def _is_kept(self, rule: str, file: str) -> bool:
        """Count a fault; whether it is among those that a report lists."""
        self._count(rule, 1)
        if not self.is_listed(rule, file):
            self._n_more[rule, file] += 1
            return False
        self._n_kept[rule, file] += 1
        self._n_of_rule[rule] += 1
        return True

    def _count(self, rule: str, n_faults: int) -> None:
        if RULES[rule].severity == "error":
            self.errors[rule] += n_faults
        else:
            self.n_warnings += n_faults

    def _rests(self) -> Iterator[Issue]:
        """Numbers of faults that are not listed: of files with listed ones each, of all others together."""
        others: dict[str, tuple[str, int]] = {}
        for (rule, file), n_more in self._n_more.items():
            if self._n_kept[rule, file]:
                yield _rest(rule, file, n_more, "in this file")
            else:
                first, n_before = others.get(rule, (file, 0))
                others[rule] = first, n_before + n_more
        for rule, (file, n_more) in others.items():
            yield _rest(rule, file, n_more, "in this file and others")


def _rest(rule: str, file: str, n_more: int, where: str) -> Issue:
    return Issue(
        rule=rule,
        severity=RULES[rule].severity,
        file=file,
        line=None,
        column=None,
        found=f"{counted(n_more, 'more fault')} of this rule {where}",
        expected="none",
        fix="Correct those that are listed, and validate again; often all have one cause.",
        n_more=n_more,
    )


@contextmanager
def contained(file: str, faults: Faults, line: int | None = None) -> Iterator[None]:
    """Report an exception as a fault of the file that was read, so that everything else is still checked.

    Args:
        file: what was read, as the contributor knows it.
        faults: collects it.
        line: line of what was read.
    """
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever it is, the other files are still read
        faults.add("internal-fault", file, line=line, **internal_fault(error))
