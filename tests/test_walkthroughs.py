"""Pages that walk through a measurement: their commands run on small files and print what the page shows.

`--update-golden` writes the present output into the pages.
"""

import re
import shlex

import pytest
import yaml

from harness.cli import main
from harness.validation import validate
from tests.test_layers import ROOT
from tests.walkthroughs import WRITERS

BLOCK = re.compile(r"```console\n(.*?)```\n", re.DOTALL)
COMMAND = re.compile(r"\$ (deepen (?:.*\\\n)*.*)\n")


def page_of(name):
    return ROOT / "site" / f"{name}.md"


@pytest.fixture
def printed(tmp_path, monkeypatch, capfd):
    """Run a command line of a page in a folder with its files; what it prints."""
    monkeypatch.chdir(tmp_path)

    def run(command):
        monkeypatch.setattr("sys.argv", shlex.split(command.replace("\\\n", " ")))
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        assert (ended.value.code or 0, err) == (0, "")
        return out

    return run


def replayed(text, run):
    """A page with the output of each of its commands as it is now."""

    def block(match):
        commands = COMMAND.findall(match[1])
        return "```console\n" + "".join(f"$ {command}\n{run(command)}" for command in commands) + "```\n"

    return BLOCK.sub(block, text)


@pytest.mark.parametrize("name", WRITERS)
def test_commands_of_a_page_print_what_it_shows(name, tmp_path, printed, update_golden):
    WRITERS[name](tmp_path)
    text = page_of(name).read_text(encoding="utf-8")
    now = replayed(text, printed)
    if update_golden:
        page_of(name).write_text(now, encoding="utf-8")
        text = now
    assert now == text


@pytest.mark.parametrize("name", WRITERS)
def test_page_leads_from_files_to_a_submission_in_three_commands(name, tmp_path, printed):
    WRITERS[name](tmp_path)
    commands = COMMAND.findall(page_of(name).read_text(encoding="utf-8"))
    assert len(commands) == 3
    for command in commands:
        printed(command)
    validated = validate([tmp_path / "submissions"])
    assert not validated.report.n_errors
    (campaign,) = validated.campaigns
    assert campaign.tables["models"].num_rows == 1
    stated = [*campaign.manifest.contributors, campaign.manifest.runtime, campaign.device.name]
    assert "not stated" not in stated


@pytest.mark.parametrize("name", WRITERS)
def test_page_is_in_the_navigation(name):
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert f"{name}.md" in navigation
    assert yaml.safe_load(re.sub(r"!!\S+", "", navigation))
