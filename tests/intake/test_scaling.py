"""Units that figures are converted from."""

from decimal import Decimal

import pytest

from harness.intake.scaling import known_units, scaled, unit_factor


@pytest.mark.parametrize(
    ("unit", "energy_mj"),
    [
        ("kWh", "4332124.8"), ("Wh", "4332.1248"), ("mWh", "4.3321248"), ("kJ", "1203.368"), ("J", "1.203368"),
        ("mJ", "0.001203368"), ("uJ", "0.000001203368"), ("µJ", "0.000001203368"), ("nJ", "0.000000001203368"),
        ("wh", "4332.1248"), ("kwh", "4332124.8"),
    ],
)  # fmt: skip
def test_energies_are_read_in_every_unit_of_energy_without_loss(unit, energy_mj):
    assert Decimal(scaled("0.001203368", unit_factor(unit, "mJ"))) == Decimal(energy_mj)


@pytest.mark.parametrize("unit", ["MJ", "KWH", "MWh", "Kwh", "kwhh", "cal", "W", "", "m"])
def test_unit_of_another_spelling_or_kind_has_no_factor(unit):
    assert unit_factor(unit, "mJ") is None


def test_quantity_without_a_unit_has_none_to_convert_from():
    assert (known_units(""), unit_factor("mJ", "")) == ([], None)
