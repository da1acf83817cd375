"""The sound submission with traces bound to its rows, for tests that make them in code."""

import hashlib
import json
from pathlib import Path

from harness.issues import as_text
from harness.validation import validate
from tests.validation.hostile import CAMPAIGN

WINDOWS_MS = ((1140, 1165), (1180, 1205), (1220, 1245), (1260, 1285))
BEFORE_MS = 1100
"""Idle before the first inferences, which must last a second."""
IDLE = {"power_mw": 320, "how": "Mean over a minute before the run, screen off."}


def power_csv(active_mw: float = 2500, idle_mw: float = 320, n_samples: int = 1300) -> bytes:
    """One sample a millisecond, idle for more than a second first; with the default power each window holds 62.5 mJ.

    That is the energy of model M1 of the base.
    """
    lines = ["time_s,power_mw"]
    for k in range(n_samples):
        is_active = any(start - 1 <= k <= end + 1 for start, end in WINDOWS_MS)
        # A meter never repeats itself; neighbours differ, and their mean is exact.
        lines.append(f"{k / 1000:.3f},{(active_mw if is_active else idle_mw) + (10 if k % 2 else -10)!r}")
    return "\n".join(lines).encode() + b"\n"


def windows_csv(windows=WINDOWS_MS) -> bytes:
    return "\n".join(["start_ms,end_ms", *(f"{start},{end}" for start, end in windows)]).encode() + b"\n"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def bound(folder: Path, name: str, content: bytes) -> dict[str, str]:
    """Write a file into a campaign's folder of traces; what binds it."""
    (folder / "traces").mkdir(exist_ok=True)
    (folder / "traces" / name).write_bytes(content)
    return {"file": name, "sha256": sha256(content)}


def bind(root: Path, power=None, inferences=None, baseline=None, *, campaign=CAMPAIGN, names="m1", **entry) -> None:
    """Bind one trace to model M1, or as the entry says; an entry that is None is left out."""
    folder = root / campaign
    trace = {"level": "models", "where": {"source_id": "M1"}, "format": "plain"} | entry
    trace["power"] = bound(folder, f"{names}_power.csv", power_csv() if power is None else power)
    times = windows_csv() if inferences is None else inferences
    trace["inferences"] = bound(folder, f"{names}_inference_time.csv", times)
    if baseline is not None:
        trace["baseline"] = bound(folder, f"{names}_idle.csv", baseline)
    manifest = folder / "submission.yaml"
    text = manifest.read_text(encoding="utf-8")
    head = "" if "\ntraces:\n" in text else "traces:\n"
    # JSON is YAML, too.
    manifest.write_text(f"{text}{head}  - {json.dumps(trace)}\n", encoding="utf-8")


def state_idle(root: Path, power_mw: float = IDLE["power_mw"]) -> None:
    manifest = root / CAMPAIGN / "submission.yaml"
    manifest.write_text(f"{manifest.read_text()}idle: {json.dumps(IDLE | {'power_mw': power_mw})}\n")


def change(root: Path, name: str, old: str, new: str) -> None:
    path = root / CAMPAIGN / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def report(root: Path) -> str:
    return as_text(validate([root]).report)


def rules(root: Path) -> list[str]:
    return [issue.rule for issue in validate([root]).report.issues]
