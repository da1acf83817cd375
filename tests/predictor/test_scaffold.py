import errno
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli import app
from harness.errors import UsageError
from harness.predictor.features import FEATURES
from harness.predictor.registry import predictor_info
from harness.predictor.scaffold import write_predictor
from harness.sandbox.jobs import Job, conformance_faults, run_jobs
from tests.predictor.packages import kernels

ROOT = Path(__file__).parents[2]


def test_what_is_written_conforms_as_it_stands(package):
    written = write_predictor(package.folder.parent, "my-forest", package.name)
    assert [path.name for path in written] == ["__init__.py", "model.py", "predictor.toml"]
    assert predictor_info("my-forest", package.name).name == "My forest"
    assert conformance_faults("my-forest", package.name) == []


def test_full_disk_leaves_no_part_of_a_predictor(package, monkeypatch):
    write_text = Path.write_text

    def full(path, *arguments, **options):
        if path.name == "model.py":
            raise OSError(errno.ENOSPC, "No space left on device")
        return write_text(path, *arguments, **options)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(UsageError, match="cannot be written: No space left on device"):
        write_predictor(package.folder.parent, "my-forest", package.name)
    assert not (package.folder / "my_forest").exists()


def test_what_is_written_runs_and_tells_energy(package):
    write_predictor(package.folder.parent, "x", package.name)
    test = kernels(48, seed=1)
    (outcome,) = run_jobs("x", [Job(kernels(200), test[list(FEATURES)])], package=package.name)
    assert outcome.status == "ok", outcome.reason
    error = abs(outcome.predictions / test["energy_mj"] - 1)
    assert error.median() < 0.6


def test_what_is_written_is_in_the_house_style(tmp_path):
    (tmp_path / "predictors").mkdir()
    write_predictor(tmp_path, "a-rather-long-name-for-a-predictor-1234")
    command = ["check", "--config", str(ROOT / "pyproject.toml"), str(tmp_path)]
    for arguments in (command, ["format", "--check", *command[1:]]):
        found = subprocess.run([sys.executable, "-m", "ruff", *arguments], capture_output=True, text=True, check=False)
        assert found.returncode == 0, found.stdout


@pytest.mark.parametrize("key", ["My-Forest", "my_forest", "1st", "-x", "x-", "a--b", "", "../x", "a/b", "x" * 41, "é"])
def test_a_bad_key_is_refused(tmp_path, key):
    (tmp_path / "predictors").mkdir()
    with pytest.raises(UsageError, match="is no key; expected lower-case letters and digits joined by hyphens"):
        write_predictor(tmp_path, key)
    assert list(tmp_path.rglob("*")) == [tmp_path / "predictors"]


def test_a_word_of_python_is_refused(tmp_path):
    (tmp_path / "predictors").mkdir()
    with pytest.raises(UsageError, match="'class' is a word of Python itself"):
        write_predictor(tmp_path, "class")


def test_a_taken_key_is_refused_and_nothing_is_written(package):
    home = package.add("my-forest", model="MINE = 1\n")
    with pytest.raises(UsageError, match=r"'my-forest' is taken: .*my_forest exists; nothing was written"):
        write_predictor(package.folder.parent, "my-forest", package.name)
    assert (home / "model.py").read_text() == "MINE = 1\n"


def test_outside_a_checkout_it_says_where_to_run_it(tmp_path):
    with pytest.raises(UsageError, match="is not there; run this at the root of the checkout, or name it by --root"):
        write_predictor(tmp_path, "my-forest")


def test_command_writes_the_folder_and_says_what_is_next(tmp_path):
    (tmp_path / "predictors").mkdir()
    result = CliRunner().invoke(app, ["new-predictor", "my-forest", "--root", str(tmp_path)])
    assert result.exit_code == 0
    assert (tmp_path / "predictors" / "my_forest" / "model.py").exists()
    assert "tests/predictors -k my-forest" in result.output
    assert "deepen evaluate --predictor my-forest" in result.output
