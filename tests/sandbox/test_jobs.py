import re
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from harness.errors import UsageError
from harness.predictor.features import FEATURES, LABEL
from harness.sandbox.jobs import MOST_DEATHS, Job, Limits, Outcome, run_jobs
from harness.sandbox.processes import DeathError
from tests.predictor.packages import info_source, kernels, made_package, model_source
from tests.predictor.test_persistence import stamp

LIMITS = Limits(seconds=12, memory_mb=1024, file_mb=1)
OTHER_FILE = Path(__file__).parents[2] / "README.md"
"""Stands for a file of test rows: it is there, and is none of a predictor's business."""

FORKED = """
import ctypes
if ctypes.CDLL(None).fork() == 0:
    time.sleep(600)
    os._exit(0)
"""
BAD = {
    "sound": ("", ""),
    "reads": (f"open({str(OTHER_FILE)!r}).read()", f"read {OTHER_FILE}"),
    "reads by a library": (
        f"import pyarrow; pyarrow.OSFile({str(OTHER_FILE)!r}).read()",
        r"raised PermissionError: .*Failed to open local file",
    ),
    "reads by a link": (f"os.symlink({str(OTHER_FILE)!r}, 'link'); open('link').read()", "read link"),
    "hides what it read": (
        f"""
        try:
            open({str(OTHER_FILE)!r})
        except OSError as error:
            raise RuntimeError("no data") from error
        """,
        f"read {OTHER_FILE}",
    ),
    "reads beside its package": (
        "name = os.path.dirname(os.path.dirname(__file__)) + '-not/secret'; open(name)",
        r"read .*trial_\d+-not/secret",
    ),
    "writes": (f"open({str(OTHER_FILE)!r}, 'a')", f"wrote {OTHER_FILE}"),
    "writes beside its folder": ("open('../left', 'w')", r"wrote \.\./left"),
    "writes to its package": ("open(__file__, 'a')", "wrote .*model.py"),
    "returns nothing": ("return None", "returned NoneType from fit; expected self"),
    "returns another": ("return BaseEstimator()", "returned BaseEstimator from fit; expected self"),
    "mutates": ("kernels['flops'] = np.log(kernels['flops'])", "changed its input in fit"),
    "mutates an array": (
        "kernels['flops'].to_numpy().flags.writeable = True; kernels['flops'].array._ndarray[:] = 1",
        "changed its input in fit",
    ),
    "allocates": ("np.ones(100 << 27)", "needed more than 1 GB of memory"),
    "allocates bit by bit": (
        "self.x_ = []\nwhile True:\n    self.x_.append(bytearray(1 << 24))",
        "needed more than 1 GB",
    ),
    "allocates a little too much": ("self.x_ = bytearray(1100 << 20)", "needed more than 1 GB"),
    "shares memory": ("import mmap; self.x_ = mmap.mmap(-1, 4 << 30)", r"raised OSError: \[Errno 12\]"),
    "fills the disk": ("open('big', 'wb').write(bytes(2 << 20))", "wrote a file larger than 1 MB"),
    "exits": ("os._exit(3)", "ended its process with exit code 3"),
    "exits as if all were well": ("os._exit(0)", "ended its process with exit code 0"),
    "leaves": ("raise SystemExit('enough')", "raised SystemExit: enough"),
    "crashes": ("import ctypes; ctypes.string_at(0)", r"was ended by signal 11 \(Segmentation fault\)"),
    "raises in a circle": (
        "one = ValueError('one'); one.__cause__ = TypeError(); one.__cause__.__cause__ = one\nraise one",
        "raised ValueError: one",
    ),
    "raises": ("raise ValueError('no rows\\nof type fc')", r"raised ValueError: no rows\\nof type fc"),
    "calls home": ("import socket; socket.create_connection(('127.0.0.1', 9))", "opened a network connection"),
    "starts a program": ("import subprocess; subprocess.run(['true'])", "started another process"),
    "starts a shell": ("os.system('true')", "started another process"),
    "spawns a program": ("os.posix_spawn('/bin/true', ['true'], {})", "started another process"),
    "turns into a program": ("os.execv('/bin/true', ['true'])", "started another process"),
    "opens a terminal": ("os.forkpty()", "started another process"),
    "forks": ("os.fork()", "started another process"),
    "forks behind our back": (FORKED, ""),
    "forks behind our back and exits": (f"{FORKED}\nos._exit(4)", "ended its process with exit code 4"),
    "prints garbage": ("os.write(1, os.urandom(10000)); print('\\x00\\x1b[2J')", ""),
    "prints 100 MB": ("for _ in range(100): print('x' * 1_000_000)", ""),
    "writes into our socket": (
        "[os.write(fd, b'garbage' * 9) for fd in range(3, 64) if stat.S_ISSOCK(mode(fd))]",
        "garbled its answer",
    ),
    "gives NaN": ("self.bad_ = [np.nan] * 3", "gave NaN for 3 of 50 rows"),
    "gives infinity": ("self.bad_ = [np.inf]", "gave infinity for 1 of 50 rows"),
    "gives zero": ("self.bad_ = [0.0, -1.0]", "gave energies that are not positive for 2 of 50 rows"),
    "gives too much": ("self.bad_ = [2e12]", r"gave energies above 1e\+12 mJ for 1 of 50 rows"),
    "gives complex numbers": ("self.kind_ = complex", "gave predictions that are no numbers"),
    "gives dates": ("self.kind_ = 'datetime64[s]'", "gave predictions that are no numbers"),
    "gives objects": ("self.kind_ = object", "gave predictions that are no numbers"),
    "gives numbers as text": ("self.kind_ = str", "gave predictions that are no numbers"),
    "gives flags": ("self.kind_ = bool", "gave predictions that are no numbers"),
    "hides what it gives": ("self.mask_ = [True]", "gave predictions that are no numbers"),
    "gives whole numbers": ("self.kind_ = 'uint8'", ""),
    "gives too few": ("self.shape_ = (49,)", r"gave predictions of shape \(49,\); expected \(50,\)"),
    "gives a column": ("self.shape_ = (50, 1)", r"gave predictions of shape \(50, 1\); expected \(50,\)"),
    "gives words": ("self.words_ = True", "gave predictions that are no numbers"),
    "gives crossed intervals": ("self.low_ = 3.0", "gave lower bounds above the upper ones for 50 of 50 rows"),
    "gives open intervals": ("self.high_ = np.inf", "gave bounds that are infinite for 50 of 50 rows"),
    "gives intervals without end": ("self.high_ = 1e101", r"gave bounds above 1e\+100 mJ for 50 of 50 rows"),
    "gives negative intervals": ("self.low_ = -1.0", "gave negative bounds for 50 of 50 rows"),
    "gives no intervals": ("self.low_ = np.nan", "gave one bound that is NaN for 50 of 50 rows"),
    "asks for the name of its machine": ("import socket; socket.gethostname()", ""),
    "writes to its folder": (
        "assert tempfile.gettempdir() == os.environ['HOME'] == os.getcwd(), os.getcwd()\ntempfile.mkdtemp()",
        "",
    ),
    "looks at what is left": ("assert os.listdir('.') == [] and not LEFT, (os.listdir('.'), LEFT)", ""),
    "looks around": ("assert set(os.environ) <= KNOWN, os.environ", ""),
    "sleeps": ("time.sleep(600)", "ran longer than 12 s"),
    "sound again": ("", ""),
}
LAST = tuple(BAD)[-2:]

