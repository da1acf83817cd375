"""Small valid campaigns for tests that need a release; they hold no real measurement."""

from typing import Any

import pyarrow as pa

from harness.schema.campaign import Campaign
from harness.schema.columns import arrow_schema, columns_of
from harness.schema.facts import Device, Manifest
from harness.schema.records import ROWS
from harness.schema.vocabulary import Level
from tests.kernel_lists import CONV, DWCONV, FC, network

PAPER = {
    "citation": "Tu et al., Unveiling Energy Efficiency in Deep Learning, SEC, 2023.",
    "url": "https://arxiv.org/abs/2310.18329",
    "identifier": "arXiv 2310.18329",
}
MLPERF = {
    "citation": "MLCommons, MLPerf Tiny v1.1 results, closed division.",
    "url": "https://github.com/mlcommons/tiny_results_v1.1",
    "attribution": "MLPerf is a trademark of MLCommons; these figures are not verified by MLCommons.",
}
DELEGATES = {"CPU1": "cpu", "CPU4": "cpu", "GPU": "gpu"}


def row_table(level: Level, rows: list[dict[str, Any]]) -> pa.Table:
    """Rows of a level in its Arrow schema; absent cells hold the column's default."""
    defaults = {name: column.default for name, column in columns_of(ROWS[level]).items()}
    return pa.Table.from_pylist([defaults | row for row in rows], schema=arrow_schema(ROWS[level]))


def campaign(level: Level, rows: list[dict[str, Any]] | pa.Table, device_id: str, **facts: Any) -> Campaign:
    """Campaign of one level; `device` and `manifest` take fields that override the plain ones.

    `networks` takes kernel lists by model, and `shared` those that campaigns share.
    """
    device = {"name": device_id, "device_class": "phone", "delegates": DELEGATES} | facts.get("device", {})
    manifest = {
        "schema_version": 1,
        "title": f"{level} of {device_id}",
        "contributors": ["A. Tester"],
        "date": "2026-01",
        "method": "published",
        "runtime": "TensorFlow Lite",
        "licence": "CC-BY-4.0",
        "source": PAPER,
    } | facts.get("manifest", {})
    return Campaign(
        device_id=device_id,
        name=facts.get("name", f"{level}-2026"),
        device=Device.model_validate(device),
        manifest=Manifest.model_validate(manifest),
        tables={level: rows if isinstance(rows, pa.Table) else row_table(level, rows)},
        networks=facts.get("networks", {}),
        shared_networks=facts.get("shared", {}),
    )


def phone_campaign(device_id: str = "acme-phone", energy_mj: float = 442.1, **facts: Any) -> Campaign:
    """Applications of one phone as a paper prints them: both splits, one erratum of the device and one of a row."""
    shared = {"dtype": "fp32", "energy_kind": "absolute"}
    rows = [
        {
            "application": "image-detection",
            "dnn": "DNN1",
            "reference_model": "MobileNetv2",
            "input_shape": "300x300",
            "delegate": delegate,
            "energy_mj": energy_mj * factor,
            "power_mw": 4148.3,
            **shared,
        }
        for delegate, factor in (("CPU1", 1.0), ("CPU4", 1.1), ("GPU", 0.5))
    ]
    rows.append(
        {
            "application": "super-resolution",
            "dnn": "DNN7",
            "reference_model": "ESRGAN",
            "delegate": "CPU1",
            "energy_mj": 12.5,
            **shared,
        }
    )
    device = {
        "soc": "Acme 1",
        "tdp_w": 5,
        "errata": [{"field": "tdp_w", "printed": 50, "used": 5, "why": "A phone draws no 50 W | see its maker."}],
    }
    errata = [{"field": "energy_mj", "where": {"dnn": "DNN7"}, "printed": 0.0125, "used": 12.5, "why": "Printed in J."}]
    facts["device"] = device | facts.get("device", {})
    facts["manifest"] = {"errata": errata} | facts.get("manifest", {})
    return campaign("applications", rows, device_id, **facts)


