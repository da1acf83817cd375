"""Marks of power that no meter measured: constant, smooth, repeated, copied; and load that no window covers.

It reads samples and knows no submission.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]

WORD: Final = 48
"""Steps whose directions make one word; two words of noise are equal once in 2**48."""
FEWEST_WORDS: Final = 100
SMOOTH: Final = 0.02
"""Third differences relative to first ones; of noise they are larger, and of a curve without noise near zero."""
REPEATED: Final = 0.5
"""Share of words that occur before in the same trace."""
COPIED: Final = 0.5
"""Share of the words of a trace that another one has as well."""
LEFT_OUT: Final = 0.25
"""Share of the loaded time that windows may leave out, as of the windows themselves."""
_FEWEST_SAMPLES: Final = 200


class Samples(NamedTuple):
    """Beginning of a trace, with its windows on the same clock."""

    stamps_s: Reals
    power_mw: Reals
    starts_s: Reals
    ends_s: Reals


def is_constant(power: Reals) -> bool:
    """Whether a trace has at most two values."""
    return len(power) >= _FEWEST_SAMPLES and len(np.unique(power[:100_000])) <= 2


def is_smooth(power: Reals) -> bool:
    """Whether a trace is a curve without noise: it changes at most samples, and its slope hardly does."""
    first = np.abs(np.diff(power))
    if len(power) < _FEWEST_SAMPLES or np.mean(first > 0) < 0.5:
        return False
    return bool(np.median(np.abs(np.diff(power, 3))) < SMOOTH * np.median(first))


def words_of(power: Reals) -> npt.NDArray[np.uint64]:
    """Directions of consecutive steps as words, one for every sample; they stay when power is scaled or shifted.

    Words of power that is held, or that goes up and down in turn, say nothing and are left out.
    """
    steps = np.sign(np.diff(power))
    if len(steps) < WORD:
        return np.zeros(0, dtype=np.uint64)
    words = np.zeros(len(steps) - WORD + 1, dtype=np.uint64)
    n_held = np.convolve(steps == 0, np.ones(WORD), "valid")
    n_turns = np.convolve(np.diff(steps) != 0, np.ones(WORD - 1), "valid")
    for place in range(WORD):
        words |= (steps[place : place + len(words)] > 0).astype(np.uint64) << np.uint64(place)
    # Noise turns at two of three steps; a curve at none, and a pattern at all.
    says = (n_held < WORD / 4) & (n_turns > WORD / 4) & (n_turns < WORD - 4)
    return words[says]


def is_repeated(power: Reals) -> bool:
    """Whether most of a trace occurs in it before."""
    words = words_of(power)
    return len(words) >= FEWEST_WORDS and 1 - len(np.unique(words)) / len(words) > REPEATED


def is_copied(words: npt.NDArray[np.uint64], others: npt.NDArray[np.uint64]) -> bool:
    """Whether most of the noise of a trace is that of another."""
    if min(len(words), len(others)) < FEWEST_WORDS:
        return False
    return bool(np.isin(words, others).mean() > COPIED)


def share_left_out(samples: Samples) -> float:
    """Loaded time outside of the windows, from the first to the last load, as a share of all loaded time."""
    stamps, power = samples.stamps_s, samples.power_mw
    if len(stamps) < _FEWEST_SAMPLES or not len(samples.starts_s):
        return 0.0
    place = np.searchsorted(samples.starts_s, stamps, "right") - 1
    inside = (place >= 0) & (stamps <= samples.ends_s[np.maximum(place, 0)])
    if not inside.any() or inside.all():
        return 0.0
    idle, load = np.percentile(power[~inside], 5), np.median(power[inside])
    loaded = power > (idle + load) / 2
    # Idle power and load must be two levels, or the whole trace is one.
    if load < 1.5 * idle or not loaded.any():
        return 0.0
    return float((loaded & ~inside).sum() / loaded.sum())
