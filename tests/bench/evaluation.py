"""Predictors: kernels predicted per second, a network asked about, and the whole evaluation, first and again unchanged.

It asserts nothing about time; it does check that the second evaluation says what the first did.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
from rich.console import Console
from rich.table import Table

from harness.defaults import PREDICTOR
from harness.graphs.families.phone import PHONE_FAMILIES
from harness.graphs.families.variants import variants_of
from harness.predictor.features import LABEL, labelled_frame
from harness.predictor.loading import load_model
from harness.predictor.registry import predictors_in
from harness.predictor.subjects import by_subject
from harness.releases import assemble
from harness.validation import validate
from tests.bench.timing import best_time

SUBMISSIONS = Path("submissions")
N_PREDICTED = 10_000
N_JOBS = 2
BASE = "sec23-random-forest"
"""Predictor that the speed of the others is compared with."""
ON_DEVICE = ("--device", "zigzag-eyeriss-like", "--dtype", "int8")


def largest_subject() -> pd.DataFrame:
    """Labelled kernels of the device that has most."""
    release = assemble(validate([SUBMISSIONS]).campaigns)
    return labelled_frame(max(by_subject(release.levels["kernels"]).values(), key=lambda rows: rows.num_rows))


def print_speeds(console: Console) -> None:
    """Time of a fit, and kernels predicted per second in one batch, of every predictor in this process."""
    kernels = largest_subject()
    drawn = np.random.default_rng(0).integers(len(kernels), size=N_PREDICTED)
    batch = kernels.drop(columns=LABEL).iloc[drawn].reset_index(drop=True)
    seconds = {}
    for key in predictors_in():
        model = load_model(key)()
        start = time.perf_counter()
        model.fit(kernels)
        fit = time.perf_counter() - start
        seconds[key] = fit, best_time(lambda model=model: model.predict(batch), 3)
    table = Table(title=f"fit on {len(kernels):,} kernels of {kernels['device_id'][0]}, predict {N_PREDICTED:,}")
    for heading in ("predictor", "fit s", "predict s", "rows/s", f"beside {BASE}"):
        table.add_column(heading, justify="left" if heading == "predictor" else "right")
    for key, (fit, predict) in sorted(seconds.items(), key=lambda entry: entry[1][1]):
        ratio = f"{seconds[BASE][1] / predict:.1f} x" if BASE in seconds else ""
        table.add_row(key, f"{fit:.2f}", f"{predict:.3f}", f"{N_PREDICTED / predict:,.0f}", ratio)
    console.print(table)


def timed_command(*arguments: str) -> tuple[float, str]:
    """Wall time of the command, its start included, and what it prints."""
    code = "from harness.cli import main; main()"
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    return time.perf_counter() - start, done.stdout


def print_network(console: Console) -> None:
    """Time of `deepen predict` on ResNet18 from file to energy, beside `deepen kernels`, which predicts nothing."""
    with tempfile.TemporaryDirectory() as scratch:
        model = Path(scratch) / "resnet18.onnx"
        (resnet18,) = (found for found in variants_of(PHONE_FAMILIES, 1, 0) if found.family == "ResNet18")
        onnx.save(resnet18.build(), model)
        kernels, _ = timed_command("kernels", str(model))
        table = Table(title="ResNet18 from file to energy, start of the command included")
        for heading in ("command", "seconds", "beside deepen kernels"):
            table.add_column(heading, justify="left" if heading == "command" else "right")
        table.add_row("deepen kernels", f"{kernels:.1f}", "1.0 x")
        for key in (PREDICTOR, BASE):
            predict, _ = timed_command("predict", str(model), *ON_DEVICE, "--predictor", key)
            table.add_row(f"deepen predict --predictor {key}", f"{predict:.1f}", f"{predict / kernels:.1f} x")
    console.print(table)


def print_evaluation(console: Console) -> None:
    """Time of the whole evaluation, and of the next one with nothing changed."""
    with tempfile.TemporaryDirectory() as scratch:
        arguments = ("evaluate", "--out", scratch, "--jobs", str(N_JOBS), "--format", "json")
        first, one = timed_command(*arguments)
        again, other = timed_command(*arguments)
    console.print(
        f"deepen evaluate, {N_JOBS} jobs: {first:.0f} s; again unchanged: {again:.1f} s ({first / again:.0f} x)"
    )
    console.print(f"the same results: {one == other}")


def main(console: Console) -> None:
    """All of them, from the root of the checkout."""
    print_speeds(console)
    print_network(console)
    print_evaluation(console)
