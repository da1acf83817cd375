"""Every attempt of the table is caught by the rule that the table states."""

import shutil

import pytest

from harness.api import pull_request_report
from harness.validation import RULES
from harness.validation.review_rules import REVIEWED
from tests.review.attempts import ATTEMPTS
from tests.review.trees import add, lay_out, reviewed, snapshot


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    return snapshot(lay_out(tmp_path_factory.mktemp("published")))


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: f"{attempt.family}: {attempt.what}")
def test_attempt_is_caught_by_its_rule(attempt, published, tmp_path):
    root = lay_out(tmp_path)
    attempt.build(root)
    report = reviewed(published, root, attempt.outside).report
    found = [issue for issue in report.issues if issue.rule == attempt.rule]
    assert found, "\n".join(map(str, report.issues)) or "nothing was found"
    text = pull_request_report(report, [])
    is_first = RULES[attempt.rule].subject == "reach"
    assert text.startswith("## What reaches beyond the submission") or not is_first
    assert text.rstrip().endswith("*look at these*" if report.n_errors == 0 else "*refuse*")


def test_honest_submission_is_clean(published, tmp_path):
    root = lay_out(tmp_path)
    add(root)
    report = reviewed(published, root).report
    assert not report.issues, "\n".join(map(str, report.issues))
    assert pull_request_report(report, []).endswith("## Verdict: *clean*\n")


def test_exception_in_one_campaign_is_its_issue_and_others_are_reviewed(published, tmp_path, monkeypatch):
    root = lay_out(tmp_path)
    add(root)
    add(root, place="other-phone/2026-10", device={"name": "Other Phone"}, title="TODO")

    def fail(campaign, *_):
        if campaign.device_id == "acme-phone":
            raise RecursionError("deep")

    monkeypatch.setattr("harness.review.identity._check_licence", fail)
    found = {(issue.rule, issue.file.split("/")[-2]) for issue in reviewed(published, root).report.issues}
    assert {("internal-fault", "acme-phone"), ("text-blank", "2026-10")} <= found


def test_report_says_what_is_gone_before_any_number_of_hidden_files(published, tmp_path):
    root = lay_out(tmp_path)
    shutil.rmtree(root / "huawei-p40-pro")
    (root / "aaa").mkdir()
    for n in range(300):
        (root / "aaa" / f".{n:0200}").touch()
    text = pull_request_report(reviewed(published, root).report, [])
    assert "[published-removed]" in text.splitlines()[3]
    assert len(text) < 60_000


def test_every_rule_of_the_review_has_an_attempt_and_they_are_at_least_fifty():
    declared = {rule for rule, each in RULES.items() if each.subject in REVIEWED}
    assert declared <= {attempt.rule for attempt in ATTEMPTS}
    assert len(ATTEMPTS) >= 50
