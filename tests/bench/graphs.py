"""Kernel lists: how time grows with the operators of a network, and what the nine families and the command take."""

import math

from rich.console import Console
from rich.table import Table

from harness.graphs.families.phone import PHONE_FAMILIES
from harness.graphs.families.variants import variants_of
from harness.graphs.fusion import fuse
from harness.graphs.fusion_rules import read_runtime
from harness.graphs.graph import Graph
from harness.graphs.kernels import kernel_list
from harness.graphs.onnx_reader import graph_of_onnx
from harness.graphs.runtime_files import runtime_names
from harness.graphs.sizes import Sizes
from tests.bench.kernel_commands import print_commands
from tests.bench.timing import best_time
from tests.graphs.graphs import long_graph

SIZES = (1_000, 3_000, 10_000)
N_SEARCHED = 1_000


def by_search(graph: Graph) -> int:
    """What a short script does: look for the readers of every tensor among all operators."""
    return sum(
        sum(tensor in other.inputs for other in graph.nodes) == 1 for node in graph.nodes for tensor in node.outputs
    )


def print_growth(console: Console) -> None:
    """Time of a kernel list by number of operators, beside what n log n would give from the fewest."""
    table = Table(title="kernel list by number of operators")
    for heading in ("runtime", "operators", "kernels", "seconds", "growth", "n log n"):
        table.add_column(heading, justify="left" if heading == "runtime" else "right")
    graphs = {n: long_graph(n) for n in SIZES}
    for name in runtime_names():
        runtime = read_runtime(name)
        first = None
        for n, graph in graphs.items():
            seconds = best_time(lambda graph=graph, runtime=runtime: kernel_list(graph, runtime), 3)
            first = first or seconds
            expected = n * math.log(n) / (SIZES[0] * math.log(SIZES[0]))
            n_kernels = len(fuse(graph, runtime, Sizes(graph)).groups)
            cells = (f"{len(graph.nodes):,}", f"{n_kernels:,}", f"{seconds:.3f}", f"{seconds / first:.1f} x")
            table.add_row(name, *cells, f"{expected:.1f} x")
    console.print(table)
    searched = best_time(lambda: by_search(graphs[N_SEARCHED]), 1)
    console.print(f"readers alone by a search over all operators, {N_SEARCHED:,} operators: {searched:.3f} seconds")


def print_families(console: Console) -> None:
    """Time from a model in memory to its kernel list, for the published network of each family."""
    table = Table(title="model families, as published, tflite-cpu")
    for heading in ("family", "operators", "kernels", "build s", "read s", "kernels s"):
        table.add_column(heading, justify="left" if heading == "family" else "right")
    runtime = read_runtime("tflite-cpu")
    for variant in variants_of(PHONE_FAMILIES, 1, 0):
        model = variant.build()
        graph = graph_of_onnx(model, variant.model)
        seconds = (
            best_time(variant.build, 3),
            best_time(lambda model=model, variant=variant: graph_of_onnx(model, variant.model), 3),
            best_time(lambda graph=graph: kernel_list(graph, runtime), 3),
        )
        n_kernels = len(kernel_list(graph, runtime).kernels)
        table.add_row(variant.family, str(len(graph.nodes)), str(n_kernels), *(f"{taken:.3f}" for taken in seconds))
    console.print(table)


def main(console: Console) -> None:
    """Measure and print."""
    print_growth(console)
    print_families(console)
    print_commands(console)
