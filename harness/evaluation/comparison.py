"""Predictors compared on the same rows: ranks, ties, and differences with their intervals."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from harness.arrays import Reals
from harness.evaluation.folds import numbered
from harness.evaluation.metrics import METRIC, RANKED_PERCENT, is_within
from harness.evaluation.ranks import Difference, pairwise_differences, ranks
from harness.evaluation.scores import ScoredRows

BASELINE: Final = "constant"
"""Predictor that all others are compared with; it is always evaluated."""


class Standing(NamedTuple):
    """Where a predictor stands among others.

    Attributes:
        rank: 1, and 1 more for every predictor that is significantly better; None where it covers no row.
        ties: keys of the other predictors of this rank; none of them is significantly better than another.
        differences: its share within 10 % minus that of the baseline, and minus that of the best, over all held-out
            rows, with simultaneous intervals; by the key of the other predictor.
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


def compare(parts: Mapping[str, ScoredRows]) -> dict[str, Standing]:
    """Standing of each predictor that covers a row, in the order of ranks.

    All figures are over all held-out rows, and one that a predictor does not cover is a miss. Predictors of one rank
    come in the order of their share within the bound, then of their coverage and MAPE; the first of all is the best.

    Args:
        parts: rows of one split and kernel type with the predictions of each predictor, by its key; the same rows.
    """
    known = {key: part for key, part in parts.items() if part.is_scored.any()}
    if not known:
        return {}
    hits = {key: _hits(part) for key, part in parts.items()}
    groups = numbered(next(iter(known.values())).groups)
    # Those that cover no row are counted among the pairs: else a rank would depend on how many others cover one.
    differences = pairwise_differences(np.column_stack(list(hits.values())), groups)
    table = {key: dict(zip(parts, row, strict=True)) for key, row in zip(parts, differences, strict=True)}
    of_rank = dict(zip(parts, ranks(differences), strict=True))

    def place(key: str) -> tuple[int, float, int, float, str]:
        part = known[key]
        return of_rank[key], -float(hits[key].mean()), -int(part.is_scored.sum()), _mape(part), key

    in_order = sorted(known, key=place)
    best = in_order[0]
    return {
        key: Standing(
            of_rank[key],
            tuple(other for other in known if other != key and of_rank[other] == of_rank[key]),
            {other: table[key][other] for other in dict.fromkeys((BASELINE, best)) if other in known and other != key},
            best,
        )
        for key in in_order
    }


def _hits(part: ScoredRows) -> Reals:
    """Share of the repeats in which each row is within the bound; a row that is not covered is not."""
    hits: Reals = is_within(part.actual_mj, part.predicted_mj, RANKED_PERCENT).mean(axis=0)
    return hits


def _mape(part: ScoredRows) -> float:
    """Mean over the rows that are covered and the repeats."""
    is_scored = part.is_scored
    return float(np.mean([METRIC["mape"].of(part.actual_mj[is_scored], once[is_scored]) for once in part.predicted_mj]))
