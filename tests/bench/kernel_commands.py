"""Processor time of `deepen kernels` on small, long and heavy models, each beside what a user could run instead."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
from onnx import numpy_helper
from rich.console import Console
from rich.table import Table

from harness.graphs.families.builder import NetworkBuilder
from harness.graphs.families.tiny import resnet8
from tests.bench.timing import processor_time

N_OPERATORS = 20_000
N_OF_BLOCK = 7
N_HEAVY = 25
HEAVY_WIDTH = 2_000
"""Fully connected layers of so many features in and out: 16 MB each."""
N_RUNS = 5
DEEPEN = (sys.executable, "-c", "from harness.cli import main; main()")
INFER = "import onnx, sys; onnx.shape_inference.infer_shapes(onnx.load(sys.argv[1]))"
READ = "import sys; open(sys.argv[1], 'rb').read()"


class Run(NamedTuple):
    """A command and its alternative.

    Attributes:
        name: what is measured.
        command: arguments of `deepen`.
        alternative: what the alternative does.
        code: Python code of the alternative.
        arguments: its arguments.
    """

    name: str
    command: tuple[str, ...]
    alternative: str
    code: str
    arguments: tuple[str, ...] = ()


def deep_network() -> onnx.ModelProto:
    """Residual blocks of two convolutions, as many as have so many operators."""
    net = NetworkBuilder("deep", 16, 16, 8)
    x = net.input
    for _ in range(-(-N_OPERATORS // N_OF_BLOCK)):
        x = net.add(net.conv(net.conv(x, 8, 3), 8, 3, act=None), x, act="relu")
    return net.model(x)


def heavy_network() -> onnx.ModelProto:
    """Fully connected layers whose weights are 400 MB."""
    net = NetworkBuilder("heavy", 1, 1, HEAVY_WIDTH)
    x = net.input
    for _ in range(N_HEAVY):
        x = net.fc(x, HEAVY_WIDTH)
    return net.model(x)


def with_values(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with values for the weights, which the families only declare after the input."""
    rng = np.random.default_rng(0)
    declared = list(model.graph.input[1:])
    del model.graph.input[1:]
    for info in declared:
        extents = [dim.dim_value for dim in info.type.tensor_type.shape.dim]
        model.graph.initializer.append(numpy_helper.from_array(rng.random(extents, np.float32), info.name))
    return model


def runs_in(folder: Path) -> Iterator[Run]:
    """What is measured, after the models are written into a folder."""
    yield Run("--help", ("--help",), "import typer", "import typer")
    models = {"ResNet8": resnet8("resnet8"), f"{N_OPERATORS:,} operators": deep_network()}
    for name, model in models.items():
        file = folder / f"{model.graph.name}.onnx"
        onnx.save(with_values(model), file)
        yield Run(f"kernels, {name}", ("kernels", str(file)), "onnx.load, infer_shapes", INFER, (str(file),))
    file = folder / "heavy.onnx"
    onnx.save(with_values(heavy_network()), file)
    n_bytes = file.stat().st_size
    yield Run(f"kernels, {n_bytes / 1e6:,.0f} MB", ("kernels", str(file)), "read of the file", READ, (str(file),))


def print_commands(console: Console) -> None:
    """Print the least processor time of several runs of each, and the ratio."""
    table = Table(title="Processor time of commands")
    for heading in ("deepen", "seconds", "alternative", "its seconds", "ratio"):
        table.add_column(heading, justify="left" if heading in ("deepen", "alternative") else "right")
    with tempfile.TemporaryDirectory() as folder:
        for run in runs_in(Path(folder)):
            seconds = processor_time((*DEEPEN, *run.command), N_RUNS)
            other = processor_time((sys.executable, "-c", run.code, *run.arguments), N_RUNS)
            cells = (f"{seconds:.2f}", run.alternative, f"{other:.2f}", f"{seconds / other:.1f} x")
            table.add_row(run.name, *cells)
    console.print(table)
