"""The commands about networks: `kernels` and `families`."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from harness import api
from harness.cli.options import Batch, Inputs, ModelFile, Runtime, Signature, Values
from harness.cli.printing import print_json, print_table, steps
from harness.defaults import FAMILIES, RUNTIME
from harness.issues import counted, printable, share_in_words

KernelsFormat = Literal["table", "json", "csv", "network"]

_CONFIGURATION: Final = ("kernel", "operator", "input", "cout", "window", "stride", "groups")
_COSTS: Final = ("FLOPs", "params", "bytes", "of FLOPs")
_FAMILY: Final = (
    "family", "networks", "kernels", "MFLOP as published", "mean", "least", "most", "coverage of FLOPs",
)  # fmt: skip


def kernels(
    model: ModelFile,
    runtime: Runtime = None,
    form: Annotated[KernelsFormat, typer.Option("--format", help="Form of the list.")] = "table",
    inputs: Inputs = None,
    batch: Batch = None,
    values: Values = None,
    signature: Signature = None,
) -> None:
    """List the kernels that a runtime executes for a model file, with FLOPs, parameters and bytes of each.

    Example: deepen kernels mobilenet.onnx --input input=1x3x224x224 --format csv
    """
    found = api.kernels(model, runtime, inputs or (), batch=batch, values=values or (), signature=signature)
    if form == "json":
        print_json(found.as_json())
    elif form == "network":
        typer.echo(api.network_json(found.as_network()), nl=False)
    elif form == "csv":
        typer.echo(found.as_csv(), nl=False)
    else:
        _print_kernels(found)


def _print_kernels(listed: "api.ModelKernels") -> None:
    """Print the list as a table, then totals, coverage and what runs no kernel."""
    found = listed.kernels
    flops, unknown = found.flops, found.unknown
    rows = []
    has_runs = any(kernel.count > 1 for kernel in found.kernels)
    has_own = any(kernel.weight_dtype not in (None, kernel.dtype) for kernel in found.kernels)
    for number, kernel in enumerate(found.kernels, 1):
        runs = (f"{kernel.count:,}",) if has_runs else ()
        counts = (count_in_words(kernel.flops), f"{kernel.params:,}", count_in_words(kernel.bytes_moved))
        is_share = kernel.flops is not None and not unknown
        share = share_in_words((kernel.flops or 0) / max(flops, 1)) if is_share else ""
        stored = (kernel.weight_dtype or "",) if has_own else ()
        rows.append((str(number), *_configuration(kernel), *stored, *runs, *counts, share))
    title = f"{printable(listed.file.name)} on {listed.runtime.title}"
    extra = (*(("weights",) if has_own else ()), *(("runs",) if has_runs else ()))
    print_table(
        ("#", *_CONFIGURATION, *extra, *_COSTS), rows, left=(*_CONFIGURATION, "weights"), width=160, title=title
    )
    least, open_ = "at least " if unknown else "", "at least " if found.open_end is not None else ""
    totals = f"{least}{flops:,} FLOPs, {found.params:,} params, {open_}{found.bytes_moved:,} bytes moved"
    typer.echo(f"{counted(len(found.kernels), 'kernel')}, {totals}")
    typer.echo(coverage_line(found))
    if found.open_end is not None:
        where = f"{printable(found.open_end.operator)}, at the tensor {printable(found.open_end.tensor)}"
        typer.echo(
            f"extents are unknown from the operator {where}; what it makes depends on data, or has no rule: "
            "value_info of an ONNX file may state them"
        )
    for line in (*batch_lines(listed.batch, listed.leading), *map(printable, listed.notes)):
        typer.echo(line)
    if found.free:
        typer.echo(f"without a kernel: {', '.join(f'{n} {operator}' for operator, n in found.free.items())}")


def count_in_words(count: int | None) -> str:
    """FLOPs or bytes of a kernel as tables show them."""
    return "unknown" if count is None else f"{count:,}"


def coverage_line(found: "api.KernelList") -> str:
    """Share of a network that has a kernel type, and the operators that have none."""
    shares = _shares(found.coverage_flops, found.coverage_bytes)
    line = f"coverage: {found.n_typed} of {counted(len(found.kernels), 'kernel')}, {shares}"
    missing = "; ".join(f"{item.operator}, {_shares(item.flops_share, item.bytes_share)}" for item in found.unsupported)
    unknown = f"; FLOPs unknown: {', '.join(found.unknown)}" if found.unknown else ""
    return f"{line}; unsupported: {missing}{unknown}" if missing else line


def _shares(flops: float | None, n_bytes: float | None) -> str:
    return f"{share_or_unknown(flops)} of FLOPs and {share_or_unknown(n_bytes)} of bytes"


def share_or_unknown(share: float | None) -> str:
    """Share in words, also where it is unknown."""
    return "an unknown share" if share is None else share_in_words(share)


def batch_lines(batch: int, leading: Mapping[str, int]) -> list[str]:
    """What was taken for the batch, and what was not.

    Args:
        batch: inferences by which the counts were divided.
        leading: first extent above 1 of the inputs that was not divided out, by name.
    """
    lines = [f"batch of {batch}: every count is for one of its inferences"] if batch > 1 else []
    lines += [
        f"the first extent of {printable(name)}, {extent}, is not taken for a batch; if it is, add --batch {extent}"
        for name, extent in leading.items()
    ]
    return lines


def _configuration(kernel: "api.NetworkKernel") -> tuple[str, ...]:
    """Cells of a kernel from its type to its groups; empty where a field does not apply."""

    def crossed(*extents: int | None) -> str:
        return "x".join([str(extent) for extent in extents if extent is not None])

    return (
        kernel.kernel or "none",
        kernel.operator,
        api.input_in_words(kernel),
        crossed(kernel.cout),
        crossed(kernel.kernel_h, kernel.kernel_w),
        crossed(kernel.stride_h, kernel.stride_w),
        crossed(kernel.groups),
    )


def families(
    family: Annotated[list[str] | None, typer.Option("--family", help="Family; all nine by default.")] = None,
    network: Annotated[
        list[str] | None,
        typer.Option("--network", help="Network, as FAMILY/NAME; no variants unless families are named too."),
    ] = None,
    n_variants: Annotated[int, typer.Option("--variants", min=1, help="Networks of each family.")] = 50,
    n_kernels: Annotated[
        int | None,
        typer.Option("--kernels", min=1, help="Configurations to draw; as many as SEC 2023 measured by default."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of both draws.")] = 0,
    runtime: Annotated[str, typer.Option("--runtime", help="Fusion rules that make kernels of networks.")] = RUNTIME,
    out: Annotated[Path, typer.Option("--out", help="Folder to write into.")] = FAMILIES,
) -> None:
    """Write variants of the model families as ONNX, and kernel configurations drawn from them, to be measured.

    Example: deepen families --family ResNet18 --variants 10 --seed 0
    """
    with steps("Families") as step:
        written = api.families(
            family or (),
            networks=network or (),
            n_variants=n_variants,
            n_kernels=n_kernels,
            seed=seed,
            runtime=runtime,
            out=out,
            on_step=step,
        )
    _print_families(written)


def _print_families(written: "api.WrittenFamilies") -> None:
    by_family: dict[str, list[api.KernelList]] = defaultdict(list)
    for variant, found in written.kernels.items():
        by_family[variant.family].append(found)
    rows = []
    for family, members in by_family.items():
        costs = [found.flops / 1e6 for found in members]
        shown = [f"{figure:,.0f}" for figure in (costs[0], sum(costs) / len(costs), min(costs), max(costs))]
        coverage = min(found.coverage_flops or 0.0 for found in members)
        rows.append((family, str(len(members)), str(len(members[0].kernels)), *shown, f"{coverage:.1%}"))
    print_table(_FAMILY, rows, left=("family",), width=140)
    sample = written.sample
    typer.echo("1 MAC counts as 2 FLOP")
    typer.echo(
        f"{counted(len(sample.configurations), 'kernel configuration')}: {written.configurations_file.as_posix()}"
    )
    for kernel, n_missing in sample.missing.items():
        typer.echo(f"  {n_missing} fewer {kernel} than wanted; the networks have no more; more variants have")
    typer.echo(
        f"{counted(len(written.kernels), 'network')} without weights: {written.folder.as_posix()}/<family>/<model>.onnx"
    )
