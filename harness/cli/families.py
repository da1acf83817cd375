"""The command `deepen families`: writes variants of model families, and kernel configurations drawn from them."""

import csv
import io
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from statistics import mean
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from harness.cli.files import write_file
from harness.cli.printing import steps
from harness.graphs.families.phone import PHONE_FAMILIES
from harness.graphs.families.variants import Variant, variants_of
from harness.graphs.fusion_rules import read_runtime
from harness.graphs.kernels import KernelList, kernel_list
from harness.graphs.onnx_reader import graph_of_onnx
from harness.graphs.sampler import COUNTS, KernelSample, sample_kernels
from harness.schema.records import KEYS

RUNTIME: Final = "tflite-cpu"
"""Fusion rules by default: those of the runtime that SEC 2023 measured."""
CONFIGURATIONS_FILE: Final = "kernels.csv"
"""Drawn configurations, beside the folders of the families."""


def families(
    family: Annotated[list[str] | None, typer.Option("--family", help="Family; all nine by default.")] = None,
    n_variants: Annotated[int, typer.Option("--variants", min=1, help="Networks of each family.")] = 50,
    n_kernels: Annotated[int, typer.Option("--kernels", min=1, help="Configurations to draw.")] = sum(COUNTS.values()),
    seed: Annotated[int, typer.Option("--seed", help="Seed of both draws.")] = 0,
    runtime: Annotated[str, typer.Option("--runtime", help="Fusion rules that make kernels of networks.")] = RUNTIME,
    out: Annotated[Path, typer.Option("--out", help="Folder to write into.")] = Path("dist/families"),
) -> None:
    """Write variants of the model families as ONNX, and kernel configurations drawn from them, to be measured.

    Example: deepen families --family ResNet18 --variants 10 --seed 0
    """
    rules = read_runtime(runtime)
    variants = variants_of(family or PHONE_FAMILIES, n_variants, seed)
    lists: dict[Variant, KernelList] = {}
    with steps("Families", len(variants)) as step:
        for variant in variants:
            step(variant.model)
            model = variant.build()
            write_file(out / variant.family / f"{variant.model}.onnx", model.SerializeToString(deterministic=True))
            lists[variant] = kernel_list(graph_of_onnx(model, variant.model), rules)
    sample = sample_kernels((found.kernels for found in lists.values()), n_kernels, seed)
    write_file(out / CONFIGURATIONS_FILE, _as_csv(sample))
    _print(lists, sample, out)


def _as_csv(sample: KernelSample) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, KEYS["kernels"], restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(sample.configurations)
    return text.getvalue().encode()


def _print(lists: Mapping[Variant, KernelList], sample: KernelSample, out: Path) -> None:
    by_family: dict[str, list[KernelList]] = defaultdict(list)
    for variant, found in lists.items():
        by_family[variant.family].append(found)
    table = Table()
    table.add_column("family")
    headings = ("networks", "kernels", "MFLOP as published", "mean", "least", "most", "coverage of FLOPs")
    for heading in headings:
        table.add_column(heading, justify="right")
    for family, members in by_family.items():
        costs = [found.flops / 1e6 for found in members]
        coverage = min(found.coverage_flops for found in members)
        figures = (costs[0], mean(costs), min(costs), max(costs))
        shown = [f"{figure:,.0f}" for figure in figures]
        table.add_row(family, str(len(members)), str(len(members[0].kernels)), *shown, f"{coverage:.1%}")
    Console(width=None if Console().is_terminal else 140).print(table)
    typer.echo("1 MAC counts as 2 FLOP")
    typer.echo(f"{len(sample.configurations)} kernel configurations: {(out / CONFIGURATIONS_FILE).as_posix()}")
    for kernel, n_missing in sample.missing.items():
        typer.echo(f"  {n_missing} fewer {kernel} than wanted; the networks hold no more, and more variants would")
    typer.echo(f"{len(lists)} networks without weights: {out.as_posix()}/<family>/<model>.onnx")
