import itertools
import json
import shutil
from dataclasses import replace

import pytest

from harness import api
from harness.errors import UsageError
from harness.evaluation import network_runner, runner
from harness.evaluation.shards import FILE, parse_shard
from harness.predictor.features import LABEL
from tests.evaluation.measured import measured_release
from tests.evaluation.releases import changed, kernel_device, network_device, networks, truth
from tests.evaluation.test_networks import InProcess as NetworksInProcess

TIMES = {"fit_s", "predict_rows_per_s"}
"""What is measured of a run, and differs from run to run."""
RELEASE = measured_release(kernel_device(), kernel_device("other-phone", n=90, factor=2), network_device(networks()))
KERNEL_KEYS = ("constant", "roofline")
PREDICTORS = (*KERNEL_KEYS, "network-flops")
N_PARTS = 11
"""Two predictors on two subjects of kernels, one of networks and two devices; and one on measured networks."""


@pytest.fixture
def clock(in_process, monkeypatch):
    """Predictors that run where they are called, each fit taking another time."""
    ticks = itertools.count(1)
    of_networks = NetworksInProcess()
    in_process.functions["roofline"] = truth
    of_networks.functions["network-flops"] = of_networks.functions["learner"]

    def timed(run_jobs):
        return lambda *given, **named: (
            replace(outcome, fit_s=0.01 * next(ticks)) for outcome in run_jobs(*given, **named)
        )

    monkeypatch.setattr(runner, "run_jobs", timed(in_process.run_jobs))
    monkeypatch.setattr(network_runner, "run_jobs", timed(of_networks.run_jobs))
    monkeypatch.setattr(network_runner, "predictor_version", lambda key, package: "1")
    monkeypatch.setattr(network_runner, "predictor_files", lambda key, package: {})
    return in_process


@pytest.fixture
def run(tmp_path):
    """Evaluate into a folder: one run, a shard of it, or the shards together."""

    def call(folder="whole", shard=None, merge=(), release=RELEASE, predictors=PREDICTORS, **options):
        given = {"predictors": list(predictors), "out": tmp_path / folder} | options
        if merge:
            return api.merge_shards([tmp_path / name for name in merge], release, **given)
        return api.evaluate(release, shard=shard, n_jobs=1, **given)

    return call


def content_of(folder):
    """Every file of results and boards, but for the seal and the measured times."""
    found = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and "shard-" not in path.as_posix()):
        name = path.relative_to(folder).as_posix()
        found[name] = untimed(json.loads(path.read_bytes())) if path.suffix == ".json" else path.read_bytes()
    return found


def untimed(value):
    if isinstance(value, dict):
        return {key: untimed(inner) for key, inner in value.items() if key not in {"seal", *TIMES}}
    return [untimed(inner) for inner in value] if isinstance(value, list) else value


THREE = [f"shards/shard-{number}-of-3" for number in (1, 2, 3)]


@pytest.fixture
def three(clock, run):
    """Three shards, run one after the other."""
    for number in (1, 2, 3):
        assert run("shards", f"{number}/3") == {}
    return clock


def test_shards_together_are_one_run_to_the_byte_except_for_times_and_seal(three, run, tmp_path):
    whole, together = run("whole"), run("together", merge=THREE)
    one, other = content_of(tmp_path / "whole"), content_of(tmp_path / "together")
    assert one == other
    assert sum(name.endswith(".parquet") for name in one) == N_PARTS
    assert whole.keys() == together.keys()
    for track, board in whole.items():
        assert board.notes == together[track].notes
        assert [row.standing for row in board.rows] == [row.standing for row in together[track].rows]


def test_shards_divide_the_work_and_run_none_of_it_twice(clock, run, tmp_path):
    found = []
    for number in (1, 2, 3):
        run("shards", f"{number}/3")
        files = (tmp_path / "shards" / f"shard-{number}-of-3").rglob("*.parquet")
        found.append({"/".join(path.parts[-3:]) for path in files})
    assert sorted(map(len, found)) == [3, 4, 4]
    assert len(set().union(*found)) == N_PARTS
    clock.keys_run()
    run("together", merge=THREE)
    assert clock.keys_run() == set()


def test_shards_of_other_machines_are_sealed_anew(three, run, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "elsewhere"))
    run("together", merge=THREE)
    three.keys_run()
    run("together")
    assert three.keys_run() == set()


def test_changed_predictor_runs_only_its_parts_of_a_shard(three, run):
    three.keys_run()
    three.versions["roofline"] = "2"
    run("shards", "1/3")
    assert three.keys_run() == {"roofline"}


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "a/b", "1/0", "1/3/5", "-1/3", "", "1.0/2"])
def test_shard_that_there_is_not_is_wrong_usage(text):
    with pytest.raises(UsageError, match=f"shard '{text}'; expected i/n with i from 1 to n, such as 2/3"):
        parse_shard(text)


