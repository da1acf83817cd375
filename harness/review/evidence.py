"""What a submission shows for its tier, and traces that no meter wrote."""

import re
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from harness.errors import DeepenError
from harness.review.change import Change
from harness.review.known import rated_rows
from harness.review.lookalikes import says_nothing
from harness.review.signals import (
    LEFT_OUT,
    Samples,
    Words,
    is_constant,
    is_constant_in_windows,
    is_copied,
    is_repeated,
    is_smooth,
    share_left_out,
    words_at_rates,
    words_of,
)
from harness.schema.campaign import Campaign
from harness.schema.facts import Meter, Trace
from harness.scoring.editions import Edition, editions
from harness.traces.formats import TraceOptions, open_trace
from harness.traces.inferences import read_inferences
from harness.traces.trace import Chunk, PowerTrace
from harness.validation.layout import MANIFEST_FILE, TRACES_FOLDER
from harness.validation.traces import selects

MOST_SAMPLES: Final = 200_000
"""Samples of a trace that are looked at."""
_MOST_CHUNKS: Final = 1000
LEAST_UNCERTAIN: Final = 0.001
"""Expanded uncertainty as a share of the energy that meters of small devices do not fall below."""
MOST_UNCERTAIN: Final = 1.0
MOST_FASTER: Final = 2.0
"""Factor by which the stated rate of a meter may exceed that of its trace."""
_YEAR: Final = re.compile(r"(19|20)\d\d")


def check_evidence(change: Change) -> None:
    """Every rule of the subject `evidence`."""
    others: list[_Noise] = []
    for campaign in change.others:
        with change.contained(campaign.submission_id):
            for trace in campaign.manifest.traces:
                samples = _samples_of(campaign, trace, change)
                if samples is not None:
                    others.append(_noise_of(campaign, trace, samples))
    for campaign in change.campaigns:
        with change.contained(campaign.submission_id):
            _check_tier(campaign, change)
            _check_uncertainty(campaign, change)
            for place, trace in enumerate(campaign.manifest.traces):
                samples = _samples_of(campaign, trace, change)
                if samples is not None:
                    _check_signal(campaign, trace, place, samples, change)
                    own = _noise_of(campaign, trace, samples)
                    _check_copied(campaign, place, own, others, change)
                    others.append(own)


class _Noise(NamedTuple):
    """Words of a trace, those of copies of it with fewer samples, and whose trace it is."""

    name: str
    words: Words
    at_rates: Words


def _noise_of(campaign: Campaign, trace: Trace, samples: Samples) -> _Noise:
    power = samples.power_mw
    return _Noise(f"{campaign.submission_id}, {trace.power.file}", words_of(power), words_at_rates(power))


def _check_copied(campaign: Campaign, place: int, own: _Noise, others: Sequence[_Noise], change: Change) -> None:
    """trace-copied: noise of other traces, at the rate of either."""
    in_all = np.zeros(len(own.words), dtype=np.bool_)
    most, nearest = 0, ""
    for other in others:
        in_this = np.isin(own.words, other.at_rates)
        in_other = np.isin(other.words, own.at_rates)
        n_same = max(int(in_this.sum()), int(in_other.sum()))
        if n_same > most:
            most, nearest = n_same, other.name
        in_all |= in_this
        if is_copied(own.words, in_all) or is_copied(other.words, in_other):
            fix = "Bind the trace of this run; noise is never the same twice."
            found = f"the noise of {nearest}, or a part of it: shifted, scaled, mirrored, reversed or of another rate"
            _report("trace-copied", campaign, place, change, found, "a trace of its own", fix)
            return


def _report(rule: str, campaign: Campaign, place: int | None, change: Change, *words: str) -> None:
    """Report what was found, what was expected and how to fix it, about a trace or about the meter."""
    found, expected, fix = words
    name = ("meter",) if place is None else ("traces", str(place), "power", "file")
    lines = change.manifest_of(campaign).lines
    line = next((lines[name[:n]] for n in range(len(name), 0, -1) if name[:n] in lines), None)
    file = change.shown(f"{campaign.submission_id}/{MANIFEST_FILE}")
    change.faults.add(
        rule, file, line=line, column=".".join(name), found=found, expected=expected, fix=fix, is_value=False
    )


def _check_tier(campaign: Campaign, change: Change) -> None:
    """tier-evidence, tier-reason: figures of an analyser come with its traces, or with why they do not."""
    manifest = campaign.manifest
    if manifest.method != "measured" or manifest.meter is None or manifest.meter.kind != "analyser":
        return
    missing = ", ".join(_missing(campaign, manifest.meter, change))
    if not missing:
        return
    if manifest.untraced is not None:
        found = f"analyser, {missing}: {manifest.untraced}"
        fix = "A reviewer decides whether the reason is enough."
        _report("tier-reason", campaign, None, change, found, "traces of an analyser", fix)
        return
    fix = "Bind the traces, add meter.serial and meter.calibration, or say under untraced why there are none."
    _report("tier-evidence", campaign, None, change, f"analyser, {missing}", "traces, serial and calibration", fix)


def _missing(campaign: Campaign, meter: Meter, change: Change) -> Iterator[str]:
    rated = _rated(campaign, change)
    n_traced = sum(is_traced for _, _, is_traced in rated)
    if not campaign.manifest.traces:
        yield "without a trace"
    elif n_traced < len(rated):
        yield f"with traces of {n_traced} of {len(rated)} rated rows"
    if meter.serial is None or says_nothing(meter.serial):
        yield "without serial number"
    if meter.calibration is None or not _YEAR.search(meter.calibration):
        yield "without calibration, or the year of it"


