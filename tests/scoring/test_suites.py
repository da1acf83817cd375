"""The rows that editions rate, selected once for ratings and pages."""

import pandas as pd

from harness.releases import assemble
from harness.scoring.editions import editions
from harness.scoring.ratings import rate
from harness.scoring.suite import suite_rows, suites
from tests.campaigns import board_campaign, phone_campaign


def test_suites_have_the_rows_of_every_edition_and_give_the_same_ratings():
    release = assemble([phone_campaign(), board_campaign()])
    places = suites(release)
    assert list(places) == [edition.edition for edition in editions()]
    for edition in editions():
        pd.testing.assert_frame_equal(places[edition.edition], suite_rows(release, edition))
    assert rate(release, places) == rate(release)


def test_ratings_follow_from_the_suites_that_are_given():
    release = assemble([phone_campaign(), board_campaign()])
    nothing = {name: rows.iloc[:0] for name, rows in suites(release).items()}
    assert {rating.edition for rating in rate(release, nothing)} == {None}
