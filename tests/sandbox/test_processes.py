"""Processes of a predictor: a fresh one for every job, and none left afterwards, however it ends."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.predictor.features import FEATURES
from harness.sandbox.jobs import Job, Limits, run_jobs
from harness.sandbox.semaphores import ThreadSemaphore
from tests.predictor.packages import kernels, model_source

LIMITS = Limits(seconds=120, memory_mb=1024, file_mb=1)
LIFETIME_S = 100
"""Less than the time of a job, so that a process that is gone by then was ended."""
ROOT = Path(__file__).parents[2]
ANSWER = """
def predict(self, kernels):
    return np.full(len(kernels), float({answer}))
"""
STAYS = "import time\ntime.sleep(600)"
ONE_JOB = """
import signal, sys
# A shell starts what runs in the background with this signal ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
from harness.sandbox.jobs import run_jobs
from tests.sandbox.test_processes import LIMITS, job

print(*[outcome.reason for outcome in run_jobs(sys.argv[1], [job()], package=sys.argv[2], limits=LIMITS)], flush=True)
"""


def job():
    return Job(kernels(20), kernels(20, seed=1)[list(FEATURES)])


def processes_below(number):
    """Numbers of the living descendants of a process."""
    try:
        found = [
            int(child) for path in Path(f"/proc/{number}/task").glob("*/children") for child in path.read_text().split()
        ]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [below for child in found if is_alive(child) for below in (child, *processes_below(child))]


def is_alive(number):
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(is_so):
    end = time.monotonic() + LIFETIME_S
    while not is_so():
        assert time.monotonic() < end, "that took too long"
        time.sleep(0.05)


@pytest.fixture
def busy(package, tmp_path):
    """A run of one job that goes on, and the processes of it: the worker first."""
    package.add("staying", model=model_source(fit=STAYS))
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{package.folder.parent}", "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", ONE_JOB, "staying", package.name]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as run:
        try:
            wait_until(lambda: len(processes_below(run.pid)) == 2)
            yield run, processes_below(run.pid)
        finally:
            run.kill()


def test_every_job_has_a_process_of_its_own_which_loads_the_predictor(package):
    answer = ANSWER.format(answer="os.getpid() * 10 + (LOADED_IN == os.getpid())")
    package.add("fresh", model=f"import os\nLOADED_IN = os.getpid()\n{model_source(rest=answer)}")
    outcomes = run_jobs("fresh", [job()] * 3, package=package.name, limits=LIMITS)
    answers = [outcome.predictions[0] for outcome in outcomes]
    assert len(set(answers)) == 3
    assert [answer % 10 for answer in answers] == [1, 1, 1]


def test_libraries_alone_are_there_before_the_predictor_is_loaded(package):
    asked = ("sklearn.manifold", "xml.sax.saxutils", "numpy.f2py.__main__")
    source = (
        f"import sys\nTHERE = [name in sys.modules for name in {asked}]\nif False:\n    import {', '.join(asked)}\n"
    )
    answer = ANSWER.format(answer="1 + THERE[0] + 2 * THERE[1] + 4 * THERE[2]")
    package.add("probing", model=source + model_source(rest=answer))
    (outcome,) = run_jobs("probing", [job()], package=package.name, limits=LIMITS)
    assert outcome.predictions[0] == 2


def test_a_predictor_may_import_more_names_than_a_command_line_takes(package):
    names = ", ".join(f"name_{number}" for number in range(9000))
    package.add("greedy", model=f"if False:\n    from os import {names}\n{model_source()}")
    (outcome,) = run_jobs("greedy", [job()], package=package.name, limits=LIMITS)
    assert outcome.status == "ok"


def test_predictions_depend_on_neither_the_run_nor_the_jobs_before(package):
    answer = ANSWER.format(answer="1 + DRAWN + np.random.random()")
    package.add("drawing", model=f"import random\nDRAWN = random.random()\n{model_source(rest=answer)}")
    runs = [run_jobs("drawing", [job()] * 2, package=package.name, limits=LIMITS) for _ in range(2)]
    predictions = {outcome.predictions[0] for run in runs for outcome in run}
    assert len(predictions) == 1, predictions


THREADS = """
import multiprocessing, tempfile, threading
from concurrent.futures import ThreadPoolExecutor
from joblib import Parallel, delayed
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
sizes, energies = kernels[["flops"]].to_numpy(), kernels["energy_mj"]
RandomForestRegressor(3, n_jobs=2).fit(sizes, energies).predict(sizes)
HistGradientBoostingRegressor(max_iter=2).fit(sizes, energies)
assert Parallel(n_jobs=2, backend="threading")(delayed(abs)(-number) for number in range(9)) == list(range(9))
assert list(ThreadPoolExecutor(4).map(abs, range(5))) == [0, 1, 2, 3, 4]
with multiprocessing.RLock() as one, tempfile.TemporaryFile() as file:
    file.write(b"x")
