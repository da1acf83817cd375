import hashlib
import json
import os
from functools import partial
from types import SimpleNamespace

import pandas as pd
import pytest
from pydantic import ValidationError

from harness import seal
from harness.errors import UsageError
from harness.evaluation.metrics import METRIC
from harness.evaluation.result_files import ResultFaultError, rows_bytes, rows_sha256
from harness.evaluation.result_layout import Leaks, Result, Score, SplitResult
from harness.evaluation.results import (
    CheckedResults,
    Evaluation,
    current_result,
    make_pins,
    read_result,
    result_path,
    write_result,
)
from harness.evaluation.scores import scores
from harness.sandbox.confinement import Confinement
from harness.schema.results import Subject
from tests.evaluation.test_scores import rows_of

SUBJECT = Subject(
    device_id="ACME-M4.rev_2",
    system_id="ACME-M4.rev_2",
    delegate="CPU 1",
    dtype="fp32",
    energy_kind="idle-subtracted",
    batch_size=1,
    tier="rail",
)
LEAKS = Leaks(n_train=8, n_test=2, shared_configurations=0, shared_record_ids=0, near_duplicates=1)
PINS = make_pins("0" * 64, "constant", "abc", 0)
ACTUAL_MJ = [1.0, 2.0, 4.0]
WHOLE = Confinement(("Landlock 7", "seccomp"))


def evaluated(status="ok", pins=PINS, predicted=(1.0, 3.0, 4.5), confinement=WHOLE):
    rows = rows_of(ACTUAL_MJ, list(predicted))
    found = scores(rows, "kernels", 0)
    splits = [SplitResult(split="published", status=status, reason="", leaks=LEAKS, scores=found)]
    digest = rows_sha256(rows)
    result = Result(
        schema_version=6, track="kernels", subject=SUBJECT, pins=pins, rows_sha256=digest, splits=splits,
        confinement=confinement,
    )  # fmt: skip
    return Evaluation(result, rows)


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


def plan_of(actual_mj=ACTUAL_MJ, data_sha256="0" * 64):
    energies = pd.Series(actual_mj, index=[f"r{number:03}" for number in range(len(actual_mj))])
    return SimpleNamespace(track="kernels", subject=SUBJECT, data_sha256=data_sha256, actual_mj=energies)


def current(folder, data_sha256="0" * 64, version="abc", seed=0, actual_mj=ACTUAL_MJ, **settings):
    return current_result(folder, plan_of(actual_mj, data_sha256), "constant", version, seed, **settings)


def faults_in(folder, **settings):
    """Sentences about the result, which is none."""
    faults = []
    assert current(folder, on_fault=faults.append, **settings) is None
    return faults


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


def test_result_that_is_not_there_is_no_fault(tmp_path):
    assert faults_in(tmp_path) == []


def test_result_of_another_layout_is_made_anew_without_a_word(tmp_path):
    write_result(evaluated(), tmp_path)
    path_in(tmp_path).write_text('{"schema_version": 2}')
    assert faults_in(tmp_path) == []


def cut(path):
    path.write_bytes(path.read_bytes()[:-20])


def nested(path):
    path.write_text("[" * 100_000)


def no_table(path):
    """Rows that are no Parquet, with the digest of what they are."""
    path.with_suffix(".parquet").write_bytes(b"PAR1 garbage PAR1")
    edit(path, rows_sha256=hashlib.sha256(b"PAR1 garbage PAR1").hexdigest())


def edit(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def perfect(path):
    """Every prediction that of the data, with the digest and the scores that belong to it."""
    other = evaluated(predicted=ACTUAL_MJ)
    path.with_suffix(".parquet").write_bytes(rows_bytes(other.rows))
    content = other.result.model_dump(mode="json", include={"rows_sha256", "splits"})
    edit(path, **content)


def seal_again(path):
    """What only somebody with the key can do."""
    plain = Result.model_validate_json(path.read_bytes()).model_copy(update={"seal": ""})
    edit(path, seal=seal.seal_of(plain.model_dump_json().encode()))


def no_file(path, kind):
    """A folder, a pipe, or a device in the place of a file."""
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")


def other_rows(path, **columns):
    """Rows with other columns in place of theirs, sealed."""
    content = rows_bytes(evaluated().rows.assign(**columns))
    path.with_suffix(".parquet").write_bytes(content)
    edit(path, rows_sha256=hashlib.sha256(content).hexdigest())
    seal_again(path)


EDITED = "was not sealed here"
DAMAGE = {
    "cut": (cut, "holds no result that can be read"),
    "nested": (nested, "holds no result that can be read"),
    "a list": (lambda path: path.write_text("[]"), "holds no result that can be read"),
    "no text": (lambda path: path.write_bytes(b"\xff\xfe"), "holds no result that can be read"),
    "a number for a name": (lambda path: edit(path, rows_sha256=7), "holds no result that can be read"),
    "rows missing": (lambda path: path.with_suffix(".parquet").unlink(), r"has no readable .*\.parquet beside it"),
    "rows cut": (lambda path: cut(path.with_suffix(".parquet")), "has other rows beside it"),
    "rows that are no table": (no_table, EDITED),
    "rows that are no table, sealed": (lambda path: (no_table(path), seal_again(path)), "has no table of rows"),
    **{f"a {kind}": (partial(no_file, kind=kind), "is no file") for kind in ("folder", "pipe", "device")},
    "rows in a pipe": (lambda path: no_file(path.with_suffix(".parquet"), "pipe"), r"is no file, .*\.parquet"),
    "rows of nothing": (lambda path: path.with_suffix(".parquet").write_bytes(b""), "has other rows beside it"),
    "nothing": (lambda path: path.write_bytes(b""), "holds no result that can be read"),
    "long": (lambda path: os.truncate(path, 50_000_001), "is longer than a result"),
    "text for numbers": (partial(other_rows, predicted_mj="1.0"), "has rows of another form"),
    "numbers for text": (partial(other_rows, kernel=1), "has rows of another form"),
    "perfect rows and scores": (perfect, EDITED),
    "another confinement": (lambda path: edit(path, confinement=None), EDITED),
    "seal of something else": (lambda path: edit(path, seal="0" * 64), EDITED),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_or_edited_result_is_a_fault_in_one_line_and_no_result(tmp_path, damage):
    write_result(evaluated(), tmp_path)
    change, reason = DAMAGE[damage]
    change(path_in(tmp_path))
    with pytest.raises(ResultFaultError, match=reason):
        read_result(path_in(tmp_path))
    (fault,) = faults_in(tmp_path)
    assert fault.startswith(path_in(tmp_path).as_posix())
    assert "deepen evaluate" in fault
    assert "\n" not in fault


def test_rows_without_measures_are_a_fault(tmp_path):
    write_result(evaluated(), tmp_path)
    other_rows(path_in(tmp_path), covered_kernels=-1.0)
    (fault,) = faults_in(tmp_path)
    assert "has rows of published that have no measures" in fault


def test_result_of_another_user_is_a_fault(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "theirs"))
    write_result(evaluated(), tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "ours"))
    (fault,) = faults_in(tmp_path)
    assert EDITED in fault


