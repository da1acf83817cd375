"""Runs as `deepen-measure` leaves them, of a device whose energies are set: no clock runs, and nothing is measured."""

import hashlib
import json
import math
import zipfile

IDLE_MW = 2000.0
ACTIVE_MW = 6000.0
STEP_S = 0.01
IDLE_S = PAUSE_S = 0.5
N_WINDOWS = 5
BEGIN_S = 1_790_000_000
STATE = {
    "governors": ["performance"], "clocks_mhz": [1500.0], "throttle_count": 0,
    "temperatures_c": {"cpu-thermal": 45.0}, "load": 0.1,
}  # fmt: skip
RUN = {
    "schema_version": 1,
    "zone": "+0200",
    "started_s": float(BEGIN_S),
    "machine": {"name": "Acme Board 3", "architecture": "aarch64", "deepen_measure": "0.1.0"},
    "meter": {
        "name": "powercap", "title": "RAPL energy counters", "kind": "counter", "evidence": "counter",
        "format": "powercap", "boundary": "package", "rails": ["package-0"], "gain_percent": None, "offset_mw": None,
        "accuracy_source": "none is stated",
    },
    "log": "power.csv",
    "updates": {"period_s": STEP_S, "n_changes": 200, "reading_s": 1e-5},
    "protocol": {
        "n_windows": N_WINDOWS, "window_s": 1.0, "updates_per_window": 100, "idle_s": IDLE_S, "pause_s": PAUSE_S,
        "longest_warm_up_s": 20.0, "longest_cool_down_s": 60.0, "threads": 1,
    },
    "options": {"root": "/", "rails": [], "meter": None, "runtime": "onnxruntime", "delegate": "CPU", "minutes": None},
    "command_line": ["run", "plan.zip"],
    "temperatures_c": {"cpu-thermal": 45.0},
}  # fmt: skip


def kernel(number, energy_mj, configuration, **facts):
    """An entry of a kernel that a plan states, with the energy of one inference."""
    return {
        "id": f"{number:03d}-k{number:03d}", "level": "kernels", "dtype": "fp32", "planned": configuration,
        "fusion_rules": "onnxruntime-cpu", "is_anchor": False, "energy_mj": energy_mj, **facts,
    }  # fmt: skip


def network(number, energy_mj, name, **facts):
    """An entry of a network, with the energy of one inference."""
    return {"id": f"{number:03d}-{name}", "model": f"/models/{name}.onnx", "energy_mj": energy_mj, **facts}


def write_run(folder, entries, **facts):
    """Write the folder of a run; power is as much as the device takes while it computes, and the idle power else."""
    folder.mkdir(parents=True)
    waiting = [{name: value for name, value in entry.items() if name != "energy_mj"} for entry in entries]
    (folder / "run.json").write_text(json.dumps({**RUN, "entries": waiting, **facts}))
    for place, entry in enumerate(entries):
        _write_entry(folder / entry["id"], entry, BEGIN_S + 60 * place)
    return folder


def pack(folder, path):
    """Pack a run with the hash of every file."""
    files = {
        file.relative_to(folder).as_posix(): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        archive.writestr(
            "manifest.json", json.dumps({name: hashlib.sha256(content).hexdigest() for name, content in files.items()})
        )
    return path


def _write_entry(home, entry, begin_s):
    home.mkdir()
    facts = {name: value for name, value in entry.items() if name != "energy_mj"}
    latency_s = entry["energy_mj"] / ACTIVE_MW
    n_each = max(1, math.ceil(1 / latency_s))
    lasted_s = n_each * latency_s
    starts_s = [begin_s + IDLE_S + place * (lasted_s + PAUSE_S) for place in range(N_WINDOWS)]
    windows = [(round(start * 1e9), round((start + lasted_s) * 1e9)) for start in starts_s]
    rows = "".join(f"{start},{end},{n_each}\n" for start, end in windows)
    (home / "inference_time.csv").write_text(f"start_ns,end_ns,n_inferences\n{rows}")
    (home / "power.csv").write_text(_log(begin_s, windows[-1][1] / 1e9 + IDLE_S, windows))
    (home / "baseline.csv").write_text(_log(begin_s - 10, begin_s - 9, []))
    stated = {
        "n_each": n_each, "n_windows": N_WINDOWS, "latency_ms": 1000 * latency_s, "before": STATE, "after": STATE,
        "findings": [], "runtime": "ONNX Runtime 1.32.0", "delegate": "CPU", "threads": 1, "cooled_s": 0.0,
        "sha256": hashlib.sha256(entry["id"].encode()).hexdigest(), "ended_s": begin_s + 30.0,
    }  # fmt: skip
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(home.iterdir())}
    (home / "entry.json").write_text(json.dumps({**stated, **facts, "files": files}))


def _log(begin_s, end_s, windows):
    """Log of a counter that counts the energy between two times."""
    lines = ["time_s,package-0_energy_uj,max_energy_range_uj"]
    for step in range(math.ceil((end_s - begin_s) / STEP_S) + 1):
        now_s = begin_s + step * STEP_S
        active_s = sum(max(0.0, min(now_s, end / 1e9) - start / 1e9) for start, end in windows)
        energy_mj = IDLE_MW * (now_s - begin_s) + (ACTIVE_MW - IDLE_MW) * active_s
        lines.append(f"{now_s:.6f},{1_000_000 + round(1000 * energy_mj)},262143328850")
    return "\n".join(lines) + "\n"
