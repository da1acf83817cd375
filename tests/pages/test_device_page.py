"""Facts of a device and of its submissions, as the schema declares them."""

import pytest
from pydantic import BaseModel

from harness.pages.device_entries import DeviceEntry, device_entries
from harness.pages.device_page import device_page
from harness.pages.device_tables import summary_table
from harness.releases import Release, assemble
from harness.schema.columns import columns_of
from harness.schema.facts import DeviceRecord, SubmissionRecord
from harness.scoring.ratings import rate
from harness.scoring.suite import suites
from tests.campaigns import board_campaign, campaign, kernel_campaign, phone_campaign


def entry_of(release: Release, device_id: str) -> DeviceEntry:
    places = suites(release)
    return {entry.device_id: entry for entry in device_entries(release, rate(release, places), places)}[device_id]


@pytest.fixture(scope="module")
def phone() -> DeviceEntry:
    return entry_of(assemble([phone_campaign("acme-phone"), kernel_campaign("acme-phone")]), "acme-phone")


def titles_of(model: type[BaseModel], row: dict[str, object], folded: set[str]) -> set[str]:
    """Titles of the displayed columns that a row fills."""
    return {
        column.display.title
        for name, column in columns_of(model).items()
        if column.quantity.display is not None and row[name] not in (None, []) and name not in folded
    }


def test_every_displayed_fact_of_a_device_is_shown_once(phone: DeviceEntry) -> None:
    names = [name for name, _ in device_page(phone, "1.0.0").context["device_facts"]]
    assert len(set(names)) == len(names)
    assert set(names) == titles_of(DeviceRecord, phone.facts, set())
    assert names[:3] == ["Name", "Identifier", "Kind"]


def test_every_displayed_fact_of_a_submission_is_shown_once(phone: DeviceEntry) -> None:
    shown = device_page(phone, "1.0.0").context["submissions"]
    assert [part["name"] for part in shown] == [entry["submission_id"] for entry in phone.submissions]
    for part, entry in zip(shown, phone.submissions, strict=True):
        names = [name for name, _ in part["facts"]]
        assert len(set(names)) == len(names)
        titles = titles_of(SubmissionRecord, entry, {"device_id", "tier"})
        assert set(names) == titles


def test_facts_that_belong_together_are_shown_together() -> None:
    context = device_page(entry_of(assemble([phone_campaign("acme-phone")]), "acme-phone"), "1.0.0").context
    assert dict(context["device_facts"])["Thermal design power (TDP)"] == ("5 W used; 50 W as printed, see the errata")
    board = entry_of(assemble([board_campaign()]), "ACME-M4.rev_2")
    (facts,) = [dict(part["facts"]) for part in device_page(board, "1.0.0").context["submissions"]]
    assert facts["Method and tier"].endswith("; taken from a publication")
    assert 'href="https://github.com/mlcommons/tiny_results_v1.1"' in facts["Source"].unescape()


def test_kernels_without_flops_have_no_energy_per_gflop() -> None:
    row = {"kernel": "concat", "input_h": 7, "input_w": 7, "cin": 8, "cin2": 8, "delegate": "CPU1", "dtype": "fp32"}
    moved = campaign("kernels", [row | {"energy_kind": "absolute", "energy_mj": 0.5}], "acme-phone")
    table = summary_table(entry_of(assemble([moved]), "acme-phone"), "kernels", "kernel")
    assert table is not None
    assert "mj_per_gflop" not in [column.key for column in table.columns]
    assert [cell.value for cell in table.rows[0][:3]] == ["concat", 1, 0.5]
