"""What new rows change in the rankings: ratings without them compared with ratings with them."""

from collections.abc import Iterable
from dataclasses import dataclass

from harness.scoring.ratings import Rating


@dataclass(frozen=True, slots=True)
class RatingChange:
    """One system under one edition, tier and boundary whose rating differs.

    Attributes:
        before: rating without the new rows; None where the system is new there.
        after: rating with them; None where it is gone.
    """

    before: Rating | None
    after: Rating | None


def rating_changes(before: Iterable[Rating], after: Iterable[Rating]) -> list[RatingChange]:
    """Systems whose rank, class, index, scores or reason changed, in the order of their places afterwards."""
    earlier = {_place(rating): rating for rating in before}
    later = {_place(rating): rating for rating in after}
    places = [*later, *(place for place in earlier if place not in later)]
    return [
        RatingChange(earlier.get(place), later.get(place))
        for place in places
        if _figures(earlier.get(place)) != _figures(later.get(place))
    ]


def _place(rating: Rating) -> tuple[str | None, ...]:
    return rating.system_id, rating.edition, rating.tier, rating.boundary


def _figures(rating: Rating | None) -> dict[str, object] | None:
    return None if rating is None else rating.as_json()
