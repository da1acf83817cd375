"""A device from few rows: share of kernels within 10 % by own rows, by other devices, and by both; random and designed.

Rows are drawn from the published training side and tested on the published test side, which designs do not see either.
Other devices give their training side. The tables of DeepEn2023 are read where they lie, and left out where there are
none.
"""

import os
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from harness.intake.flow import take_in
from harness.intake.stated import StatedFacts
from harness.planning.design import design
from harness.predictor.features import FEATURES, LABEL, labelled_frame
from harness.predictor.loading import load_model
from harness.predictor.subjects import by_subject
from harness.releases import assemble
from harness.splits import assign_splits
from harness.validation import validate

UPSTREAM = Path(os.environ.get("DEEPEN_UPSTREAM", "../shared/data/upstream")) / "deepen2023"
STATED = StatedFacts(delegate="CPU", dtype="fp32", runtime="TensorFlow Lite")
PREDICTOR = "device-transfer"
COUNTS = (10, 20, 50)
N_DRAWS = 5
COVERAGE = 0.9
WAYS = {"own": [1.0, 0.0], "transfer": [0.0, 1.0], "both": None}
"""Shares of own rows and of the ratio to other devices; None for those that the predictor chooses."""

Sides = tuple[pd.DataFrame, pd.DataFrame]


def sides_of(rows: pa.Table) -> Sides:
    """Training and test side of one device."""
    frame, is_test = labelled_frame(rows), np.array(assign_splits(rows, "kernels")) == "test"
    return frame[~is_test].reset_index(drop=True), frame[is_test].reset_index(drop=True)


def simulated() -> dict[str, Sides]:
    """Sides of every simulated device."""
    kernels = assemble(validate([Path("submissions")]).campaigns).levels["kernels"]
    return {subject.device_id: sides_of(rows) for subject, rows in by_subject(kernels).items()}


def convolutions() -> Sides | None:
    """Sides of the convolutions of DeepEn2023's processor; None where the files are not there."""
    if not UPSTREAM.is_dir():
        return None
    with tempfile.TemporaryDirectory() as out:
        folder = take_in("deepen2023", UPSTREAM, "phone", "deepen2023", out=Path(out), stated=STATED).folder
        kernels = assemble(validate([folder]).campaigns).levels["kernels"]
    train, test = sides_of(kernels)
    only = (frame[frame["kernel"] == "conv-bn-relu"].reset_index(drop=True) for frame in (train, test))
    return next(only), next(only)


def figures_of(known: pd.DataFrame, others: list[pd.DataFrame], test: pd.DataFrame) -> dict[str, float]:
    """Percentage of the test side within 10 % by way, that in the intervals, and seconds of the fit."""
    start = time.perf_counter()
    model = load_model(PREDICTOR)().fit(pd.concat([*others, known], ignore_index=True))
    figures = {"seconds": time.perf_counter() - start}
    asked = test[test["kernel"].isin(model.kernels_)].reset_index(drop=True)
    actual = asked[LABEL].to_numpy()
    bounds = model.predict_interval(asked[list(FEATURES)], COVERAGE)
    figures["covered"] = 100 * float(np.mean((bounds[:, 0] <= actual) & (actual <= bounds[:, 1])))
    (device,) = (
        of_device for name, of_device in model.devices_.items() if name.startswith(f"{known['device_id'][0]}/")
    )
    chosen = device.shares_
    for way, shares in WAYS.items():
        if device.ratio_ is not None or way != "transfer":
            device.shares_ = shares or chosen
            relative = np.abs(model.predict(asked[list(FEATURES)]) / actual - 1)
            figures[way] = 100 * float((relative <= 0.1).sum()) / len(test)
    return figures


def print_device(table: Table, name: str, sides: Sides, others: list[pd.DataFrame]) -> None:
    """Add the rows of one device."""
    train, test = sides
    for count in COUNTS:
        draws = [
            np.random.default_rng((draw, count)).choice(len(train), count, replace=False) for draw in range(N_DRAWS)
        ]
        for how, chosen in (("random", draws), ("designed", [design(train, train, count)])):
            found = pd.DataFrame([figures_of(train.iloc[rows].reset_index(drop=True), others, test) for rows in chosen])
            cells = []
            for column in (*WAYS, "covered"):
                if column not in found:
                    cells.append("")
                    continue
                low, middle, high = found[column].min(), found[column].mean(), found[column].max()
                cells.append(f"{middle:.0f}" if how == "designed" else f"{middle:.0f} ({low:.0f} to {high:.0f})")
            table.add_row(name, str(count), how, *cells, f"{found['seconds'].mean():.2f}")


def main(console: Console) -> None:
    """Print the table, from the root of the checkout."""
    table = Table(
        title="Percentage of the test side within 10 %: mean and range of five random draws, and designed rows"
    )
    for heading in ("device", "rows", "choice", *WAYS, f"in {COVERAGE:.0%}", "fit s"):
        table.add_column(heading, justify="left" if heading in ("device", "choice") else "right")
    devices = simulated()
    for name, sides in devices.items():
        print_device(table, name, sides, [train for other, (train, _) in devices.items() if other != name])
    of_paper = convolutions()
    if of_paper is None:
        console.print(f"DeepEn2023 left out: no files at {UPSTREAM}; set DEEPEN_UPSTREAM")
    else:
        print_device(table, "DeepEn2023, conv-bn-relu", of_paper, [])
    console.print(table)
