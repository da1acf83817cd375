import re
import struct

import numpy as np
import pytest

from harness.traces.formats import energyrunner as module
from harness.traces.formats import open_trace
from harness.traces.inferences import read_inferences, read_n_each
from harness.traces.trace import TraceFault
from harness.traces.windows import WindowEnergies
from tests.traces.formats.samples import energyrunner, fault_of, opened, samples, upstream

FIX = "Take the file as EnergyRunner wrote it."


def test_energy_of_a_sample_becomes_power_on_the_meters_clock(tmp_path):
    trace = opened(tmp_path, None, energyrunner([8.0, 16.0, 4.0], 500.0))
    assert (trace.clock, trace.stated_hz, trace.start_s, trace.faults) == ("device", 500.0, 0.0, ())
    assert samples(trace).stamps_s.tolist() == [0.0, 0.002, 0.004, 0.006]
    assert samples(trace).power_mw.tolist() == [4.0, 4.0, 8.0, 2.0]


def test_energy_between_two_marks_is_the_sum_of_the_samples_between_them(tmp_path):
    energies = [float(value) for value in np.random.default_rng(1).integers(5, 50, 1000)]
    trace = opened(tmp_path, None, energyrunner(energies))
    read, at = samples(trace), WindowEnergies(np.array([0.1]), np.array([0.8]), trace.kind)
    at.add(read.stamps_s, read.power_mw)
    at.finish()
    assert at.energies_mj[0] * 1e3 == pytest.approx(sum(energies[100:800]))


def test_borders_of_blocks_do_not_show(tmp_path, monkeypatch):
    content = energyrunner([float(value) for value in range(5, 15)], tail=b"\x01\x02")
    whole = samples(opened(tmp_path, None, content))
    monkeypatch.setattr(module, "_BLOCK_SAMPLES", 3)
    trace = opened(tmp_path, None, content)
    assert len(list(trace.chunks())) == 4
    assert samples(trace).stamps_s.tolist() == whole.stamps_s.tolist()
    assert samples(trace).power_mw.tolist() == whole.power_mw.tolist()


def test_cut_off_tail_is_a_fault_and_the_rest_is_read(tmp_path):
    trace = opened(tmp_path, None, energyrunner([8.0, 16.0], tail=b"\x00\x00\x80"))
    assert samples(trace).power_mw.tolist() == [8.0, 8.0, 16.0]
    fix = "The file was cut off; copy it again."
    assert trace.faults == (TraceFault("trace-format", "3 bytes after sample 2", "whole samples of 4 bytes", fix),)


def test_samples_that_are_no_numbers_are_left_out_at_their_place(tmp_path):
    trace = opened(tmp_path, None, energyrunner([8.0, float("nan"), float("inf"), 4.0]))
    assert samples(trace).stamps_s.tolist() == [0.0, 0.001, 0.004]
    found = "2 samples that are no numbers, the first number 1"
    fix = "They are left out; copy the file again, or measure again."
    assert trace.faults == (TraceFault("trace-format", found, "energies in µJ", fix),)


def test_millijoules_instead_of_microjoules_are_a_fault(tmp_path):
    fix = "Find out the unit of the values; correct the header, layout or option where it states another."
    assert opened(tmp_path, None, energyrunner([0.5e-3, 0.25e-3])).faults == (
        TraceFault("trace-unit", "a highest power of 0.0005 mW", "between 1 and 218400 mW", fix),
    )


@pytest.mark.parametrize(
    ("content", "found", "expected"),
    [
        (b"", "the bytes of an empty file", "f1 and the rate as a float32"),
        (b"\xf2\x00\x00\x7a\x44abcd", "the bytes f2 00 00 7a 44", "f1 and the rate as a float32"),
        (b"\xf1\x00", "the bytes f1 00", "f1 and the rate as a float32"),
        (energyrunner([1.0], float("nan")), "a rate of nan Hz", "between 1 and 1e+07 Hz"),
        (energyrunner([1.0], -1000.0), "a rate of -1000 Hz", "between 1 and 1e+07 Hz"),
        (struct.pack(">Bff", 0xF1, 1000.0, 1.0), "a rate of 4.38606e-41 Hz", "between 1 and 1e+07 Hz"),
        (energyrunner([float("nan")]), "no sample is a number", "energies in µJ"),
    ],
)
def test_other_files_are_refused(tmp_path, content, found, expected):
    assert fault_of(tmp_path, "energyrunner", content) == TraceFault("trace-format", found, expected, FIX)


def test_file_without_samples_is_refused(tmp_path):
    fault = TraceFault("trace-format", "no samples", "at least one sample", "Record the run again.")
    assert fault_of(tmp_path, "energyrunner", energyrunner([], tail=b"\x01")) == fault


def test_published_energies_follow_from_the_real_traces():
    traces = sorted(upstream("energyrunner").rglob("trace1-energy.bin"))
    assert len(traces) == 5
    for path in traces:
        results = path.parent / "results.txt"
        stated = results.read_text()
        windows = read_inferences(path.parent / "trace1-timestamps.json", read_n_each(results))
        trace = open_trace(path)
        assert (trace.stated_hz, trace.faults, windows.faults) == (1000.0, (), ())
        energy = WindowEnergies(*windows.relative_to(trace.start_s))
        for chunk in trace.chunks():
            energy.add(chunk.stamps_s, chunk.power_mw)
        energy.finish()
        energies_uj = energy.energies_mj * 1e3
        published = [float(figure) for figure in re.findall(r"Energy       :\s+([\d.]+) uJ", stated)]
        np.testing.assert_allclose(energies_uj, published, rtol=1e-3)
        median = re.search(r"Median energy cost is ([\d.]+) uJ/inf", stated)
        assert median
        assert np.median(energies_uj) / windows.n_each == pytest.approx(float(median[1]), rel=1e-3)
