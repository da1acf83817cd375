"""The second prediction for a device: the same figures, without its rows and without the libraries of the fit."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import _write_model
from harness import api
from harness.api import device_rows
from harness.errors import UsageError
from tests.validation.golden import BASE

ROOT = Path(__file__).parents[2]
ASKED = {"delegate": "CPU1", "extrapolate": True, "at_least": 0}
HEAVY = ("altair", "datasets", "mkdocs", "onnx", "pandas", "pyarrow", "scipy", "skops", "sklearn", "vl_convert")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Folder with submissions of one phone and a model file, and an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    shutil.copytree(BASE, tmp_path / "submissions")
    _write_model(tmp_path / "net.onnx")
    return tmp_path


def no_rows(*arguments):
    raise AssertionError("rows were read")


def test_second_prediction_is_the_first_and_reads_no_row(folder, monkeypatch):
    first = api.predict("net.onnx", "acme-phone", **ASKED)
    monkeypatch.setattr(device_rows, "DeviceRows", no_rows)
    second = api.predict("net.onnx", "acme-phone", **ASKED)
    assert (first.fitted.is_kept, second.fitted.is_kept) == (False, True)
    assert second.as_json() == first.as_json()


def test_what_is_kept_is_what_a_confined_process_answers(folder, monkeypatch):
    kept = api.predict("net.onnx", "acme-phone", **ASKED)
    monkeypatch.setattr("harness.api.prediction_sources.is_answered_here", lambda key, package: False)
    confined = api.predict("net.onnx", "acme-phone", **ASKED)
    assert not confined.fitted.is_kept
    figures = [[(each.energy_mj, each.interval_mj) for each in found.network.kernels] for found in (confined, kept)]
    assert figures[0] == figures[1]


def test_changed_rows_are_read_and_fitted_anew(folder):
    first = api.predict("net.onnx", "acme-phone", **ASKED)
    table = next((folder / "submissions" / "acme-phone").glob("*/kernels.csv"))
    text = table.read_text()
    assert ",1.250,0.500,2500,50,K3" in text
    table.write_text(text.replace(",1.250,0.500,2500,50,K3", ",2.500,1.000,2500,50,K3"))
    second = api.predict("net.onnx", "acme-phone", **ASKED)
    assert not second.fitted.is_kept
    assert second.network.energy_mj > first.network.energy_mj


def test_an_answer_of_rows_that_changed_meanwhile_is_not_kept(folder, monkeypatch):
    keys = iter(str(number) for number in range(10))
    monkeypatch.setattr("harness.api.prediction_sources.key_of", lambda data, device_id: next(keys))
    api.predict("net.onnx", "acme-phone", **ASKED)
    assert not (folder / "cache").exists()


def test_an_error_is_never_kept(folder):
    for _ in range(2):
        with pytest.raises(UsageError, match="'GPV' is not a known delegate"):
            api.predict("net.onnx", "acme-phone", delegate="GPV")


def test_a_poisoned_file_is_not_believed(folder):
    first = api.predict("net.onnx", "acme-phone", **ASKED)
    (largest,) = sorted((folder / "cache" / "deepen" / "fitted").iterdir(), key=lambda path: path.stat().st_size)[-1:]
    content = bytearray(largest.read_bytes())
    content[-1] ^= 1
    largest.write_bytes(content)
    second = api.predict("net.onnx", "acme-phone", **ASKED)
    assert not second.fitted.is_kept
    assert second.network.energy_mj == first.network.energy_mj


ANYHOW = ("--extrapolate", "--at-least", "0", "--coverage", "0.5")
"""Beyond what few rows can say of intervals, quantiles come of SciPy."""
COMMAND = """
import sys
from harness.cli import main
sys.argv = ["deepen", *sys.argv[1:]]
try:
    main()
except SystemExit as ended:
    assert not ended.code, ended.code
print("loaded:", *{name.partition(".")[0] for name in sys.modules})
"""


def loaded(folder, *arguments):
    """Modules that a command imports, in a process of its own."""
    command = [sys.executable, "-c", COMMAND, *arguments]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return set(ran.stdout.splitlines()[-1].split())


def test_help_imports_no_library_of_any_command(folder):
    assert not loaded(folder, "--help") & {*HEAVY, "numpy", "pydantic", "rich", "yaml"}


def test_second_prediction_imports_no_library_of_the_fit(folder, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    asked = (
        *[
            "predict",
            "net.onnx",
            "--device",
            "acme-phone",
            "--delegate",
            "CPU1",
            "--extrapolate",
            "--at-least",
            "0",
            "--coverage",
            "0.5",
        ],
    )
    assert "pyarrow" in loaded(folder, *asked)
    assert loaded(folder, *asked) & set(HEAVY) == {"onnx"}