def test_result_takes_the_place_of_a_pipe(tmp_path):
    write_result(evaluated(), tmp_path)
    for path in (path_in(tmp_path), path_in(tmp_path).with_suffix(".parquet")):
        no_file(path, "pipe")
    write_result(evaluated(), tmp_path)
    assert read_result(path_in(tmp_path)).result == evaluated().result


def test_energies_that_are_not_those_of_the_data_are_a_fault(tmp_path):
    write_result(evaluated(), tmp_path)
    for other in ([1.0, 2.0, 4.1], [1.0, 2.0]):
        (fault,) = faults_in(tmp_path, actual_mj=other)
        assert "energies in its rows that are not those of the data" in fault


@pytest.mark.parametrize("change", [{"n": 2}, {"measures": dict.fromkeys(METRIC, 1.0)}], ids=["n", "measures"])
def test_measures_that_do_not_follow_from_the_rows_are_a_fault(tmp_path, change):
    sound = evaluated()
    (split,) = sound.result.splits
    wrong = [score.model_copy(update=change) for score in split.scores]
    result = sound.result.model_copy(update={"splits": [split.model_copy(update={"scores": wrong})]})
    write_result(Evaluation(result, sound.rows), tmp_path)
    (fault,) = faults_in(tmp_path)
    assert "measures of published that do not follow from its rows" in fault


def test_rows_of_another_form_are_a_fault(tmp_path):
    sound = evaluated()
    rows = sound.rows.drop(columns="flops")
    digest = rows_sha256(rows)
    write_result(Evaluation(sound.result.model_copy(update={"rows_sha256": digest}), rows), tmp_path)
    (fault,) = faults_in(tmp_path)
    assert "rows of another form" in fault


def test_result_made_unconfined_counts_only_where_that_is_allowed(tmp_path):
    write_result(evaluated(confinement=Confinement(("limits",), ("Landlock: Function not implemented",))), tmp_path)
    assert faults_in(tmp_path) == []
    found = current(tmp_path, is_unconfined_allowed=True)
    assert found.result.is_unconfined


def test_result_that_many_ask_for_is_read_once_and_its_faults_are_told_to_each(tmp_path):
    write_result(evaluated(), tmp_path)
    once = CheckedResults(tmp_path)
    found = once.of(plan_of(), "constant", "abc")
    assert found.result == evaluated().result
    damaged = CheckedResults(tmp_path)
    path_in(tmp_path).write_text("{")
    assert once.of(plan_of(), "constant", "abc") is found
    for _ in range(2):
        faults = []
        assert damaged.of(plan_of(), "constant", "abc", faults.append) is None
        assert [fault.partition(" ")[0] for fault in faults] == [path_in(tmp_path).as_posix()]
    assert once.of(plan_of(), "constant", "other") is None


def test_key_is_of_this_user_alone_and_stays(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    one = seal.seal_of(b"one")
    assert (tmp_path / "deepen" / "results.key").stat().st_mode & 0o777 == 0o600
    seal._key.cache_clear()
    assert seal.is_sealed(b"one", one)
    assert not seal.is_sealed(b"other", one)
    assert not seal.is_sealed(b"one", "é")


@pytest.mark.parametrize("what", ["short", "folder"])
def test_key_that_is_none_is_named_with_what_to_do(tmp_path, monkeypatch, what):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    path = tmp_path / "deepen" / "results.key"
    path.parent.mkdir()
    if what == "short":
        path.write_bytes(b"short")
    else:
        path.mkdir()
    with pytest.raises(UsageError, match=r"results\.key.*(Remove the file|Set XDG_STATE_HOME)"):
        seal.seal_of(b"one")


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
