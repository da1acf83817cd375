"""What is fuzzed: small valid inputs made by code, and for each what reads them and what must then be true."""

import itertools
import math
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from harness import api
from harness.api.meters import read_layout
from harness.errors import DeepenError
from harness.graphs.model_kernels import kernels_of_file
from harness.issues import as_github, as_json, as_text
from harness.pages.report import pull_request_report
from harness.releases import assemble
from harness.traces.format import TraceOptions
from harness.traces.formats import open_trace
from harness.traces.reduction import Reduction
from harness.traces.runs import Run, find_runs, reduce_run
from harness.traces.trace import REFUSING, TraceFormatError
from harness.validation import validate
from tests.fuzz import predictors
from tests.graphs.models import small_onnx, small_qdq, small_tflite
from tests.intake import mlperf_trees, run_folders, sources
from tests.traces.formats.test_all import CASES, LAYOUT, OPTIONS, file_of, format_of
from tests.validation.bound import bind, power_csv, windows_csv
from tests.validation.golden import BASE, lay_out
from tests.validation.hostile import CAMPAIGN

CRASH = "internal-fault"
"""Rule of a fault that no reader foresaw."""


@dataclass(frozen=True)
class Target:
    """One reader with its valid input.

    Attributes:
        make: lays a valid input into a folder.
        read: reads a folder, and gives what must not be: a crash, or an energy that is none.
        suffixes: endings of the files that are damaged.
    """

    make: Callable[[Path], object]
    read: Callable[[Path], Iterator[str]]
    suffixes: tuple[str, ...] = ("",)

    @property
    def files(self) -> dict[str, bytes]:
        """Files of the valid input by their path."""
        return _files(self)


@cache
def _files(target: Target) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        target.make(Path(folder))
        return sources.contents(Path(folder))


def _submissions(root: Path) -> None:
    lay_out(None, root)


def _networks(root: Path) -> None:
    folder = lay_out(None, root) / CAMPAIGN / "graphs"
    folder.mkdir()
    (folder / "ResNet18.json").write_bytes(_KERNEL_LIST)


_KERNEL_LIST = b"""{"schema_version": 1, "model": "ResNet18", "kernels": [
  {"kernel": "conv-bn-relu", "dtype": "fp32", "input_h": 56, "input_w": 56, "cin": 64, "cout": 64, "kernel_h": 3,
   "kernel_w": 3, "stride_h": 1, "stride_w": 1, "groups": 1, "flops": 231211008, "params": 36864},
  {"operator": "Softmax", "dtype": "fp32", "flops": null, "params": 0}]}
"""


def _bound_trace(root: Path) -> None:
    bind(lay_out(None, root))


def _read_submissions(root: Path) -> Iterator[str]:
    found = validate([root / "submissions"])
    yield from _crashes(as_text(found.report))
    for form in (as_json(found.report), as_github(found.report), api.sarif(found.report)):
        form.encode()
    pull_request_report(found.report, None).encode()
    for campaign in found.campaigns:
        for table in campaign.tables.values():
            yield from _bad_energies(table.column("energy_mj").to_pylist())
    if found.campaigns:
        assemble(found.campaigns)


def _crashes(text: str) -> Iterator[str]:
    yield from (line for line in text.splitlines() if CRASH in line)


def _bad_energies(energies: list[float | None]) -> Iterator[str]:
    yield from (f"energy {value} accepted" for value in energies if value is None or not 0 < value < math.inf)


def _read_runs(runs: list[Run]) -> Iterator[str]:
    for run in runs:
        found = reduce_run(run)
        if not isinstance(found, Reduction):
            yield from [f"{found.found} [{CRASH}]"] if found.rule == CRASH else []
        elif not any(fault.rule in REFUSING for fault in found.faults) and found.energy_mj is not None:
            figures = (found.energy_mj, found.energy_median_mj, found.latency_ms, found.power_mw, *found.energies_mj)
            yield from _bad_energies(list(figures))
            if not np.isfinite(found.energy_idle_subtracted_mj or 0.0):
                yield f"energy {found.energy_idle_subtracted_mj} accepted"


def _plain_run(root: Path) -> None:
    (root / "a_power.csv").write_bytes(power_csv())
    (root / "a_inference_time.csv").write_bytes(windows_csv())


def _pair(power: str, windows: str) -> Callable[[Path], Iterator[str]]:
    return lambda root: _read_runs([Run(root / power, root / windows)])


def _energyrunner(root: Path) -> None:
    run_folders.tiny_run(root, trace=run_folders.energy_bytes((20.0, 20.25)), marks=run_folders.marks_text(2))


