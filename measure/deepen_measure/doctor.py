"""What would spoil a measurement on this machine, before anything is measured."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from deepen_measure.files import text_of
from deepen_measure.machine import state
from deepen_measure.meters import find_meters

_MOST_LOAD = 0.3
_CALM_GOVERNORS = {"performance", "userspace"}


class Check(NamedTuple):
    """One finding.

    Attributes:
        level: `ok`, `warning` or `error`.
        what: what was looked at.
        found: what is there.
        fix: what to do; empty where it is well.
    """

    level: str
    what: str
    found: str
    fix: str = ""


def checks(root: Path, rails: tuple[str, ...] = ()) -> list[Check]:
    """Findings about meters, governor, load, throttling and clock.

    Args:
        root: what `/` is.
        rails: rails that are to be read.
    """
    now = state(root)
    return [*_meters(root, rails), _governor(now), _load(now), _throttling(now), _clock(root)]


def _meters(root: Path, rails: tuple[str, ...]) -> list[Check]:
    found, missing = find_meters(root, rails)
    lines = [
        Check("ok", f"meter {each.facts.name}", f"{each.facts.title}: {', '.join(each.facts.rails)}") for each in found
    ]
    if not found:
        lines.append(Check("error", "meters", "none that can be read", "Connect one, or grant access as below."))
    return lines + [
        Check("warning", f"meter {each.name}", each.reason, each.fix) for each in missing if each.fix or not found
    ]


def _governor(now: dict[str, object]) -> Check:
    governors = list(now["governors"])  # type: ignore[call-overload]
    if not governors:
        return Check("warning", "governor", "not stated by this machine", "Fix the clock in its settings.")
    if set(governors) <= _CALM_GOVERNORS:
        return Check("ok", "governor", ", ".join(governors))
    fix = "sudo cpupower frequency-set -g performance, or write performance into every scaling_governor"
    return Check("warning", "governor", f"{', '.join(governors)}: clocks vary with the load", fix)


def _load(now: dict[str, object]) -> Check:
    load = now["load"]
    if not isinstance(load, float):
        return Check("warning", "other load", "not stated by this machine", "End all that is not measured.")
    found = f"{load:.2f} processes ran in the last minute, on {os.cpu_count()} cores"
    return Check(
        "ok" if load < _MOST_LOAD else "warning", "other load", found, "" if load < _MOST_LOAD else "End them."
    )


def _throttling(now: dict[str, object]) -> Check:
    hot = now["temperatures_c"]
    hottest = max(hot.values()) if isinstance(hot, dict) and hot else None
    found = "no thermal zone is stated" if hottest is None else f"hottest zone at {hottest:.0f} °C"
    return Check("ok", "temperature", found)


def _clock(root: Path) -> Check:
    source = text_of(root / "sys/devices/system/clocksource/clocksource0/current_clocksource")
    return Check("ok", "clock", source or "not stated by this machine")