def _rated(campaign: Campaign, change: Change) -> list[tuple[Edition, dict[str, Any], bool]]:
    """Every rated row with its edition, and whether a trace is bound to it."""
    return [
        (
            edition,
            cells,
            any(trace.level == edition.level and selects(trace, cells) for trace in campaign.manifest.traces),
        )
        for edition in editions()
        for _, cells in rated_rows(change, campaign, edition)
    ]


def _check_uncertainty(campaign: Campaign, change: Change) -> None:
    """uncertainty-untraced: what no trace shows, and no meter reaches."""
    for edition, cells, is_traced in _rated(campaign, change):
        stated, energy = cells["energy_u_mj"], cells["energy_mj"]
        if stated is None or is_traced or LEAST_UNCERTAIN <= stated / energy <= MOST_UNCERTAIN:
            continue
        change.faults.add(
            "uncertainty-untraced", change.shown(f"{campaign.submission_id}/{edition.level}.csv"), column="energy_u_mj",
            found=f"{stated:g}, {stated / energy:.2g} of the energy, without a trace", is_value=False,
            expected=f"{LEAST_UNCERTAIN:.1%} to {MOST_UNCERTAIN:.0%} of the energy",
            fix="Bind the trace that it follows from, or leave the cell empty; the interval of the label rests on it.",
        )  # fmt: skip
        return


def _samples_of(campaign: Campaign, trace: Trace, change: Change) -> Samples | None:
    """Samples of a bound trace, from the run on; None where it cannot be read, which validation reports."""
    folder: Path = change.now.folder / campaign.submission_id / TRACES_FOLDER
    options = TraceOptions(trace.channel, trace.sampling_hz, trace.timezone, trace.voltage_v, trace.layout)
    try:
        power = open_trace(folder / trace.power.file, trace.format, options)
        inferences = read_inferences(folder / trace.inferences.file, trace.n_each, trace.timezone)
        starts, ends = (each + (trace.offset_s or 0.0) for each in inferences.relative_to(power.start_s))
        chunks = _chunks_from(float(starts[0]) if len(starts) else 0.0, power)
    except (DeepenError, OSError):
        return None
    if not chunks:
        return None
    times, drawn = (np.concatenate([getattr(each, name) for each in chunks]) for name in ("stamps_s", "power_mw"))
    first = int(np.searchsorted(times, starts[0])) if len(starts) else 0
    looked_at = slice(max(first - MOST_SAMPLES // 2, 0), max(first + MOST_SAMPLES // 2, MOST_SAMPLES))
    return Samples(times[looked_at], drawn[looked_at], starts, ends)


def _chunks_from(start_s: float, power: PowerTrace) -> Sequence[Chunk]:
    """Chunks of a trace up to the number of samples that are looked at; of a long lead before the run, the end."""
    kept: deque[Chunk] = deque()
    n_samples = 0
    for chunk in islice(power.chunks(), _MOST_CHUNKS):
        if len(chunk.stamps_s):
            kept.append(chunk)
            n_samples += len(chunk.stamps_s)
        while n_samples > MOST_SAMPLES // 2 and len(kept) > 1 and kept[0].stamps_s[-1] < start_s:
            n_samples -= len(kept.popleft().stamps_s)
        if n_samples >= MOST_SAMPLES:
            break
    return kept


def _check_signal(campaign: Campaign, trace: Trace, place: int, samples: Samples, change: Change) -> None:
    """trace-synthetic, trace-repeated, trace-windows."""
    power = samples.power_mw
    asks = "A reviewer asks for the file as the meter wrote it."
    if is_constant(power):
        found = f"two values in nearly all of {len(power)} samples"
        _report("trace-synthetic", campaign, place, change, found, "the noise of a meter", asks)
    elif is_constant_in_windows(samples):
        found = "one value in nearly all samples of the windows"
        _report("trace-synthetic", campaign, place, change, found, "the noise of a meter", asks)
    elif is_smooth(power):
        found = "a curve without noise"
        _report("trace-synthetic", campaign, place, change, found, "the noise of a meter", asks)
    elif is_repeated(power):
        found = "samples that repeat earlier ones"
        _report("trace-repeated", campaign, place, change, found, "noise that never repeats", asks)
    _check_rate(campaign, place, samples, change)
    share = share_left_out(samples)
    if share > LEFT_OUT:
        found = f"{share:.0%} of the time under load in no window of {trace.inferences.file}"
        fix = "Give every inference of the run; warm-up is left out by n_skipped, which is named."
        _report("trace-windows", campaign, place, change, found, f"at most {LEFT_OUT:.0%}", fix)


def _check_rate(campaign: Campaign, place: int, samples: Samples, change: Change) -> None:
    """trace-rate-stated: samples per second that the campaign states, against those of its trace."""
    meter = campaign.manifest.meter
    step_s = float(np.median(np.diff(samples.stamps_s))) if len(samples.stamps_s) > 1 else 0.0
    if meter is None or meter.sampling_hz is None or step_s <= 0 or meter.sampling_hz * step_s <= MOST_FASTER:
        return
    found = f"meter.sampling_hz {meter.sampling_hz:g}, and a trace of {1 / step_s:.4g} Hz"
    fix = "Write the rate of the trace, or bind the trace at the rate of the meter."
    _report("trace-rate-stated", campaign, place, change, found, "the rate of the trace", fix)
