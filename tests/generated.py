"""Documents that are committed and made from the code; `make regenerate` writes them by `python -m tests.generated`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import get_args

import typer
from typer.cli import get_docs_for_click

from harness.cli import app
from harness.predictor.features import FEATURES, LABEL
from harness.schema.columns import columns_of
from harness.schema.records import RECORDS
from harness.schema.vocabulary import KERNEL_ALLOWS, KERNEL_FUNCTIONS, KERNEL_REQUIRES, Kernel
from tests.architecture import with_picture
from tests.review.attempts import ATTEMPTS, SUBJECTS
from tests.test_layers import ROOT

_ABOUT_COMMANDS = """---
title: Command line
---

<!-- Written by `make regenerate` from the declarations in harness/cli/. -->

"""


def architecture() -> str:
    """ARCHITECTURE.md with the picture of today."""
    return with_picture((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"))


def command_reference() -> str:
    """Every command with its arguments and options."""
    command = typer.main.get_command(app)
    docs = get_docs_for_click(obj=command, ctx=typer.Context(command, info_name="deepen"), name="deepen")
    return f"{_ABOUT_COMMANDS}{docs.strip()}\n"


def honesty() -> str:
    """Table of attempts between its marks, from the tests that make them."""
    rows = [(SUBJECTS[each.family], each.what, f"`{each.rule}`", each.caught_as) for each in ATTEMPTS]
    text = (ROOT / "docs" / "honesty.md").read_text(encoding="utf-8")
    return _with_table(text, "attempts", ("", "attempt", "rule", "caught as"), rows)


def predictor_reference() -> str:
    """Tables of the columns that predictors get, and of those of each kernel type, from their declarations."""
    columns = columns_of(RECORDS["kernels"])
    quantities = {name: columns[name].quantity for name in (*FEATURES, LABEL)}
    rows = [(f"`{name}`", quantity.sentence, quantity.unit) for name, quantity in quantities.items()]
    text = (ROOT / "site" / "predictor-reference.md").read_text(encoding="utf-8")
    text = _with_table(text, "features", ("column", "meaning", "unit"), rows)
    heads = ("kernel type", "always has", "may have", "functions")
    return _with_table(text, "kernel types", heads, [_kernel_type(kernel) for kernel in get_args(Kernel)])


def _kernel_type(kernel: Kernel) -> tuple[str, ...]:
    required, allowed = KERNEL_REQUIRES[kernel], KERNEL_ALLOWS[kernel]
    parts = required, [name for name in allowed if name not in required], KERNEL_FUNCTIONS.get(kernel, ())
    return f"`{kernel}`", *(", ".join(f"`{name}`" for name in names) for names in parts)


def _with_table(text: str, mark: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A document with the table between its marks written anew."""
    begin, end = f"<!-- {mark}: begin -->\n", f"<!-- {mark}: end -->\n"
    before, after = text.split(begin)
    lines = [f"|{'|'.join(f' {cell} ' if cell else ' ' for cell in cells)}|" for cells in (heads, *rows)]
    lines.insert(1, f"|{'---|' * len(heads)}")
    table = "\n".join(lines)
    return f"{before}{begin}\n{table}\n\n{end}{after.split(end)[1]}"


DOCUMENTS: Mapping[str, Callable[[], str]] = {
    "ARCHITECTURE.md": architecture,
    "docs/honesty.md": honesty,
    "site/cli.md": command_reference,
    "site/predictor-reference.md": predictor_reference,
}


if __name__ == "__main__":
    for name, content in DOCUMENTS.items():
        (ROOT / name).write_text(content(), encoding="utf-8")
