"""Rows compared with reductions that are written down here, so that every part of the uncertainty is known."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from harness.schema.columns import columns_of
from harness.schema.facts import Manifest, TableLayout, Trace
from harness.schema.records import ModelRow
from harness.traces.budget import Component, expanded_mj
from harness.traces.formats import trace_formats
from harness.traces.reduction import Reduction
from harness.validation.boundary import boundary_fault, meter_fault
from harness.validation.trace_choices import choice_faults
from harness.validation.trace_energy import energy_fault, evidence_mj, rounding
from harness.validation.trace_figures import figure_faults

DIGEST = "0" * 64
TRACE = Trace.model_validate(
    {
        "level": "models",
        "where": {"source_id": "M1"},
        "format": "plain",
        "power": {"file": "m1_power.csv", "sha256": DIGEST},
        "inferences": {"file": "m1_inference_time.csv", "sha256": DIGEST},
    }
)
ENERGIES = np.array([551.2, 555.9, 558.1, 560.3, 569.0])
ROW = dict.fromkeys(columns_of(ModelRow)) | {"energy_kind": "absolute", "energy_mj": 558.9}


def reduction(*components, **facts):
    """What a trace of 558.9 mJ gives, known to 2 mJ (k = 2) apart from its meter."""
    components = components or (Component("clock", 0.8), Component("alignment", 0.6))
    own = {
        "n_samples": 5000,
        "sampling_hz": 1000.0,
        "clock_residual_ms": None,
        "n_inferences": 5,
        "n_used": 5,
        "energy_mj": float(ENERGIES.mean()),
        "energy_median_mj": float(np.median(ENERGIES)),
        "energy_std_mj": float(ENERGIES.std(ddof=1)),
        "energy_idle_subtracted_mj": 408.9,
        "idle_power_mw": 1500.0,
        "latency_ms": 100.0,
        "power_mw": 5589.0,
        "energies_mj": ENERGIES,
        "faults": (),
        "energy_u_mj": expanded_mj(components),
        "uncertainty": components,
        "energy_idle_subtracted_u_mj": expanded_mj(components),
    }
    return Reduction(**(own | facts))


def fault(energy_mj, found=None, **cells):
    return energy_fault(TRACE, ROW | {"energy_mj": energy_mj} | cells, found or reduction())


def rules(found=None, **cells):
    return [fault.rule for fault in figure_faults(TRACE, ROW | cells, found or reduction())]


# The energy.


@pytest.mark.parametrize("energy_mj", [558.9, 557.0, 560.8, 558.1])
def test_energy_within_the_uncertainty_of_the_reduction_follows(energy_mj):
    assert fault(energy_mj) is None


@pytest.mark.parametrize("energy_mj", [5.0, 200.0, 545.767, 555.5, 561.5, 558900.0, 0.5589])
def test_energy_beyond_the_uncertainty_of_the_reduction_does_not_follow(energy_mj):
    found = fault(energy_mj, energy_std_mj=300.0, n_runs=1, energy_u_mj=1000.0)
    assert found.rule == "trace-energy"


def test_energy_near_the_mean_or_the_median_follows_and_one_between_them_does_not():
    found = reduction(Component("clock", 0.1), energy_mj=600.0, energy_median_mj=500.0)
    assert fault(600.0, found) is fault(500.0, found) is None
    assert fault(550.0, found).rule == "trace-energy"


def test_accuracy_that_is_stated_for_a_meter_widens_nothing():
    meter = (Component("meter gain", 200.0), Component("meter offset", 200.0))
    found = reduction(Component("clock", 1.0), *meter)
    assert evidence_mj(found, False) == 2.0
    assert fault(500.0, found).rule == "trace-energy"


@pytest.mark.parametrize("kind", [False, True])
def test_accuracy_of_the_meter_leaves_the_evidence_of_an_idle_subtracted_energy(kind):
    meter, idle = Component("meter gain", 3.0), 4.0
    plain = reduction(Component("clock", 1.0), energy_idle_subtracted_u_mj=math.hypot(2.0, idle))
    metered = reduction(
        Component("clock", 1.0), meter, energy_idle_subtracted_u_mj=math.hypot(2.0, idle, 2 * 3.0 * 0.7)
    )
    assert evidence_mj(metered, kind) <= evidence_mj(plain, kind)
    assert evidence_mj(metered, kind) >= 2.0


def test_large_uncertainty_admits_a_tenth_of_the_energy_at_most():
    found = reduction(Component("unknown lag", 200.0), Component("repeatability", 300.0))
    assert fault(558.9 * 1.09, found) is None
    assert fault(558.9 * 1.12, found).rule == "trace-energy"


def test_how_well_a_device_repeats_itself_widens_nothing():
    found = reduction(Component("repeatability", 300.0), Component("clock", 1.0))
    assert fault(562.0, found).rule == "trace-energy"


def test_idle_subtracted_energy_is_compared_with_its_own():
    assert fault(408.9, energy_kind="idle-subtracted") is None
    found = fault(558.9, energy_kind="idle-subtracted")
    assert "look whether the energy of the row is absolute" in found.fix
    assert "look whether the energy of the row is idle-subtracted" in fault(408.9).fix


def test_no_trace_gives_a_dynamic_only_energy():
    found = fault(558.9, energy_kind="dynamic-only")
    assert (found.rule, found.expected) == ("trace-energy", "an absolute or idle-subtracted energy")


def test_idle_subtracted_energy_without_idle_power_in_the_trace_is_no_evidence():
    found = fault(408.9, reduction(energy_idle_subtracted_mj=None), energy_kind="idle-subtracted")
    assert (found.rule, found.expected) == ("trace-energy", "a trace with idle power")


def test_factor_of_a_thousand_asks_for_the_unit():
    assert "wrong unit" in fault(0.5589).fix


@pytest.mark.parametrize(
    ("value", "half"), [(558.9, 0.05), (558.0, 0.5), (5.0, 0.025), (0.001, 5e-6), (1e-300, 5e-303), (6e20, 0.5)]
)
def test_rounding_is_half_a_unit_and_at_most_half_a_percent(value, half):
    assert rounding(value) == pytest.approx(half, rel=0.02, abs=1e-6 * value)


# Everything that a submitter types.

positive = st.floats(1e-6, 1e9)
maybe = st.none() | positive


typed = st.fixed_dictionaries(
    {
        "energy_mj": positive | st.floats(500, 620),
        "energy_kind": st.sampled_from(["absolute", "idle-subtracted"]),
        "n_runs": st.none() | st.integers(1, 10**9),
        **dict.fromkeys(("energy_std_mj", "energy_min_mj", "energy_max_mj", "energy_u_mj"), maybe),
        **dict.fromkeys(("power_mw", "latency_ms"), maybe),
    }
)


@given(typed, st.floats(0, 1e6), st.floats(0, 1e6))
@example(ROW | {"energy_mj": 5.0, "n_runs": 1, "energy_std_mj": 300.0}, 0.0, 0.0)
@example(ROW | {"energy_mj": 200.0, "n_runs": 1, "energy_std_mj": 300.0, "energy_u_mj": 1000.0}, 1e6, 1e6)
@example(ROW | {"energy_mj": 600.0}, 1e3, 0.0)
def test_no_typed_figure_lets_a_row_pass_that_is_off_by_more_than_the_uncertainty(cells, gain_mj, offset_mj):
    meter = (Component("meter gain", gain_mj), Component("meter offset", offset_mj))
    evidence = (Component("clock", 0.8), Component("alignment", 0.6))
    of_idle = 3.0
    found = reduction(
        *evidence, *meter, energy_idle_subtracted_u_mj=math.hypot(expanded_mj((*evidence, *meter)), of_idle)
    )
    is_subtracted, energy = cells["energy_kind"] == "idle-subtracted", cells["energy_mj"]
    truths = [408.9] if is_subtracted else [found.energy_mj, found.energy_median_mj]
    widest = 2.0 if not is_subtracted else math.hypot(2.0, of_idle)
    off = min(abs(energy - truth) for truth in truths)
    assume(off > widest + 0.0051 * energy)
    assert energy_fault(TRACE, ROW | cells, found) is not None


# The other figures.


def test_figures_that_the_trace_gives_are_clean():
    cells = {"n_runs": 5, "latency_ms": 100.0, "power_mw": 5589.0, "energy_std_mj": 6.6, "energy_u_mj": 2.0}
    assert rules(**cells, energy_min_mj=551.2, energy_max_mj=569.0) == []
    assert rules() == []


@pytest.mark.parametrize(
    ("cells", "rule"),
    [
        ({"n_runs": 6}, "trace-runs"),
        ({"n_runs": 5000}, "trace-runs"),
        ({"latency_ms": 102.1}, "trace-latency"),
        ({"latency_ms": 0.1}, "trace-latency"),
        ({"power_mw": 5700.5}, "trace-power"),
        ({"energy_std_mj": 300.0}, "trace-spread"),
        ({"energy_std_mj": 0.01}, "trace-spread"),
        ({"energy_min_mj": 5.0}, "trace-spread"),
        ({"energy_max_mj": 5000.0}, "trace-spread"),
        ({"energy_u_mj": 0.2}, "trace-uncertainty"),
        ({"energy_u_mj": 20.0}, "trace-uncertainty"),
    ],
)
def test_figure_that_the_trace_does_not_give_is_found(cells, rule):
    assert rules(**cells) == [rule]


def test_runs_may_be_windows_or_inferences():
    found, trace = reduction(n_used=60), TRACE.model_copy(update={"n_each": 12})
    counts = [n for n in range(1, 100) if not figure_faults(trace, ROW | {"n_runs": n}, found)]
    assert counts == [5, 60]


def test_both_estimators_of_a_deviation_are_admitted():
    two = np.array([550.0, 568.0])
    found = reduction(energies_mj=two, energy_std_mj=float(two.std(ddof=1)), n_used=2)
    assert rules(found, energy_std_mj=float(two.std())) == rules(found, energy_std_mj=float(two.std(ddof=1))) == []


def test_single_window_has_no_deviation():
    found = reduction(energies_mj=ENERGIES[:1], energy_std_mj=None, n_used=1)
    assert rules(found, energy_std_mj=1.0) == ["trace-spread"]


def test_power_of_an_idle_subtracted_row_is_without_idle_power():
    cells = {"energy_kind": "idle-subtracted", "energy_mj": 408.9}
    assert rules(**cells, power_mw=4089.0) == []
    assert rules(**cells, power_mw=5589.0) == ["trace-power"]


def test_uncertainty_of_an_idle_subtracted_row_is_its_own():
    found = reduction(energy_idle_subtracted_u_mj=7.0)
    assert rules(found, energy_kind="idle-subtracted", energy_u_mj=7.1) == []
    assert rules(found, energy_kind="idle-subtracted", energy_u_mj=2.0) == ["trace-uncertainty"]


# The boundary.


def manifest(boundary, *rails):
    return Manifest.model_validate(
        {
            "schema_version": 1,
            "title": "A bench",
            "contributors": ["A. Tester"],
            "date": "2026-01",
            "method": "published",
            "runtime": "Test runtime 1.0",
            "licence": "CC-BY-4.0",
            "source": {"citation": "Tester, A bench, 2026."},
            "boundary": boundary,
            "rails": list(rails),
        }
    )


@pytest.mark.parametrize(
    ("stated", "measured", "is_right"),
    [
        (("board",), ("rail", "VDD_GPU"), False),
        (("module",), ("sum-of-rails", "A", "B"), False),
        (("sum-of-rails", "A", "B"), ("rail", "A"), False),
        (("rail", "B"), ("rail", "A"), False),
        (("sum-of-rails", "A", "B", "C"), ("sum-of-rails", "A", "B"), False),
        (("rail", "A"), ("rail", "A"), True),
        (("sum-of-rails", "A", "B"), ("sum-of-rails", "B", "A"), True),
        (("module",), ("module", "VDD_IN"), True),
        (("rail", "VDD_IN"), ("module", "VDD_IN"), True),
        (("unstated",), ("rail", "A"), True),
        (("wall",), (None,), True),
    ],
)
def test_boundary_is_no_wider_than_what_the_trace_has_read(stated, measured, is_right):
    boundary, *rails = measured
    found = dataclasses.replace(reduction(), boundary=boundary, rails=tuple(rails))
    fault = boundary_fault(manifest(*stated), found)
    assert (fault is None) == is_right
    assert is_right or fault.rule == "boundary-mismatch"


# The meter.


def measured(kind):
    facts = manifest("board").model_dump(exclude_none=True)
    return Manifest.model_validate({**facts, "method": "measured", "meter": {"name": "A meter", "kind": kind}})


@pytest.mark.parametrize(
    ("stated", "written", "is_right"),
    [
        ("analyser", "tegrastats", False),
        ("analyser", "rapl", False),
        ("rail", "rapl", False),
        ("rail", "tegrastats", True),
        ("counter", "tegrastats", True),
        ("battery-gauge", "rapl", True),
        ("analyser", "monsoon", True),
        ("rail", "plain", True),
        ("analyser", "table", True),
    ],
)
def test_meter_is_of_no_better_kind_than_what_wrote_the_trace(stated, written, is_right):
    fault = meter_fault(measured(stated), trace_formats()[written])
    assert (fault is None) == is_right
    assert is_right or fault.rule == "meter-kind"


def test_published_figures_state_the_meter_of_their_source():
    assert meter_fault(manifest("board"), trace_formats()["rapl"]) is None


# What was chosen.


def choices(found, plain=None, stated=None, **entry):
    row = ROW | {"energy_mj": found.energy_mj if stated is None else stated}
    return [fault.found for fault in choice_faults(TRACE.model_copy(update=entry), row, found, plain)]


def test_energy_of_what_the_files_hold_is_no_choice():
    assert choices(reduction()) == []


def test_median_far_from_the_mean_is_a_choice_and_the_mean_is_none():
    found = reduction(energy_median_mj=450.0)
    assert choices(found) == []
    assert choices(found, stated=450.0) == [f"the median, 450 mJ, of windows with a mean of {found.energy_mj:.6g} mJ"]
    assert choices(found, stated=450.0, format="energyrunner") == []
    assert choices(found, stated=100.0) == []


def test_share_that_leaving_out_windows_takes_off_the_energy_is_stated():
    found, plain = reduction(n_inferences=20), reduction(energy_mj=621.0)
    assert choices(found, plain, n_skipped=2) == ["n_skipped 2 of 20 windows, which changes the energy by -10.0%"]


def test_column_and_unit_of_a_layout_are_stated():
    layout = {"time": "t", "time_unit": "s", "power": "P3", "power_unit": "uW", "meaning": "instant"}
    found = choices(reduction(), layout=TableLayout.model_validate(layout))
    assert found == ["a layout, by which power is P3 in uW"]
