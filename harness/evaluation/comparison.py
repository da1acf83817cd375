"""Predictors compared on the same rows: ranks, ties, and differences with their intervals."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from harness.arrays import Reals
from harness.evaluation.bootstrap import Difference, Means, difference, mean_of_repeats, ranks, resampled_means
from harness.evaluation.folds import numbered
from harness.evaluation.metrics import METRIC, RANKED_PERCENT, is_within
from harness.evaluation.scores import ScoredRows

BASELINE: Final = "constant"
"""Predictor that all others are compared with; it is always evaluated."""


class Standing(NamedTuple):
    """Where a predictor stands among others.

    Attributes:
        rank: 1, and 1 more for every predictor that is significantly better; None where it has no measures.
        ties: keys of the predictors that it is not distinguishable from: the interval of the difference includes 0,
            or there is none, because they share no row or too few groups.
        differences: its share within 10 % minus that of the baseline, and minus that of the best, on the rows that
            both support; by the key of the other predictor.
        best: key of the best.
    """

    rank: int | None = None
    ties: tuple[str, ...] = ()
    differences: Mapping[str, Difference] = {}
    best: str | None = None

    @property
    def to_baseline(self) -> Difference | None:
        """Difference to the baseline; None for itself and where there is none."""
        return self.differences.get(BASELINE)

    @property
    def to_best(self) -> Difference | None:
        """Difference to the best; None for itself and where there is none."""
        return None if self.best is None else self.differences.get(self.best)


def compare(parts: Mapping[str, ScoredRows], seed: int) -> dict[str, Standing]:
    """Standing of each predictor that has measures, best first.

    The best has the largest share of all held-out rows within the bound, where rows that a predictor does not support
    are not within it; ties are broken by MAPE. Ranks and differences are of the rows that two predictors both support.

    Args:
        parts: rows of one split and kernel type with the predictions of each predictor, by its key; the same rows.
        seed: seed of the resamples.
    """
    known = {key: part for key, part in parts.items() if part.is_scored.any()}
    pairs = _Pairs(known, seed)
    table = {one: {other: pairs.difference(one, other) for other in known} for one in known}
    of_rank = dict(zip(known, ranks([list(row.values()) for row in table.values()]), strict=True))
    in_order = sorted(known, key=lambda key: (-_hits(known[key]).mean(), _mape(known[key]), key))
    best = next(iter(in_order), None)
    return {
        key: Standing(
            of_rank[key],
            tuple(
                other
                for other in known
                if other != key and not _are_distinguishable(table[key][other], table[other][key])
            ),
            {
                other: table[key][other]
                for other in dict.fromkeys((BASELINE, best))
                if other is not None and other in known and other != key and np.isfinite(table[key][other].value)
            },
            best,
        )
        for key in in_order
    }


def _are_distinguishable(one: Difference, other: Difference) -> bool:
    return one.is_above or other.is_above


class _Pairs:
    """Differences of pairs of predictors, on the rows that both support."""

    def __init__(self, parts: Mapping[str, ScoredRows], seed: int) -> None:
        self._parts = parts
        self._places = {key: place for place, key in enumerate(parts)}
        self._seed = seed
        self._means: dict[bytes, Means] = {}

    def difference(self, one: str, other: str) -> Difference:
        """Share of one predictor minus that of another; NaN where they share no row."""
        both = self._parts[one].is_scored & self._parts[other].is_scored
        if not both.any():
            return Difference(float("nan"), None)
        rows = both.tobytes()
        if rows not in self._means:
            hits = [_hits(part)[:, both] for part in self._parts.values()]
            means = resampled_means(np.vstack(hits).T, numbered(self._parts[one].groups[both]), self._seed)
            value, resamples = (part.reshape(-1, len(hits), len(hits[0])).swapaxes(1, 2) for part in means[:2])
            self._means[rows] = Means(mean_of_repeats(value)[0], mean_of_repeats(resamples, self._seed), means.n_groups)
        return difference(self._means[rows], self._places[one], self._places[other])


def _hits(part: ScoredRows) -> Reals:
    """Whether each row is within the bound, by repeat, shape `(n_repeats, n)`; 0 for a row that is not scored."""
    predicted = np.nan_to_num(part.predicted_mj, nan=np.inf)
    return is_within(part.actual_mj, predicted, RANKED_PERCENT).astype(np.float64)


def _mape(part: ScoredRows) -> float:
    """Mean over the rows that are scored and the repeats."""
    actual, predicted, _ = part.only(part.is_scored)
    return float(np.mean([METRIC["mape"].of(actual, once) for once in predicted]))