def board_campaign(device_id: str = "ACME-M4.rev_2", **facts: Any) -> Campaign:
    """Models of one microcontroller, one of a test family, two with a kernel list, with rounds and an attribution."""
    names = (("mlperf-tiny-kws", "DS-CNN"), ("mlperf-tiny-ic", "ResNet8"), ("mlperf-tiny-ad", "Autoencoder"))
    rows = [
        {
            "model": model,
            "family": family,
            "delegate": "CPU",
            "dtype": "int8",
            "energy_kind": "absolute",
            "energy_mj": 1.5 + position,
            "latency_ms": 50.0,
            "supply_mv": 3000.0,
            "n_runs": 5,
            "rounds": ["v1.0", "v1.1"],
            "source_id": f"results/{model}.txt",
        }
        for position, (model, family) in enumerate(names)
    ]
    device = {"device_class": "microcontroller", "delegates": {"CPU": "cpu"}, "frequency_mhz": 120}
    manifest = {"licence": "Apache-2.0", "source": MLPERF, "title": "MLPerf Tiny v1.1", "notes": "Median of windows."}
    facts.setdefault(
        "networks",
        {
            "mlperf-tiny-kws": network("mlperf-tiny-kws", CONV, DWCONV, FC),
            "mlperf-tiny-ic": network("mlperf-tiny-ic", CONV, FC),
        },
    )
    facts["device"] = device | facts.get("device", {})
    facts["manifest"] = manifest | facts.get("manifest", {})
    return campaign("models", rows, device_id, **facts)


def kernel_campaign(device_id: str = "acme-phone", n_configurations: int = 20, **facts: Any) -> Campaign:
    """Kernels of one phone measured with an analyser; the same configurations whatever the device."""
    rows = []
    for position in range(n_configurations):
        configuration = {"input_h": 8 + 4 * position, "input_w": 8 + 4 * position, "cin": 16}
        if position % 2:
            kernel = {"kernel": "relu", **configuration}
        else:
            window = {"cout": 32, "kernel_h": 3, "kernel_w": 3, "stride_h": 1, "stride_w": 1}
            kernel = {"kernel": "conv-bn-relu", **configuration, **window}
        idle = {"energy_kind": "idle-subtracted" if position % 3 else "absolute", "energy_mj": 0.25 * (position + 1)}
        rows.append({"delegate": "CPU1", "dtype": "fp32", **idle, **kernel})
    manifest = {
        "method": "measured",
        "meter": {"name": "Monsoon HVPM", "kind": "analyser", "sampling_hz": 5000},
        "idle": {"power_mw": 300, "how": "Screen off, one minute before each run."},
    }
    facts["manifest"] = manifest | facts.get("manifest", {})
    return campaign("kernels", rows, device_id, **facts)


SIMULATED: dict[str, Any] = {
    "method": "simulated",
    "runtime": "an estimator 1.0",
    "title": "Energies that an estimator gives",
    "licence": "MIT",
}


def simulated_campaign(device_id: str = "acme-npu", level: Level = "kernels", n_rows: int = 20) -> Campaign:
    """Kernels or models of one accelerator model, as an estimator gives them; models carry their kernel lists."""
    facts: dict[str, Any] = {
        "device": {"device_class": "accelerator", "delegates": {"NPU": "npu"}},
        "manifest": SIMULATED,
        "name": f"simulated-{level}",
    }
    shared = {"delegate": "NPU", "dtype": "int8", "energy_kind": "dynamic-only"}
    if level == "kernels":
        rows = kernel_campaign(n_configurations=n_rows).tables["kernels"].to_pylist()
        return campaign(level, [row | shared for row in rows], device_id, **facts)
    families = ("ResNet18", "GoogLeNet", "MobileNetV1", "ShuffleNetV2")
    rows = [
        {"model": f"variant-{n:03}", "family": families[n % 4], "variant": f"{n:03}", "energy_mj": 1.0 + n, **shared}
        for n in range(n_rows)
    ]
    facts["networks"] = {row["model"]: network(row["model"], CONV | {"cout": 8 + n}) for n, row in enumerate(rows)}
    return campaign(level, rows, device_id, **facts)
