import hashlib
from types import SimpleNamespace

import pandas as pd
import pytest
from pydantic import ValidationError

from harness.errors import UsageError
from harness.evaluation.metrics import METRIC
from harness.evaluation.result_layout import Leaks, Result, Score, SplitResult
from harness.evaluation.results import (
    Evaluation,
    current_result,
    make_pins,
    read_result,
    result_path,
    rows_bytes,
    write_result,
)
from harness.schema.results import Subject
from tests.evaluation.test_scores import rows_of

SUBJECT = Subject(
    device_id="ACME-M4.rev_2", delegate="CPU 1", dtype="fp32", is_idle_subtracted=True, batch_size=1, tier="rail"
)
LEAKS = Leaks(n_train=8, n_test=2, shared_configurations=0, shared_record_ids=0, near_duplicates=1)
PINS = make_pins("0" * 64, "constant", "abc", 0)


def evaluated(status="ok", pins=PINS):
    rows = rows_of([1.0, 2.0], [1.0, 3.0])
    measures = dict.fromkeys(METRIC, 0.5) | {"spearman": None}
    ci95 = dict.fromkeys(METRIC) | {"within_10": (0.0, 1.0)}
    score = Score(kernel="all", n=2, n_test=2, coverage=1.0, measures=measures, ci95=ci95)
    splits = [SplitResult(split="published", status=status, reason="", leaks=LEAKS, scores=[score])]
    digest = hashlib.sha256(rows_bytes(rows)).hexdigest()
    return Evaluation(
        Result(schema_version=2, track="kernels", subject=SUBJECT, pins=pins, rows_sha256=digest, splits=splits), rows
    )


def path_in(folder):
    return result_path(folder, "kernels", "constant", SUBJECT)


def test_result_comes_back_as_it_was_written(tmp_path):
    write_result(evaluated(), tmp_path)
    found = read_result(path_in(tmp_path))
    assert found.result == evaluated().result
    pd.testing.assert_frame_equal(found.rows, evaluated().rows)


def test_files_lie_by_track_predictor_and_subject_and_nothing_else_is_left(tmp_path):
    write_result(evaluated(), tmp_path)
    files = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    name = "kernels/constant/ACME-M4.rev_2--CPU_1--fp32--rail--idle-subtracted"
    assert files == [f"{name}.json", f"{name}.parquet"]


def test_same_result_has_the_same_bytes(tmp_path):
    for folder in ("one", "other"):
        write_result(evaluated(), tmp_path / folder)
    for ending in (".json", ".parquet"):
        one, other = (path_in(tmp_path / folder).with_suffix(ending).read_bytes() for folder in ("one", "other"))
        assert one == other


def current(folder, data_sha256="0" * 64, version="abc", seed=0):
    plan = SimpleNamespace(track="kernels", subject=SUBJECT, data_sha256=data_sha256)
    return current_result(folder, plan, "constant", version, seed)


def test_result_is_current_under_the_same_pins_only(tmp_path):
    write_result(evaluated(), tmp_path)
    assert current(tmp_path).result == evaluated().result
    for other in ({"data_sha256": "1" * 64}, {"version": "abd"}, {"seed": 1}):
        assert current(tmp_path, **other) is None


@pytest.mark.parametrize(
    "change",
    [{"split_version": "2030.1"}, {"evaluation_version": "0" * 12}, {"packages": {}}],
    ids=lambda x: next(iter(x)),
)
def test_result_of_other_code_is_stale(tmp_path, change):
    write_result(evaluated(pins=PINS.model_copy(update=change)), tmp_path)
    assert current(tmp_path) is None


def test_release_of_the_program_alone_makes_no_result_stale(tmp_path):
    write_result(evaluated(pins=PINS.model_copy(update={"harness_version": "0.0.1"})), tmp_path)
    assert current(tmp_path) is not None


def test_failure_is_known_as_one():
    assert evaluated("failed").has_failed
    assert not evaluated().has_failed


@pytest.mark.parametrize("ending", [".json", ".parquet"])
@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_file_that_is_not_whole_is_no_result(tmp_path, ending, damage):
    write_result(evaluated(), tmp_path)
    path = path_in(tmp_path).with_suffix(ending)
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-20])
    assert read_result(path_in(tmp_path)) is None
    assert current(tmp_path) is None


def test_result_is_strict():
    content = evaluated().result.model_dump(mode="json")
    with pytest.raises(ValidationError, match="extra"):
        Result.model_validate(content | {"comment": "mine"})
    with pytest.raises(ValidationError, match="kernel"):
        Score.model_validate({"kernel": "conv", "n": 1, "n_test": 1})


@pytest.mark.parametrize(
    ("measures", "message"),
    [
        ({"mape": float("nan")}, "finite"),
        ({"within_10": 88.8}, "within_10 = 88.8; expected a share between 0 and 1"),
        ({"within_11": 0.5}, "within_11; expected every metric once and no other"),
    ],
    ids=["not finite", "no share", "unknown"],
)
def test_measures_are_those_of_the_declared_metrics(measures, message):
    head = {"kernel": "all", "n": 1, "n_test": 1}
    with pytest.raises(ValidationError, match=message):
        Score.model_validate(head | {"measures": dict.fromkeys(METRIC, 0.5) | measures})
    with pytest.raises(ValidationError, match=r"mape.*expected every metric"):
        Score.model_validate(head | {"ci95": {"within_10": (0.0, 1.0)}})
    assert Score.model_validate(head).measures == {}


def test_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "kernels").write_text("a file")
    with pytest.raises(UsageError, match="cannot be written"):
        write_result(evaluated(), tmp_path)
