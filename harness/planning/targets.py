"""Kernels that a plan is for: those of networks, weighted by their share, and those that may stand for them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

import pandas as pd
import pyarrow as pa

from harness.graphs.families.named import NAMED
from harness.graphs.families.variants import Variant
from harness.graphs.fusion_rules import read_runtime
from harness.graphs.kernels import kernel_list
from harness.graphs.onnx_reader import graph_of_onnx
from harness.planning.network_files import NetworkFile
from harness.predictor.features import WORDS, kernel_frame
from harness.schema.columns import arrow_schema
from harness.schema.cost import kernel_cost
from harness.schema.identity import configuration_ids
from harness.schema.networks import Configuration, ListedKernel, configuration_of
from harness.schema.records import KEYS, KernelRow
from harness.schema.vocabulary import Dtype

DTYPE: Final[Dtype] = "fp32"
"""Data type of planned kernels."""

Key = tuple[tuple[str, str | int], ...]
"""A configuration as what it may be looked up by."""


class TargetNetwork(NamedTuple):
    """A network that will be asked for.

    Attributes:
        model: its name.
        weight: how much it counts.
        kernels: its kernels.
        file: how it is run as a whole; None where it has no file with weights.
    """

    model: str
    weight: float
    kernels: Sequence[ListedKernel]
    file: NetworkFile | None = None


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares of kernels in what some networks run, together 1.

    Attributes:
        typed: share of each configuration.
        others: number and share of the kernels without a kernel type, by operator.
    """

    typed: Mapping[Key, float]
    others: Mapping[str, tuple[int, float]]


def key_of(configuration: Configuration) -> Key:
    """A configuration as a key, whatever the order of its fields."""
    return tuple(sorted(configuration.items()))


def shares_of(networks: Iterable[TargetNetwork]) -> Shares:
    """Share of each kernel in what networks run: the mean of its share of the FLOPs and of the bytes moved.

    Energy goes into arithmetic and into moving data, and in which parts is not known before anything is measured.
    """
    typed: defaultdict[Key, float] = defaultdict(float)
    others: defaultdict[str, tuple[int, float]] = defaultdict(lambda: (0, 0.0))
    for network in networks:
        flops, moved = (
            max(sum(getattr(kernel, name) or 0 for kernel in network.kernels), 1) for name in ("flops", "bytes_moved")
        )
        for kernel in network.kernels:
            share = network.weight * ((kernel.flops or 0) / flops + (kernel.bytes_moved or 0) / moved) / 2
            if kernel.kernel is not None:
                typed[key_of(configuration_of(kernel))] += share
            else:
                n, before = others[kernel.operator]
                others[kernel.operator] = (n + 1, before + share)
    whole = sum(typed.values()) + sum(share for _, share in others.values())
    return Shares(
        {key: share / whole for key, share in typed.items()},
        {operator: (n, share / whole) for operator, (n, share) in others.items()},
    )


@cache
def reference_networks(runtime: str) -> tuple[TargetNetwork, ...]:
    """The named networks of the model families; every family counts the same.

    Args:
        runtime: name of the fusion rules that make their kernels.

    Raises:
        UsageError: there are no such rules.
    """
    rules = read_runtime(runtime)
    sizes: defaultdict[str, int] = defaultdict(int)
    for family, _ in NAMED:
        sizes[family] += 1
    networks = []
    for family, name in NAMED:
        variant = Variant(family, name)
        found = kernel_list(graph_of_onnx(variant.build(), variant.model), rules)
        networks.append(TargetNetwork(variant.model, 1 / (len(sizes) * sizes[family]), found.kernels))
    return tuple(networks)


@dataclass(frozen=True, slots=True)
class KernelTable:
    """Configurations with their costs, one row each.

    Attributes:
        frame: columns `harness.predictor.features.FEATURES`.
        ids: configuration ids.
    """

    frame: pd.DataFrame
    ids: Sequence[str]


def kernel_table(configurations: Sequence[Configuration]) -> KernelTable:
    """Configurations with the costs that rows of them have in the datasets, in `DTYPE`."""
    schema = arrow_schema(KernelRow)
    names = [*KEYS["kernels"], *WORDS]
    fields = [
        pa.field(name, pa.string() if name in WORDS else schema.field(name).type) for name in dict.fromkeys(names)
    ]
    table = pa.Table.from_pylist([{**each, "dtype": DTYPE} for each in configurations], schema=pa.schema(fields))
    for name, counts in kernel_cost(table)._asdict().items():
        table = table.append_column(name, pa.array(counts))
    return KernelTable(kernel_frame(table), configuration_ids(table))
