"""What the code declares has its place on the pages: objects are compared with tables, not words with patterns."""

import inspect
from html import unescape
from typing import get_args

import pytest

from harness import api
from harness.graphs.fusion_rules import runtime_names
from harness.intake.formats import intake_formats
from harness.pages.rules import RuleDoc
from harness.predictor.registry import predictors_in
from harness.releases import assemble
from harness.schema.columns import columns_of
from harness.schema.records import ROWS
from harness.schema.vocabulary import LEVELS, Kernel
from harness.scoring.editions import editions
from harness.traces.formats import trace_formats
from harness.validation import RULES
from harness.validation.layout import (
    DEVICE_FILE,
    LEVEL_FILES,
    MANIFEST_FILE,
    NETWORKS_FOLDER,
    SHARED_FOLDER,
    TRACES_FOLDER,
)
from tests.campaigns import phone_campaign
from tests.documents import code_spans, first_cells, heading_names, section
from tests.pages.conftest import copy_of_site, write_site
from tests.test_layers import ROOT


def page(name):
    return (ROOT / "site" / f"{name}.md").read_text(encoding="utf-8")


def test_every_intake_format_has_its_row():
    assert sorted(first_cells(section(page("intake"), "Formats"))) == sorted(intake_formats())


def test_every_trace_format_has_its_row():
    assert sorted(first_cells(section(page("intake"), "Trace formats"))) == sorted(trace_formats())


def test_every_runtime_has_its_column():
    assert set(runtime_names()) <= set(code_spans(section(page("kernels"), "Runtimes")))


def test_every_kernel_type_has_its_row_among_what_is_simulated():
    assert sorted(first_cells(section(page("simulation"), "What is simulated"))) == sorted(
        [*get_args(Kernel), *(path.name for path in (ROOT / "submissions").glob("zigzag-*"))]
    )


def test_every_file_of_a_submission_has_its_row():
    lists = {f"{NETWORKS_FOLDER}/MODEL.json", f"{SHARED_FOLDER}/RUNTIME/MODEL.json"}
    files = {DEVICE_FILE, MANIFEST_FILE, *LEVEL_FILES, *lists, f"{TRACES_FOLDER}/"}
    assert set(first_cells(section(page("submit"), "Layout"))) == files


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """Pages of a small release with all rules."""
    rules = [RuleDoc(rule.rule, rule.severity, rule.summary, rule.why, subject=rule.subject) for rule in RULES.values()]
    site = copy_of_site(tmp_path_factory.mktemp("documented"))
    write_site(assemble([phone_campaign()]), site, rules)
    return site


def test_every_rule_has_its_heading(generated):
    headings = heading_names((generated / "rules.md").read_text(encoding="utf-8"))
    assert [heading for heading in headings if heading in RULES] == list(RULES)


@pytest.mark.parametrize("level", LEVELS)
def test_every_column_is_on_the_page_of_the_schema(generated, level):
    part = unescape(section((generated / "schema.md").read_text(encoding="utf-8"), f"{level}.csv"))
    for column in columns_of(ROWS[level]):
        assert f">{column}<" in part, f"the page of the schema lacks {column}"


def test_every_edition_is_on_the_page_of_the_scale(generated):
    text = (generated / "scale.md").read_text(encoding="utf-8")
    assert all(edition.title in text for edition in editions())


def test_every_api_file_has_its_row(generated):
    files = {f"/{path.relative_to(generated).as_posix()}" for path in (generated / "api").rglob("*.json")}
    assert files == {span for span in code_spans(page("api")) if span.startswith("/api/")}


def test_every_predictor_of_the_changelog_exists():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert set(predictors_in()) <= set(code_spans(changelog))


def test_every_function_of_the_api_is_on_its_page():
    functions = [getattr(api, name) for name in api.__all__ if inspect.isfunction(getattr(api, name))]
    own = {function.__module__ for function in functions if function.__module__.startswith("harness.api.")}
    shown = {line.removeprefix("::: ") for line in page("python").splitlines() if line.startswith("::: ")}
    assert own | {"deepen.predict", "harness.prediction.network_energy.NetworkEnergy"} == shown
