"""What comes from authors of predictors and from earlier runs: declarations, data, saved predictors, results."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from harness.evaluation.label_files import label_files, numbers_in
from harness.evaluation.results import write_result
from harness.issues import printable
from harness.predictor.declaration import read_declaration
from harness.predictor.persistence import DamagedError, Stamp, read_stamp
from harness.predictor.protocol import PredictorError
from tests.evaluation.test_results import SUBJECT, current, evaluated, path_in, seal_again
from tests.predictor.packages import info_source

ENERGIES = np.random.default_rng(0).uniform(1, 100, 40).round(4)
_ZIP = "data.zip"


def declaration(root: Path) -> None:
    more = 'trained_on = ""\nextras = { lightgbm = "lightgbm>=4" }\nis_cross_device = false\n'
    (root / "predictor.toml").write_text(info_source("own", more))


def read_a_declaration(root: Path) -> Iterator[str]:
    try:
        read_declaration(root, "own")
    except PredictorError as error:
        if printable(str(error)) != str(error):
            yield f"Traceback of a message on several lines: {error}"


def data(root: Path) -> None:
    text = " ".join(map(str, ENERGIES)).encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("text", text)
        archive.writestr("array", ENERGIES.tobytes())
    (root / _ZIP).write_bytes(packed.getvalue())


def read_data(root: Path) -> Iterator[str]:
    label_files(numbers_in({"data": root / _ZIP}), ENERGIES)
    yield from ()


def saved(root: Path) -> None:
    facts = {"dataset": "deepen/kernels", "dataset_version": None, "data_sha256": "0" * 64, "split": "all"}
    facts |= {"predictor": "own", "predictor_version": "1", "subjects": (SUBJECT,), "split_version": "1", "seed": 0}
    facts |= {"n_rows": 5, "kernels": ("fc",), "harness_version": "1", "packages": {}}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("stamp.json", Stamp(**facts).model_dump_json())
        archive.writestr("1.npy", ENERGIES.tobytes())
    (root / "model.skops").write_bytes(packed.getvalue())


def read_saved(root: Path) -> Iterator[str]:
    try:
        read_stamp((root / "model.skops").read_bytes())
    except DamagedError as error:
        if "\n" in str(error):
            yield f"Traceback of a message on several lines: {error}"


def result(root: Path) -> None:
    write_result(evaluated(), root)


def read_a_result(root: Path) -> Iterator[str]:
    """A result as it lies there, and then as one who has the key would have left it."""
    for is_sealed_again in (False, True):
        if is_sealed_again:
            _seal(path_in(root))
        faults: list[str] = []
        found = current(root, on_fault=faults.append)
        yield from (f"Traceback of a message on several lines: {fault}" for fault in faults if "\n" in fault)
        if found is not None and not is_sealed_again and found.result != evaluated().result:
            yield "bad energy accepted: not the result that was written"


def _seal(path: Path) -> None:
    try:
        seal_again(path)
    except ValueError:
        # It is no result, whoever seals it.
        return