def _format(case: Path) -> Target:
    """A short log of a trace format, recognised by its content and read as its format."""
    options = OPTIONS.get(case.name, TraceOptions())

    def make(root: Path) -> None:
        (root / file_of(case).name).write_bytes(file_of(case).read_bytes())

    def read(root: Path) -> Iterator[str]:
        path = root / file_of(case).name
        for name in (format_of(case), None):
            try:
                for chunk in itertools.islice(open_trace(path, name, options).chunks(), 3):
                    if not np.isfinite(chunk.power_mw).all():
                        yield "a power that is not finite"
            except DeepenError:
                pass

    return Target(make, read)


def _intake(name: str, source: str, mapping: str | None = None, **facts: str) -> Callable[[Path], Iterator[str]]:
    def read(root: Path) -> Iterator[str]:
        out = root / "out"
        given = None if mapping is None else root / mapping
        try:
            found = api.intake(name, root / source, "acme-phone", "2026-10", out=out, mapping=given, **facts)
        except DeepenError as error:
            yield from _crashes(str(error))
            return
        for row in found.quarantined:
            yield from _crashes("\n".join(f"{issue.found} [{issue.rule}]" for issue in row.issues))
        if found.folder is not None:
            yield from _crashes(as_text(validate([found.folder]).report))

    return read


def _csv_source(root: Path) -> None:
    sources.table(root / "table.csv")
    sources.mapping(root / "mapping.yaml")


def _monsoon_source(root: Path) -> None:
    power = run_folders.monsoon_power(n_samples=4000, period_us=1000)
    files = {"net_a_power.csv": power, "net_a_inference_time.csv": run_folders.monsoon_inferences(6)}
    (root / "runs").mkdir()
    for name, content in files.items():
        (root / "runs" / name).write_bytes(content)
    run_folders.run_mapping(root / "mapping.yaml")


def _mlperf(root: Path) -> None:
    answers = '{"ptd_messages": [{"cmd": "Identify", "reply": "AcmeWT1,1000"}]}'
    mlperf_trees.results_tree(root, files={"performance/power/server.json": answers})


def _model(name: str, content: Callable[[], bytes]) -> Target:
    def read(root: Path) -> Iterator[str]:
        try:
            kernels_of_file(root / name)
        except DeepenError as error:
            yield from _crashes(str(error))

    return Target(lambda root: (root / name).write_bytes(content()), read)


def _layout(root: Path) -> None:
    stated = LAYOUT.model_dump_json(exclude_unset=True)
    (root / "layout.yaml").write_text("\n".join(stated.strip("{}").replace('":', '": ').split(",")), encoding="utf-8")


def _read_layout(root: Path) -> Iterator[str]:
    try:
        read_layout(root / "layout.yaml")
    except DeepenError as error:
        yield from _crashes(str(error))


def _tiny_files(root: Path) -> Iterator[str]:
    try:
        yield from _read_runs(find_runs(root))
    except TraceFormatError:
        return


TARGETS = {
    "submissions": Target(_submissions, _read_submissions),
    "networks": Target(_networks, _read_submissions, (".json",)),
    "bound-trace": Target(_bound_trace, _read_submissions, ("_power.csv", "_time.csv", "submission.yaml")),
    "plain-run": Target(_plain_run, _pair("a_power.csv", "a_inference_time.csv")),
    "energyrunner-run": Target(_energyrunner, _tiny_files),
    "csv-source": Target(_csv_source, _intake("csv", "table.csv", "mapping.yaml")),
    "deepen2023-source": Target(
        sources.deepen2023, _intake("deepen2023", ".", delegate="CPU", dtype="fp32", runtime="TensorFlow Lite")
    ),
    "monsoon-source": Target(_monsoon_source, _intake("monsoon", "runs", "mapping.yaml")),
    "mlperf-inference-source": Target(_mlperf, _intake("mlperf-inference", ".")),
    "layout": Target(_layout, _read_layout),
    "onnx": _model("m.onnx", lambda: small_onnx().SerializeToString()),
    "qdq": _model("m.onnx", lambda: small_qdq().SerializeToString()),
    "tflite": _model("m.tflite", lambda: bytes(small_tflite())),
    "declaration": Target(predictors.declaration, predictors.read_a_declaration),
    "data": Target(predictors.data, predictors.read_data),
    "saved-predictor": Target(predictors.saved, predictors.read_saved),
    "result": Target(predictors.result, predictors.read_a_result),
} | {f"trace.{case.name}": _format(case) for case in CASES}
"""Targets by name; the base that submissions are laid out from lies in tests/golden_base."""
assert BASE.is_dir()
