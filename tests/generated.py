"""Documents that are committed and made from the code; `make regenerate` writes them by `python -m tests.generated`."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import typer
from typer.cli import get_docs_for_click

from harness.cli import app
from harness.predictor.features import FEATURES, LABEL, NUMBERS
from harness.schema.columns import columns_of
from harness.schema.records import RECORDS
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
    return _with_table("docs/honesty.md", "attempts", ("", "attempt", "rule", "caught as"), rows)


def predictor_reference() -> str:
    """Table of the columns that predictors get, from their declaration."""
    columns = columns_of(RECORDS["kernels"])
    rows = [
        (f"`{name}`", columns[name].quantity.unit, "number" if name in (*NUMBERS, LABEL) else "word",
         columns[name].quantity.sentence)
        for name in (*FEATURES, LABEL)
    ]  # fmt: skip
    return _with_table("site/predictor-reference.md", "features", ("column", "unit", "kind", "meaning"), rows)


def _with_table(document: str, mark: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A document with the table between its marks written anew."""
    begin, end = f"<!-- {mark}: begin -->\n", f"<!-- {mark}: end -->\n"
    before, after = (ROOT / document).read_text(encoding="utf-8").split(begin)
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, *rows))
    table = table.replace("\n", f"\n|{'---|' * len(heads)}\n", 1).replace("|  |", "| |")
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
