"""Pieces of a trace with the energy over each of them, computed by threads ahead of who passes over the trace."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from harness.traces.ahead import mapped_ahead
from harness.traces.trace import Chunk, Reals, SampleKind

_CARRIED: Final = 5
"""Samples that a piece shares with the one before: an edge of a window needs up to three on either side."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Consecutive samples of a trace, after the last ones before them.

    Attributes:
        chunk: the samples; none in the piece that ends a trace.
        times_s: times in seconds of the samples before, and of these.
        powers_mw: power in mW of each.
        energies_mj: energy in mJ from the first of them up to each.
    """

    chunk: Chunk
    times_s: Reals
    powers_mw: Reals
    energies_mj: Reals

    @property
    def n_carried(self) -> int:
        """Number of samples before."""
        return len(self.times_s) - len(self.chunk.stamps_s)

    @property
    def is_end(self) -> bool:
        """Whether the trace has no further samples, and these none of their own."""
        return not len(self.chunk.stamps_s)


def pieces(chunks: Iterable[Chunk], kind: SampleKind) -> Iterator[Piece]:
    """Pieces of a trace, and one that ends it; nothing where it has no samples.

    Args:
        chunks: samples of the trace; their times do not fall.
        kind: what a sample is.
    """
    return mapped_ahead(partial(_piece, kind=kind), _with_carried(chunks))


def _with_carried(chunks: Iterable[Chunk]) -> Iterator[tuple[Chunk, Chunk]]:
    """Chunks that are not empty, each after the last samples before it, and an empty one after the last."""
    nothing = carried = Chunk(np.empty(0), np.empty(0))
    for chunk in chunks:
        n_samples = len(chunk.stamps_s)
        if not n_samples:
            continue
        yield carried, chunk
        last = chunk if n_samples >= _CARRIED else _joined(carried, chunk)
        carried = Chunk(last.stamps_s[-_CARRIED:], last.power_mw[-_CARRIED:])
    if len(carried.stamps_s):
        yield carried, nothing


def _joined(first: Chunk, second: Chunk) -> Chunk:
    stamps = np.concatenate([first.stamps_s, second.stamps_s])
    return Chunk(stamps, np.concatenate([first.power_mw, second.power_mw]))


def _piece(carried_and_chunk: tuple[Chunk, Chunk], kind: SampleKind) -> Piece:
    """Trapezoids between instants; a mean is that since the sample before."""
    carried, chunk = carried_and_chunk
    joined = _joined(carried, chunk)
    times, powers = joined.stamps_s, joined.power_mw
    # In place, because a trace is long and every temporary array is another pass over memory. A power beyond all
    # bounds is reported by the reader of the trace.
    with np.errstate(over="ignore", invalid="ignore"):
        if kind == "mean":
            areas = powers[1:] * np.diff(times)
        else:
            areas = powers[1:] + powers[:-1]
            areas *= np.diff(times)
            areas *= 0.5
        energies = np.empty(len(times))
        energies[0] = 0.0
        np.cumsum(areas, out=energies[1:])
    return Piece(chunk, times, powers, energies)
