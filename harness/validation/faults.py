"""The collector of faults: every check reports through it, under a rule of the registry."""

from dataclasses import dataclass, field

from harness.issues import Issue, printable, quoted
from harness.validation.registry import RULES


@dataclass(slots=True)
class Faults:
    """Faults of one validation, in the order they were found.

    Attributes:
        issues: what was found so far.
    """

    issues: list[Issue] = field(default_factory=list)

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
        self.issues.append(
            Issue(
                rule=rule,
                severity=RULES[rule].severity,
                file=printable(file),
                line=line,
                column=None if column is None else quoted(column),
                found=quoted(found),
                expected=printable(expected),
                fix=printable(fix),
                is_value=is_value,
            )
        )
