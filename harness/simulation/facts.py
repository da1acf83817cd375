"""The two YAML files of a simulated campaign: the device, and the method behind the figures."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import yaml

from harness.schema.vocabulary import EnergyKind
from harness.simulation.accelerators import Accelerator, estimator_version
from harness.simulation.estimator import (
    ACTIVATION_BITS,
    LEAST_FACTORS,
    PARTIAL_SUM_BITS,
    WEIGHT_BITS,
    settings_version,
)
from harness.simulation.layers import SIMULATED
from harness.simulation.networks import NetworkEstimate
from harness.simulation.orders import MOST_SEARCHED_LOOPS
from harness.simulation.runner import Outcome

DELEGATE: Final = "NPU"
ENERGY_KIND: Final[EnergyKind] = "dynamic-only"
"""ZigZag counts operations and accesses; it models neither leakage nor idle power nor the host."""
LEAST_COVERAGE: Final = 0.99
"""Least share of a network's FLOPs in simulated kernels for which the network has a row."""

_DATE: Final = "2026-11"
_HEADER: Final = "# Written by deepen simulate; the whole command stands in the notes of submission.yaml.\n"


def device_bytes(accelerator: Accelerator) -> bytes:
    """Contents of device.yaml."""
    return _yaml(
        {
            "name": accelerator.title,
            "device_class": "accelerator",
            "accelerator": accelerator.array,
            "vendor": "ZigZag, MICAS, KU Leuven",
            "frequency_mhz": accelerator.clock_mhz,
            "delegates": {DELEGATE: "npu"},
        }
    )


def manifest_bytes(
    accelerator: Accelerator,
    rows: Sequence[NetworkEstimate],
    left_out: Sequence[NetworkEstimate],
    outcomes: Sequence[Outcome],
    command: str,
) -> bytes:
    """Contents of submission.yaml.

    Args:
        accelerator: where the kernels were simulated.
        rows: networks with a row.
        left_out: networks without one.
        outcomes: outcomes of the drawn configurations.
        command: command that writes the same submission again.
    """
    version = estimator_version()
    return _yaml(
        {
            "schema_version": 1,
            "title": f"{accelerator.title}: kernels and networks simulated with ZigZag {version}",
            "contributors": ["The DeepEn contributors"],
            "date": _DATE,
            "method": "simulated",
            "runtime": f"ZigZag {version}",
            # Off-chip memory is outside of the package, and is part of the energy.
            "boundary": "module",
            "licence": "CC-BY-4.0",
            "source": {
                "citation": "L. Mei, P. Houshmand, V. Jain, S. Giraldo, M. Verhelst, ZigZag: Enlarging Joint "
                "Architecture-Mapping Design Space Exploration for DNN Accelerators, IEEE Transactions on Computers "
                f"70(8), 2021; hardware model after {accelerator.after}.",
                "url": "https://github.com/KULeuven-MICAS/zigzag",
                "identifier": "10.1109/TC.2021.3059962",
            },
            "conditions": _conditions(accelerator),
            "notes": " ".join([*_notes(rows, left_out, outcomes), f"Command: {command}"]),
        }
    )


def _conditions(accelerator: Accelerator) -> str:
    hardware, mapping = accelerator.files_sha256
    return (
        f"Estimator zigzag-dse {estimator_version()}, settings {settings_version()}. "
        f"Hardware {accelerator.hardware}.yaml (SHA-256 {hardware[:16]}), "
        f"mapping {accelerator.mapping}.yaml (SHA-256 {mapping[:16]}), both as released. "
        f"Objective: least energy. One spatial mapping; loops split into {LEAST_FACTORS} factors (lpf_limit); "
        f"up to {MOST_SEARCHED_LOOPS} loops searched in full, more from {2 * len(accelerator.orders)} pinned orders on "
        "by exchanging two loops at a time. "
        f"Weights {WEIGHT_BITS} bit, activations {ACTIVATION_BITS} bit, partial sums {PARTIAL_SUM_BITS} bit. "
        f"Latency is cycles at a nominal {accelerator.clock_mhz:g} MHz; the model states no clock and its energy does "
        "not depend on one. One inference, batch 1."
    )


def _notes(
    rows: Sequence[NetworkEstimate], left_out: Sequence[NetworkEstimate], outcomes: Sequence[Outcome]
) -> list[str]:
    notes = [
        "Simulated, not measured: dynamic energy of the array and all memories, off-chip memory included; leakage, "
        "idle power, the host and activations are not modelled. Every kernel reads its inputs from off-chip memory and "
        'writes its outputs there, and is padded to "same".',
        f"Simulated kernel types: {', '.join(SIMULATED)}. Batch normalisation and activations that follow are free; se "
        "is the sum of its parts. Other types have no operation in the estimator and no row.",
    ]
    absent = Counter(str(outcome.configuration["kernel"]) for outcome in outcomes if _is_absent(outcome))
    if absent:
        notes.append(f"Drawn without a row: {_counts(absent)}.")
    if rows:
        total = sum((Counter(cost.left_out) for cost in rows), Counter[str]())
        least = min(cost.coverage_flops for cost in rows)
        most = max(abs(cost.padding) for cost in rows)
        notes.append(
            f"A network is the sum over its simulated kernels and has a row if they hold {LEAST_COVERAGE:.0%} of its "
            f"FLOPs or more; here they hold {100 * least:.2f} % or more. Not counted: {_counts(total) or 'nothing'}. "
            f"Simulated FLOPs of convolutions differ from a network's own by {100 * most:.1f} % at most, by padding."
        )
    if left_out:
        notes.append(f"Networks without a row, because less of their FLOPs could be simulated: {len(left_out)}.")
    return notes


def _is_absent(outcome: Outcome) -> bool:
    return outcome.estimate is None and outcome.failure is None


def _counts(counts: Mapping[str, int], most: int = 12) -> str:
    """Names with their numbers, the most frequent first."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown = [f"{n} {name}" for name, n in ordered[:most]]
    return ", ".join([*shown, *(["others"] if len(ordered) > most else [])])


def _yaml(content: Mapping[str, Any]) -> bytes:
    text: str = yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True, width=120)
    return (_HEADER + text).encode()
