"""Kernel lists of the repository's own campaigns, written again from the networks that they describe.

Run as `python -m harness.regenerate` in the root of the checkout. A change to kernel types, costs, operators or fusion
rules makes committed kernel lists stale. Energies and other files stay as they are, and nothing is simulated.
"""

import csv
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, cast

import typer

from harness.errors import DeepenError, UsageError
from harness.graphs.families.kernel_lists import RUNTIME
from harness.graphs.families.named import NAMED
from harness.graphs.families.tiny import TINY_NETWORKS, tiny_network
from harness.graphs.families.variants import Variant, variant_network
from harness.schema.networks import network_json
from harness.schema.vocabulary import Dtype
from harness.scoring.editions import editions
from harness.simulation.accelerators import accelerators
from harness.validation.layout import MANIFEST_FILE, NETWORKS_FOLDER, SHARED_FOLDER

COMMAND: Final = "make regenerate"
"""What people run."""
_TABLE: Final = "models.csv"
_TAKES: Final = re.compile(r"^kernel_lists: *([\w.-]+) *$", re.ASCII | re.MULTILINE)
"""Line of a submission.yaml that names the folder of shared kernel lists."""


def committed_networks(submissions: Path) -> Iterator[tuple[Path, str]]:
    """Kernel lists of the founding submissions of editions, of the simulated campaigns, and those that are shared.

    Of the founding submissions, those are meant that run networks of MLPerf Tiny. Kernel lists that others contribute
    are theirs.

    Args:
        submissions: folder of all submissions.

    Yields:
        File of a kernel list and the contents that it should have, in alphabetical order of campaigns.

    Raises:
        UsageError: a simulated campaign has a row of a network that is no variant of a family.
    """
    founding = sorted(name for edition in editions() for name in edition.founding)
    for table in (submissions / name / _TABLE for name in founding):
        for row in _rows(table) if table.is_file() else ():
            if row["model"] in TINY_NETWORKS:
                yield _file(table, row["model"]), _tiny_text(row["model"], row["dtype"])
    simulated = (table for place in accelerators() for table in submissions.glob(f"{place.id}/zigzag-*/{_TABLE}"))
    for table in sorted(simulated):
        for row in _rows(table):
            yield _file(table, row["model"]), _variant_text(row["family"], row["variant"], row["dtype"])
    yield from _shared_networks(submissions)


def _shared_networks(submissions: Path) -> Iterator[tuple[Path, str]]:
    """Shared kernel lists that campaigns take, of networks that the harness builds."""
    taken = set()
    for manifest in submissions.glob(f"*/*/{MANIFEST_FILE}"):
        runtime = _TAKES.search(manifest.read_text(encoding="utf-8"))
        table = manifest.parent / _TABLE
        if runtime is None or not table.is_file():
            continue
        for row in _rows(table):
            if (row["family"], row["variant"]) in NAMED and not _file(table, row["model"]).exists():
                taken.add((runtime[1], row["model"], row["family"], row["variant"]))
    for runtime_name, model, family, variant in sorted(taken):
        file = submissions / SHARED_FOLDER / runtime_name / f"{model}.json"
        yield file, _variant_text(family, variant, "fp32", runtime_name)


def stale_networks(submissions: Path) -> list[tuple[Path, str]]:
    """Kernel lists that are missing or differ from what they should be, with the contents that they should have."""
    return [
        (file, text)
        for file, text in committed_networks(submissions)
        if not file.is_file() or file.read_text(encoding="utf-8") != text
    ]


def regenerate_networks(submissions: Path) -> list[Path]:
    """Write every kernel list that is stale.

    Args:
        submissions: folder of all submissions.

    Returns:
        Files that were written; none where all were up to date.
    """
    written = []
    for file, text in stale_networks(submissions):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")
        written.append(file)
    return written


def _rows(table: Path) -> list[dict[str, str]]:
    with table.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _file(table: Path, model: str) -> Path:
    return table.parent / NETWORKS_FOLDER / f"{model}.json"


@cache
def _tiny_text(model: str, dtype: str) -> str:
    return network_json(tiny_network(model, cast("Dtype", dtype)))


@cache
def _variant_text(family: str, variant: str, dtype: str, runtime: str = RUNTIME) -> str:
    return network_json(variant_network(Variant.named(family, variant), cast("Dtype", dtype), runtime))


def main() -> None:
    """Rewrite stale kernel lists below `submissions`, and print which."""
    submissions = Path("submissions")
    try:
        if not submissions.is_dir():
            raise UsageError("there is no folder submissions; run this in the root of the checkout")
        written = regenerate_networks(submissions)
    except DeepenError as error:
        sys.exit(f"error: {error}")
    for file in written:
        typer.echo(file.as_posix())
    typer.echo(f"{len(written)} kernel lists rewritten" if written else "kernel lists are up to date")


if __name__ == "__main__":
    main()