MODEL = """
import os, stat, tempfile, time
import numpy as np
from sklearn.base import BaseEstimator

LEFT = []
KNOWN = {{
    "ARROW_DEFAULT_MEMORY_POOL", "HOME", "LANG", "LC_CTYPE", "LD_LIBRARY_PATH", "LOKY_MAX_CPU_COUNT",
    "MKL_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED",
    "PYTHONPATH", "TMPDIR", "KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK", "MALLOC_MMAP_THRESHOLD_",
    "MALLOC_TRIM_THRESHOLD_",
}}


def mode(fd):
    try:
        return os.fstat(fd).st_mode
    except OSError:
        return 0


class Model(BaseEstimator):
    def fit(self, kernels):
        case = kernels["device_id"].iloc[0]
        {cases}
        LEFT.append(case)
        open("left", "w").close()
        return self

    def predict(self, kernels):
        energies = np.full(getattr(self, "shape_", len(kernels)), 2.0)
        if hasattr(self, "bad_"):
            energies[: len(self.bad_)] = self.bad_
        if hasattr(self, "kind_"):
            return energies.astype(self.kind_)
        if hasattr(self, "mask_"):
            return np.ma.masked_array(energies, self.mask_ * 50)
        return ["many"] * 50 if hasattr(self, "words_") else energies

    def predict_interval(self, kernels, coverage):
        return np.tile([getattr(self, "low_", 1.0), getattr(self, "high_", 2.0 + coverage)], (len(kernels), 1))
"""


