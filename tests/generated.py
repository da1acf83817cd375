"""Documents that are committed and made from the code; `make regenerate` writes them by `python -m tests.generated`."""

from collections.abc import Callable, Mapping

import typer
from typer.cli import get_docs_for_click

from harness.cli import app
from tests.architecture import with_picture
from tests.review.attempts import ATTEMPTS, SUBJECTS
from tests.test_layers import ROOT

_BEGIN, _END = "<!-- attempts: begin -->\n", "<!-- attempts: end -->\n"

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
    text = (ROOT / "docs" / "honesty.md").read_text(encoding="utf-8")
    lines = ["| | attempt | rule | caught as |", "|---|---|---|---|"]
    lines += [f"| {SUBJECTS[each.family]} | {each.what} | `{each.rule}` | {each.caught_as} |" for each in ATTEMPTS]
    before, after = text.split(_BEGIN)
    table = "\n".join(lines)
    return f"{before}{_BEGIN}\n{table}\n\n{_END}{after.split(_END)[1]}"


DOCUMENTS: Mapping[str, Callable[[], str]] = {
    "ARCHITECTURE.md": architecture,
    "docs/honesty.md": honesty,
    "site/cli.md": command_reference,
}


if __name__ == "__main__":
    for name, content in DOCUMENTS.items():
        (ROOT / name).write_text(content(), encoding="utf-8")
