"""The report of a pull request in Markdown: verdict, counts, faults by rule, and changes in the rankings.

Everything from a contributor is escaped, because the report is posted as a comment.
"""

from collections import Counter
from collections.abc import Sequence

from harness.issues import Report
from harness.pages.markup import fixed
from harness.schema.export import code_span, markdown_table
from harness.scoring.changes import RatingChange
from harness.scoring.ratings import Rating

MOST_LISTED = 200
"""Faults that are listed; the length of a comment is limited, and the annotations hold them all."""


def pull_request_report(report: Report, changes: Sequence[RatingChange] | None) -> str:
    """Report of a validation in Markdown.

    Args:
        report: report of the validation.
        changes: ratings that the new rows change; None where errors prevent their computation.
    """
    verdict = "failed" if report.n_errors else "passed"
    counts = f"{report.n_rows} rows, {report.n_errors} errors, {report.n_warnings} warnings."
    parts = [f"## Validation {verdict}", counts]
    if report.issues:
        parts += ["### By rule", _by_rule(report), "### Every fault", _listed(report)]
    parts.append("### What changes in the rankings")
    if changes is None:
        parts.append("Not computed, because there are errors.")
    elif not changes:
        parts.append("Nothing.")
    else:
        parts.append(markdown_table([_change_row(change) for change in changes]))
    return "\n\n".join(parts) + "\n"


def _by_rule(report: Report) -> str:
    counted: Counter[tuple[str, str]] = Counter()
    for issue in report.issues:
        counted[issue.severity, issue.rule] += issue.n_faults
    rows = [
        {"rule": code_span(rule), "severity": severity, "faults": n}
        for (severity, rule), n in sorted(counted.items(), key=lambda item: (item[0][0], -item[1], item[0][1]))
    ]
    return markdown_table(rows)


def _listed(report: Report) -> str:
    """The faults as the command prints them, in a block in which nothing is markup and nobody is mentioned."""
    lines = [str(issue).replace("`", "'") for issue in report.issues[:MOST_LISTED]]
    n_more = sum(issue.n_faults for issue in report.issues[MOST_LISTED:])
    return "\n".join(["```text", *lines, *([f"and {n_more} more"] if n_more else []), "```"])


def _change_row(change: RatingChange) -> dict[str, object]:
    known = change.after or change.before
    return {
        "device": None if known is None else known.device_id,
        "edition": None if known is None else known.edition,
        "tier": None if known is None else known.tier,
        "boundary": None if known is None else known.boundary,
        "before": _in_words(change.before),
        "after": _in_words(change.after),
    }


def _in_words(rating: Rating | None) -> str:
    if rating is None:
        return "not listed"
    if rating.energy_index is None:
        return f"not rated: {rating.reason}"
    scores = f", PCS {fixed(rating.pcs, 0)}" if rating.pcs is not None else ""
    return f"rank {rating.rank}, class {rating.label_text}, energy index {fixed(rating.energy_index)}{scores}"