def job(case="sound", coverages=(0.8, 0.9)):
    return Job(kernels(50).assign(device_id=case), kernels(50, seed=1)[list(FEATURES)], coverages)


def misbehaving():
    """A predictor that does what the device of its rows is called."""
    cases = []
    for case, (source, _) in BAD.items():
        lines = [line for line in source.splitlines() if line.strip()] or ["pass"]
        margin = len(lines[0]) - len(lines[0].lstrip())
        cases.append(f"if case == {case!r}:\n" + "\n".join(f"            {line[margin:]}" for line in lines))
    return MODEL.format(cases="\n        ".join(cases))


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    yield from made_package(tmp_path_factory.mktemp("isolation"))


@pytest.fixture(scope="module")
def outcomes(package):
    """Outcome of every case, all asked of one predictor in a row."""
    package.add("misbehaving", model=misbehaving())
    neighbour = package.folder.with_name(f"{package.name}-not")
    neighbour.mkdir()
    (neighbour / "secret").write_text("")
    found = run_jobs("misbehaving", map(job, BAD), package=package.name, limits=LIMITS)
    return dict(zip(BAD, found, strict=True))


@pytest.mark.parametrize("case", [case for case, (_, reason) in BAD.items() if reason])
def test_misbehaviour_ends_as_an_outcome_with_its_reason(outcomes, case):
    assert outcomes[case].status == "failed"
    assert outcomes[case].predictions is None
    assert re.fullmatch(f"(?s){BAD[case][1]}.*", outcomes[case].reason), outcomes[case].reason


@pytest.mark.parametrize("case", ["raises", "writes to its package", "calls home", "hides what it read"])
def test_a_reason_ends_with_the_line_that_raised_and_no_path_of_this_machine(outcomes, package, case):
    reason = outcomes[case].reason
    place = re.search(r" \((\S+):(\d+)\)$", reason)
    assert place is not None, reason
    assert place[1] == f"{package.name}/misbehaving/model.py"
    assert BAD[case][0].split("\n")[-1].strip()[:20] in misbehaving().splitlines()[int(place[2]) - 1]
    assert str(package.folder) not in reason


@pytest.mark.parametrize("case", [case for case, (_, reason) in BAD.items() if not reason])
def test_what_does_no_harm_gives_predictions_whatever_came_before(outcomes, case):
    outcome = outcomes[case]
    assert (outcome.status, outcome.reason) == ("ok", "")
    assert outcome.predictions.tolist() == [2.0] * 50
    assert {coverage: bounds.tolist() for coverage, bounds in outcome.intervals.items()} == {
        coverage: [[1.0, 2.0 + coverage]] * 50 for coverage in (0.8, 0.9)
    }
    assert min(outcome.fit_s, outcome.predict_s) >= 0
    assert 20 < outcome.peak_mb < LIMITS.memory_mb


def test_a_batch_of_any_size_is_timed_where_it_is_wanted_and_no_other(package):
    package.add("steady")
    jobs = [Job(kernels(50), kernels(7, seed=1)[list(FEATURES)], n_timed=count) for count in (10_000, 3, 0)]
    large, small, none = run_jobs("steady", jobs, package=package.name, limits=LIMITS)
    assert large.batch_s > 0
    assert small.batch_s > 0
    assert none.batch_s is None
    assert large.predictions.tolist() == none.predictions.tolist()
    assert len(large.predictions) == 7


def test_a_batch_that_would_take_long_is_not_timed_and_is_no_failure(package):
    package.add("slow", model=model_source(predict="import time; time.sleep(0.3 * len(kernels))"))
    job = Job(kernels(50), kernels(7, seed=1)[list(FEATURES)], n_timed=10_000)
    (outcome,) = run_jobs("slow", [job], package=package.name, limits=LIMITS)
    assert (outcome.status, outcome.batch_s) == ("ok", None)


def test_a_call_that_takes_long_whatever_it_predicts_is_timed(package):
    package.add("ponderous", model=model_source(predict="import time; time.sleep(0.1)"))
    job = Job(kernels(50), kernels(1, seed=1)[list(FEATURES)], n_timed=10_000)
    (outcome,) = run_jobs("ponderous", [job], package=package.name, limits=LIMITS)
    assert outcome.batch_s >= 0.1


