"""Units that are a thousand times off, on every class of device: refused or asked about, in both directions."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.intake.candidates import Candidate, check_candidates
from harness.schema.facts import Device, Manifest
from harness.validation.registry import RULES
from tests.campaigns import PAPER

_POWER_RULES = {"power-limit", "power-floor", "power-unusual"}
_PER_FLOP_RULES = {"energy-per-flop", "flop-energy-unusual"}
_DRAWN_MW = {
    ("phone", "cpu"): (361, 12_000),
    ("tablet", "gpu"): (361, 20_000),
    ("single-board-computer", "cpu"): (500, 25_000),
    ("embedded-gpu", "gpu"): (2_200, 130_000),
    ("accelerator", "gpu"): (10_000, 700_000),
    ("accelerator", "npu"): (400, 75_000),
    ("microcontroller", "cpu"): (1.1, 480),
    ("microcontroller", "npu"): (1.1, 95),
}
"""What devices of a class draw while they compute, in mW."""
_REFUSED = [kind for kind in _DRAWN_MW if kind[0] != "microcontroller" and kind != ("accelerator", "npu")]
"""Kinds whose powers lie so close together that a factor of a thousand leaves what is possible."""


def issues_of(device_class: str, processor: str, cells: dict[str, str], **facts: str) -> set[str]:
    """Rules that one row breaks."""
    device = Device.model_validate({"name": "A", "device_class": device_class, "delegates": {"D": processor}})
    manifest = Manifest.model_validate(
        {
            "schema_version": 1, "title": "A run", "contributors": ["A. Tester"], "date": "2026-01",
            "method": "measured", "runtime": "LiteRT 2", "licence": "CC-BY-4.0", "source": PAPER,
            "boundary": "board", "meter": {"name": "M", "kind": "analyser"},
        }
        | facts
    )  # fmt: skip
    row = {"model": "mnv2", "family": "MobileNetV2", "dtype": "fp32", "delegate": "D", "energy_kind": "absolute"}
    report = check_candidates([Candidate("line 2", row | cells)], "models", device, manifest)
    return {issue.rule for issue in report.issues[0]}


def run_at(power_mw: float) -> dict[str, str]:
    """Energy and latency of a run at a power."""
    return {"energy_mj": f"{power_mw * 0.25:.12g}", "latency_ms": "250"}


def kinds_and_powers(kinds) -> st.SearchStrategy:
    """Kinds of devices, each with a power that it draws."""
    return st.sampled_from(list(kinds)).flatmap(
        lambda kind: st.tuples(st.just(kind), st.floats(*_DRAWN_MW[kind], allow_nan=False))
    )


@settings(max_examples=25)
@given(kinds_and_powers(_DRAWN_MW))
def test_energy_a_thousand_times_off_is_told_on_every_kind_of_device(drawn):
    (device_class, processor), power_mw = drawn
    assert not issues_of(device_class, processor, run_at(power_mw)) & _POWER_RULES
    for factor in (1000, 0.001):
        assert issues_of(device_class, processor, run_at(power_mw * factor)) & _POWER_RULES


@settings(max_examples=25)
@given(kinds_and_powers(_REFUSED))
def test_energy_a_thousand_times_off_is_refused_where_powers_lie_close_together(drawn):
    (device_class, processor), power_mw = drawn
    for factor in (1000, 0.001):
        broken = issues_of(device_class, processor, run_at(power_mw * factor)) & _POWER_RULES
        assert any(RULES[rule].severity == "error" for rule in broken)


@settings(max_examples=25)
@given(kinds_and_powers(_DRAWN_MW))
def test_power_in_watts_is_told_without_a_latency(drawn):
    (device_class, processor), power_mw = drawn
    cells = {"energy_mj": "50", "power_mw": f"{power_mw / 1000:.12g}"}
    assert issues_of(device_class, processor, cells) & _POWER_RULES


@pytest.mark.parametrize(
    ("processor", "dtype", "picojoules"),
    [("cpu", "fp32", 200), ("cpu", "int8", 20), ("gpu", "fp16", 15), ("npu", "int8", 1.5), ("gpu", "fp32", 90)],
)
def test_energy_a_thousand_times_too_small_is_refused_by_its_flops_without_a_latency(processor, dtype, picojoules):
    flops = 600_000_000
    for factor, expected in ((1, set()), (0.001, {"energy-per-flop"})):
        energy_mj = picojoules * 1e-9 * flops * factor
        cells = {"energy_mj": f"{energy_mj:.9g}", "flops": str(flops), "dtype": dtype}
        assert issues_of("unstated", processor, cells) & _PER_FLOP_RULES == expected


def test_idle_subtracted_energy_may_be_as_little_as_it_likes():
    cells = {**run_at(3.0), "energy_kind": "idle-subtracted"}
    assert not issues_of("phone", "cpu", cells, idle={"power_mw": 900, "how": "measured"}) & _POWER_RULES


def test_rail_may_draw_a_tenth_of_the_least_of_a_device():
    assert "power-floor" in issues_of("single-board-computer", "cpu", run_at(70))
    assert issues_of("single-board-computer", "cpu", run_at(70), boundary="package") & _POWER_RULES == set()


def test_simulated_accelerator_may_be_smaller_than_any_product():
    facts = {"method": "simulated", "meter": None, "boundary": "module"}
    assert not issues_of("accelerator", "npu", run_at(3.0), **facts) & _POWER_RULES
