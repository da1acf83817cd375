"""The command `deepen plan`: kernels to measure on a device, as small model files with a plan."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from harness import api
from harness.cli.options import Data, Inputs, Runtime
from harness.cli.printing import print_json, print_table, steps
from harness.defaults import PLANS
from harness.issues import counted, printable, share_in_words

PlanFormat = Literal["table", "json"]

_COLUMNS = ("kernel", "input", "cout", "window", "FLOPs", "bytes", "of networks", "variance left", "files")
_MOST_LEFT_OUT = 8
"""Kinds of kernels that are printed as left out; plan.json has all."""


def plan(
    device: Annotated[str, typer.Option("--device", help="Device; a new one needs no submission.")],
    n_rows: Annotated[int, typer.Option("--rows", min=2, max=999, help="Kernels to measure.")] = 20,
    networks: Annotated[
        list[Path] | None,
        typer.Option(
            "--for", metavar="MODEL", help="Model file to measure for; repeatable. The reference networks by default."
        ),
    ] = None,
    inputs: Inputs = None,
    runtime: Runtime = None,
    system: Annotated[str | None, typer.Option("--system", help="System of the device, by its id.")] = None,
    delegate: Annotated[str | None, typer.Option("--delegate", help="How the device runs, as in CPU4 or GPU.")] = None,
    dtype: Annotated[str, typer.Option("--dtype", help="Data type of the kernels; only fp32 is written.")] = "fp32",
    files: Annotated[
        list[str] | None, typer.Option("--files", help="Format of the model files, onnx or tflite; both by default.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the draw, of the weights and of the order.")] = 0,
    out: Annotated[Path | None, typer.Option("--out", help=f"New or empty folder; {PLANS}/DEVICE.")] = None,
    data: Data = None,
    form: Annotated[PlanFormat, typer.Option("--format", help="Form of what is printed.")] = "table",
) -> None:
    """Choose kernels that say most about networks, and write them as small model files with a plan to measure them.

    Example: deepen plan --device my-board --rows 20 --for mobilenet.onnx --out plan
    """
    with steps("Planning") as step:
        written = api.plan(
            device, n_rows, networks=networks or (), inputs=inputs or (), runtime=runtime, system=system,
            delegate=delegate, dtype=dtype, formats=files or (), seed=seed, out=out, data=data,
            on_step=step,
        )  # fmt: skip
    if form == "json":
        print_json(written.plan.as_json())
    else:
        _print_plan(written)


def _print_plan(written: "api.WrittenPlan") -> None:
    found = written.plan
    rows = []
    for kernel in found.kernels:
        window = "" if kernel.kernel_h is None else f"{kernel.kernel_h}x{kernel.kernel_w}"
        costs = (f"{kernel.flops:,}", f"{kernel.bytes_moved:,}")
        shares = (share_in_words(kernel.weight), f"{kernel.variance_left:.1%}")
        formats = " ".join(file.format for file in kernel.files)
        name = kernel.kernel if kernel.function is None else f"{kernel.kernel} ({kernel.function})"
        cout = "" if kernel.cout is None else str(kernel.cout)
        rows.append((name, api.input_in_words(kernel), cout, window, *costs, *shares, formats))
    print_table(_COLUMNS, rows, left=(*_COLUMNS[:4], "files"), width=160, title=f"To measure on {found.device_id}")
    typer.echo(
        f"{counted(found.n_measured, 'kernel')} measured before, {counted(len(rows), 'kernel')} of "
        f"{found.n_candidates} candidates chosen; variance of the targets: "
        f"{found.variance_measured:.1%} before, {found.kernels[-1].variance_left:.1%} after"
    )
    _print_networks(found)
    typer.echo(f"{counted(len(found.order), 'measurement')}, {found.order[0].id} first, in the middle and last")
    for item in found.left_out[:_MOST_LEFT_OUT]:
        typer.echo(f"  not alone: {item.n} {printable(item.kernel)}, {share_in_words(item.weight)}: {item.reason}")
    if len(found.left_out) > _MOST_LEFT_OUT:
        typer.echo(f"  and {len(found.left_out) - _MOST_LEFT_OUT} more kinds of kernels in plan.json")
    n_files = sum(len(kernel.files) for kernel in found.kernels) + sum(each.file is not None for each in found.networks)
    size = f"{written.n_bytes / 1e6:,.1f} MB"
    typer.echo(f"{(written.folder / 'plan.json').as_posix()}, {counted(n_files, 'model file')}, {size}")


def _print_networks(found: "api.Plan") -> None:
    """Print what the targets are, and what a reader could take them to be by mistake."""
    whole = [each for each in found.networks if each.file is not None]
    typer.echo(f"for {counted(len(found.networks), 'network')}, {len(whole)} of them measured as a whole too")
    for network in found.networks:
        if network.dtype != found.dtype:
            typer.echo(
                f"  {printable(network.model)} runs in {network.dtype}; its kernels are planned in {found.dtype}"
            )
