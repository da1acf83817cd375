"""Versions that follow the code: a digest of modules without their comments and docstrings.

Rewording a comment or a docstring changes no version; any other change of a module does.
"""

import ast
import hashlib
import io
import tokenize
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from token import tok_name
from typing import Final, NamedTuple

N_DIGITS: Final = 12
"""Hexadecimal digits of a version."""


class _Span(NamedTuple):
    """Part of a text, by row and column from 0; the end is exclusive."""

    row: int
    column: int
    end_row: int
    end_column: int


def code_version(modules: Iterable[str]) -> str:
    """Version of the code of modules: `N_DIGITS` hexadecimal digits.

    Args:
        modules: full names; their order does not matter.
    """
    return code_digest({module: _source_of(module) for module in modules})


def code_digest(sources: Mapping[str, str]) -> str:
    """Version of the code of modules, from their sources by name.

    Raises:
        SyntaxError: a source is not Python.

    >>> code_digest({"a": "x = 1\\n"}) == code_digest({"a": "x = 1  # one\\n"})
    True
    >>> code_digest({"a": "x = 1\\n"}) == code_digest({"a": "x = 2\\n"})
    False
    """
    digest = hashlib.sha256()
    for name in sorted(sources):
        code = code_of(sources[name]).encode()
        digest.update(f"{name}\0{len(code)}\0".encode() + code)
    return digest.hexdigest()[:N_DIGITS]


def code_of(source: str) -> str:
    r"""Source without comments, docstrings, blank lines and trailing space.

    A string that stands alone as a statement counts as a docstring, wherever it is. Lines within other strings stay
    as they are. Positions come from `tokenize` and `ast`, not from `ast.unparse`, so that every version of Python
    gives the same.

    Raises:
        SyntaxError: the source is not Python.

    >>> code_of("def two():  # 1 + 1\n    'A docstring.'\n\n    return 2\n")
    'def two():\n    return 2\n'
    """
    lines = source.split("\n")
    within_strings, comments = _tokens(source)
    for row, column, end_row, end_column in sorted([*comments, *_docstrings(source, lines)], reverse=True):
        lines[row] = lines[row][:column] + lines[end_row][end_column:]
        lines[row + 1 : end_row + 1] = [""] * (end_row - row)
        within_strings -= set(range(row, end_row))
    stripped = (line if row in within_strings else line.rstrip() for row, line in enumerate(lines))
    return "".join(f"{line}\n" for row, line in enumerate(stripped) if line or row in within_strings)


def _tokens(source: str) -> tuple[set[int], list[_Span]]:
    """Rows that end within a string, and the comments."""
    within_strings: set[int] = set()
    comments: list[_Span] = []
    open_strings: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        kind, row, end_row = tok_name[token.type], token.start[0] - 1, token.end[0] - 1
        if kind == "COMMENT":
            comments.append(_Span(row, token.start[1], end_row, token.end[1]))
        elif kind == "STRING":
            within_strings.update(range(row, end_row))
        # Python 3.12 and later divide an f-string into tokens.
        elif kind == "FSTRING_START":
            open_strings.append(row)
        elif kind == "FSTRING_END":
            within_strings.update(range(open_strings.pop(), end_row))
    return within_strings, comments


def _docstrings(source: str, lines: Sequence[str]) -> Iterator[_Span]:
    """Strings that are statements; `ast` counts columns in bytes."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            row, end_row = node.lineno - 1, (node.end_lineno or node.lineno) - 1
            column, end_column = _column(lines[row], node.col_offset), _column(lines[end_row], node.end_col_offset or 0)
            yield _Span(row, column, end_row, end_column)


def _column(line: str, n_bytes: int) -> int:
    return len(line.encode()[:n_bytes].decode())


def _source_of(module: str) -> str:
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"no source of {module}", name=module)
    return Path(spec.origin).read_text(encoding="utf-8")
