"""Sources of a dataset: works, licences and counts."""

from harness.packaging.sources import bibtex_of, sources_table
from harness.releases import assemble
from tests.campaigns import MLPERF, PAPER, board_campaign, phone_campaign


def test_a_device_of_two_submissions_is_counted_once():
    release = assemble([phone_campaign(), phone_campaign(name="again"), phone_campaign("beta-phone")])
    (source,) = sources_table(release.submissions, release.levels["applications"])
    assert (source["submissions"], source["devices"], source["rows"]) == (3, 2, 12)


def test_works_are_cited_in_the_order_of_their_addresses():
    submissions = assemble([board_campaign("a"), phone_campaign("b")]).submissions
    assert submissions.column("url").to_pylist() == [MLPERF["url"], PAPER["url"]]
    written = {PAPER["url"]: "@misc{tu}", MLPERF["url"]: "@misc{mlperf}"}
    assert bibtex_of(submissions, written) == ["@misc{tu}", "@misc{mlperf}"]
