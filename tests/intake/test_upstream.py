"""Facts about the files that nobody in this project wrote; they are read where they lie."""

import os
import re
from collections import Counter
from pathlib import Path

import pytest

from harness.intake.flow import take_in
from harness.validation import validate
from tests.intake.sources import RUN, quarantine

UPSTREAM = Path(os.environ.get("DEEPEN_UPSTREAM", Path(__file__).parents[2] / "../shared/data/upstream")) / "deepen2023"

pytestmark = pytest.mark.skipif(not UPSTREAM.is_dir(), reason="needs the upstream files; set DEEPEN_UPSTREAM")


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return take_in("deepen2023", UPSTREAM, "phone", "deepen2023", out=tmp_path_factory.mktemp("upstream"), stated=RUN)


def test_every_row_is_accepted_or_quarantined(result):
    assert (result.n_read, result.n_accepted, result.n_quarantined) == (1865, 895, 970)
    assert validate([result.folder]).report.n_errors == 0


def test_rows_without_configuration_are_those_known(result):
    kernels = Counter(row.row.cells["kernel"] for row in result.quarantined if "configuration-missing" in row.rules)
    assert kernels == {"conv-bn-relu": 595, "dwconv-bn-relu": 275, "concat": 42, "relu": 32, "fc": 15, "add": 10}


def test_reasons_are_those_known(result):
    assert result.reasons == {
        "configuration-missing": 969,
        "unit-slip": 57,
        "rounding-floor": 51,
        "energy-power-latency": 1,
        "latency-positive": 1,
        "power-limit": 1,
    }
    rules = {row["source_id"]: row["rules"] for row in quarantine(result.folder)}
    assert rules["6KKZIU"] == "unit-slip;configuration-missing"
    assert rules["H4IUNW"] == "latency-positive;configuration-missing"
    assert rules["JAWP59"] == "power-limit"
    # Its power is a third of what the other two say, beside a latency in seconds.
    assert set(rules["8TZF2X"].split(";")) == {"unit-slip", "energy-power-latency", "configuration-missing"}


def test_reader_is_told_of_repeats_and_of_the_rounding_floor(result):
    warnings = Counter(issue.rule for issue in result.report.issues)
    assert warnings == {"repeat": 12, "rounding-floor": 53}
    assert warnings["rounding-floor"] + result.reasons["rounding-floor"] == 104
    spreads = [re.search(r"([0-9.]+)% spread", issue.found) for issue in result.report.issues if issue.rule == "repeat"]
    assert max(float(spread[1]) for spread in spreads) == 7.0


def test_no_row_is_saved_by_a_fix_alone(result, tmp_path):
    fixed = take_in("deepen2023", UPSTREAM, "phone", "deepen2023", out=tmp_path, fixes=["unit-slip"], stated=RUN)
    assert (fixed.n_accepted, fixed.n_corrected) == (895, 0)
    notes = [row for row in fixed.quarantined if row.note]
    assert len(notes) == 57
