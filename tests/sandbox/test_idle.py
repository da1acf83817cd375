"""Workers that one series of jobs leaves to the next."""

import pytest

from harness.sandbox import idle as idle_module
from harness.sandbox.idle import IdleWorkers
from harness.sandbox.jobs import run_jobs
from harness.sandbox.processes import Limits, WorkerProcess
from tests.predictor.packages import model_source
from tests.sandbox.test_jobs import LIMITS, job

ONE = ("one", "predictors", Limits())
OTHER = ("other", "predictors", Limits())


class Started:
    """A worker that is started and ended, and runs nothing."""

    def __init__(self, key, package, limits):
        self.asked = key, package, limits
        self.is_closed = False

    def close(self):
        self.is_closed = True


@pytest.fixture
def started(monkeypatch):
    monkeypatch.setattr(idle_module, "WorkerProcess", Started)


@pytest.fixture
def counted(monkeypatch):
    """Numbers of the processes that are started for workers."""
    numbers = []

    class Counted(WorkerProcess):
        def __init__(self, *asked):
            super().__init__(*asked)
            numbers.append(self._process.pid)

    monkeypatch.setattr(idle_module, "WorkerProcess", Counted)
    return numbers


def test_worker_that_was_kept_is_taken_again(started):
    with IdleWorkers() as idle:
        worker = idle.take(*ONE)
        idle.keep(worker, *ONE)
        assert idle.take(*ONE) is worker
        assert idle.take(*ONE) is not worker


@pytest.mark.parametrize("asked", [OTHER, ("one", "others", Limits()), ("one", "predictors", Limits(seconds=1))])
def test_worker_of_another_predictor_package_or_limit_is_ended(started, asked):
    with IdleWorkers() as idle:
        waiting, running = idle.take(*ONE), idle.take(*ONE)
        idle.keep(waiting, *ONE)
        assert idle.take(*asked).asked == asked
        idle.keep(running, *ONE)
        assert (waiting.is_closed, running.is_closed) == (True, True)


def test_at_the_end_all_that_wait_are_ended_and_those_that_come_back_later(started):
    with IdleWorkers() as idle:
        waiting, running = idle.take(*ONE), idle.take(*ONE)
        idle.keep(waiting, *ONE)
    assert (waiting.is_closed, running.is_closed) == (True, False)
    idle.keep(running, *ONE)
    assert running.is_closed


def test_next_series_is_served_by_the_same_process_and_finds_nothing_of_the_last(package, counted):
    """A job that left a mark in its process would see it in the next one."""
    fit = "import builtins; self.found_ = getattr(builtins, 'left', 1.0); builtins.left = 7.0"
    package.add("leaving-marks", model=model_source(fit, "return np.full(len(kernels), self.found_)"))
    with IdleWorkers() as idle:
        found = [
            outcome
            for _ in range(2)
            for outcome in run_jobs("leaving-marks", [job()] * 2, package=package.name, limits=LIMITS, idle=idle)
        ]
    assert [set(outcome.predictions.tolist()) for outcome in found] == [{1.0}] * 4
    assert len(counted) == 1


def test_worker_that_a_job_overran_is_not_kept(package, counted):
    package.add("sleeping", model=model_source("import time; time.sleep(60)"))
    limits = Limits(seconds=0.5)
    with IdleWorkers() as idle:
        for _ in range(2):
            (outcome,) = run_jobs("sleeping", [job()], package=package.name, limits=limits, idle=idle)
            assert outcome.reason == "ran longer than 0.5 s"
    assert len(counted) == 2
