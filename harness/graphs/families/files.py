"""Variants of the model families as ONNX files, and the kernel configurations drawn from them as a table."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.files import write_file
from harness.graphs.families.variants import Variant
from harness.graphs.fusion_rules import read_runtime
from harness.graphs.kernels import KernelList, kernel_list
from harness.graphs.onnx_reader import graph_of_onnx
from harness.graphs.sampler import KernelSample, sample_kernels
from harness.schema.records import KEYS

CONFIGURATIONS_FILE: Final = "kernels.csv"
"""Drawn configurations, beside the folders of the families."""


@dataclass(frozen=True)
class WrittenFamilies:
    """Networks that were written, and the configurations that were drawn from them.

    Attributes:
        folder: where they lie, as `<family>/<model>.onnx`.
        kernels: kernel list of each network.
        sample: drawn configurations.
    """

    folder: Path
    kernels: Mapping[Variant, KernelList]
    sample: KernelSample

    @property
    def configurations_file(self) -> Path:
        """Table of the drawn configurations."""
        return self.folder / CONFIGURATIONS_FILE


def write_families(
    variants: Sequence[Variant],
    n_kernels: int,
    seed: int,
    *,
    runtime: str,
    out: Path,
    on_variant: Callable[[str, int], None],
) -> WrittenFamilies:
    """Write networks without weights, and configurations drawn from their kernels.

    Args:
        variants: networks of families.
        n_kernels: configurations to draw.
        seed: seed of that draw.
        runtime: name of the fusion rules that make kernels of networks.
        out: folder to write into.
        on_variant: called with each network's name, and the number of networks, before it is built.

    Raises:
        UsageError: the runtime is unknown, or a file cannot be written.
    """
    rules = read_runtime(runtime)
    lists: dict[Variant, KernelList] = {}
    for variant in variants:
        on_variant(variant.model, len(variants))
        model = variant.build()
        write_file(out / variant.family / f"{variant.model}.onnx", model.SerializeToString(deterministic=True))
        lists[variant] = kernel_list(graph_of_onnx(model, variant.model), rules)
    sample = sample_kernels((found.kernels for found in lists.values()), n_kernels, seed)
    written = WrittenFamilies(out, lists, sample)
    write_file(written.configurations_file, _as_csv(sample))
    return written


def _as_csv(sample: KernelSample) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, KEYS["kernels"], restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(sample.configurations)
    return text.getvalue()
