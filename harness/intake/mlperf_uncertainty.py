"""Uncertainty of the energies of a campaign of MLPerf Inference, from its repeats, its meter and its windows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from scipy.special import stdtrit

from harness.intake.mlperf_runs import RunFigures
from harness.schema.facts import MeterAccuracy
from harness.traces.budget import HALF_WIDTH, WIDTH, Component, expanded_mj
from harness.traces.components import METER, REPEATABILITY

UNSTABLE: Final = 0.1
"""Relative difference between run and repeat beyond which a row is noted, and tells of no other row."""
KNOWN: Final = 0.0158
"""Relative standard deviation of one run of the rounds v1.0 to v3.0, pooled over their 2,728 stable repeats."""
FEWEST: Final = 10
"""Stable repeats below which their own spread says less than that of all results."""
_TWO_SIGMA: Final = 0.97725
"""Share of a normal distribution below two standard deviations."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """A run with the energy of its repeat.

    Attributes:
        figures: what the run measured.
        repeat_energy_mj: energy of one inference in its repeat in mJ; None where there is none.
    """

    figures: RunFigures
    repeat_energy_mj: float | None

    @property
    def difference(self) -> float | None:
        """Difference of the repeat over the energy of the run."""
        return None if self.repeat_energy_mj is None else self.repeat_energy_mj / self.figures.energy_mj - 1

    @property
    def is_unstable(self) -> bool:
        """Whether the repeat differs by more than those of other runs do."""
        return self.difference is not None and abs(self.difference) > UNSTABLE


def repeatability(runs: Sequence[Repeated]) -> float | None:
    """Relative standard uncertainty of the energy of one run, pooled over the stable runs that were repeated.

    The standard deviation is widened to half of the interval of 95.45 % by Student's t, so that k = 2 holds. Of a few
    repeats, it is the larger one of their own and of what is known of all results.

    Returns:
        A share; None where nothing was repeated.

    Source:
        JCGM 100:2008, 4.2.4 (pooled estimate of earlier measurements) and G.3 (Student's t). A pair has one degree of
        freedom, and its variance is half of the square of the difference.
    """
    repeated = [run for run in runs if run.difference is not None]
    squares = [math.log1p(run.difference or 0.0) ** 2 / 2 for run in repeated if not run.is_unstable]
    if not repeated:
        return None
    own = math.sqrt(sum(squares) / len(squares)) if squares else 0.0
    if len(squares) < FEWEST:
        return max(own, KNOWN)
    return float(stdtrit(len(squares), _TWO_SIGMA)) / 2 * own


def expanded_energy_mj(run: Repeated, pooled: float | None, accuracy: MeterAccuracy | None) -> float | None:
    """Expanded uncertainty (k = 2) of the energy of one inference in mJ.

    Args:
        run: run with its repeat.
        pooled: repeatability of its campaign.
        accuracy: limits of error of the meter; None where they are unknown.

    Returns:
        None where the campaign has no repeat, so that the largest component is unknown.

    Source:
        JCGM 100:2008, 4.3.7 (rectangular distribution of a limit), 5.1.2 and 6.2.1. The difference of an unstable run
        and its repeat is such a limit. A window of LoadGen begins and ends within a sample.
    """
    if pooled is None:
        return None
    energy, figures = run.figures.energy_mj, run.figures
    furthest = abs(run.difference or 0.0) * energy if run.is_unstable else 0.0
    gain = None if accuracy is None else energy * accuracy.gain_percent / 100 / HALF_WIDTH
    offset = None if accuracy is None else accuracy.offset_mw * figures.latency_ms / 1e3 / HALF_WIDTH
    return expanded_mj(
        [
            Component(METER[0], gain),
            Component(METER[1], offset),
            Component("window edges", _edges_mj(figures)),
            Component(REPEATABILITY, math.hypot(pooled * energy, furthest / HALF_WIDTH)),
        ]
    )


def _edges_mj(figures: RunFigures) -> float:
    """Two samples, of the begin and the end of the window, of which an unknown part is idle."""
    idle = [each for each in (figures.idle_before_mw, figures.idle_after_mw) if each is not None]
    step_mw = max(figures.power_mw - min(idle), 0.0) if idle else 0.0
    share = 2**0.5 * figures.step_s / WIDTH / figures.duration_s
    return step_mw * share * figures.latency_ms / 1e3
