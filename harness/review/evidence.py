"""What a submission shows for its tier, and traces that no meter wrote."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np

from harness.errors import DeepenError
from harness.review.change import Change
from harness.review.known import rated_rows
from harness.review.signals import (
    LEFT_OUT,
    Samples,
    is_constant,
    is_copied,
    is_repeated,
    is_smooth,
    share_left_out,
    words_of,
)
from harness.schema.campaign import Campaign
from harness.schema.facts import Meter, Trace
from harness.scoring.editions import editions
from harness.traces.formats import TraceOptions, open_trace
from harness.traces.inferences import read_inferences
from harness.validation.layout import MANIFEST_FILE, TRACES_FOLDER

MOST_SAMPLES: Final = 200_000
"""Samples of a trace that are looked at."""
_MOST_CHUNKS: Final = 1000


def check_evidence(change: Change) -> None:
    """Every rule of the subject `evidence`."""
    words: list[tuple[str, np.ndarray[tuple[int], np.dtype[np.uint64]]]] = []
    for campaign in change.others:
        for trace in campaign.manifest.traces:
            samples = _samples_of(campaign, trace, change)
            if samples is not None:
                words.append((f"{campaign.submission_id}, {trace.power.file}", words_of(samples.power_mw)))
    for campaign in change.campaigns:
        _check_tier(campaign, change)
        for place, trace in enumerate(campaign.manifest.traces):
            samples = _samples_of(campaign, trace, change)
            if samples is None:
                continue
            _check_signal(campaign, trace, place, samples, change)
            own = words_of(samples.power_mw)
            twin = next((name for name, others in words if is_copied(own, others)), None)
            if twin is not None:
                fix = "Bind the trace of this run; noise is never the same twice."
                found = f"the noise of {twin}, shifted or scaled"
                _report("trace-copied", campaign, place, change, found, "a trace of its own", fix)
            words.append((f"{campaign.submission_id}, {trace.power.file}", own))


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
    n_traces = len(campaign.manifest.traces)
    n_rated = sum(len(rated_rows(change, campaign, edition)) for edition in editions())
    if not n_traces:
        yield "without a trace"
    elif n_traces < n_rated:
        yield f"with traces of {n_traces} of {n_rated} rated rows"
    if meter.serial is None:
        yield "without serial number"
    if meter.calibration is None:
        yield "without calibration"


def _samples_of(campaign: Campaign, trace: Trace, change: Change) -> Samples | None:
    """Beginning of a bound trace; None where it cannot be read, which validation reports."""
    folder: Path = change.now.folder / campaign.submission_id / TRACES_FOLDER
    options = TraceOptions(trace.channel, trace.sampling_hz, trace.timezone, trace.voltage_v, trace.layout)
    try:
        power = open_trace(folder / trace.power.file, trace.format, options)
        inferences = read_inferences(folder / trace.inferences.file, trace.n_each, trace.timezone)
        stamps, values, n_samples = [], [], 0
        for chunk in islice(power.chunks(), _MOST_CHUNKS):
            stamps.append(chunk.stamps_s)
            values.append(chunk.power_mw)
            n_samples += len(chunk.stamps_s)
            if n_samples >= MOST_SAMPLES:
                break
    except (DeepenError, OSError):
        return None
    if not n_samples:
        return None
    starts, ends = inferences.relative_to(power.start_s)
    moved = trace.offset_s or 0.0
    times, drawn = (np.concatenate(parts)[:MOST_SAMPLES] for parts in (stamps, values))
    return Samples(times, drawn, starts + moved, ends + moved)


def _check_signal(campaign: Campaign, trace: Trace, place: int, samples: Samples, change: Change) -> None:
    """trace-synthetic, trace-repeated, trace-windows."""
    power = samples.power_mw
    asks = "A reviewer asks for the file as the meter wrote it."
    if is_constant(power):
        found = f"{len(np.unique(power))} values in {len(power)} samples"
        _report("trace-synthetic", campaign, place, change, found, "the noise of a meter", asks)
    elif is_smooth(power):
        found = "a curve without noise"
        _report("trace-synthetic", campaign, place, change, found, "the noise of a meter", asks)
    elif is_repeated(power):
        found = "samples that repeat earlier ones"
        _report("trace-repeated", campaign, place, change, found, "noise that never repeats", asks)
    share = share_left_out(samples)
    if share > LEFT_OUT:
        found = f"{share:.0%} of the time under load in no window of {trace.inferences.file}"
        fix = "Give every inference of the run; warm-up is left out by n_skipped, which is named."
        _report("trace-windows", campaign, place, change, found, f"at most {LEFT_OUT:.0%}", fix)
