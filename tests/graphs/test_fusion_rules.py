"""Fusion rules: complete, sourced, unambiguous, and a wrong name is answered with the nearest."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from harness.errors import UsageError
from harness.graphs.fusion_rules import ANY, GATE, Runtime, read_runtime
from harness.graphs.operators import OPERATORS
from harness.graphs.runtime_files import runtime_names

PAGE = Path(__file__).parents[2] / "site" / "kernels.md"
SOURCE = {"here": {"title": "A page", "url": "https://example.org"}}
OF_NAMING = {
    "dwconv", "conv1d", "dwconv1d", "conv-dilated", "dwconv-dilated", "scale", "bias", "add-broadcast",
    "sub-broadcast", "mul-broadcast", "div-broadcast",
}  # fmt: skip


def runtime_of(*rules, **sets):
    rules = [{"sources": ["here"], **rule} for rule in rules]
    return Runtime.model_validate(
        {
            "name": "made",
            "title": "Made",
            "version": "1",
            "processor": "cpu",
            "stated_as": ["made"],
            "sources": SOURCE,
            "sets": sets,
            "rules": rules,
        }
    )


def test_the_runtimes_are_those_that_the_page_of_kernels_compares():
    (headings,) = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| | `")]
    assert runtime_names() == tuple(sorted(re.findall(r"`([^`]+)`", headings)))


@pytest.mark.parametrize("name", runtime_names())
def test_every_runtime_says_versions_and_uses_every_source_and_set(name):
    runtime = read_runtime(name)
    assert (runtime.name, len(runtime.version) > 20) == (name, True)
    assert {key for rule in runtime.rules for key in rule.sources} == set(runtime.sources)
    used = {word.rstrip("?*") for rule in runtime.rules for word in rule.chain.replace("|", " ").split()}
    assert set(runtime.sets) <= used


@pytest.mark.parametrize("name", runtime_names())
def test_every_step_is_an_operator_that_naming_can_give(name):
    runtime = read_runtime(name)
    operators = {operator for rule in runtime.rules for step in runtime.steps(rule) for operator in step.operators}
    assert operators <= {*OPERATORS} | OF_NAMING | {ANY, GATE}


def test_an_unknown_runtime_is_answered_with_the_nearest_and_all():
    with pytest.raises(UsageError, match=r"tflite-cpu\?.*onnxruntime-cpu, tflite-cpu, tflite-gpu"):
        read_runtime("tflight-cpu")


def test_a_runtime_name_cannot_leave_the_folder():
    with pytest.raises(UsageError):
        read_runtime("../runtimes/tflite-cpu")


def test_sets_and_alternatives_and_suffixes_become_steps():
    runtime = runtime_of({"chain": "one|conv two* relu?"}, one=("fc", "matmul"), two=("bn", "bias"))
    steps = runtime.steps(runtime.rules[0])
    assert [tuple(step) for step in steps] == [
        ({"fc", "matmul", "conv"}, 1, 1),
        ({"bn", "bias"}, 0, None),
        ({"relu"}, 0, 1),
    ]


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ({"chain": "conv relu? relu"}, "does not determine"),
        ({"chain": "conv bn* relu? bn"}, "does not determine"),
        ({"chain": "gate relu"}, "begins with a product of nothing"),
        ({"chain": "conv relu", "sources": ["there"]}, "not listed: there"),
        ({"chain": "conv relu", "sources": []}, "at least 1"),
        ({"chain": "conv? relu"}, "match pattern"),
        ({"chain": ""}, "match pattern"),
        ({"chain": "conv", "once": True}, "not permitted"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(rule, fault):
    with pytest.raises(ValidationError, match=fault):
        runtime_of(rule)
