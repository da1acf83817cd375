"""Faults of a meter have names, and a run that ends in between loses nothing; `tests.bench measure` has energies."""

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest
from deepen_measure import recorder, running
from deepen_measure.cli import main
from deepen_measure.errors import MeasureError
from deepen_measure.meters import the_meter
from deepen_measure.protocol import Protocol, check_time
from deepen_measure.recorder import Clock, Updates, observe
from deepen_measure.runtimes import Command

from tests.measure.world import World, machine

PROGRAM = [sys.executable, "-u", "-c", """
import sys
print("deepen-measure ready")
for line in sys.stdin:
    sum(range(20_000 * int(line.split()[1])))
    print("deepen-measure done")
"""]  # fmt: skip


def test_a_meter_that_never_changes_is_frozen_and_gives_no_energy(tmp_path):
    with World(machine(tmp_path), "powercap", freezes_after_s=0), pytest.raises(MeasureError, match="0 changes in 1 s"):
        observe(the_meter(tmp_path, None), longest_s=1)


def test_a_counter_that_freezes_meanwhile_ends_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr(recorder, "_FROZEN_S", 0.3)
    with World(machine(tmp_path), "powercap", freezes_after_s=1):
        meter = the_meter(tmp_path, None)
        updates = Updates(0.02, 50, 1e-5)
        with pytest.raises(MeasureError, match="a counter that did not change for 0 s"):
            recorder._log(meter, io.StringIO(), Clock(), updates, threading.Event())


def test_a_meter_that_is_gone_meanwhile_is_an_error_of_the_run(tmp_path):
    with World(machine(tmp_path), "ina"):
        meter = the_meter(tmp_path, None)
        log = recorder.Recorder(meter, tmp_path, tmp_path / "power.csv", Clock(), Updates(0.02, 50, 1e-5))
        log.__enter__()
        (tmp_path / "sys/class/hwmon/hwmon3/curr1_input").unlink()
        time.sleep(0.5)
        with pytest.raises(MeasureError, match="curr1_input can no longer be read"):
            log.check()


def test_a_run_that_takes_longer_than_it_may_is_refused_before_it_begins():
    updates = Updates(1.0, 50, 1e-5)
    assert check_time(Protocol(), updates, None, 2) == pytest.approx(2 * (10 + 20 + 5 * 100.5))
    with pytest.raises(
        MeasureError, match=r"2 networks take up to 18 minutes .* every 1 s; expected at most 15 minutes"
    ):
        check_time(Protocol(), updates, 15, 2)


def test_fewer_windows_than_their_spread_needs_are_refused():
    with pytest.raises(SystemExit):
        main(["run", "net.onnx", "--windows", "4"])


COMMAND = """
import signal, sys
from deepen_measure.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(main())
"""
"""The command; shells have what they start in the background ignore an interrupt."""


def running_command(root, folder):
    here = Path(running.__file__).parents[1]
    arguments = ["run", "-o", str(folder), "--root-sysfs", str(root), "--idle", "0.2", "--", *PROGRAM]
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *arguments], env={**os.environ, "PYTHONPATH": str(here)},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


@pytest.mark.parametrize("after_s", [3.0, 6.0])
def test_a_run_that_is_killed_is_ended_by_resume(tmp_path, after_s):
    root, folder = machine(tmp_path / "root"), tmp_path / "out"
    with World(root, "powercap", update_s=0.01):
        process = running_command(root, folder)
        time.sleep(after_s)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert not (folder / "001-command/entry.json").exists()
        assert json.loads((folder / "run.json").read_text())["entries"][0]["id"] == "001-command"
        assert main(["pack", str(folder)]) == 1
        assert main(["resume", str(folder)]) == 0
    assert json.loads((folder / "001-command/entry.json").read_text())["n_windows"] == 5
    assert main(["pack", str(folder), "-o", str(tmp_path / "out.zip")]) == 0
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert sorted(json.loads(archive.read("manifest.json"))) == sorted(set(archive.namelist()) - {"manifest.json"})


def test_an_interrupt_says_how_to_go_on(tmp_path):
    root, folder = machine(tmp_path / "root"), tmp_path / "out"
    with World(root, "powercap", update_s=0.01):
        process = running_command(root, folder)
        time.sleep(4)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=30)
    assert (process.returncode, error.splitlines()[-1]) == (
        130,
        f"interrupted; go on with deepen-measure resume {folder}",
    )


def test_what_is_packed_is_as_it_was_measured(tmp_path, capsys):
    home = tmp_path / "out/001-net"
    home.mkdir(parents=True)
    (tmp_path / "out/run.json").write_text(json.dumps({"schema_version": 1, "entries": [{"id": "001-net"}]}))
    (home / "power.csv").write_text("time_s,power_mw\n")
    (home / "entry.json").write_text(json.dumps({"files": {"power.csv": "0" * 64}}))
    assert main(["pack", str(tmp_path / "out")]) == 1
    assert "power.csv is not as it was written" in capsys.readouterr().err


def test_a_program_without_marks_is_refused():
    with pytest.raises(MeasureError, match="the program ended with status 0; expected its marks"):
        Command([sys.executable, "-c", "print('hello')"], "Acme 1", "CPU")
    with pytest.raises(MeasureError, match="No such file"):
        Command(["/no/such/program"], "Acme 1", "CPU")
