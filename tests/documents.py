"""Markdown as documents of this repository are read in tests: links, code, tables and commands."""

import shlex
from collections.abc import Iterator
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

_PARSER = MarkdownIt("commonmark").enable("table")


class Link(NamedTuple):
    """Words, whether they are code, and address of a link."""

    words: str
    is_code: bool
    address: str


def _inline(tokens: list[Token]) -> Iterator[list[Token]]:
    return (token.children or [] for token in tokens if token.type == "inline")


def links(text: str) -> list[Link]:
    """Links in order; images are links without words.

    >>> links("See [`rate`](a.py) and ![](b.png).")
    [Link(words='rate', is_code=True, address='a.py'), Link(words='', is_code=False, address='b.png')]
    """
    found = []
    for children in _inline(_PARSER.parse(text)):
        for place, token in enumerate(children):
            if token.type == "image":
                found.append(Link("", False, str(token.attrs["src"])))
            if token.type == "link_open":
                words = children[place + 1]
                found.append(Link(words.content, words.type == "code_inline", str(token.attrs["href"])))
    return found


def section(text: str, heading: str) -> str:
    """The document from a heading to the next of its level or above.

    >>> section("# A\\n\\none\\n\\n## B { #b }\\n\\ntwo\\n\\n## C\\n", "B")
    '## B { #b }\\n\\ntwo\\n\\n'
    """
    lines = text.splitlines(keepends=True)
    headings = _headings(text)
    for place, (line, level, title) in enumerate(headings):
        if title == heading:
            end = next((later for later, other, _ in headings[place + 1 :] if other <= level), len(lines))
            return "".join(lines[line:end])
    raise LookupError(f"no heading {heading!r}; there are {', '.join(title for *_, title in headings)}")


def _headings(text: str) -> list[tuple[int, int, str]]:
    """Line, level and words of every heading, without an identifier in braces."""
    tokens = _PARSER.parse(text)
    return [
        (token.map[0], int(token.tag[1:]), tokens[place + 1].content.split(" {")[0])
        for place, token in enumerate(tokens)
        if token.type == "heading_open" and token.markup.startswith("#") and token.map
    ]


def code_spans(text: str) -> list[str]:
    """Words set as code, in order.

    >>> code_spans("Use `a` or `b`.")
    ['a', 'b']
    """
    return [
        token.content for children in _inline(_PARSER.parse(text)) for token in children if token.type == "code_inline"
    ]


def first_cells(text: str) -> list[str]:
    """Code spans in the first cells of the rows of all tables.

    >>> first_cells("| name | what |\\n|---|---|\\n| `a`, `b` | `c` |\\n")
    ['a', 'b']
    """
    tokens = _PARSER.parse(text)
    found = []
    for place, token in enumerate(tokens):
        if token.type == "td_open" and tokens[place - 1].type == "tr_open":
            found += [child.content for child in tokens[place + 1].children or [] if child.type == "code_inline"]
    return found


def command_lines(text: str) -> list[list[str]]:
    """Words of every line of a shell block, without comments; lines that a backslash continues are one.

    >>> command_lines("```sh\\nmake test  # all\\ndeepen new a/b \\\\\\n  --level models\\n```\\n")
    [['make', 'test'], ['deepen', 'new', 'a/b', '--level', 'models']]
    """
    blocks = [token for token in _PARSER.parse(text) if token.type == "fence" and token.info in ("sh", "console")]
    lines = [line for block in blocks for line in block.content.replace("\\\n", " ").splitlines()]
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def heading_ids(text: str) -> set[str]:
    """Anchors of the headings as GitHub makes them.

    >>> sorted(heading_ids("# Four walks\\n\\n## A row, to `a` page\\n"))
    ['a-row-to-a-page', 'four-walks']
    """
    titles = [title.lower().replace(" ", "-") for *_, title in _headings(text)]
    return {"".join(letter for letter in title if letter.isalnum() or letter in "-_") for title in titles}


def heading_names(text: str) -> list[str]:
    """Words of every heading, in order.

    >>> heading_names("# A\\n\\n## B { #b }\\n")
    ['A', 'B']
    """
    return [title for *_, title in _headings(text)]
