import hashlib

import pandas as pd
import pytest
from pydantic import ValidationError

from harness.errors import UsageError
from harness.evaluation.results import (
    Evaluation,
    make_pins,
    read_result,
    result_path,
    reusable,
    rows_bytes,
    write_result,
)
from harness.schema.results import Leaks, Result, Score, SplitResult, Subject
from tests.evaluation.test_scores import rows_of

SUBJECT = Subject(
    device_id="ACME-M4.rev_2", delegate="CPU 1", dtype="fp32", is_idle_subtracted=True, batch_size=1, tier="rail"
)
LEAKS = Leaks(n_train=8, n_test=2, shared_configurations=0, shared_record_ids=0, near_duplicates=1)
PINS = make_pins("0" * 64, "constant", "abc", 0)


def evaluated(status="ok", pins=PINS):
    rows = rows_of([1.0, 2.0], [1.0, 3.0])
    score = Score(
        kernel="all", n=2, n_test=2, coverage=1.0, within_10=0.5, ci95={"within_10": (0.0, 1.0), "mape": None}
    )
    splits = [SplitResult(split="published", status=status, reason="", leaks=LEAKS, scores=[score])]
    digest = hashlib.sha256(rows_bytes(rows)).hexdigest()
    return Evaluation(
        Result(schema_version=1, track="kernels", subject=SUBJECT, pins=pins, rows_sha256=digest, splits=splits), rows
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


def test_result_is_used_again_under_the_same_pins_only(tmp_path):
    write_result(evaluated(), tmp_path)
    assert reusable(path_in(tmp_path), PINS) is not None
    for other in (
        make_pins("1" * 64, "constant", "abc", 0),
        make_pins("0" * 64, "constant", "abd", 0),
        make_pins("0" * 64, "constant", "abc", 1),
        PINS.model_copy(update={"split_version": "2030.1"}),
        PINS.model_copy(update={"evaluation_version": PINS.evaluation_version + 1}),
        PINS.model_copy(update={"packages": {}}),
    ):
        assert reusable(path_in(tmp_path), other) is None


def test_failure_is_tried_again(tmp_path):
    write_result(evaluated("failed"), tmp_path)
    assert read_result(path_in(tmp_path)) is not None
    assert reusable(path_in(tmp_path), PINS) is None


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
    assert reusable(path_in(tmp_path), PINS) is None


def test_result_is_strict():
    content = evaluated().result.model_dump(mode="json")
    with pytest.raises(ValidationError, match="extra"):
        Result.model_validate(content | {"comment": "mine"})
    with pytest.raises(ValidationError, match="kernel"):
        Score.model_validate({"kernel": "conv", "n": 1, "n_test": 1})
    with pytest.raises(ValidationError, match="finite"):
        Score.model_validate({"kernel": "all", "n": 1, "n_test": 1, "mape": float("nan")})
    with pytest.raises(ValidationError, match="within_10"):
        Score.model_validate({"kernel": "all", "n": 1, "n_test": 1, "within_10": 88.8})


def test_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "kernels").write_text("a file")
    with pytest.raises(UsageError, match="cannot be written"):
        write_result(evaluated(), tmp_path)
