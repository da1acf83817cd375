"""Quantities that only rows of networks have: how well and how evenly a network ran, its idle power and its repeat.

They are declared as those of `harness.schema.quantities`, whose names and bounds they follow.
"""

from typing import Annotated, Final

from harness.schema.quantities import LINE, NOWHERE
from harness.schema.quantity import DeviceTable, Display, Quantity

_NETWORKS: Final[tuple[DeviceTable, ...]] = ("networks",)


def _latency(sentence: str, title: str, tables: tuple[DeviceTable, ...]) -> Quantity:
    fix = "Give the latency in milliseconds with enough digits, or leave it empty."
    display = Display(title, tables)
    return Quantity("ms", sentence, "latency-positive", fix, gt=0, le=1e8, group="result", display=display)


def _idle_power(when: str) -> Quantity:
    sentence = f"Median power of the whole measured system {when} the window of the inferences, while it ran none."
    fix = "Give the idle power in milliwatts, or leave it empty."
    display = Display(f"Idle power {when}", NOWHERE)
    return Quantity("mW", sentence, "power-positive", fix, gt=0, le=1e8, group="condition", display=display)


AccuracyPercent = Annotated[
    float,
    Quantity(
        "%",
        "Share of right answers of the network as it was run: Top-1; of speech, 100 less the word error rate.",
        "accuracy-range",
        "Give the share in percent, from 0 to 100, or leave it empty.",
        ge=0,
        le=100,
        why="A network that answers worse is no thriftier way to the same answer; above 100 % stands a count.",
        group="result",
        display=Display("Accuracy", _NETWORKS),
    ),
]
AccuracyDataset = Annotated[
    str,
    Quantity(
        "",
        "Data set that the accuracy is of, such as ImageNet-1k.",
        "text-plain",
        "Name the data set in one line of at most 100 printable characters.",
        pattern=LINE,
        max_length=100,
        form="one line of printable text without angle brackets",
        group="result",
        display=Display("Accuracy on", NOWHERE),
    ),
]
Auc = Annotated[
    float,
    Quantity(
        "",
        "Area under the receiver operating characteristic of the network as it was run, as of an anomaly detector.",
        "auc-range",
        "Give the area from 0 to 1, or leave it empty.",
        ge=0,
        le=1,
        why="The area is a probability; a figure such as 93 is in percent.",
        group="result",
        display=Display("AUC", _NETWORKS),
    ),
]
LatencyP90Ms = Annotated[
    float, _latency("90th percentile of the duration of one inference.", "Latency, 90th percentile", _NETWORKS)
]
LatencyUnmeteredMs = Annotated[
    float,
    _latency(
        "Duration of one inference in a run without the energy meter (MLPerf: performance mode).",
        "Latency without the meter",
        _NETWORKS,
    ),
]
IdleBeforeMw = Annotated[float, _idle_power("before")]
IdleAfterMw = Annotated[float, _idle_power("after")]
RepeatEnergyMj = Annotated[
    float,
    Quantity(
        "mJ",
        "Energy of one inference in a repeat of the same command (MLPerf: ranging run).",
        "energy-positive",
        "Give the energy of the repeat in mJ, or leave it empty.",
        gt=0,
        le=1e9,
        group="result",
        display=Display("Energy of the repeat", NOWHERE),
    ),
]
RepeatLatencyMs = Annotated[
    float, _latency("Duration of one inference in a repeat of the same command.", "Latency of the repeat", NOWHERE)
]
