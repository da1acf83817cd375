"""Hostile input: a report and never a traceback, within seconds."""

import os
import time
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.issues import as_github, as_json, as_sarif, as_text
from harness.validation import RULES, validate
from tests.validation.golden import lay_out
from tests.validation.hostile import CAMPAIGN, CASES, REPORTS, kernels

SECONDS = 20


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_hostile_input_gets_a_report(case, tmp_path, monkeypatch, update_golden):
    root = lay_out(None, tmp_path)
    case.make(root)
    monkeypatch.chdir(tmp_path)
    start = time.process_time()
    report = validate([Path("submissions")]).report
    assert time.process_time() - start < SECONDS
    text = as_text(report) + "\n"
    if update_golden:
        case.report.write_text(text, encoding="utf-8")
    assert text == case.report.read_text(encoding="utf-8")
    # Whatever stood in the file, every form of the report can be written and has one line an issue.
    assert len(text.splitlines()) == len(as_github(report).splitlines()) == len(report.issues) + 1
    for form in (text, as_github(report), as_json(report), as_sarif(report, dict.fromkeys(RULES, ""), "0")):
        form.encode("utf-8")


def test_every_report_belongs_to_a_case():
    assert {path.stem for path in REPORTS.iterdir()} == {case.name for case in CASES}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("name", ["", "kernels.csv", "submission.yaml"])
def test_unreadable_path_is_an_issue(name, tmp_path, monkeypatch):
    root = lay_out(None, tmp_path)
    path = root / CAMPAIGN / name
    path.chmod(0)
    monkeypatch.chdir(tmp_path)
    try:
        text = as_text(validate([Path("submissions")]).report)
    finally:
        path.chmod(0o755)
    assert "permission denied; expected a readable file" in text


@pytest.mark.parametrize("method", ["iterdir", "read_bytes"])
def test_refusal_of_the_operating_system_is_an_issue(method, tmp_path, monkeypatch):
    lay_out(None, tmp_path)
    monkeypatch.chdir(tmp_path)

    def refuse(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, method, refuse)
    text = as_text(validate([Path("submissions")]).report)
    assert "permission denied; expected a readable file. Put a plain file in its place" in text


@pytest.mark.parametrize("path", ["nowhere", "x" * 5000, "nul\0byte", "submissions/acme-phone/device.yaml/below"])
def test_path_that_does_not_exist_is_wrong_usage(path, tmp_path, monkeypatch):
    lay_out(None, tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"does not exist|is no path"):
        validate([Path(path)])


def test_file_that_is_no_part_of_a_submission_is_wrong_usage(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(UsageError, match="is no file of a submission"):
        validate([tmp_path / "notes.txt"])


def test_empty_folder_is_wrong_usage(tmp_path):
    with pytest.raises(UsageError, match="holds no submission"):
        validate([tmp_path])


def test_part_of_a_submission_stands_for_its_campaign(tmp_path, monkeypatch):
    root = lay_out(None, tmp_path)
    monkeypatch.chdir(tmp_path)
    parts = (root, root / "acme-phone", root / "acme-phone/device.yaml", root / CAMPAIGN, kernels(root))
    for part in parts:
        validated = validate([part, part])
        assert [campaign.submission_id for campaign in validated.campaigns] == [CAMPAIGN]
        assert validated.report.n_rows == 10


def test_device_folder_without_device_yaml_is_still_read_as_one(tmp_path, monkeypatch):
    root = lay_out(None, tmp_path)
    (root / "acme-phone/device.yaml").unlink()
    monkeypatch.chdir(tmp_path)
    report = validate([Path("submissions/acme-phone")]).report
    assert [issue.rule for issue in report.issues] == ["device-missing"]
