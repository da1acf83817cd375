"""Results on measured networks, on disk: one JSON file and one table of predictions per predictor.

A file is believed only where it is sealed by this user, and its predictions are of exactly the rows that are held out.
No measure is kept: all follow from the predictions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal

import pandas as pd
from pydantic import Field

from harness.code_version import code_version
from harness.evaluation.network_splits import Scope
from harness.evaluation.network_track import NetworkPlan
from harness.evaluation.result_files import ResultFaultError, read_json, read_rows, write_files
from harness.evaluation.result_layout import Pins, SealedResult
from harness.predictor.pins import fit_pins
from harness.predictor.protocol import PredictorInfo
from harness.sandbox.confinement import Confinement
from harness.schema.results import Strict

DECIDING_MODULES: Final = (
    "harness.evaluation.label_files", "harness.evaluation.network_runner", "harness.evaluation.network_splits",
    "harness.evaluation.network_track", "harness.predictor.features", "harness.predictor.figures",
    "harness.predictor.networks", "harness.predictor.package_files", "harness.predictor.protocol",
    "harness.sandbox.answers", "harness.sandbox.confinement", "harness.sandbox.jobs", "harness.sandbox.landlock",
    "harness.sandbox.processes", "harness.sandbox.seccomp", "harness.sandbox.system_calls", "harness.sandbox.worker",
)  # fmt: skip
"""Modules whose code decides which rows are held out and predicted, and what a predictor may see."""
LAYOUT: Final = 1
"""`schema_version` of the results that are written and read."""
PREDICTIONS: Final = ("split", "scope", "repeat", "row", "predicted_mj")
"""Columns of the table of predictions; `row` is the record that was predicted."""
_KEY: Final = list(PREDICTIONS[:4])
_TEXT: Final = frozenset({"split", "scope", "row"})
"""Columns of `PREDICTIONS` that are text; all others are numbers."""


class NetworkOutcome(Strict):
    """What became of one split in one scope.

    Attributes:
        split: split.
        scope: what was known of the tested networks elsewhere.
        status: `ok`, or `failed`.
        reason: what the predictor did wrong; empty where it did nothing.
        fit_s: mean time of a fit in seconds; null where none came to an end.
    """

    split: str
    scope: Scope
    status: Literal["ok", "failed"]
    reason: str = ""
    fit_s: float | None = Field(default=None, ge=0)


class NetworkResult(SealedResult):
    """Contents of the JSON file.

    Attributes:
        pins: everything that the result depends on.
        outcomes: one per split and scope.
        label_files: files of the predictor that hold energies that it is tested on, with their count.
        confinement: what confined the predictor.
    """

    pins: Pins
    outcomes: list[NetworkOutcome]
    label_files: dict[str, int]
    confinement: Confinement | None = None


@dataclass(frozen=True)
class NetworkEvaluation:
    """A predictor on measured networks.

    Attributes:
        result: contents of the JSON file.
        predictions: columns `PREDICTIONS`, of the splits that are `ok`.
    """

    result: NetworkResult
    predictions: pd.DataFrame

    @property
    def predictor(self) -> str:
        """Its key."""
        return self.result.pins.predictor

    @property
    def has_failed(self) -> bool:
        """Whether the predictor failed on a split."""
        return any(outcome.status == "failed" for outcome in self.result.outcomes)


@cache
def networks_version() -> str:
    """Version of the code that decides a result, so that none is stale."""
    return code_version(DECIDING_MODULES)


def network_pins(plan: NetworkPlan, key: str, version: str) -> Pins:
    """Pins of a result of the code that is installed now."""
    return Pins(
        **fit_pins(plan.data_sha256, key, version, plan.seed).model_dump(), evaluation_version=networks_version()
    )


def network_path(folder: Path, key: str) -> Path:
    """JSON file of a result; its predictions lie beside it, with the ending `.parquet`."""
    return folder / "models" / key / "measured-networks.json"


def write_network_result(evaluation: NetworkEvaluation, folder: Path) -> None:
    """Write both files, the JSON last.

    Raises:
        UsageError: they cannot be written there.
    """
    write_files(evaluation.result, evaluation.predictions, network_path(folder, evaluation.predictor))


def current_network_result(
    folder: Path,
    plan: NetworkPlan,
    info: PredictorInfo,
    version: str,
    *,
    is_unconfined_allowed: bool = False,
    on_fault: Callable[[str], None] = lambda _: None,
    is_sealed_here: bool = True,
) -> NetworkEvaluation | None:
    """Result of exactly these rows by the code that is installed now; None where there is none that can be believed.

    Args:
        folder: where results are kept.
        plan: measured networks.
        info: predictor.
        version: version of its code.
        is_unconfined_allowed: whether a result counts whose predictor ran without a part of the confinement.
        on_fault: called with a sentence about a file that is damaged or was edited.
        is_sealed_here: whether its seal has to be that of this user; otherwise it is not looked at.

    Raises:
        UsageError: the key of the seal cannot be read.
    """
    path = network_path(folder, info.key)
    try:
        result = read_json(path, NetworkResult, LAYOUT, is_sealed_here=is_sealed_here)
        if result is None:
            return None
        found = NetworkEvaluation(result, read_rows(path, result, PREDICTIONS, _TEXT))
        confinement = result.confinement
        if confinement is not None and confinement.missing and not is_unconfined_allowed:
            return None
        expected = network_pins(plan, info.key, version)
        if found.result.pins.model_copy(update={"harness_version": expected.harness_version}) != expected:
            return None
        _check_rows(found, plan, info)
    except ResultFaultError as error:
        on_fault(f"{path.as_posix()} {error}; it counts for nothing, and `deepen evaluate` makes it anew")
        return None
    return found


def _check_rows(found: NetworkEvaluation, plan: NetworkPlan, info: PredictorInfo) -> None:
    """Compare the rows with those that are held out.

    Raises:
        ResultFaultError: they are others.
    """
    ok = {(outcome.split, outcome.scope) for outcome in found.result.outcomes if outcome.status == "ok"}
    records = plan.rows["record_id"]
    parts = [
        pd.DataFrame({"split": fold.split, "scope": fold.scope, "repeat": fold.repeat, "row": records[fold.test]})
        for fold in plan.folds(info)
        if (fold.split, fold.scope) in ok
    ]
    expected = pd.concat(parts) if parts else pd.DataFrame(columns=_KEY)
    keys = [
        pd.MultiIndex.from_frame(table[_KEY].astype({"repeat": "int64"})) for table in (expected, found.predictions)
    ]
    if len(keys[0]) != len(keys[1]) or not keys[0].sort_values().equals(keys[1].sort_values()):
        raise ResultFaultError("has rows that are not those that are held out")
