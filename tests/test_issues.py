import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.budget import MOST_FAULTS_EACH, MOST_FAULTS_OF_RULE
from harness.issues import Issue, Report, as_github, as_json, as_sarif, as_text, printable, quoted
from harness.pages.report import pull_request_report
from harness.validation import RULES
from harness.validation.faults import Faults

ERROR = Issue("energy-positive", "error", "a/kernels.csv", 17, "energy_mj", "-0.3", "> 0", "Drop the row.")
WARNING = Issue("repeat", "warning", "a/kernels.csv", 9, "energy_mj", "1", "repeats within 10%", "Nothing to do.")
WHOLE_FILE = Issue("level-missing", "error", "a/b", None, None, "no table", "one of them", "Add the rows.")
ANY = st.text(max_size=300)


def test_issue_reads_as_place_found_expected_mend_and_rule():
    assert str(ERROR) == "a/kernels.csv:17: energy_mj = -0.3; expected > 0. Drop the row. [energy-positive]"
    assert str(WARNING).startswith("a/kernels.csv:9: warning: energy_mj = 1; ")
    assert str(WHOLE_FILE) == "a/b: no table; expected one of them. Add the rows. [level-missing]"


def test_words_about_a_column_are_not_shown_as_its_value():
    faults = Faults()
    faults.add("header-missing", "a.csv", column="dtype", found="not there", expected="x", fix="Y.", is_value=False)
    assert str(faults.issues[0]) == "a.csv: dtype: not there; expected x. Y. [header-missing]"


def test_report_sorts_by_place_and_keeps_each_issue_once():
    report = Report.of(3, [ERROR, WHOLE_FILE, WARNING, ERROR])
    assert report.issues == (WHOLE_FILE, WARNING, ERROR)
    assert (report.n_errors, report.n_warnings) == (2, 1)
    assert as_text(report).splitlines()[-1] == "3 rows, 2 errors, 1 warning"


def test_json_holds_every_part():
    report = json.loads(as_json(Report.of(3, [WHOLE_FILE, WARNING])))
    assert report["issues"][0] == {
        "rule": "level-missing",
        "severity": "error",
        "file": "a/b",
        "line": None,
        "column": None,
        "found": "no table",
        "expected": "one of them",
        "fix": "Add the rows.",
    }
    assert (report["rows"], report["errors"], report["warnings"]) == (3, 1, 1)


def test_github_annotations_escape_what_would_end_them():
    issue = Issue("path-unknown", "error", "5%,a:b\nc", None, None, "x\r\n::error::y", "9%", "Z.")
    line = as_github(Report.of(0, [issue])).splitlines()[0]
    assert line == (
        "::error file=5%25%2Ca%3Ab%0Ac,line=1,title=path-unknown::x%0D%0A::error::y; expected 9%25. Z. [path-unknown]"
    )


def test_sarif_names_rule_place_and_level():
    issue = Issue("repeat", "warning", "ä b/50%.csv", 4, "energy_mj", "1", "x", "Y.")
    rules = {rule.rule: rule.summary for rule in RULES.values()}
    log = json.loads(as_sarif(Report.of(1, [issue, WHOLE_FILE]), rules, "0.1.0"))
    run = log["runs"][0]
    by_rule = {result["ruleId"]: result for result in run["results"]}
    place = by_rule["repeat"]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "%C3%A4%20b/50%25.csv"}, "region": {"startLine": 4}}
    assert "region" not in by_rule["level-missing"]["locations"][0]["physicalLocation"]
    assert by_rule["repeat"]["level"] == "warning"
    assert run["tool"]["driver"]["rules"][by_rule["repeat"]["ruleIndex"]]["id"] == "repeat"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == list(RULES)


@given(file=ANY, column=st.none() | ANY, found=ANY, expected=ANY, fix=ANY, line=st.none() | st.integers(1, 10**9))
def test_message_holds_every_part_on_one_printable_line(file, column, found, expected, fix, line):
    faults = Faults()
    faults.add("energy-positive", file, column=column, found=found, expected=expected, fix=fix, line=line)
    issue = faults.issues[0]
    text = str(issue)
    assert text.isprintable()
    assert text.endswith("[energy-positive]")
    for part in (printable(file), quoted(found), printable(expected), printable(fix), str(line or "")):
        assert part in text
    report = Report.of(0, faults.issues)
    assert len(as_github(report).splitlines()) == 2
    assert json.loads(as_json(report))["issues"][0]["found"] == issue.found


@given(st.text(max_size=2000))
def test_quoted_values_stay_short_and_printable(text):
    assert quoted(text).isprintable()
    assert len(quoted(text)) <= 150


def test_long_values_say_how_long_they_are():
    assert quoted("x" * 1000) == "x" * 120 + "… (1000 characters)"


def test_fault_of_a_rule_that_is_not_declared_cannot_be_reported():
    with pytest.raises(KeyError):
        Faults().add("no-such-rule", "a", found="x", expected="y", fix="Z.")


def add(faults, n_faults, *, file="a.csv", rule="value-missing"):
    for line in range(n_faults):
        faults.add(rule, file, line=line + 2, found="nothing", expected="x", fix="Y.")


def test_faults_beyond_the_limit_of_a_rule_and_file_are_counted_in_every_form():
    faults = Faults()
    add(faults, MOST_FAULTS_EACH + 900)
    add(faults, 3, file="b.csv")
    report = Report.of(5, faults.issues)
    rest = report.issues[MOST_FAULTS_EACH]
    assert (rest.file, rest.line, rest.n_faults) == ("a.csv", None, 900)
    assert rest.found == "900 more faults of this rule in this file"
    assert len(report.issues) == MOST_FAULTS_EACH + 1 + 3
    assert report.n_errors == faults.n == MOST_FAULTS_EACH + 903
    listed = [issue.message for issue in report.issues]
    assert [line.partition(": ")[2] for line in as_text(report).splitlines()[:-1]] == listed
    assert [issue["found"] for issue in json.loads(as_json(report))["issues"]] == [each.found for each in report.issues]
    results = json.loads(as_sarif(report, {"value-missing": ""}, "0"))["runs"][0]["results"]
    assert [result["message"]["text"] for result in results] == listed
    markdown = pull_request_report(report, None)
    assert all(message in markdown for message in listed)
    assert f"{report.n_errors} errors" in markdown


def test_faults_of_one_rule_in_very_many_files_are_counted_once():
    faults = Faults()
    for number in range(MOST_FAULTS_OF_RULE + 50):
        add(faults, 1, file=f"{number:05d}.csv")
    rest = faults.issues[-1]
    assert (len(faults.issues), rest.n_faults) == (MOST_FAULTS_OF_RULE + 1, 50)
    assert rest.found == "50 more faults of this rule in this file and others"


def test_joined_faults_are_listed_and_counted_as_if_added_in_turn():
    parts, whole, joined = [Faults(), Faults()], Faults(), Faults()
    for part in parts:
        for faults in (part, whole):
            add(faults, MOST_FAULTS_EACH + 10)
            add(faults, 2, rule="repeat")
        joined.join(part)
    assert Report.of(0, joined.issues) == Report.of(0, whole.issues)
    assert (joined.n_errors, joined.n_warnings) == (whole.n_errors, whole.n_warnings) == (2 * MOST_FAULTS_EACH + 20, 4)


def test_collector_that_keeps_all_keeps_all():
    faults = Faults(keeps_all=True)
    add(faults, MOST_FAULTS_EACH + 10)
    assert len(faults.issues) == faults.n == MOST_FAULTS_EACH + 10
