"""The report of a pull request in Markdown: reach, counts, faults by rule, changes in the rankings, and a verdict.

Everything from a contributor is escaped, because the report is posted as a comment.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import accumulate
from typing import Literal

from harness.issues import Issue, Report
from harness.pages.markup import fixed
from harness.schema.export import code_span, markdown_table
from harness.scoring.changes import RatingChange
from harness.scoring.ratings import Rating
from harness.validation import RULES
from harness.validation.review_rules import REVIEWED

Verdict = Literal["clean", "look at these", "refuse"]

MOST_LISTED = 200
"""Faults that are listed; the length of a comment is limited, and the annotations hold them all."""
MOST_CHARACTERS = 20_000
"""Characters of a list of faults, or of the table of changes; with both lists and the table a comment is not full."""
_WORTH = {rule: place for place, rule in enumerate(RULES)}
"""Place of a rule in the registry, where those about reach stand with the worst first."""

_WHICH_ARE_RATED = (
    "Campaigns with errors that `deepen validate` finds without `--since` are left out. Any other is rated as if it "
    "were accepted, also where the errors above refuse it."
)


def pull_request_report(report: Report, changes: Sequence[RatingChange]) -> str:
    """Report of a validation in Markdown: what reaches into published data first, a verdict last.

    Args:
        report: report of the validation.
        changes: ratings that the new rows change.
    """
    reaching = [issue for issue in report.issues if RULES[issue.rule].subject == REVIEWED[0]]
    # The worst first, so that no number of lesser ones hides what is gone from whoever reads the first lines.
    reaching.sort(key=lambda issue: (issue.severity, _WORTH[issue.rule]))
    others = [issue for issue in report.issues if issue not in reaching]
    parts = ["## What reaches beyond the submission", _listed(reaching)] if reaching else []
    parts += [f"## Validation {'failed' if report.n_errors else 'passed'}", f"{report.counts}."]
    if report.issues:
        parts += ["### By rule", _by_rule(report)]
    if others:
        parts += ["### Every other fault" if reaching else "### Every fault", _listed(others)]
    parts.append("### What changes in the rankings")
    if report.n_errors:
        parts.append(_WHICH_ARE_RATED)
    parts.append(_changes_table(changes) if changes else "Nothing.")
    parts.append(f"## Verdict: *{verdict_of(report)}*")
    return "\n\n".join(parts) + "\n"


def verdict_of(report: Report) -> Verdict:
    """What a reviewer should do with a submission: errors are refused, and warnings are looked at."""
    return "refuse" if report.n_errors else "look at these" if report.n_warnings else "clean"


def _by_rule(report: Report) -> str:
    counted: Counter[tuple[str, str]] = Counter()
    for issue in report.issues:
        counted[issue.severity, issue.rule] += issue.n_faults
    rows = [
        {"rule": code_span(rule), "severity": severity, "faults": n}
        for (severity, rule), n in sorted(counted.items(), key=lambda item: (item[0][0], -item[1], item[0][1]))
    ]
    return markdown_table(rows)


def _listed(issues: Sequence[Issue]) -> str:
    """The faults as the command prints them, in a block in which nothing is markup and nobody is mentioned."""
    lines = [str(issue).replace("`", "'") for issue in issues[:MOST_LISTED]]
    n_shown = _n_within(lines)
    n_more = sum(issue.n_faults for issue in issues[n_shown:])
    return "\n".join(["```text", *lines[:n_shown], *([f"and {n_more} more"] if n_more else []), "```"])


def _changes_table(changes: Sequence[RatingChange]) -> str:
    rows = [_change_row(change) for change in changes]
    n_shown = _n_within([str(list(row.values())) for row in rows])
    more = f"\n\nand {len(rows) - n_shown} more" if n_shown < len(rows) else ""
    return markdown_table(rows[:n_shown]) + more


def _n_within(lines: Sequence[str]) -> int:
    """Lines that fit into the characters of a part."""
    return sum(total <= MOST_CHARACTERS for total in accumulate(len(line) for line in lines))


def _change_row(change: RatingChange) -> dict[str, object]:
    known = change.after or change.before
    return {
        "system": None if known is None else known.system_id,
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
