"""Generated campaigns that run a whole suite; they hold no real measurement."""

from harness.releases import assemble
from harness.scoring.editions import edition_named
from tests.campaigns import campaign

PHONES = edition_named("phone-2023")
BOARDS = edition_named("mcu-2025")


def phone_rows(factor=1.0, networks=None, delegates=("CPU1",), **fields):
    """Rows at `factor` times the reference of every network; each further delegate needs twice as much."""
    return [
        {
            "application": "image-classification",
            "dnn": network.id,
            "reference_model": "MobileNetv1",
            "delegate": delegate,
            "dtype": "fp32",
            "energy_kind": "absolute",
            "energy_mj": factor * network.reference_mj * 2**position,
            "power_mw": 2000.0 + 1000 * position,
        }
        | fields
        for network in (PHONES.networks if networks is None else networks)
        for position, delegate in enumerate(delegates)
    ]


def board_rows(factor=1.0, networks=None, **fields):
    return [
        {
            "model": network.id,
            "family": "ResNet8",
            "delegate": "CPU1",
            "dtype": "int8",
            "energy_kind": "absolute",
            "energy_mj": factor * network.reference_mj,
        }
        | fields
        for network in (BOARDS.networks if networks is None else networks)
    ]


def phone(device_id="acme-phone", rows=None, tdp_w=4, **facts):
    facts["device"] = {"tdp_w": tdp_w} | facts.get("device", {})
    return campaign("applications", phone_rows() if rows is None else rows, device_id, **facts)


def board(device_id="acme-board", rows=None, **facts):
    facts["device"] = {"device_class": "microcontroller"}
    return campaign("models", board_rows() if rows is None else rows, device_id, **facts)


def release(*campaigns):
    return assemble(campaigns)
