"""Predictors that misbehave are contained, as `docs/confinement.md` says."""

import json
import os
import subprocess
import sys
from itertools import groupby
from pathlib import Path

import pytest

from harness.predictor.features import FEATURES
from harness.sandbox.jobs import Job, Limits, run_jobs
from tests.predictor.packages import kernels, made_package, model_source
from tests.sandbox.misbehaving import MISBEHAVING, misbehaving_source

PAGE = Path(__file__).parents[2] / "docs" / "confinement.md"


def job(case):
    return Job(kernels(20).assign(device_id=case), kernels(20, seed=1)[list(FEATURES)])


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    yield from made_package(tmp_path_factory.mktemp("confinement"))


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    path = tmp_path_factory.mktemp("outside") / "labels"
    path.write_text("1.0")
    return path


@pytest.fixture(scope="module")
def outcomes(package, outside, tmp_path_factory):
    """Outcome of every case, and the folder of their folders; cases of one time limit are asked of one predictor."""
    folder = tmp_path_factory.mktemp("folders")
    package.add("misbehaving", model=misbehaving_source(str(outside)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(folder))
        found = []
        for seconds, cases in groupby(MISBEHAVING, key=lambda case: MISBEHAVING[case].seconds):
            limits = Limits(seconds=seconds, memory_mb=1024, file_mb=1)
            found += run_jobs("misbehaving", map(job, cases), package=package.name, limits=limits)
    return dict(zip(MISBEHAVING, found, strict=True)), folder


@pytest.mark.parametrize("case", MISBEHAVING)
def test_misbehaviour_is_contained_and_told(outcomes, case):
    outcome = outcomes[0][case]
    assert outcome.status == "failed"
    assert outcome.reason.removeprefix("raised Told: ").startswith(MISBEHAVING[case].outcome), outcome.reason
    assert outcome.reason.isprintable()
    assert "::" not in outcome.reason
    assert len(outcome.reason) < 500


def test_nothing_is_left_of_misbehaviour(outcomes, outside):
    _, folder = outcomes
    assert list(folder.iterdir()) == []
    assert outside.read_text() == "1.0"
    assert not Path("/dev/shm/rows").exists()


def rows_of_page():
    """Rows of the table that the page has to show."""
    shown = (
        (name, found.outcome.replace("\x1b", "\\x1b").replace("|", " "), found.part)
        for name, found in MISBEHAVING.items()
    )
    return [f"| {name} | `{outcome}` | {part} |" for name, outcome, part in shown]


def test_page_shows_what_is_contained_and_by_what():
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.count("|") == 4 and "`" in line] == rows_of_page()


LACKING = """
import errno, json, sys
from harness.sandbox import seccomp
from harness.sandbox.confinement import UnconfinedError
from harness.sandbox.jobs import Limits, run_jobs
from harness.sandbox.kernel import Kernel
from tests.sandbox.test_confinement import job

# A kernel without Landlock: the call that makes a ruleset is unknown to it.
lacking = [(0x20, 0, 0, 0), (0x15, 0, 1, 444), (0x06, 0, 0, 0x50000 | errno.ENOSYS), (0x06, 0, 0, 0x7FFF0000)]
seccomp.filter_of = lambda machine: lacking
kernel = Kernel()
kernel.control(38, 1)
assert seccomp.apply_filter(kernel, None) == ""
key, package = sys.argv[1:]
try:
    list(run_jobs(key, [job("x")], package=package, limits=Limits(seconds=20)))
except UnconfinedError as error:
    print(json.dumps(str(error)))
(outcome,) = run_jobs(key, [job("x")], package=package, limits=Limits(seconds=20, is_unconfined_allowed=True))
print(json.dumps([outcome.status, outcome.confinement.parts, outcome.confinement.missing]))
"""


def test_without_landlock_nothing_runs_unless_that_is_allowed_and_said(package):
    package.add("plain", model=model_source())
    root = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": f"{root}:{package.folder.parent}"}
    command = [sys.executable, "-c", LACKING, "plain", package.name]
    done = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    refusal, (status, parts, missing) = map(json.loads, done.stdout.splitlines())
    assert "predictors cannot be confined here (Landlock: Function not implemented)" in refusal
    assert "--allow-unconfined" in refusal
    assert (status, parts) == ("ok", ["no capabilities", "seccomp", "limits"])
    assert missing == ["Landlock: Function not implemented"]
