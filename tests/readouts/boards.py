"""Generated campaigns of networks on boards with their accuracies; they hold no real measurement."""

from harness.readouts.points import Network, Point
from harness.releases import assemble
from tests.campaigns import campaign

ANALYSER = {
    "method": "measured",
    "boundary": "wall",
    "runtime": "TFLite v2.7.1 (ruy)",
    "meter": {"name": "Yokogawa WT310", "kind": "analyser"},
}


def point(model, energy_mj, accuracy=None, latency_ms=None, u_mj=None, dtype="int8", **fields):
    return Point(
        record_id=f"{model}-{dtype}",
        submission_id="acme-board/2026",
        network=Network(model, None, None, dtype),
        family="MobileNetV1",
        energy_mj=energy_mj,
        energy_u_mj=u_mj,
        latency_ms=latency_ms,
        accuracy_percent=accuracy,
        **fields,
    )


def row(model, energy_mj, accuracy=None, **fields):
    """Row of a network whose accuracy, where it has one, is on ImageNet-1k."""
    return {
        "model": model,
        "family": "MobileNetV1",
        "delegate": "CPU1",
        "dtype": "int8",
        "energy_kind": "absolute",
        "energy_mj": energy_mj,
        "accuracy_percent": accuracy,
        "accuracy_dataset": None if accuracy is None else "ImageNet-1k",
        "rounds": ["v2.0"],
    } | fields


def board(rows, device_id="acme-board", name="2026", **manifest):
    """Campaign of one board; `system` and other fields of the manifest override the plain ones."""
    device = {"device_class": "single-board-computer"}
    return campaign("models", rows, device_id, device=device, manifest=ANALYSER | manifest, name=name)


def release(*campaigns):
    return assemble(campaigns)
