"""Which predictors are significantly better than others on the same rows, all pairs at once, and their ranks.

A pair is compared by a randomisation test. Where two predictors are alike, the difference of their hits in a group of
rows is as likely to be of one sign as of the other. With d the differences by group, the probability that their sum
exceeds K(d, c) is then at most C (1 - Phi(c)), for any number and size of groups. K is the least sum of absolute values
of a part of d and c times the root of the sum of squares of the rest, over all ways to part it; c is chosen so that the
probability of any error among all pairs is at most 5 %.

K is a norm. So the relation is transitive: where A is better than B, and B than C, the sum of A minus C is that of both
differences, and its K is at most the sum of theirs; all that are better than A are better than C, and ranks that count
them are consistent. No group adds more to K than to the sum. So a row that a predictor misses makes no other
predictor less significantly better than it.

Source:
    Noreen, Computer-Intensive Methods for Testing Hypotheses (1989), on approximate randomisation; Bentkus and
    Dzindzalieta, A tight Gaussian bound for weighted sums of Rademacher random variables, Bernoulli 21(2), 2015, for
    the bound and C; Montgomery-Smith, The distribution of Rademacher sums, Proc. AMS 109(2), 1990, for K; Bonferroni's
    inequality for all pairs.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

from harness.arrays import Mask, Reals, Whole
from harness.schema.results import Interval

_ERROR: Final = 0.05
"""Probability of at least one error among all pairs."""
_BOUND: Final = 1 / (4 * float(ndtr(-np.sqrt(2))))
"""C, about 3.18."""
_ROUNDING: Final = 1e-9
"""Where all groups agree and are few, the sum is K, whatever the order in which the two were summed."""


class Difference(NamedTuple):
    """Difference of the shares of two predictors in the same rows, the first minus the second.

    Attributes:
        value: difference.
        ci95: interval that covers it, together with those of all other pairs, with a probability of 95 %.
    """

    value: float
    ci95: Interval

    @property
    def is_above(self) -> bool:
        """Whether the whole interval lies above 0."""
        return self.ci95[0] > 0


def critical_value(n_predictors: int) -> float:
    """The factor c of the test for all pairs of so many predictors, two at least.

    >>> [round(critical_value(n), 2) for n in (2, 6)]
    [2.42, 3.28]
    """
    n_tests = n_predictors * (n_predictors - 1)
    return -float(ndtri(_ERROR / (n_tests * _BOUND)))


def widest_by_chance(differences: Reals, critical: float) -> float:
    """K of the differences of two predictors by group: what their sum exceeds only where one of them is better.

    Args:
        differences: shape `(n_groups,)`.
        critical: factor c.

    >>> [round(widest_by_chance(np.ones(n_groups), 3.0), 6) for n_groups in (100, 2)]
    [30.0, 2.0]
    """
    sizes = np.sort(np.abs(differences))[::-1]
    squares = np.append(np.cumsum(sizes[::-1] ** 2)[::-1], 0)
    most = min(len(sizes), int(critical**2))
    first = np.arange(most + 1)
    # The largest of the groups count in full, the others by the root of the sum of their squares.
    of_rest = np.sqrt(np.maximum(critical**2 - first, 0))
    is_enough = of_rest * np.append(sizes, 0)[: most + 1] <= np.sqrt(squares[: most + 1])
    # The squares of tiny sizes are 0.
    is_enough[most] = True
    n_full = int(np.argmax(is_enough))
    return (1 + _ROUNDING) * float(sizes[:n_full].sum() + of_rest[n_full] * np.sqrt(squares[n_full]))


def pairwise_differences(hits: Reals, groups: Whole) -> list[list[Difference]]:
    """Differences of all pairs: entry `[i][j]` is predictor i minus predictor j.

    Args:
        hits: share of the repeats in which each predictor is right on each row, shape `(n_rows, n_predictors)`; 0 where
            it does not cover the row.
        groups: group of each row as a number below the count of groups, shape `(n_rows,)`.
    """
    n_rows, n_predictors = hits.shape
    sums = np.stack([np.bincount(groups, of_one) for of_one in hits.T])
    critical = critical_value(max(n_predictors, 2))
    table = [[Difference(0.0, (0.0, 0.0))] * n_predictors for _ in range(n_predictors)]
    for one in range(n_predictors):
        for other in range(one):
            of_groups = sums[one] - sums[other]
            value, width = of_groups.sum() / n_rows, widest_by_chance(of_groups, critical) / n_rows
            table[one][other] = Difference(float(value), (float(value - width), float(value + width)))
            table[other][one] = Difference(float(-value), (float(-value - width), float(-value + width)))
    return table


def ranks(differences: Sequence[Sequence[Difference]]) -> list[int]:
    """Rank of each of several predictors: 1, and 1 more for every other that is significantly better.

    Args:
        differences: differences of all pairs, as `pairwise_differences` gives them.

    >>> ranks(pairwise_differences(np.array([[1.0, 1.0, 0.0]] * 20), np.arange(20)))
    [1, 1, 3]
    """
    is_better: Mask = np.array([[each.is_above for each in row] for row in differences], dtype=np.bool_)
    return [1 + int(count) for count in is_better.sum(axis=0)]
