"""What a submission leaves out, and what it makes of earlier figures of the same system."""

from typing import Any, Final

import pandas as pd

from harness.issues import counted
from harness.review.change import Change
from harness.review.known import rated_rows
from harness.schema.campaign import Campaign
from harness.scoring.editions import Edition, editions

BETTER: Final = 0.99
"""Share of an earlier energy below which a new one is better."""


def check_choice(change: Change) -> None:
    """Every rule of the subject `choice`."""
    for edition in editions():
        before, after = (each.suites[edition.edition] for each in (change.earlier, change.now))
        for campaign in change.campaigns:
            with change.contained(campaign.submission_id):
                rows = [cells for _, cells in rated_rows(change, campaign, edition)]
                if rows:
                    _check_dropped(rows, campaign, edition, before, change)
                    _check_again(rows, campaign, edition, change)
                    _check_replaced(campaign, edition, before, after, change)


def _report(rule: str, campaign: Campaign, edition: Edition, change: Change, **words: Any) -> None:
    file = change.shown(f"{campaign.submission_id}/{edition.level}.csv")
    change.faults.add(rule, file, column=edition.network_column, is_value=False, **words)


def _check_dropped(
    rows: list[dict[str, Any]], campaign: Campaign, edition: Edition, before: pd.DataFrame, change: Change
) -> None:
    """networks-dropped: networks of the suite that the system has no figure of."""
    known = before[before["system_id"] == campaign.system_id]["network"]
    own = {edition.network_of(row) for row in rows}
    missing = [name for name in edition.references if name not in own and name not in set(known)]
    if not missing or len(own) < edition.min_networks:
        return
    _report(
        "networks-dropped", campaign, edition, change,
        found=f"{len(own)} of {len(edition.references)} networks, without {', '.join(missing)}",
        expected="every network of the suite",
        fix="Add them, or say under notes why they do not run; a reviewer asks whether they were run.",
    )  # fmt: skip


def _check_again(rows: list[dict[str, Any]], campaign: Campaign, edition: Edition, change: Change) -> None:
    """measured-again: a later campaign of the same people, which is better on most networks."""
    best = _lowest(rows, edition)
    for other in change.now.campaigns:
        is_same = other.system_id == campaign.system_id and other.name != campaign.name
        table = other.tables.get(edition.level)
        if not is_same or table is None or not set(other.manifest.contributors) & set(campaign.manifest.contributors):
            continue
        earlier = _lowest([row for row in table.to_pylist() if row["energy_kind"] == "absolute"], edition)
        shared = [name for name in best if name in earlier]
        better = [name for name in shared if best[name] < BETTER * earlier[name]]
        is_worse = any(best[name] * BETTER > earlier[name] for name in shared)
        # Figures of a repeat go both ways; some lower and none higher are chosen, however few.
        if len(better) > len(shared) / 2 or (better and not is_worse):
            _report(
                "measured-again", campaign, edition, change,
                found=f"{len(better)} of {len(shared)} networks lower than in {other.submission_id} by the same people",
                expected="a reason why they were measured again",
                fix="Say under notes what changed between the two; every run that was made counts, not the best.",
            )  # fmt: skip
            return


def _lowest(rows: list[dict[str, Any]], edition: Edition) -> dict[str, float]:
    found: dict[str, float] = {}
    for row in rows:
        name = edition.network_of(row)
        if name is None:
            continue
        found[name] = min(row["energy_mj"], found.get(name, row["energy_mj"]))
    return found


def _check_replaced(
    campaign: Campaign, edition: Edition, before: pd.DataFrame, after: pd.DataFrame, change: Change
) -> None:
    """campaign-replaced: figures of another campaign that count no longer, or are joined with these."""
    own = campaign.submission_id
    changed = after[after["submission_ids"].map(lambda ids: own in ids)]
    keys = ["system_id", "tier", "boundary", "network", "delegate"]
    both = changed.merge(before, on=keys, suffixes=("", "_before"))
    replaced = sorted({name for names in both["submission_ids_before"] for name in names} - {own})
    for name in replaced:
        other = change.now.by_id.get(name)
        if other is None:
            continue
        support = [_support(each, edition) for each in (other, campaign)]
        _report(
            "campaign-replaced", campaign, edition, change,
            found=f"replaces or joins {name}: {support[1]} for {support[0]}",
            expected="better evidence than before",
            fix="A reviewer compares the two; a later round or a repeat is no better by being later.",
        )  # fmt: skip


def _support(campaign: Campaign, edition: Edition) -> str:
    """Traces and runs of a campaign in words."""
    table = campaign.tables.get(edition.level)
    n_runs = sum(count or 0 for count in table.column("n_runs").to_pylist()) if table is not None else 0
    return f"{counted(len(campaign.manifest.traces), 'trace')}, {counted(n_runs, 'run')}"
