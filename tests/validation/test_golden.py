import re
from pathlib import Path

import pytest

from harness.issues import as_text
from harness.validation import RULES, validate
from harness.validation.review_rules import REVIEWED
from tests.validation.golden import CASES, expected_text, lay_out
from tests.validation.hostile import CASES as CODE_MADE


def report_of(case: Path | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    lay_out(case, tmp_path)
    monkeypatch.chdir(tmp_path)
    return as_text(validate([Path("submissions")]).report) + "\n"


def test_base_of_the_golden_cases_is_sound(tmp_path, monkeypatch):
    assert report_of(None, tmp_path, monkeypatch) == "10 rows, 0 errors, 0 warnings\n"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_report_says_what_is_wrong(case, tmp_path, monkeypatch, update_golden):
    text = report_of(case, tmp_path, monkeypatch)
    if update_golden:
        (case / "expected.txt").write_text(text, encoding="utf-8")
    assert text == expected_text(case)


def test_every_golden_case_has_a_report_of_its_own():
    bodies = [expected_text(case) for case in CASES]
    assert len(set(bodies)) == len(bodies) >= 45


def test_every_rule_has_a_broken_submission():
    shown = {rule for case in CASES for rule in re.findall(r"\[([a-z-]+)\]$", expected_text(case), re.MULTILINE)}
    # A fault of the harness itself is in no submission; tests/validation/test_containment.py makes one.
    of_submissions = {rule for rule, declared in RULES.items() if declared.subject not in ("intake", *REVIEWED)}
    checked = of_submissions - {"internal-fault"}
    assert shown | {rule for case in CODE_MADE for rule in case.rules} == checked
    # A code-made case is only for what a repository cannot hold.
    assert checked - shown == {"path-symlink", "file-size", "text-encoding", "text-nul", "line-length"}
