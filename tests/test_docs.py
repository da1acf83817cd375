"""Documents of the repository: their links lead somewhere, and their commands exist."""

import subprocess
from pathlib import Path

import pytest
import typer

from harness.cli import app
from tests.documents import code_spans, command_lines, heading_ids, links
from tests.test_layers import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob(".github/*.md")])
PAGES = sorted(ROOT.glob("site/*.md"))
COMMANDS = typer.main.get_command(app)


def printed(*command):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def tracked(paths):
    """Files that are written by hand; pages that `deepen site` wrote are ignored by git."""
    names = set(printed("git", "ls-files", "-co", "--exclude-standard").stdout.splitlines())
    return [path for path in paths if not names or path.relative_to(ROOT).as_posix() in names]


WRITTEN = tracked([*DOCUMENTS, *PAGES])


def named(path):
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_every_internal_link_resolves(document):
    for link in links(document.read_text(encoding="utf-8")):
        file, _, anchor = link.address.partition("#")
        if ":" in file:
            continue
        target = document.parent / file if file else document
        assert target.exists(), f"{named(document)} links to {file}, which does not exist"
        if anchor:
            assert anchor in heading_ids(target.read_text(encoding="utf-8")), f"{file} has no heading #{anchor}"


def commands_in(document):
    """Command lines of `deepen` in a document, without the path of the program."""
    text = document.read_text(encoding="utf-8")
    spans = [span.split() for span in code_spans(text) if span.startswith("deepen ")]
    lines = [[Path(words[0]).name, *words[1:]] for words in command_lines(text)]
    return [words[1:] for words in [*lines, *spans] if words[0] == "deepen" and len(words) > 1]


@pytest.mark.parametrize("document", WRITTEN, ids=named)
def test_every_command_and_option_that_is_shown_exists(document):
    for name, *arguments in commands_in(document):
        if name in COMMANDS.params[0].opts:
            continue
        assert name in COMMANDS.commands, f"{named(document)} shows deepen {name}"
        options = {option for parameter in COMMANDS.commands[name].params for option in parameter.opts} | {"--help"}
        shown = {word.partition("=")[0] for word in arguments if word.startswith("--")}
        assert shown <= options, f"{named(document)} shows deepen {name} with {sorted(shown - options)}"


@pytest.mark.parametrize("name", sorted(COMMANDS.commands))
def test_every_argument_and_option_has_its_help(name):
    silent = [parameter.name for parameter in COMMANDS.commands[name].params if not getattr(parameter, "help", "")]
    assert silent == []


@pytest.mark.parametrize("document", WRITTEN, ids=named)
def test_every_make_target_that_is_shown_exists(document):
    text = document.read_text(encoding="utf-8")
    lines = [*command_lines(text), *(span.split() for span in code_spans(text))]
    for target in sorted({words[1] for words in lines if words[0] == "make" and len(words) == 2}):
        asked = printed("make", "--dry-run", target)
        assert asked.returncode == 0, f"{named(document)} shows make {target}: {asked.stderr}"


def test_readme_keeps_its_two_commands():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert command_lines(readme)[:2] == [["make", "publish"], ["make", "test"]]
