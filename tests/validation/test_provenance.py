"""Licence, day and publication of a campaign; broken ones are golden cases, except for what depends on the day."""

from datetime import date

import pytest

from harness.validation.documents import Document
from harness.validation.faults import Faults
from harness.validation.provenance import WRITTEN, check_provenance
from tests.campaigns import campaign

TODAY = date(2027, 3, 1)


def issues(today=TODAY, **facts):
    known = campaign("kernels", [], "acme-phone", manifest=facts)
    document = Document(known.manifest, dict.fromkeys([("licence",), ("date",)], 3))
    faults = Faults()
    check_provenance(document, known.device, today, "submission.yaml", faults)
    return faults.issues


@pytest.mark.parametrize("day", ["2027-03-01", "2027-03-02", "2027-03", "2027", "2026"])
def test_a_day_up_to_today_anywhere_on_earth_is_admitted(day):
    assert issues(date=day) == []


@pytest.mark.parametrize("day", ["2027-03-03", "2027-04", "2028"])
def test_a_day_to_come_is_refused_with_the_clock_it_was_judged_by(day):
    (issue,) = issues(date=day)
    assert (issue.rule, issue.line) == ("date-impossible", 3)
    assert "which is to come" in issue.found
    assert issue.fix.endswith("Today is 2027-03-01 by the clock of this machine.")


def test_a_clock_before_the_checks_themselves_refuses_no_figure_of_their_time():
    assert issues(date(1970, 1, 1), date=WRITTEN.isoformat()) == []


@pytest.mark.parametrize("licence", ["CC-BY-4.0", "Apache-2.0", "CC0-1.0", "ODbL-1.0", "CC-BY-NC-SA-4.0"])
def test_licences_of_the_list_are_admitted(licence):
    assert issues(licence=licence) == []


@pytest.mark.parametrize("licence", ["free", "LicenseRef-Mine", "FREE-4.0", "CC-BY"])
def test_other_licences_are_unknown(licence):
    (issue,) = issues(licence=licence)
    assert (issue.rule, issue.severity) == ("licence-unknown", "error")