def test_missing_shards_are_named(three, run):
    with pytest.raises(UsageError, match=r"shards 1/3, 3/3 are missing; .* deepen evaluate --shard 1/3"):
        run("together", merge=THREE[1:2])


def test_shard_that_is_there_twice_is_refused(three, run, tmp_path):
    shutil.copytree(tmp_path / THREE[0], tmp_path / "again")
    with pytest.raises(UsageError, match="are both shard 1/3; name one of them"):
        run("together", merge=[*THREE, "again"])


def test_folder_that_is_no_shard_is_refused(three, run, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        UsageError, match=r"empty/shard.json: No such file or directory; expected the folder of a shard"
    ):
        run("together", merge=[*THREE, "empty"])
    (tmp_path / THREE[0] / FILE).write_text("{}")
    with pytest.raises(UsageError, match="does not describe a shard"):
        run("together", merge=THREE)


def dearer(release):
    table = changed(release.levels["kernels"], LABEL, lambda energies: [2 * energy for energy in energies])
    return replace(release, levels=release.levels | {"kernels": table})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"release": dearer(RELEASE)}, r"other rows \(--data\): found \w{12}; expected \w{12}"),
        ({"seed": 1}, "other --seed: found 0; expected 1"),
        ({"tracks": ["kernels"]}, "other --track: found kernels, models, devices; expected kernels"),
        ({"predictors": KERNEL_KEYS}, "other predictors: found .*network-flops 1; expected "),
    ],
    ids=["rows", "seed", "tracks", "predictors"],
)
def test_shards_of_another_evaluation_are_refused(three, run, options, message):
    with pytest.raises(UsageError, match=rf"shard-1-of-3 is a shard of another evaluation: {message}"):
        run("together", merge=THREE, **options)


def test_shards_of_other_versions_and_counts_are_refused(three, run, tmp_path):
    three.versions["roofline"] = "2"
    with pytest.raises(UsageError, match=r"other predictors: found .*roofline 1.*; expected .*roofline 2"):
        run("together", merge=THREE)
    three.versions.clear()
    run("shards", "1/2")
    with pytest.raises(UsageError, match="shard-1-of-2 is a shard of another evaluation: other count of shards"):
        run("together", merge=[*THREE[1:], "shards/shard-1-of-2"])
    path = tmp_path / THREE[0] / FILE
    stated = json.loads(path.read_text())
    path.write_text(json.dumps(stated | {"code": stated["code"] | {"numpy": "0.1"}}))
    with pytest.raises(UsageError, match=r"other version of the program or its libraries: found .*numpy 0\.1"):
        run("together", merge=THREE)


def test_shard_that_lacks_a_result_or_has_an_edited_one_is_refused(three, run, tmp_path):
    path = next((tmp_path / THREE[1]).glob("kernels/*/*.json"))
    content = path.read_text()
    path.unlink()
    with pytest.raises(UsageError, match=r"shard-2-of-3 lacks \S+ on \S+ \(kernels\); run these shards again"):
        run("together", merge=THREE)
    score = json.loads(content)["splits"][0]["scores"][0]["measures"]["mape"]
    path.write_text(content.replace(str(score), "0.125"))
    with pytest.raises(UsageError, match="has measures of published that do not follow from its rows"):
        run("together", merge=THREE)


def test_failures_and_broken_predictors_are_results_of_shards(clock, run, tmp_path):
    clock.functions["roofline"] = lambda train, test: (_ for _ in ()).throw(ValueError("raised OSError: no"))
    for number in (1, 2):
        run("shards", f"{number}/2")
    clock.keys_run()
    boards = run("together", merge=["shards/shard-1-of-2", "shards/shard-2-of-2"])
    assert clock.keys_run() == set()
    rows = [row for row in boards["kernels"].rows if row.predictor == "roofline"]
    assert {row.result.reason for row in rows if row.result.status != "skipped"} == {"raised OSError: no"}


def test_cluster_and_shards_give_what_one_run_gives(tmp_path):
    """Nothing stands in for the processes: two workers of a cluster on loopback run predictors in processes."""
    distributed = pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
    dask = pytest.importorskip("dask")
    given = {"source": RELEASE, "predictors": ["constant", "network-flops"]}
    api.evaluate(**given, out=tmp_path / "whole", n_jobs=1)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, protocol="tcp", host="127.0.0.1", dashboard_address=None
        ) as cluster,
        dask.config.set({"scheduler-address": cluster.scheduler_address}),
    ):
        api.evaluate(**given, out=tmp_path / "cluster", backend="dask")
    for number in (1, 2):
        api.evaluate(**given, out=tmp_path / "shards", shard=f"{number}/2")
    folders = [tmp_path / "shards" / f"shard-{number}-of-2" for number in (1, 2)]
    api.merge_shards(folders, **given, out=tmp_path / "together")
    whole, cluster_files, together = (content_of(tmp_path / name) for name in ("whole", "cluster", "together"))
    assert whole == cluster_files
    assert whole == together
