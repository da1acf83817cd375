"""The border of every tolerance: what lies just inside passes, what lies just outside does not."""

import pytest

from tests.validation.bound import change, rules
from tests.validation.golden import lay_out
from tests.validation.hostile import CAMPAIGN

K1 = "CPU1,fp32,false,12.400,4.000,3100,50,K1"
M1 = "62.50,25.00,2500,600000000,3500000,4,,62.40,62.60,M1"


@pytest.fixture
def root(tmp_path):
    return lay_out(None, tmp_path)


def with_energy(energy, power="2500.0000", latency="4.0000000", name="K1"):
    return f"CPU1,fp32,false,{energy},{latency},{power},50,{name}"


@pytest.mark.parametrize(
    ("energy", "is_right"),
    [("10.199900", True), ("10.200100", False), ("9.800100", True), ("9.799900", False)],
)
def test_energy_may_differ_by_two_percent_from_power_times_latency(root, energy, is_right):
    change(root, "kernels.csv", K1, with_energy(energy))
    assert rules(root) == ([] if is_right else ["energy-power-latency"])


@pytest.mark.parametrize(
    ("energy", "p90", "is_right"),
    [("5.3499", "3", True), ("5.3501", "3", False), ("5.3499", "", False), ("4.8999", "3", False)],
)
def test_energy_may_have_a_pause_in_it_where_the_latency_is_of_single_inferences(root, energy, p90, is_right):
    change(root, "models.csv", "source_id", "source_id,latency_p90_ms")
    models = root / CAMPAIGN / "models.csv"
    head, *rows = models.read_text().splitlines()
    models.write_text("\n".join([head, *(f"{row}," for row in rows)]) + "\n")
    change(root, "models.csv", f"{M1},", f"{energy}000,2.00000000,2500.0000,600000000,3500000,4,,,,M1,{p90}")
    assert rules(root) == ([] if is_right else ["energy-power-latency"])


@pytest.mark.parametrize(
    ("lowest", "highest", "is_right"),
    [
        ("62.50006", "64.40", True),
        ("62.50007", "64.40", False),
        ("60.90", "62.49994", True),
        ("60.90", "62.49993", False),
    ],
)
def test_energy_may_leave_its_spread_by_a_millionth(root, lowest, highest, is_right):
    change(root, "models.csv", "62.40,62.60,M1", f"{lowest},{highest},M1")
    assert rules(root) == ([] if is_right else ["spread-order"])


@pytest.mark.parametrize(("flops", "is_right"), [("9999", True), ("10000", False)])
def test_energy_per_flop_has_an_upper_bound_from_ten_thousand_flops_on(root, flops, is_right):
    change(root, "models.csv", M1, M1.replace("600000000", flops))
    assert rules(root) == ([] if is_right else ["energy-per-flop"])


@pytest.mark.parametrize(("energy", "rule"), [("11.05", "repeat"), ("11.06", "repeat-spread")])
def test_repeats_may_spread_by_a_tenth_of_their_median(root, energy, rule):
    change(root, "kernels.csv", K1, with_energy("10.0"))
    again = with_energy(energy, power=f"{250 * float(energy):.4f}", name="K1b")
    kernels = root / CAMPAIGN / "kernels.csv"
    kernels.write_text(kernels.read_text() + f"conv-bn-relu,56,56,32,64,3,3,1,1,,{again}\n")
    assert rules(root) == [rule]


@pytest.mark.parametrize(("power", "is_right"), [(16_000, True), (16_001, False)])
def test_power_may_be_twice_the_tdp(root, power, is_right):
    change(root, "kernels.csv", K1, with_energy(f"{power * 4 / 1000:.4f}", power=str(power)))
    assert rules(root) == ([] if is_right else ["power-limit"])


@pytest.mark.parametrize(
    ("n_slipped", "expected"),
    [(2, ["unit-slip", "unit-slip"]), (8, ["unit-slip"] * 8), (9, ["header-unit-contradicted"])],
)
def test_header_is_contradicted_by_nine_rows_of_ten_and_by_three_at_least(root, n_slipped, expected):
    """Of ten rows; of two rows, both are too few to blame the header."""
    n_rows = 2 if n_slipped == 2 else 10
    header = (root / CAMPAIGN / "kernels.csv").read_text().splitlines()[0]
    rows = []
    for number in range(n_rows):
        latency = "0.004" if number < n_slipped else "4.000"
        cells = f"CPU1,fp32,false,{12.4 + number / 10:.3f},{latency},{3100 + 25 * number},50,K{number}"
        rows.append(f"conv-bn-relu,{56 + number},56,32,64,3,3,1,1,,{cells}")
    (root / CAMPAIGN / "kernels.csv").write_text("\n".join([header, *rows]) + "\n")
    assert rules(root) == expected


@pytest.mark.parametrize(("energies", "n_coarse"), [(("0.005", "0.013"), 1), (("0.0051", "0.013"), 0)])
def test_rounding_is_coarse_from_a_tenth_of_the_value_on(root, energies, n_coarse):
    header = (root / CAMPAIGN / "kernels.csv").read_text().splitlines()[0]
    rows = [f"relu,{56 + row},56,32,,,,,,,CPU1,fp32,false,{energy},,,50,R{row}" for row, energy in enumerate(energies)]
    (root / CAMPAIGN / "kernels.csv").write_text("\n".join([header, *rows]) + "\n")
    assert rules(root) == ["rounding-floor"] * n_coarse
