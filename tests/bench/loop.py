"""What a contributor waits for: the command's help, one import, one test; as multiples of an empty Python."""

import sys

from rich.console import Console
from rich.table import Table

from tests.bench.timing import processor_time

PYTHON = sys.executable
RUNS = {
    "python -c pass": (PYTHON, "-c", "pass"),
    "import pandas": (PYTHON, "-c", "import pandas"),
    "import harness.api": (PYTHON, "-c", "import harness.api"),
    "deepen --help": (PYTHON, "-c", "from harness.cli import main; main()", "--help"),
    "pytest --version": (PYTHON, "-m", "pytest", "--version"),
    "one test of issues": (PYTHON, "-m", "pytest", "tests/test_issues.py"),
    "one test of traces": (PYTHON, "-m", "pytest", "tests/traces/test_clock.py"),
}


def main(console: Console) -> None:
    """Print processor times, the best of three runs."""
    seconds = {name: processor_time(command, 3) for name, command in RUNS.items()}
    table = Table(title="Processor time of what a contributor waits for")
    table.add_column("command")
    for heading in ("seconds", "times an empty Python"):
        table.add_column(heading, justify="right")
    for name, taken in seconds.items():
        table.add_row(name, f"{taken:.2f}", f"{taken / seconds['python -c pass']:.0f}")
    console.print(table)
