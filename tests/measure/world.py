"""A device whose energy is known: fake sensors below a folder that follow the processor time of the thread measured.

Power is idle plus so much for every second of processor time of one thread, as a share of the time. A process advances
energy and files; what it writes down of both is the truth.
"""

import bisect
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

STEP_S = 0.001
IDLE_MW = 2000.0
ACTIVE_MW = 4000.0
RANGE_UJ = 262_143_328_850


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


class SysFile:
    """A file whose text changes at once, as one in sysfs does, of a fixed width so that no reader sees half of it."""

    def __init__(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_CREAT | os.O_RDWR)

    def set(self, value):
        os.pwrite(self._file, b"%020d\n" % value if value >= 0 else b"-%019d\n" % -value, 0)

    def close(self):
        os.close(self._file)


class World:
    """Sensors below a root, which a process of its own advances while a `with` block runs.

    Args:
        root: folder that stands for `/`.
        sensors: what is below it: `powercap`, `ina`, `battery`.
        settings: arguments of `_live` besides.
    """

    def __init__(self, root, *sensors, **settings):
        self.root = root
        self._truth = root / "truth.txt"
        self._settings = {"sensors": sensors, "thread": f"{os.getpid()}/task/{threading.get_native_id()}", **settings}

    def __enter__(self):
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(self.root), json.dumps(self._settings)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdout.readline() == "lives\n"
        return self

    def __exit__(self, *_):
        self._process.communicate()
        rows = [line.split() for line in self._truth.read_text().splitlines()]
        self.times_s, self.energies_mj = ([float(row[place]) for row in rows] for place in range(2))

    def energy_mj(self, begin_s, end_s):
        """Energy between two moments of the monotonic clock, once the world has ended."""
        return self._at(end_s) - self._at(begin_s)

    def _at(self, moment_s):
        place = bisect.bisect_left(self.times_s, moment_s)
        before, after = self.times_s[place - 1], self.times_s[place]
        share = (moment_s - before) / (after - before)
        return self.energies_mj[place - 1] + share * (self.energies_mj[place] - self.energies_mj[place - 1])


def powercap(root, start_uj=1_000_000, range_uj=RANGE_UJ, **_):
    """A package with its cores and the mirrors that Linux shows."""
    folder = root / "sys/class/powercap"
    zone = folder / "intel-rapl:0"
    mirror, core = folder / "intel-rapl-mmio:0", folder / "intel-rapl:0:0"
    for place, name in ((zone, "package-0"), (core, "core"), (mirror, "package-0")):
        write(place / "name", f"{name}\n")
        write(place / "max_energy_range_uj", f"{range_uj}\n")
    files = [SysFile(place / "energy_uj") for place in (zone, mirror, zone / "intel-rapl:0:0")]
    half = SysFile(core / "energy_uj")

    def update(energy_mj, _):
        counted = int(start_uj + 1000 * energy_mj) % range_uj
        for file in files:
            file.set(counted)
        half.set(counted // 2)

    return update


def ina(root, rail="VDD_IN", **_):
    """A rail of an INA3221."""
    folder = root / "sys/class/hwmon/hwmon3"
    write(folder / "name", "ina3221\n")
    write(folder / "in1_label", f"{rail}\n")
    voltage, current = SysFile(folder / "in1_input"), SysFile(folder / "curr1_input")

    def update(_, power_mw):
        voltage.set(5000)
        current.set(round(power_mw / 5))

    return update


def battery(root, status="Discharging", **_):
    """A battery that drives the device."""
    folder = root / "sys/class/power_supply/BAT0"
    write(folder / "type", "Battery\n")
    write(folder / "status", f"{status}\n")
    voltage, current = SysFile(folder / "voltage_now"), SysFile(folder / "current_now")

    def update(_, power_mw):
        voltage.set(4_000_000)
        current.set(-round(power_mw / 4 * 1000))

    return update


SENSORS = {"powercap": powercap, "ina": ina, "battery": battery}


def _live(root, sensors, thread, update_s=0.02, freezes_after_s=1e9, **settings):
    """Advance energy and sensors until the standard input ends.

    Args:
        root: folder that stands for `/`.
        sensors: names of `SENSORS`.
        thread: process and thread whose processor time takes power.
        update_s: time between updates of the sensors.
        freezes_after_s: seconds after which they no longer change.
        settings: arguments of the sensors.
    """
    updates = [SENSORS[name](root, **settings) for name in sensors]
    spent = Path("/proc") / thread / "schedstat"
    is_over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), is_over.set()), daemon=True).start()
    begin = last_s = updated_s = time.monotonic()
    last_spent_s = int(spent.read_text().split()[0]) / 1e9
    energy_mj = updated_mj = 0.0
    for update in updates:
        update(0.0, IDLE_MW)
    sys.stdout.write("lives\n")
    sys.stdout.flush()
    with (root / "truth.txt").open("w") as truth:
        while not is_over.wait(STEP_S):
            now_s, now_spent_s = time.monotonic(), int(spent.read_text().split()[0]) / 1e9
            energy_mj += IDLE_MW * (now_s - last_s) + ACTIVE_MW * (now_spent_s - last_spent_s)
            truth.write(f"{now_s!r} {energy_mj!r}\n")
            last_s, last_spent_s = now_s, now_spent_s
            if now_s - updated_s >= update_s and now_s - begin < freezes_after_s:
                for update in updates:
                    update(energy_mj, (energy_mj - updated_mj) / (now_s - updated_s))
                updated_s, updated_mj = now_s, energy_mj


def machine(root):
    """What a machine says of itself."""
    write(root / "proc/device-tree/model", "Acme Board 3\0")
    write(root / "proc/device-tree/compatible", "acme,board-3\0acme,a300\0")
    write(root / "proc/loadavg", "0.05 0.10 0.20 1/100 999\n")
    for core in range(2):
        write(root / f"sys/devices/system/cpu/cpu{core}/cpufreq/scaling_governor", "performance\n")
        write(root / f"sys/devices/system/cpu/cpu{core}/cpufreq/scaling_cur_freq", "1500000\n")
    write(root / "sys/class/thermal/thermal_zone0/type", "cpu-thermal\n")
    write(root / "sys/class/thermal/thermal_zone0/temp", "45000\n")
    return Path(root)


if __name__ == "__main__":
    _live(Path(sys.argv[1]), **json.loads(sys.argv[2]))