def test_other_energies_in_the_timed_batch_are_a_failure(package):
    package.add("hasty", model=model_source(predict="if len(kernels) > 100: return np.ones(len(kernels))"))
    job = Job(kernels(50), kernels(7, seed=1)[list(FEATURES)], n_timed=10_000)
    (outcome,) = run_jobs("hasty", [job], package=package.name, limits=LIMITS)
    assert (outcome.status, outcome.reason) == ("failed", "predicted other energies in a batch of 700 kernels")


NETWORKS = """
def predict_models(self, models):
    assert list(models.columns) == ["kernels"]
    return np.array([float(kernels["flops"].sum()) - {less} for kernels in models["kernels"]])
"""


def test_energies_of_networks_come_with_those_of_their_kernels(package):
    package.add("whole", model=model_source(rest=NETWORKS.format(less=0)))
    test = kernels(5, seed=1)[list(FEATURES)]
    asked = Job(kernels(50), test, networks=np.array([7, 7, 3, 7, 3]))
    with_networks, without = run_jobs("whole", [asked, Job(kernels(50), test)], package=package.name, limits=LIMITS)
    flops = test["flops"]
    assert with_networks.networks == {3: flops[2] + flops[4], 7: flops[0] + flops[1] + flops[3]}
    assert with_networks.predictions.tolist() == without.predictions.tolist()
    assert without.networks == {}


def test_energies_of_networks_are_held_to_the_same(package):
    package.add("negative", model=model_source(rest=NETWORKS.format(less=1e18)))
    asked = Job(kernels(50), kernels(5)[list(FEATURES)], networks=np.array([0, 0, 1, 1, 2]))
    (outcome,) = run_jobs("negative", [asked], package=package.name, limits=LIMITS)
    assert outcome.reason == "gave energies that are not positive for 3 of 3 networks"


LINKED = """
import os
with open(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), {name!r})) as file:
    raise RuntimeError(file.read())
"""


@pytest.fixture
def own_package(tmp_path):
    (tmp_path / "own").mkdir()
    yield from made_package(tmp_path / "own")


@pytest.mark.parametrize("name", ["_link/rows.csv", "_link.py", "linked/rows.csv", "linked/__pycache__/rows.csv"])
def test_what_links_lead_to_and_lies_beside_compiled_code_is_closed(own_package, tmp_path, name):
    (tmp_path / "rows.csv").write_text("1.0")
    helpers = f"if False:\n    from {own_package.name} import _link\n"
    own_package.add("linked", model=helpers + model_source(fit=LINKED.format(name=name)))
    path = own_package.folder / name
    if "_link/" in name:
        path.parent.symlink_to(tmp_path)
    elif "__pycache__" in name:
        path.parent.mkdir()
        path.write_text("1.0")
    else:
        path.symlink_to(tmp_path / "rows.csv")
    (outcome,) = run_jobs("linked", [job()], package=own_package.name, limits=LIMITS)
    assert outcome.reason.startswith("read "), outcome.reason


def test_a_folder_that_is_a_link_ends_no_other_predictor(package, tmp_path):
    (package.folder / "elsewhere").symlink_to(tmp_path)
    package.add("beside", model=model_source())
    (outcome,) = run_jobs("beside", [job()], package=package.name, limits=LIMITS)
    (package.folder / "elsewhere").unlink()
    assert outcome.status == "ok", outcome.reason


NAMES = """
import os, harness
root = os.path.dirname(os.path.dirname(harness.__file__))
assert "tests" in os.listdir(root)
os.stat(os.path.join(root, "README.md"))
"""


def test_names_in_the_checkout_can_be_listed_as_the_page_says(package):
    package.add("listing", model=model_source(fit=NAMES))
    (outcome,) = run_jobs("listing", [job()], package=package.name, limits=LIMITS)
    assert outcome.status == "ok", outcome.reason


LONG_HEADER = """
import json, os, struct
header = json.dumps({"is_loaded": True, "has_intervals": False, "has_networks": False, "reason": " " * 70_000}).encode()
for number in range(3, 64):
    try:
        os.write(number, struct.pack("!i", len(header)) + header + struct.pack("!i", 0))
    except OSError:
        pass
os._exit(0)
"""


