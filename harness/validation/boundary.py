"""What a campaign states of its measurement: what the energies are of, no wider than its traces show, and the meter."""

from collections.abc import Mapping
from typing import Final, get_args

from harness.schema.facts import Manifest
from harness.schema.vocabulary import BOUNDARY_TITLES, RATED_TIERS, Boundary, MeterKind, tier_of
from harness.traces.format import TraceFormat
from harness.traces.reduction import Reduction
from harness.traces.trace import TraceFault
from harness.validation.fact_faults import Path
from harness.validation.faults import Faults

WIDTHS: Final[tuple[Boundary, ...]] = get_args(Boundary)[:-1]
"""Boundaries, narrowest first; `unstated` is none of them and claims nothing."""
FEWEST_RAILS: Final[Mapping[Boundary, int]] = {"rail": 1, "sum-of-rails": 2}
"""Rails that a boundary needs the names of."""
_PARTIAL: Final = frozenset(FEWEST_RAILS)
BEST_GAIN_PERCENT: Final = 0.001
"""Limit of error that no meter of power reaches; the best compare power to about 0.01 %."""
BEST_OFFSET_MW: Final = 1e-6
"""Constant limit of error, 1 nW, that no meter of devices reaches."""


def check_boundary(manifest: Manifest, lines: Mapping[Path, int], shown: str, faults: Faults) -> None:
    """Report a measured campaign that does not state its boundary, and one of rails that it does not name.

    Args:
        manifest: what the campaign declares.
        lines: line of each part of the manifest.
        shown: its name in messages.
        faults: collects what is wrong.
    """
    if manifest.boundary == "unstated" and manifest.method == "measured":
        words = "; ".join(f"{word}, {title}" for word, title in BOUNDARY_TITLES.items() if word in WIDTHS)
        fix = f"Find out where the meter sat, and write boundary: {words}."
        line = lines.get(("boundary",)) or lines["meter",]
        faults.add(
            "boundary-unstated", shown, line=line, column="boundary", found="not stated",
            expected="what the energies are of", fix=fix, is_value=False,
        )  # fmt: skip
    needed = FEWEST_RAILS.get(manifest.boundary, 0)
    if len(set(manifest.rails)) < needed:
        named = f"{len(manifest.rails)} under rails" if manifest.rails else "none under rails"
        expected = "the name of the rail" if needed == 1 else "the names of the rails, at least two"
        fix = "List the rails under rails:, as the meter or the board names them."
        if needed > 1:
            fix += " If there was only one, the boundary is rail."
        faults.add(
            "boundary-rails", shown, line=lines["boundary",], column="boundary",
            found=f"{manifest.boundary} with {named}", expected=expected, fix=fix, is_value=False,
        )  # fmt: skip


def check_accuracy(manifest: Manifest, lines: Mapping[Path, int], shown: str, faults: Faults) -> None:
    """Report a meter whose accuracy is a text, or perfect; the arguments are those of `check_boundary`."""
    accuracy = None if manifest.meter is None else manifest.meter.accuracy
    if accuracy is not None and accuracy.gain_percent < BEST_GAIN_PERCENT and accuracy.offset_mw < BEST_OFFSET_MW:
        fix = "Look up the limits in the data sheet of the meter; where there are none, leave accuracy out."
        faults.add(
            "accuracy-zero", shown, line=lines["meter", "accuracy"], column="meter.accuracy",
            found=f"gain_percent {accuracy.gain_percent:g} and offset_mw {accuracy.offset_mw:g}",
            expected=f"a limit of error of at least {BEST_GAIN_PERCENT:g} % or {BEST_OFFSET_MW:g} mW", fix=fix,
            is_value=False,
        )  # fmt: skip
    if manifest.meter is None or manifest.meter.accuracy_text is None:
        return
    fix = "Look up the limits in the data sheet of the meter, and write them with stated_by; 1 % of reading is "
    faults.add(
        "accuracy-text", shown, line=lines.get(("meter", "accuracy"), lines["meter",]), column="meter.accuracy",
        found=manifest.meter.accuracy_text, expected="gain_percent and offset_mw, limits of error",
        fix=fix + "gain_percent: 1.",
    )  # fmt: skip


def meter_fault(manifest: Manifest, trace_format: TraceFormat) -> TraceFault | None:
    """Fault of a measured campaign that states a better kind of meter than the one that writes its traces.

    Args:
        manifest: what the campaign declares.
        trace_format: format of one of its traces; one that any meter may have written says nothing.
    """
    if manifest.method != "measured" or manifest.meter is None:
        return None
    if trace_format.source is None or not trace_format.source.meter:
        return None
    stated, written = manifest.meter.kind, trace_format.meter_kind
    if _rank(stated) >= _rank(written):
        return None
    found = f"meter.kind {stated}, and a trace of the format {trace_format.name}"
    fix = f"Write kind: {written} if this trace is what the energies come from; otherwise bind the trace of the meter."
    return TraceFault("meter-kind", found, f"{written}, as what writes such traces", fix)


def _rank(kind: MeterKind) -> int:
    """Place of the tier of a kind of meter, best first."""
    return RATED_TIERS.index(tier_of("measured", kind))


def boundary_fault(manifest: Manifest, reduction: Reduction) -> TraceFault | None:
    """Fault of a campaign whose boundary is wider than what a trace of it measured; None where it is not, or unknown.

    Args:
        manifest: what the campaign declares.
        reduction: what one of its traces gives.
    """
    measured, stated = reduction.boundary, manifest.boundary
    if measured is None or measured == "unstated" or stated == "unstated":
        return None
    shown = f"{measured} ({', '.join(reduction.rails)})" if reduction.rails else measured
    fix = "State what was measured, or bind a trace of the rest as well: with A+B as its channel, a trace gives a sum."
    if WIDTHS.index(stated) > WIDTHS.index(measured):
        return TraceFault("boundary-mismatch", f"boundary {stated}", f"{shown}, as the trace has it", fix)
    missing = [rail for rail in manifest.rails if rail not in reduction.rails]
    if {measured, stated} <= _PARTIAL and reduction.rails and missing:
        fix = "Name the rails that the trace was read from; its channel states which."
        return TraceFault("boundary-mismatch", f"rails {', '.join(missing)}", f"{shown}, as the trace has it", fix)
    return None
