"""The command `deepen kernels`: the kernel list of a model file as a table, JSON or CSV."""

import csv
import io
import json
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.errors import UsageError
from harness.graphs.fusion_rules import Runtime, read_runtime, runtime_names
from harness.graphs.graph import Graph
from harness.graphs.kernels import KernelList, as_network, kernel_list
from harness.graphs.reading import parse_input_option, read_model
from harness.issues import printable, quoted, share_in_words
from harness.schema.networks import Network, NetworkKernel, network_json
from harness.schema.vocabulary import CONFIGURATION_FIELDS

KernelsFormat = Literal["table", "json", "csv", "network"]
CSV_COLUMNS: Final = ("kernel", "dtype", *CONFIGURATION_FIELDS, "operator", "flops", "params", "bytes_moved")
"""Columns of a kernel table that a model file gives, then what kernels.csv leaves out."""
_RUNTIME_HELP: Final = f"Fusion rules: {', '.join(runtime_names())}; by the file's format by default."


def kernels(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="ONNX or TFLite file.")],
    runtime: Annotated[str | None, typer.Option("--runtime", help=_RUNTIME_HELP)] = None,
    form: Annotated[KernelsFormat, typer.Option("--format", help="Form of the list.")] = "table",
    inputs: Annotated[
        list[str] | None, typer.Option("--input", help="Extents of an input, as in name=1x3x224x224; repeatable.")
    ] = None,
) -> None:
    """List the kernels that a runtime executes for a model file, with FLOPs, parameters and bytes of each.

    Example: deepen kernels mobilenet.onnx --input input=1x3x224x224 --format csv
    """
    rules = None if runtime is None else read_runtime(runtime)
    graph = read_model(model, dict(parse_input_option(text) for text in inputs or ()))
    rules = rules or default_runtime(graph)
    found = kernel_list(graph, rules)
    if form == "json":
        typer.echo(json.dumps(as_json(model.stem, rules, found), indent=2, ensure_ascii=False))
    elif form == "network":
        typer.echo(network_json(_network(model.stem, rules, found)), nl=False)
    elif form == "csv":
        typer.echo(as_csv(found), nl=False)
    else:
        print_kernels(model.name, rules, found)


def _network(name: str, runtime: Runtime, found: KernelList) -> Network:
    try:
        return as_network(name, runtime, found)
    except ValidationError as error:
        raise UsageError(
            f"{quoted(name)} cannot name a model; name the file as models.csv does, with letters, digits, space and "
            "any of . _ + - (at most 100)"
        ) from error


def default_runtime(graph: Graph) -> Runtime:
    """Rules of the runtime that a model file is made for; only TFLite files have their channels last."""
    return read_runtime("tflite-cpu" if graph.layout == "channels-last" else "onnxruntime-cpu")


def as_json(model: str, runtime: Runtime, found: KernelList) -> dict[str, Any]:
    """The list as `deepen kernels --format json` gives it; a kernel without a type has null there."""
    return {
        "model": model,
        "runtime": runtime.name,
        "kernels": [
            {"operator": kernel.operator, "kernel": kernel.kernel, **kernel.model_dump(exclude_none=True)}
            for kernel in found.kernels
        ],
        "total": {
            "n_kernels": len(found.kernels),
            "flops": found.flops,
            "params": found.params,
            "bytes_moved": found.bytes_moved,
        },
        "coverage": {"kernels": found.coverage_kernels, "flops": found.coverage_flops},
        "unsupported": [
            {"operator": item.operator, "n": item.n, "flops_share": item.flops_share} for item in found.unsupported
        ],
        "free": dict(found.free),
    }


def as_csv(found: KernelList) -> str:
    """The list as a table of kernels, one row each, empty where a field says nothing."""
    text = io.StringIO()
    writer = csv.DictWriter(text, CSV_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(kernel.model_dump() for kernel in found.kernels)
    return text.getvalue()


def print_kernels(name: str, runtime: Runtime, found: KernelList) -> None:
    """Print the list as a table, then totals, coverage and what runs no kernel."""
    table = Table(title=Text(f"{printable(name)} on {runtime.title}"), title_justify="left")
    for heading in ("#", "kernel", "operator", "input", "cout", "window", "stride", "groups"):
        table.add_column(heading, justify="right" if heading == "#" else "left")
    for heading in ("FLOPs", "params", "bytes", "of FLOPs"):
        table.add_column(heading, justify="right")
    for number, kernel in enumerate(found.kernels, 1):
        counts = (f"{count:,}" for count in (kernel.flops, kernel.params, kernel.bytes_moved))
        table.add_row(str(number), *_configuration(kernel), *counts, share_in_words(kernel.flops / max(found.flops, 1)))
    # A pipe has no width of its own, and a table cut at 80 columns would lose figures.
    Console(width=None if Console().is_terminal else 160).print(table, markup=False)
    totals = f"{found.flops:,} FLOPs, {found.params:,} params, {found.bytes_moved:,} bytes moved"
    typer.echo(f"{_counted(len(found.kernels))}, {totals}")
    typer.echo(coverage_line(found))
    if found.free:
        typer.echo(f"without a kernel: {', '.join(f'{n} {operator}' for operator, n in found.free.items())}")


def coverage_line(found: KernelList) -> str:
    """How much of a network the kernel types speak for, and what they do not."""
    of_flops = share_in_words(found.coverage_flops)
    line = f"coverage: {found.n_typed} of {_counted(len(found.kernels))}, {of_flops} of FLOPs"
    missing = ", ".join(f"{item.operator} {share_in_words(item.flops_share)}" for item in found.unsupported)
    return f"{line}; unsupported: {missing}" if missing else line


def _counted(n_kernels: int) -> str:
    return "1 kernel" if n_kernels == 1 else f"{n_kernels} kernels"


def _configuration(kernel: NetworkKernel) -> tuple[str, ...]:
    """Cells of a kernel from its type to its groups; empty where a field says nothing."""

    def crossed(*extents: int | None) -> str:
        return "x".join(str(extent) for extent in extents if extent is not None)

    channels = [kernel.cin, kernel.cin2, kernel.cin3, kernel.cin4]
    joined = "+".join(str(count) for count in channels if count is not None)
    plane = crossed(kernel.input_h, kernel.input_w)
    return (
        kernel.kernel or "none",
        kernel.operator,
        f"{plane}x{joined}" if plane and joined else joined,
        crossed(kernel.cout),
        crossed(kernel.kernel_h, kernel.kernel_w),
        crossed(kernel.stride_h, kernel.stride_w),
        crossed(kernel.groups),
    )
