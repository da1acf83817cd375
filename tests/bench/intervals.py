"""Empirical coverage of the default predictor's intervals on every split of the kernels, with their widths.

The simulated accelerators of `submissions/` are always there. A folder DeepEn2023 that `DEEPEN_UPSTREAM` holds is
taken in as well, in a scratch folder.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import track
from rich.table import Table

from harness import api
from harness.defaults import PREDICTOR
from harness.evaluation.plans import COVERAGES, Fold, FoldPredictions, Plan
from harness.evaluation.tracks import plans_of
from harness.predictor.loading import load_model
from harness.predictor.registry import predictor_info
from harness.releases import assemble
from harness.validation import validate

SUBMISSIONS = Path("submissions")
UPSTREAM = Path(os.environ.get("DEEPEN_UPSTREAM", "")) / "deepen2023"
WITHIN = 0.1
WIDTH = 150
"""Columns of text that the table takes."""
DEVICE = "name: Phone of DeepEn2023\ndevice_class: phone\ndelegates: {CPU: cpu}\n"


def plans(scratch: Path) -> Iterator[Plan]:
    """Plans of the kernels of every device."""
    folders = [path for path in sorted(SUBMISSIONS.iterdir()) if path.name.startswith("zigzag-")]
    if UPSTREAM.is_dir():
        home = scratch / "deepen2023"
        home.mkdir()
        (home / "device.yaml").write_text(DEVICE)
        facts = {"delegate": "CPU", "dtype": "fp32", "runtime": "not stated"}
        api.intake("deepen2023", UPSTREAM, "deepen2023", "kernels", out=scratch, **facts)
        folders.append(home)
    yield from plans_of("kernels", assemble(validate(folders).campaigns), 0).plans


def predicted(plan: Plan, fold: Fold) -> FoldPredictions:
    """Energies and intervals of the kernels of one fold."""
    is_covered = fold.covered(predictor_info(PREDICTOR), plan.subject.dtype)
    asked = fold.test[is_covered].reset_index(drop=True)
    fitted = load_model(PREDICTOR)().fit(fold.train)
    energy_mj, intervals = np.full(len(is_covered), np.nan), {}
    energy_mj[is_covered] = fitted.predict(asked)
    for coverage in COVERAGES:
        intervals[coverage] = np.full((len(is_covered), 2), np.nan)
        intervals[coverage][is_covered] = fitted.predict_interval(asked, coverage / 100)
    return FoldPredictions(energy_mj, intervals)


def cells(split: str, rows: pd.DataFrame) -> list[str]:
    """Cells of one split: count, share within 10 %, share without an interval, and coverage with widths."""
    error = np.abs(np.log(rows["predicted_mj"] / rows["actual_mj"]))
    is_within = (rows["predicted_mj"] / rows["actual_mj"] - 1).abs() <= WITHIN
    has_interval = rows["low_90"].notna()
    found = [
        split,
        str(len(rows)),
        f"{is_within.mean():.1%}",
        f"{error.median():.3f}",
        f"{1 - has_interval.mean():.1%}",
    ]
    known = rows[has_interval]
    for coverage in COVERAGES:
        low, high = known[f"low_{coverage}"], known[f"high_{coverage}"]
        half = np.log(high / low) / 2
        share = ((low <= known["actual_mj"]) & (known["actual_mj"] <= high)).mean()
        found += [f"{share:.1%}", f"{half.mean():.3f}", f"{half.median():.3f}"]
    return found


def main(_: Console) -> None:
    """Print one table for every device; of cross-validation the first repeat."""
    info, console = predictor_info(PREDICTOR), Console(width=WIDTH)
    with tempfile.TemporaryDirectory() as scratch:
        for plan in plans(Path(scratch)):
            table = Table(
                title=f"{PREDICTOR} on {plan.subject.device_id}: empirical coverage, half-widths of log energy"
            )
            headings = ["split", "rows", "within 10 %", "median error", "no interval"]
            for coverage in COVERAGES:
                headings += [f"{coverage} %", "mean", "median"]
            for heading in headings:
                table.add_column(heading, justify="left" if heading == "split" else "right")
            folds = [fold for fold in plan.folds(info) if not fold.repeat]
            done = [(fold, predicted(plan, fold)) for fold in track(folds, plan.subject.device_id, console=console)]
            for split in plan.splits:
                table.add_row(*cells(split, plan.rows(split, [each for each in done if split in each[0].splits])))
            console.print(table)
