"""An exception that no check foresaw is a fault of the file that was read; everything else is still checked."""

import importlib
import shutil
from pathlib import Path

import pytest

from harness import api
from harness.errors import InvalidSubmissionsError, UsageError
from harness.graphs.faults import ModelFileError
from harness.graphs.reading import read_model
from harness.intake.foreign import ForeignSourceError
from harness.issues import internal_fault
from harness.validation import validate
from tests.intake import sources
from tests.validation.golden import lay_out
from tests.validation.hostile import CAMPAIGN

SLIP = "a slip of the program"


def fail(*_args, **_kwargs):
    raise ZeroDivisionError(SLIP)


@pytest.fixture
def root(tmp_path, monkeypatch):
    """Two sound campaigns."""
    root = lay_out(None, tmp_path)
    shutil.copytree(root / "acme-phone", root / "other-phone")
    monkeypatch.chdir(tmp_path)
    return root


def only_for(monkeypatch, name, folder):
    """Make a function of the harness fail for files below a folder."""
    module, _, attribute = name.rpartition(".")
    real = getattr(importlib.import_module(module), attribute)

    def sometimes(*args, **kwargs):
        shown = [str(value) for value in (*args, *kwargs.values()) if isinstance(value, str | Path)]
        return fail() if any(folder in text for text in shown) else real(*args, **kwargs)

    monkeypatch.setattr(name, sometimes)


@pytest.mark.parametrize(
    ("function", "place"),
    [
        ("harness.validation.tree.read_fact", "other-phone/device.yaml"),
        ("harness.validation.tree.read_bytes", "other-phone/2026-10/models.csv"),
        ("harness.validation.tree.check_rows", "other-phone/2026-10/kernels.csv"),
        ("harness.validation.tree.read_networks", "other-phone/2026-10"),
        ("harness.validation.tree._campaign_entries", "other-phone/2026-10"),
    ],
)
def test_exception_in_one_campaign_is_its_fault_and_the_others_are_read(root, monkeypatch, function, place):
    only_for(monkeypatch, function, place)
    validated = validate([Path("submissions")])
    assert [campaign.submission_id for campaign in validated.campaigns] == [CAMPAIGN]
    (issue,) = [issue for issue in validated.report.issues if issue.rule == "internal-fault"]
    assert issue.file == f"submissions/{place}"
    assert issue.found.startswith(f"ZeroDivisionError {SLIP}")
    assert "Report this as a fault of DeepEn" in issue.fix


def test_exception_of_one_check_of_rows_leaves_the_other_checks(root, monkeypatch):
    monkeypatch.setattr("harness.validation.levels.CHECKS", (fail,))
    (root / CAMPAIGN / "models.csv").write_bytes(
        (root / CAMPAIGN / "models.csv").read_bytes().replace(b"62.5", b"-62.5", 1)
    )
    rules = [issue.rule for issue in validate([root / CAMPAIGN]).report.issues]
    assert sorted(rules) == ["energy-positive", *["internal-fault"] * 3]


def test_release_is_refused_with_the_fault_and_no_traceback(root, monkeypatch):
    only_for(monkeypatch, "harness.validation.tree.check_rows", "other-phone/2026-10/kernels.csv")
    with pytest.raises(InvalidSubmissionsError, match=rf"kernels\.csv: ZeroDivisionError {SLIP}.*\[internal-fault\]"):
        api.read_release("submissions")


def test_exception_in_an_intake_refuses_the_source(tmp_path, monkeypatch):
    table, mapping = sources.table(tmp_path / "t.csv"), sources.mapping(tmp_path / "map.yaml")
    for function in ("harness.intake.formats.csv._Rows._row", "harness.intake.flow.select_rows"):
        with monkeypatch.context() as patch:
            patch.setattr(function, fail)
            with pytest.raises(ForeignSourceError, match=rf"t\.csv: ZeroDivisionError {SLIP}.*\[internal-fault\]"):
                api.intake("csv", table, "mine", "2026-10", mapping=mapping, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_refusal_of_the_operating_system_ends_an_intake_in_a_line(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied", "b.json")

    monkeypatch.setattr("harness.intake.flow.read_facts", refuse)
    table, mapping = sources.table(tmp_path / "t.csv"), sources.mapping(tmp_path / "map.yaml")
    with pytest.raises(ForeignSourceError, match=r"b\.json: permission denied; expected a readable file"):
        api.intake("csv", table, "mine", "2026-10", mapping=mapping, out=tmp_path / "out")


def test_exception_of_a_reader_of_models_is_a_fault_of_the_file(tmp_path, monkeypatch):
    path = tmp_path / "m.onnx"
    path.write_bytes(b"x")
    monkeypatch.setattr("harness.graphs.reading.count_parts", fail)
    with pytest.raises(ModelFileError, match=rf"ZeroDivisionError {SLIP}.*\[internal-fault\]"):
        read_model(path)


def test_fault_names_the_line_of_the_harness_that_raised():
    with pytest.raises(UsageError) as caught:
        validate([Path("nowhere")])
    assert " in harness/validation/tree.py:" in internal_fault(caught.value)["found"]
