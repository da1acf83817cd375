"""The Python interface: what it exports, what importing it costs, and that the command adds nothing of its own."""

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness import api
from harness.api import publishing
from harness.errors import InvalidSubmissionsError, UsageError
from harness.packaging.build import BuiltDataset
from tests.validation.golden import BASE

ROOT = Path(__file__).parents[2]
HEAVY = ("altair", "datasets", "numpy", "onnx", "pandas", "pyarrow", "pydantic", "rich", "scipy", "sklearn")
FUNCTIONS = [name for name in api.__all__ if inspect.isfunction(getattr(api, name))]


def imported_names():
    """Names that the interface imports for readers and type checkers, by module."""
    (block,) = [node for node in ast.parse(Path(api.__file__).read_text("utf-8")).body if isinstance(node, ast.If)]
    return {node.module: tuple(alias.name for alias in node.names) for node in block.body}


def test_names_are_those_that_readers_see():
    assert imported_names() == api._NAMES
    assert sorted(api._HOMES) == sorted(api.__all__)


@pytest.mark.parametrize("name", api.__all__)
def test_every_name_is_there_and_documented(name):
    assert inspect.getdoc(getattr(api, name))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_says_its_types(name):
    signature = inspect.signature(getattr(api, name))
    assert signature.return_annotation is not signature.empty
    assert all(parameter.annotation is not parameter.empty for parameter in signature.parameters.values())


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'predikt'"):
        _ = api.predikt


def modules_after(code):
    """Modules that are loaded after some code, in a process of its own."""
    report = "import sys; print(*{name.partition('.')[0] for name in sys.modules}, sep='\\n')"
    command = [sys.executable, "-c", f"{code}\n{report}"]
    return set(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize("module", ["harness.api", "harness.cli"])
def test_importing_is_light(module):
    assert not modules_after(f"import {module}") & set(HEAVY)


@pytest.mark.parametrize(
    ("name", "unneeded"),
    [
        ("validate", ("altair", "datasets", "onnx", "sklearn")),
        ("kernels", ("altair", "datasets", "pandas", "scipy", "sklearn")),
        ("score", ("altair", "datasets", "onnx", "sklearn")),
        ("choose", ("altair", "datasets", "onnx", "rich", "sklearn")),
        ("predict", ("altair", "datasets")),
        ("evaluate", ("altair", "datasets", "onnx")),
    ],
)
def test_a_function_imports_only_what_it_needs(name, unneeded):
    assert not modules_after(f"from harness import api\napi.{name}") & set(unneeded)


def test_a_release_with_errors_is_refused_with_all_of_them(tmp_path):
    (tmp_path / "device" / "campaign").mkdir(parents=True)
    (tmp_path / "device" / "campaign" / "submission.yaml").write_text("title: [\n")
    with pytest.raises(InvalidSubmissionsError) as refused:
        api.read_release(tmp_path)
    assert "[yaml-syntax]" in str(refused.value)
    assert "[device-missing]" in str(refused.value)


def test_one_release_serves_several_questions():
    release = api.read_release([BASE])
    assert api.score(release) == api.score(BASE)


def test_progress_names_every_campaign_and_their_number():
    seen = []
    api.validate(BASE, on_step=lambda name, n_steps: seen.append((Path(name).name, n_steps)))
    assert seen == [("2026-10", 1)]


def test_publishing_rates_and_builds_once(monkeypatch, tmp_path):
    calls = []

    def counted(name, answer):
        def call(*arguments, **options):
            calls.append(name)
            return answer

        return call

    monkeypatch.setattr(publishing, "rate", counted("rate", []))
    dataset = BuiltDataset(
        "models", "1.0.0", is_dev=False, folder=None, n_rows=0, n_devices=0, content_sha256=None, difference=""
    )
    monkeypatch.setattr(publishing, "build_datasets", counted("build_datasets", [dataset]))
    monkeypatch.setattr(publishing, "_site", counted("site", tmp_path))
    published = api.publish(tmp_path, BASE)
    assert calls == ["build_datasets", "rate", "site"]
    assert (published.ratings, published.built.predictors, published.site) == ([], None, tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dtype": "int9"}, "'int9' is not a known data type; did you mean int8?"),
        ({"coverage": 90}, "coverage = 90; expected 0.01 to 0.999"),
        ({"coverage": float("nan")}, "coverage = nan; expected 0.01 to 0.999"),
        ({"at_least": 1.01}, "at_least = 1.01; expected 0 to 1"),
    ],
)
def test_an_argument_that_no_prediction_can_have_is_refused_in_words(arguments, message):
    with pytest.raises(UsageError, match=re.escape(message)):
        api.predict("net.onnx", "acme-phone", **arguments)


@pytest.mark.parametrize("function", [api.validate, api.score, api.read_release])
def test_what_is_not_a_path_is_refused_in_words(function):
    with pytest.raises(UsageError, match="5 is not a path; expected a path, or several"):
        function(5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: api.evaluate(tracks="kernls"), "'kernls' is not a known track; did you mean kernels?"),
        (lambda: api.evaluate(fit_seconds=0), "fit_seconds = 0; expected at least 0.1"),
        (lambda: api.families(n_variants=0), "n_variants = 0; expected at least 1"),
        (lambda: api.families(n_kernels=-1), "n_kernels = -1; expected at least 1"),
        (lambda: api.simulate(n_kernels=0), "n_kernels = 0; expected at least 1"),
        (lambda: api.new_submission("a", "b", "layers"), "'layers' is not a known level"),
        (lambda: api.severity_of("energy"), "'energy' is not a known rule"),
        (lambda: api.validate([]), "no path is given"),
        (lambda: api.choose("acme-phone", min_accuracy=101), "min_accuracy = 101; expected 0 to 100"),
        (lambda: api.choose("a", min_accuracy=70, dtype="int9"), "'int9' is not a known data type; did you mean int8?"),
        (lambda: api.families("ResNet19", n_variants=1), "'ResNet19' is not a known family; did you mean ResNet18?"),
        (lambda: api.families(networks="KWT/2"), "'2' is no variant of KWT; expected 1"),
        (lambda: api.families(networks="MobileNetV3"), "'base' is no variant of MobileNetV3; expected large-alpha-1.0"),
    ],
)
def test_wrong_arguments_are_refused_in_words(call, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=re.escape(message)):
        call()
    assert list(tmp_path.iterdir()) == []


def test_a_choice_is_of_a_release_as_of_its_folders():
    release = api.read_release([BASE])
    for source in (release, BASE):
        with pytest.raises(UsageError, match="2 rows without an accuracy"):
            api.choose("acme-phone", min_accuracy=70, source=source)
        with pytest.raises(UsageError, match=r"did you mean acme-phone\?"):
            api.choose("acme-phon", min_accuracy=70, source=source)