def test_a_header_is_read_up_to_its_own_length_also_where_a_file_is_wanted(package):
    package.add("talkative", model=model_source(fit=LONG_HEADER))
    asked = replace(job(coverages=()), stamp=stamp(package, "talkative"))
    (outcome,) = run_jobs("talkative", [asked], package=package.name, limits=LIMITS)
    assert outcome.reason == "garbled its answer"


def test_a_label_at_prediction_is_refused_before_it_is_sent():
    with pytest.raises(ValueError, match=r"test has columns .*energy_mj; expected"):
        Job(kernels(5), kernels(5))


def test_a_fit_without_labels_is_refused():
    with pytest.raises(ValueError, match="train has columns"):
        Job(kernels(5).drop(columns=LABEL), kernels(5)[list(FEATURES)])


def test_an_unknown_predictor_is_a_usage_error(package):
    package.add("quiet")
    with pytest.raises(UsageError, match="did you mean quiet"):
        next(run_jobs("quit", [job()], package=package.name))


def test_a_predictor_that_cannot_be_loaded_is_an_outcome_for_every_job(tmp_path):
    for package in made_package(tmp_path):
        package.add("peeking", model=f"open({str(OTHER_FILE)!r})\n{model_source()}")
        package.add("lacking", info=info_source("lacking", 'extras = { nosuchboost = "nosuchboost>=4" }'))
        for key, reason in (("peeking", f"read {OTHER_FILE}"), ("lacking", "predictor lacking needs nosuchboost")):
            found = list(run_jobs(key, [job(), job()], package=package.name, limits=LIMITS))
            assert [outcome.status for outcome in found] == ["failed", "failed"]
            assert all(outcome.reason.startswith(reason) for outcome in found), found


class Hung:
    """A worker whose jobs all overrun their time."""

    started: ClassVar[list[object]] = []
    confinement = None

    def __init__(self, *_):
        self.started.append(self)

    def run(self, *_):
        raise DeathError("ran longer than 1 s")

    def close(self):
        pass


@pytest.fixture
def hung(monkeypatch):
    monkeypatch.setattr("harness.sandbox.jobs.WorkerProcess", Hung)
    Hung.started.clear()
    return Hung


def test_a_predictor_that_overruns_again_and_again_is_given_up(package, hung):
    package.add("any")
    found = list(run_jobs("any", [job()] * (MOST_DEATHS + 2), package=package.name))
    assert found == [Outcome("failed", "ran longer than 1 s")] * (MOST_DEATHS + 2)
    assert len(hung.started) == MOST_DEATHS


def test_nothing_to_predict_is_no_failure(package):
    package.add("idle")
    empty = Job(kernels(20), kernels(20)[list(FEATURES)][:0])
    (outcome,) = run_jobs("idle", [empty], package=package.name, limits=LIMITS)
    assert (outcome.status, len(outcome.predictions)) == ("ok", 0)


CHANGES = "kernels['flops'] = 0.0"
INTERVALS = """
def predict_interval(self, kernels, coverage):
    {changes}
    return np.tile([1.0, 2.0], (len(kernels), 1))
"""


@pytest.mark.parametrize(
    ("method", "source"),
    [
        ("predict", model_source(predict=CHANGES)),
        ("predict", model_source(predict=CHANGES, rest=INTERVALS.format(changes="pass"))),
        ("predict_interval", model_source(rest=INTERVALS.format(changes=CHANGES))),
    ],
    ids=["predict", "predict before intervals", "predict_interval"],
)
def test_an_input_changed_after_the_fit_is_a_failure_too(package, method, source, request):
    key = re.sub(r"\W+", "-", request.node.callspec.id).replace("_", "-")
    package.add(key, model=source)
    (outcome,) = run_jobs(key, [job()], package=package.name, limits=LIMITS)
    assert outcome.reason == f"changed its input in {method}"


def test_intervals_may_have_no_width_and_begin_at_zero(package):
    rest = INTERVALS.format(changes="pass").replace("[1.0, 2.0]", "[0.0, 0.0]")
    package.add("certain", model=model_source(rest=rest))
    (outcome,) = run_jobs("certain", [job(coverages=(0.9,))], package=package.name, limits=LIMITS)
    assert outcome.status == "ok"
    assert outcome.intervals[0.9].tolist() == [[0.0, 0.0]] * 50
