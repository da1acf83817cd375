"""Every attempt of the table is caught by the rule that the table states."""

import shutil

import pytest
import yaml

from harness.api import pull_request_report
from harness.validation import RULES
from harness.validation.review_rules import REVIEWED
from tests.review.attempts import ATTEMPTS, move, rows_in
from tests.review.trees import PHONE, PUBLISHED, add, change_facts, lay_out, read, reviewed, snapshot, write_rows


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


def test_a_campaign_that_moves_with_its_former_id_is_no_removal(published, tmp_path):
    root = lay_out(tmp_path)
    move(root, "huawei-p40/sec23")
    found = reviewed(published, root).report.issues
    assert {issue.rule for issue in found if RULES[issue.rule].subject == "reach"} == {"published-changed"}
    assert any(issue.found.startswith(f"moved here from {PHONE}") for issue in found)
    now = snapshot(root).release.levels["applications"]
    before = published.release.levels["applications"]
    assert sorted(now.column("record_id").to_pylist()) == sorted(before.column("record_id").to_pylist())


def test_exception_in_one_campaign_is_its_issue_and_others_are_reviewed(published, tmp_path, monkeypatch):
    root = lay_out(tmp_path)
    add(root)
    add(root, place="other-phone/2026-10", device={"name": "Other Phone"}, title="TODO")

    def fail(campaign, *_):
        if campaign.device_id == "acme-phone":
            raise RecursionError("deep")

    monkeypatch.setattr("harness.review.identity._check_publication", fail)
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


def test_a_change_without_submissions_is_not_asked_to_be_two_pull_requests(published, tmp_path):
    assert not reviewed(published, lay_out(tmp_path), ("predictors/my_forest/model.py",)).report.issues


def test_a_correction_is_one_line_for_its_figure_and_one_for_its_erratum(published, tmp_path):
    root = lay_out(tmp_path)
    first, *others = rows_in(root)
    old, new = float(first["energy_mj"]), 0.97 * float(first["energy_mj"])
    write_rows(root / PHONE / "applications.csv", [first | {"energy_mj": str(new)}, *others])
    where = {name: first[name] for name in ("dnn", "dtype", "delegate", "input_shape")}
    erratum = {"field": "energy_mj", "where": where, "printed": old, "used": new, "why": "Misread."}
    change_facts(root / PHONE / "submission.yaml", errata=[erratum])
    found = [issue for issue in reviewed(published, root).report.issues if issue.rule.startswith("published")]
    assert [(issue.rule, issue.column) for issue in found] == [
        ("published-changed", "energy_mj"), ("published-changed", "errata.0"),
    ]  # fmt: skip
    assert found[1].found.startswith(f"not there → energy_mj printed {old}, used {new}, delegate {first['delegate']}")


def test_a_doubt_in_the_notes_is_shown_where_the_text_parts(published, tmp_path):
    root = lay_out(tmp_path)
    notes = yaml.safe_load(read(root / PHONE / "submission.yaml"))["notes"]
    change_facts(root / PHONE / "submission.yaml", notes=f"{notes.rstrip()} Doubted by B. Example.")
    (issue,) = (each for each in reviewed(published, root).report.issues if each.rule == "published-changed")
    assert "Doubted by B. Example." in issue.found


def test_removing_a_founding_submission_says_which_edition_rests_on_it(published, tmp_path):
    root = lay_out(tmp_path)
    shutil.rmtree(root / "huawei-p40-pro")
    found = [str(each) for each in reviewed(published, root).report.issues if each.rule == "published-removed"]
    assert len(found) == 2
    assert all(
        "expected published submissions stay, and those that phone-2023 rests on always. R" in each for each in found
    )
    assert "removed: 1 file, of Xiaolong Tu" in found[0]


def test_removing_a_submission_that_no_edition_rests_on_is_a_withdrawal(published, tmp_path):
    root = lay_out(tmp_path)
    add(root)
    (device,) = {path.name for path in root.iterdir()} - set(PUBLISHED)
    report = reviewed(snapshot(root), lay_out(tmp_path / "later")).report
    found = [each for each in report.issues if each.rule == "published-removed" and device in each.file]
    assert found
    assert all(each.expected == "published submissions stay" for each in found)
    assert all("A withdrawal is asked for by those who measured." in each.fix for each in found)
