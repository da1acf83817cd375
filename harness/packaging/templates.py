"""Templates of cards: Markdown in which every value that is not marked as Markdown is escaped."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.exceptions import TemplateError

from harness.errors import ReleaseError
from harness.schema.export import Markdown, code_span, escape_markdown, markdown_table


def render_card(cards: Path, name: str, facts: dict[str, Any]) -> str:
    """Text of a card.

    Args:
        cards: folder of the templates.
        name: file of the template.
        facts: variables of the template; every table is a list of rows whose keys are its header.

    Raises:
        ReleaseError: the template is missing or broken.
    """
    environment = Environment(
        loader=FileSystemLoader(cards),
        undefined=StrictUndefined,
        finalize=escape_markdown,
        autoescape=False,  # noqa: S701  the output is Markdown; finalize escapes whatever is not marked as such
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "code": code_span,
        "percent": "{:.0%}".format,
        "table": markdown_table,
        "verbatim": _verbatim,
    }
    try:
        return environment.get_template(name).render(facts)
    except TemplateError as error:
        raise ReleaseError(f"{cards / name}: {error!r}") from error


def _verbatim(value: object) -> Markdown:
    """Text for the inside of a code block, which it must not end."""
    return Markdown(str(value).replace("```", ""))
