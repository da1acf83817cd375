"""Results on measured networks, on disk: one JSON file and one table of predictions per predictor.

A file is believed only where it is sealed by this user, and its predictions are of exactly the rows that are held out.
No measure is kept: all follow from the predictions.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from harness.budget import MOST_RESULT_ROWS
from harness.code_version import code_version
from harness.evaluation.network_splits import Scope
from harness.evaluation.network_track import NetworkPlan
from harness.evaluation.result_layout import Pins
from harness.evaluation.results import ResultFaultError, content_of, make_room, rows_bytes
from harness.evaluation.seal import is_sealed, seal_of
from harness.files import write_file
from harness.predictor.pins import fit_pins
from harness.predictor.protocol import PredictorInfo
from harness.sandbox.confinement import Confinement
from harness.schema.results import Sha256, Strict

DECIDING_MODULES: Final = (
    "harness.evaluation.label_files", "harness.evaluation.network_runner", "harness.evaluation.network_splits",
    "harness.evaluation.network_track", "harness.predictor.features", "harness.predictor.networks",
    "harness.predictor.package_files", "harness.predictor.protocol", "harness.sandbox.answers",
    "harness.sandbox.confinement", "harness.sandbox.jobs", "harness.sandbox.landlock", "harness.sandbox.processes",
    "harness.sandbox.seccomp", "harness.sandbox.system_calls", "harness.sandbox.worker",
)  # fmt: skip
"""Modules whose code decides which rows are held out and predicted, and what a predictor may see."""
LAYOUT: Final = 1
"""`schema_version` of the results that are written and read."""
PREDICTIONS: Final = ("split", "scope", "repeat", "row", "predicted_mj")
"""Columns of the table of predictions; `row` is the record that was predicted."""
_KEY: Final = list(PREDICTIONS[:4])


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


class NetworkResult(Strict):
    """Contents of the JSON file.

    Attributes:
        schema_version: version of this layout.
        pins: everything that the result depends on.
        rows_sha256: content of the table of predictions.
        outcomes: one per split and scope.
        label_files: files of the predictor that hold energies that it is tested on, with their count.
        confinement: what confined the predictor.
        seal: code of all else under the key of this user.
    """

    schema_version: int
    pins: Pins
    rows_sha256: Sha256
    outcomes: list[NetworkOutcome]
    label_files: dict[str, int]
    confinement: Confinement | None = None
    seal: str = ""


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
    content = rows_bytes(evaluation.predictions)
    digest = {"rows_sha256": hashlib.sha256(content).hexdigest(), "seal": ""}
    result = evaluation.result.model_copy(update=digest)
    path = network_path(folder, evaluation.predictor)
    for place in (path, path.with_suffix(".parquet")):
        make_room(place)
    sealed = result.model_copy(update={"seal": seal_of(_unsealed(result))})
    write_file(path.with_suffix(".parquet"), content)
    write_file(path, f"{sealed.model_dump_json(indent=1)}\n")


def _unsealed(result: NetworkResult) -> bytes:
    return result.model_copy(update={"seal": ""}).model_dump_json().encode()


def current_network_result(
    folder: Path,
    plan: NetworkPlan,
    info: PredictorInfo,
    version: str,
    *,
    is_unconfined_allowed: bool = False,
    on_fault: Callable[[str], None] = lambda _: None,
) -> NetworkEvaluation | None:
    """Result of exactly these rows by the code that is installed now; None where there is none that can be believed.

    Args:
        folder: where results are kept.
        plan: measured networks.
        info: predictor.
        version: version of its code.
        is_unconfined_allowed: whether a result counts whose predictor ran without a part of the confinement.
        on_fault: called with a sentence about a file that is damaged or was edited.

    Raises:
        UsageError: the key of the seal cannot be read.
    """
    path = network_path(folder, info.key)
    try:
        found = _read(path)
        if found is None:
            return None
        confinement = found.result.confinement
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


def _read(path: Path) -> NetworkEvaluation | None:
    """Result of a file, as the harness wrote it; None where there is none of this layout.

    Raises:
        ResultFaultError: the file or the predictions beside it are damaged or were edited.
    """
    try:
        content = content_of(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ResultFaultError(f"cannot be read ({error.strerror})") from error
    try:
        if json.loads(content).get("schema_version") != LAYOUT:
            return None
        result = NetworkResult.model_validate_json(content)
    except (ValueError, AttributeError, RecursionError) as error:
        raise ResultFaultError("holds no result that can be read") from error
    if not is_sealed(_unsealed(result), result.seal):
        raise ResultFaultError("was not sealed here: it was edited, or brought from elsewhere")
    return NetworkEvaluation(result, _read_predictions(path.with_suffix(".parquet"), result))


def _read_predictions(path: Path, result: NetworkResult) -> pd.DataFrame:
    try:
        content = content_of(path)
        if hashlib.sha256(content).hexdigest() != result.rows_sha256:
            raise ResultFaultError(f"has other rows beside it than those that it was made of ({path.name})")
        file = pq.ParquetFile(pa.BufferReader(content))
        if file.metadata.num_rows > MOST_RESULT_ROWS or tuple(file.schema_arrow.names) != PREDICTIONS:
            raise ResultFaultError(f"has rows of another form beside it ({path.name})")
        predictions: pd.DataFrame = file.read().replace_schema_metadata().to_pandas()
    except (pa.ArrowException, OSError, ValueError, TypeError) as error:
        raise ResultFaultError(f"has no table of rows beside it ({path.name})") from error
    return predictions


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
