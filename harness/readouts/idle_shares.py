"""What part of an inference's energy the idle board would have drawn as well."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from harness.readouts.points import Point, Series, all_series
from harness.releases import Release
from harness.schema.readouts import IdleShareRecord


@dataclass(frozen=True, slots=True)
class IdleShare:
    """Idle power of a board over its power during an inference; times the energy, that of the idle board.

    Attributes:
        idle_mw: mean of the idle powers before and after.
        share: the mean over the power during the inference.
        before: idle power before over that power.
        after: idle power after over that power.
    """

    idle_mw: float
    share: float
    before: float
    after: float


def idle_share(point: Point) -> IdleShare | None:
    """Share of the idle board in the energy of one inference; None where a power is unknown.

    It is also None where the board drew as much idle as it did running: what was then called idle was not.

    Args:
        point: row of an absolute energy.
    """
    power, before, after = point.power_mw, point.idle_before_mw, point.idle_after_mw
    if power is None or before is None or after is None:
        return None
    idle = (before + after) / 2
    return None if idle >= power else IdleShare(idle, idle / power, before / power, after / power)


def idle_shares(release: Release) -> list[IdleShareRecord]:
    """Idle share of every series that states idle power, with its extremes, by series."""
    found = []
    for series, points in all_series(release).items():
        shares = [(share, point) for point in points if (share := idle_share(point)) is not None]
        if shares:
            found.append(_record(series, shares, len(points) - len(shares)))
    return found


def _record(series: Series, shares: Sequence[tuple[IdleShare, Point]], n_without: int) -> IdleShareRecord:
    ordered = sorted(shares, key=lambda entry: (entry[0].share, entry[1].record_id))
    (lowest, of_lowest), (highest, of_highest) = ordered[0], ordered[-1]
    return IdleShareRecord(
        **series._asdict(),
        n_networks=len(shares),
        n_without_idle=n_without,
        idle_mw=median(share.idle_mw for share, _ in shares),
        share_median=median(share.share for share, _ in shares),
        share_before_median=median(share.before for share, _ in shares),
        share_after_median=median(share.after for share, _ in shares),
        share_lowest=lowest.share,
        lowest_model=of_lowest.network.model,
        lowest_dtype=of_lowest.network.dtype,
        share_highest=highest.share,
        highest_model=of_highest.network.model,
        highest_dtype=of_highest.network.dtype,
    )
