import pytest

from harness.api import simulations
from harness.cli import main
from harness.simulation import runner
from harness.simulation.estimator import Estimate, UnmappedError
from tests.simulation.cases import needs_estimator, network

pytestmark = needs_estimator


@pytest.fixture
def run(tmp_path, monkeypatch, capfd):
    """Simulate one small network by a formula, in an empty folder; give exit code, output and error output."""

    def formula(layer, _):
        if layer.operation == "add":
            raise UnmappedError("AssertionError: it does not fit")
        return Estimate(1000.0 * layer.n_operations, float(layer.n_operations))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runner, "estimate_layer", formula)
    monkeypatch.setattr(simulations, "_networks", lambda n_variants, seed, on_step: [network()])

    def simulated(*arguments):
        monkeypatch.setattr("sys.argv", ["deepen", "simulate", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capfd.readouterr()
        return ended.value.code, printed.out, printed.err

    return simulated


def test_the_command_writes_a_campaign_an_accelerator_and_says_what_it_did(run, tmp_path):
    code, out, err = run("--jobs", "1", "--kernels", "40")
    assert (code, err) == (0, "")
    folders = sorted(path.parent.name for path in tmp_path.glob("submissions/*/zigzag-*"))
    assert folders == ["zigzag-edge-tpu-like", "zigzag-eyeriss-like", "zigzag-meta-prototype"]
    assert "estimated now" in out
    assert "failed: {'kernel': 'add'" in out
    assert "wall time" in out


def test_a_second_run_takes_all_from_the_cache(run):
    run("--jobs", "1", "--accelerator", "zigzag-eyeriss-like")
    _, out, _ = run("--jobs", "1", "--accelerator", "zigzag-eyeriss-like")
    assert " and 0 estimated now" in out


def test_the_notes_hold_the_command_that_writes_the_campaign_again(run, tmp_path):
    run("--jobs", "1", "--seed", "3", "--variants", "2", "--kernels", "40")
    notes = (tmp_path / "submissions/zigzag-eyeriss-like/zigzag-3.9.1/submission.yaml").read_text()
    joined = " ".join(notes.split())
    assert "deepen simulate --accelerator zigzag-eyeriss-like --variants 2 --kernels 40 --seed 3" in joined


def test_a_torn_cache_is_told(run, tmp_path):
    (tmp_path / "cache").write_text('{"key": "half')
    _, out, _ = run("--jobs", "1", "--cache", "cache")
    assert out.startswith("cache: 1 lines cannot be read and are estimated again\n")


def test_an_unknown_accelerator_is_wrong_usage_without_a_traceback(run):
    code, _, err = run("--accelerator", "zigzag-eyeris-like")
    assert code == 2
    assert "did you mean zigzag-eyeriss-like" in err
    assert "Traceback" not in err
