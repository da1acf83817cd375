"""Marks of power that no meter measured: constant, smooth, repeated, copied; and load that no window covers.

It reads samples and knows no submission.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]
Words = npt.NDArray[np.uint64]

WORD: Final = 48
"""Steps whose directions make one word; two words of noise are equal once in 2**48."""
FEWEST_WORDS: Final = 100
SMOOTH: Final = 0.02
"""Third differences relative to first ones; of noise they are larger, and of a curve without noise near zero."""
REPEATED: Final = 0.5
"""Share of words that occur before in the same trace."""
COPIED: Final = 0.05
"""Share of the words of a trace that others have as well; traces that were measured share none."""
RATES: Final = (1, 2, 4, 5, 10)
"""Every how many samples of a trace a copy may have."""
CONSTANT: Final = 0.99
"""Share of samples with one of two values, such as idle power and load."""
CONSTANT_LOAD: Final = 0.95
"""Share of the samples in windows with one value."""
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
    """Whether nearly all samples of a trace have one of two values."""
    return len(power) >= _FEWEST_SAMPLES and _share_of_values(power, 2) >= CONSTANT


def is_constant_in_windows(samples: Samples) -> bool:
    """Whether nearly all samples in windows have one value."""
    power = samples.power_mw[_is_inside(samples)]
    return len(power) >= _FEWEST_SAMPLES and _share_of_values(power, 1) >= CONSTANT_LOAD


def _share_of_values(power: Reals, n_values: int) -> float:
    """Share of the samples that have one of the most frequent values."""
    counts = np.sort(np.unique(power, return_counts=True)[1])
    return float(counts[-n_values:].sum() / len(power))


def _is_inside(samples: Samples) -> npt.NDArray[np.bool_]:
    place = np.searchsorted(samples.starts_s, samples.stamps_s, "right") - 1
    inside: npt.NDArray[np.bool_] = (place >= 0) & (samples.stamps_s <= samples.ends_s[np.maximum(place, 0)])
    return inside


def is_smooth(power: Reals) -> bool:
    """Whether a trace is a curve without noise: it changes at most samples, and its slope hardly does."""
    first = np.abs(np.diff(power))
    if len(power) < _FEWEST_SAMPLES or np.mean(first > 0) < 0.5:
        return False
    return bool(np.median(np.abs(np.diff(power, 3))) < SMOOTH * np.median(first))


def words_of(power: Reals) -> Words:
    """Directions of consecutive steps as words, one for every sample.

    They stay when power is scaled, shifted, mirrored or reversed in time. Words of power that is held, or that goes up
    and down in turn, say nothing and are left out.
    """
    steps = np.sign(np.diff(power))
    if len(steps) < WORD:
        return np.zeros(0, dtype=np.uint64)
    forward, backward = np.zeros((2, len(steps) - WORD + 1), dtype=np.uint64)
    n_held = np.convolve(steps == 0, np.ones(WORD), "valid")
    n_turns = np.convolve(np.diff(steps) != 0, np.ones(WORD - 1), "valid")
    for place in range(WORD):
        rises = (steps[place : place + len(forward)] > 0).astype(np.uint64)
        forward |= rises << np.uint64(place)
        backward |= rises << np.uint64(WORD - 1 - place)
    turned = np.uint64(2**WORD - 1)
    words = np.minimum(np.minimum(forward, forward ^ turned), np.minimum(backward, backward ^ turned))
    # Noise turns at two of three steps; a curve at none, and a pattern at all.
    says = (n_held < WORD / 4) & (n_turns > WORD / 4) & (n_turns < WORD - 4)
    return np.asarray(words[says], dtype=np.uint64)


def words_at_rates(power: Reals) -> Words:
    """Words of a trace, and of every copy of it that has fewer samples; sorted, and each once."""
    parts = [words_of(power[first::rate]) for rate in RATES for first in range(rate)]
    return np.unique(np.concatenate(parts))


def is_repeated(power: Reals) -> bool:
    """Whether most of a trace occurs in it before."""
    words = words_of(power)
    return len(words) >= FEWEST_WORDS and 1 - len(np.unique(words)) / len(words) > REPEATED


def is_copied(words: Words, in_others: npt.NDArray[np.bool_]) -> bool:
    """Whether a part of the noise of a trace is that of others.

    Args:
        words: words of the trace.
        in_others: whether each of them is a word of another trace.
    """
    # Each word once, because a ripple of few samples gives the same ones in every trace of a board.
    return len(np.unique(words[in_others])) >= FEWEST_WORDS and bool(in_others.mean() > COPIED)


def share_left_out(samples: Samples) -> float:
    """Loaded time outside of the windows, from the first to the last load, as a share of all loaded time."""
    stamps, power = samples.stamps_s, samples.power_mw
    if len(stamps) < _FEWEST_SAMPLES or not len(samples.starts_s):
        return 0.0
    inside = _is_inside(samples)
    if not inside.any() or inside.all():
        return 0.0
    idle, load = np.percentile(power[~inside], 5), np.median(power[inside])
    loaded = power > (idle + load) / 2
    # Idle power and load must be two levels, or the whole trace is one.
    if load < 1.5 * idle or not loaded.any():
        return 0.0
    return float((loaded & ~inside).sum() / loaded.sum())
