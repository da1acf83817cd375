"""Every check of a change, in the order of its report, and their findings with those of the validation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from harness.issues import Report
from harness.review.change import Change, Snapshot
from harness.review.choice import check_choice
from harness.review.copies import check_copies
from harness.review.evidence import check_evidence
from harness.review.identity import check_identity
from harness.review.reach import check_reach
from harness.review.suite import check_suite
from harness.validation import Validation


@dataclass(slots=True, kw_only=True)
class Reviewed(Validation):
    """A validation of what changed, with the submissions before and after it.

    Attributes:
        earlier: the submissions as they are published.
        now: the submissions with the change.
    """

    earlier: Snapshot
    now: Snapshot


CHECKS: Final[Sequence[Callable[[Change], None]]] = (
    check_reach,
    check_identity,
    check_suite,
    check_copies,
    check_evidence,
    check_choice,
)


def review(validated: Validation, change: Change) -> Reviewed:
    """Validation of what changed, with the findings of its review.

    Args:
        validated: validation of the changed campaigns.
        change: the submissions before and after the change.
    """
    for check in CHECKS:
        with change.contained(""):
            check(change)
    report = Report.of(validated.report.n_rows, [*validated.report.issues, *change.faults.issues])
    return Reviewed(validated.campaigns, report, validated.doubted, earlier=change.earlier, now=change.now)
