"""How the commands print: progress, tables, and JSON.

rich is imported where it draws, because it takes as long to import as everything else that `deepen --help` needs.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from math import floor, log10
from typing import TYPE_CHECKING, Any, Final

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from rich.console import Console
    from rich.progress import Progress

_MOST_DECIMALS: Final = 9


@contextmanager
def progress() -> Iterator[Progress]:
    """Progress bars on standard error, if a person looks on."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, TimeElapsedColumn(), console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        yield bar


@contextmanager
def steps(title: str) -> Iterator[Callable[[str, int | None], None]]:
    """Progress of a command; calling it names and counts a step, and sets the number of steps where it is known."""
    with progress() as bar:
        task, total = bar.add_task(title, total=None), None

        def step(name: str, n_steps: int | None) -> None:
            nonlocal task, total
            if n_steps != total:
                bar.remove_task(task)
                task, total = bar.add_task(title, total=n_steps), n_steps
            bar.update(task, advance=1, description=f"{title}: {name}")

        yield step


def print_table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], *, left: Collection[str], width: int, title: str = ""
) -> None:
    """Print a table.

    Args:
        headings: headings of the columns.
        rows: cells of each row.
        left: headings of the columns that are aligned on the left; the others are on the right.
        width: characters of a line where the output is no terminal.
        title: title above the table.
    """
    from rich.console import Console

    cells = [tuple(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    console = Console()
    # A pipe has no width of its own, and a table cut at 80 columns would lose figures.
    most = console.width if console.is_terminal else width
    is_plain = all(text.isascii() and text.isprintable() for text in map("".join, (headings, *cells)))
    if is_plain and not console.is_terminal and sum(widths) + 3 * len(widths) < most:
        lines = [(width, "<" if heading in left else ">") for width, heading in zip(widths, headings, strict=True)]
        _print_lines(console, (headings, *cells), lines, title)
        return
    from rich.table import Table
    from rich.text import Text

    console, table = Console(width=most, markup=False, emoji=False), Table()
    if title:
        # A title of the table itself would be broken at the width of the table.
        console.print(Text(title, "table.title"))
    for heading in headings:
        table.add_column(heading, justify="left" if heading in left else "right")
    for row in cells:
        table.add_row(*row)
    console.print(table)


def _print_lines(
    console: Console, rows: Sequence[Sequence[str]], columns: Sequence[tuple[int, str]], title: str
) -> None:
    """Print a table of plain text that fits the line as rich does, which takes a hundred times as long for it.

    Args:
        console: what is printed on.
        rows: cells of the headings, then of each row.
        columns: width and alignment of each column.
        title: title above the table.
    """
    from rich.box import HEAVY_HEAD

    box = HEAVY_HEAD.substitute(console.options)
    widths = [width + 2 for width, _ in columns]

    padded = [f" {{:{side}{width}}} " for width, side in columns]
    head = f"{box.head_left}{box.head_vertical.join(padded)}{box.head_right}".format(*rows[0])
    line = f"{box.mid_left}{box.mid_vertical.join(padded)}{box.mid_right}"
    body = [line.format(*row) for row in rows[1:]]
    shown = [box.get_top(widths), head, box.get_row(widths, "head"), *body, box.get_bottom(widths)]
    typer.echo("\n".join(([title] if title else []) + shown))


def decimals(uncertainty: float) -> int:
    """Decimal places that show two significant digits of an uncertainty.

    >>> decimals(0.0123), decimals(1.5), decimals(250.0), decimals(0.0)
    (3, 1, 0, 9)
    """
    return _MOST_DECIMALS if not uncertainty else min(max(1 - floor(log10(abs(uncertainty))), 0), _MOST_DECIMALS)


def print_json(content: Any) -> None:
    """Print an object as JSON."""
    typer.echo(json.dumps(content, indent=2, ensure_ascii=False))