"""


def test_threads_of_libraries_work_in_a_job(package):
    package.add("threaded", model=model_source(fit=THREADS))
    (outcome,) = run_jobs("threaded", [job()], package=package.name, limits=LIMITS)
    assert (outcome.status, outcome.reason) == ("ok", "")


@pytest.mark.parametrize("make", [multiprocessing.Lock, multiprocessing.RLock, multiprocessing.BoundedSemaphore])
def test_semaphores_of_a_job_behave_as_those_of_python(make, monkeypatch):
    plain = make()
    monkeypatch.setattr("_multiprocessing.SemLock", ThreadSemaphore)
    for semaphore in (plain, make()):
        assert semaphore.acquire()
        assert semaphore.acquire(timeout=0.001) is (make is multiprocessing.RLock)
        if make is multiprocessing.RLock:
            semaphore.release()
        semaphore.release()
        with pytest.raises((ValueError, AssertionError)):
            semaphore.release()


def test_nothing_that_a_job_wrote_outlives_it(package, tmp_path, monkeypatch):
    folders = tmp_path / "folders"
    folders.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folders))
    package.add("leaving", model=model_source(fit="open('left', 'w').close()"))
    before = set(processes_below(os.getpid()))
    run = run_jobs("leaving", [job()], package=package.name, limits=LIMITS)
    assert next(run).status == "ok"
    assert len(set(processes_below(os.getpid())) - before) == 1, "the worker alone waits for the next job"
    assert [list(folder.iterdir()) for folder in folders.iterdir()] == [[]]
    run.close()
    assert list(folders.iterdir()) == []
    assert set(processes_below(os.getpid())) <= before


def test_a_predictor_that_takes_too_long_to_load_is_ended(package, monkeypatch):
    package.add("hanging", model=f"import time\ntime.sleep(600)\n{model_source()}")
    monkeypatch.setattr("harness.sandbox.processes.START_SECONDS", 8.0)
    (outcome,) = run_jobs("hanging", [job()], package=package.name, limits=LIMITS)
    assert outcome.reason == "took longer than 8 s to load"


def test_a_predictor_that_ends_while_it_is_loaded_fails_with_the_reason(package):
    package.add("quitting", model=f"import os\nos._exit(5)\n{model_source()}")
    found = list(run_jobs("quitting", [job()] * 2, package=package.name, limits=LIMITS))
    assert [outcome.reason for outcome in found] == ["ended its process with exit code 5"] * 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_ended_leaves_no_process(busy, number):
    run, below = busy
    run.send_signal(number)
    wait_until(lambda: not any(map(is_alive, below)))


def test_a_worker_that_is_killed_takes_its_job_with_it(busy):
    run, (worker, child, *_) = busy
    run.send_signal(signal.SIGSTOP)
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: not is_alive(child))
    run.send_signal(signal.SIGCONT)
    assert run.communicate(timeout=LIFETIME_S)[0].startswith("its process was ended from outside")
