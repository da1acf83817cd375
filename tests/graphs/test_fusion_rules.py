"""Fusion rules: complete, sourced, unambiguous, and a wrong name is answered with the nearest."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from harness.errors import UsageError
from harness.graphs.fusion_patterns import names_of, parsed
from harness.graphs.fusion_rules import ANY, FACTOR, GATE, HARD_SWISH, PER_CHANNEL, VECTOR, Runtime, read_runtime
from harness.graphs.operators import OPERATORS
from harness.graphs.runtime_files import runtime_names

PAGE = Path(__file__).parents[2] / "site" / "kernels.md"
SOURCE = {"here": {"title": "A page", "url": "https://example.org"}}
OF_NAMING = {
    "dwconv", "conv1d", "dwconv1d", "conv-dilated", "dwconv-dilated", "scale", "bias", "add-broadcast",
    "sub-broadcast", "mul-broadcast", "div-broadcast",
}  # fmt: skip
OF_PATTERNS = re.compile(r"(add|div|mul|pow)-(number|vector|[0-9.]+)|[0-9.]+-div|mean-of-last")
"""Names that patterns alone have."""


LAYOUT_FIELDS = {"convolutions", "poolings", "keepers", "activations"}
NAMING_FIELDS = {"chain", "pattern", "operators", "into"} | LAYOUT_FIELDS
"""Fields of rules that name operators."""


def runtime_of(*rules, patterns=(), **sets):
    rules = [{"sources": ["here"], **rule} for rule in rules]
    facts = {"name": "made", "title": "Made", "version": "1", "sources": SOURCE, "sets": sets}
    facts |= {"processor": "cpu", "stated_as": ["made"]}
    return Runtime.model_validate({**facts, "rules": rules, "patterns": patterns})


def test_the_runtimes_are_those_that_the_page_of_kernels_compares():
    (headings,) = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| | `")]
    assert runtime_names() == tuple(sorted(re.findall(r"`([^`]+)`", headings)))


@pytest.mark.parametrize("name", runtime_names())
def test_every_runtime_says_versions_and_uses_every_source_and_set(name):
    runtime = read_runtime(name)
    assert (runtime.name, len(runtime.version) > 20) == (name, True)
    rules = list(runtime.all_rules())
    assert {key for rule in rules for key in rule.sources} == set(runtime.sources)
    texts = [text for rule in rules for text in rule.model_dump(include=NAMING_FIELDS).values()]
    assert set(runtime.sets) <= set(re.findall(r"[a-z0-9-]+", " ".join(texts)))


@pytest.mark.parametrize("name", runtime_names())
def test_every_step_is_an_operator_that_naming_can_give(name):
    runtime = read_runtime(name)
    operators = {operator for rule in runtime.rules for step in runtime.steps(rule) for operator in step.operators}
    named = {name for rule in runtime.patterns for name in names_of(parsed(rule.pattern, runtime.sets))}
    operators |= {name for name in named if not OF_PATTERNS.fullmatch(name)}
    operators |= {
        name for rule in runtime.absorbed for text in (rule.operators, rule.into) for name in runtime.names(text)
    }
    layout = runtime.blocked.model_dump(include=LAYOUT_FIELDS) if runtime.blocked else {}
    operators |= {name for text in layout.values() for name in runtime.names(text)}
    assert operators <= {*OPERATORS} | OF_NAMING | {ANY, FACTOR, GATE, HARD_SWISH, PER_CHANNEL, VECTOR}


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        ("$x", "not one operator"),
        ("mul($x, $y) relu($x)", "not one operator"),
        ("mul", "expected an operator with its operands"),
        ("mul($x, $y, $z)", "at most 2 operands"),
        ("mul($x", "closing bracket"),
        ("mul($x; $y)", "characters that no pattern has"),
    ],
)
def test_a_pattern_that_is_none_is_refused(pattern, fault):
    with pytest.raises(ValidationError, match=fault):
        runtime_of({"chain": "conv"}, patterns=[{"block": "swish", "pattern": pattern, "sources": ["here"]}])


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
        ({"chain": "conv relu", "layout": "blocked"}, "a layout that is not declared"),
        ({"chain": "conv relu", "sources": []}, "at least 1"),
        ({"chain": "conv? relu"}, "match pattern"),
        ({"chain": ""}, "match pattern"),
        ({"chain": "conv", "once": True}, "not permitted"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(rule, fault):
    with pytest.raises(ValidationError, match=fault):
        runtime_of(rule)
