"""Meters are found below a root, state what they cover, and are refused with the fix where they cannot be read."""

import ctypes
import os
import stat

import pytest
from deepen_measure.doctor import checks
from deepen_measure.errors import MeasureError
from deepen_measure.meters import find_meters, nvml, the_meter

from tests.measure.world import battery, ina, machine, powercap, write


def test_packages_are_read_once_and_mirrors_never(tmp_path):
    powercap(tmp_path)(5.0, 0)
    write(tmp_path / "sys/class/powercap/intel-rapl:1/name", "psys")
    write(tmp_path / "sys/class/powercap/intel-rapl:1/energy_uj", "77")
    meter = the_meter(tmp_path, None)
    assert meter.columns == ("package-0_energy_uj", "core-package-0_energy_uj", "psys_energy_uj", "max_energy_range_uj")
    assert [int(cell) for cell in meter.read()] == [1_005_000, 502_500, 77, 262_143_328_850]
    assert (meter.facts.boundary, meter.facts.rails) == ("package", ("package-0",))


def test_a_counter_that_may_not_be_read_names_the_command_that_grants_it(tmp_path):
    write(tmp_path / "sys/class/powercap/intel-rapl:0/name", "package-0")
    with pytest.raises(
        MeasureError, match=r"none of which this user may read. To grant it .* sudo chmod a\+r .*energy_uj"
    ):
        the_meter(tmp_path, None)


def test_without_a_meter_the_error_lists_what_was_looked_for(tmp_path):
    with pytest.raises(MeasureError) as error:
        the_meter(tmp_path, None)
    for name in ("hwmon", "pmic", "nvml", "powercap", "battery"):
        assert f"\n  {name}: " in str(error.value)
    assert "No energy is estimated" in str(error.value)


@pytest.mark.parametrize(("rail", "boundary"), [("VDD_IN", "module"), ("VIN", "board")])
def test_a_rail_that_carries_everything_is_the_boards(tmp_path, rail, boundary):
    ina(tmp_path, rail)(0, 2500)
    meter = the_meter(tmp_path, "hwmon")
    assert (meter.facts.boundary, meter.facts.rails) == (boundary, (rail,))
    assert [int(cell) for cell in meter.read()] == [5000, 500]


def test_rails_of_an_unknown_board_have_to_be_named(tmp_path):
    ina(tmp_path, "VDD_ACME")(0, 2500)
    with pytest.raises(MeasureError, match=r"rails VDD_ACME, of which no board is known. Name those .* --rails"):
        the_meter(tmp_path, "hwmon")
    assert the_meter(tmp_path, "hwmon", ("VDD_ACME",)).facts.boundary == "rail"
    with pytest.raises(MeasureError, match=r"no rail 'VDD_X'; there are VDD_ACME"):
        the_meter(tmp_path, "hwmon", ("VDD_X",))


def test_a_battery_is_read_while_nothing_charges_it(tmp_path):
    battery(tmp_path)(0, 3000)
    meter = the_meter(tmp_path, "battery")
    assert meter.read() == ("750000", "4000.000")
    write(tmp_path / "sys/class/power_supply/BAT0/status", "Charging\n")
    with pytest.raises(MeasureError, match=r"status is Charging; expected Discharging\. Unplug the charger"):
        meter.read()
    assert [each.reason for each in find_meters(tmp_path)[1] if each.name == "battery"] == ["BAT0 is Charging"]


def test_the_chip_of_a_raspberry_pi_5_is_read_by_its_program(tmp_path):
    program = tmp_path / "usr/bin/vcgencmd"
    write(program, "#!/bin/sh\necho ' VDD_CORE_A current(7)=0.75A'\necho ' VDD_CORE_V volt(15)=0.9V'\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    meter = the_meter(tmp_path, "pmic")
    assert meter.facts.rails == ("VDD_CORE",)
    assert meter.record("1780000000.000000000", meter.read()).splitlines()[0] == "1780000000.000000000"
    write(program, "#!/bin/sh\nexit 1\n")
    with pytest.raises(MeasureError, match="no longer answers"):
        meter.read()


class FakeNvml:
    """NVML of a GPU with or without a counter."""

    def __init__(self, energy_mj=None, power_mw=None):
        self._energy_mj, self._power_mw = energy_mj, power_mw

    def nvmlInit_v2(self):  # noqa: N802
        return 0

    def nvmlDeviceGetHandleByIndex_v2(self, *_):  # noqa: N802
        return 0

    def nvmlDeviceGetName(self, _, buffer, __):  # noqa: N802
        buffer.value = b"Acme GPU"
        return 0

    def nvmlDeviceGetTotalEnergyConsumption(self, _, energy):  # noqa: N802
        energy._obj.value = self._energy_mj or 0
        return 0 if self._energy_mj is not None else 3

    def nvmlDeviceGetFieldValues(self, _, __, field):  # noqa: N802
        field._obj.value.ui = self._power_mw or 0
        field._obj.status = 0 if self._power_mw is not None else 3
        return 0


def test_a_gpu_is_read_by_its_counter_and_otherwise_by_its_power_now():
    (counter,), _ = nvml.gpu_of(FakeNvml(energy_mj=2**40))
    assert (counter.columns, counter.read(), counter.facts.rails) == (("energy_mj",), (str(2**40),), ("Acme GPU",))
    (power,), _ = nvml.gpu_of(FakeNvml(power_mw=31_500))
    assert (power.columns, power.read(), power.facts.kind) == (("power_mw",), ("31500",), "sensor")
    found, (missing,) = nvml.gpu_of(FakeNvml())
    assert (found, missing.reason) == ([], "the GPU has neither a counter of energy nor its power now")
    assert ctypes.sizeof(nvml._FieldValue) == 40


def test_the_doctor_warns_of_a_governor_that_follows_the_load(tmp_path):
    machine(tmp_path)
    powercap(tmp_path)(0, 0)
    assert {check.level for check in checks(tmp_path)} == {"ok"}
    write(tmp_path / "sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "ondemand")
    write(tmp_path / "proc/loadavg", "1.70 1 1 1/100 9")
    found = {check.what: check for check in checks(tmp_path) if check.level == "warning"}
    assert found["governor"].found == "ondemand, performance: clocks vary with the load"
    assert found["other load"].found == f"1.70 processes ran in the last minute, on {os.cpu_count()} cores"
