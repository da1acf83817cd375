import pytest

from harness.readouts.idle_shares import idle_share, idle_shares
from tests.readouts.boards import board, point, release, row


def test_the_share_is_of_the_mean_idle_power_with_those_before_and_after():
    share = idle_share(point("a", 20.0, power_mw=5000.0, idle_before_mw=3000.0, idle_after_mw=2000.0))
    assert (share.idle_mw, share.share, share.before, share.after) == (2500.0, 0.5, 0.6, 0.4)


@pytest.mark.parametrize("missing", ["power_mw", "idle_before_mw", "idle_after_mw"])
def test_there_is_none_without_each_of_the_powers(missing):
    powers = {"power_mw": 5000.0, "idle_before_mw": 3000.0, "idle_after_mw": 2000.0} | {missing: None}
    assert idle_share(point("a", 20.0, **powers)) is None


def test_there_is_none_where_the_board_drew_as_much_idle():
    assert idle_share(point("a", 20.0, power_mw=5000.0, idle_before_mw=5500.0, idle_after_mw=4500.0)) is None
    assert idle_share(point("a", 20.0, power_mw=5000.0, idle_before_mw=5500.0, idle_after_mw=4400.0)).before == 1.1


def test_a_series_has_the_median_and_the_extremes_and_counts_what_is_left_out():
    idle = {"idle_before_mw": 2200.0, "idle_after_mw": 1800.0}
    rows = [
        row("busy", 1.0, power_mw=8000.0, **idle),
        row("median", 1.0, power_mw=5000.0, **idle),
        row("quiet", 1.0, power_mw=4000.0, dtype="fp32", **idle),
        row("silent", 1.0, power_mw=4000.0),
    ]
    (found,) = idle_shares(release(board(rows), board([row("silent", 1.0, power_mw=1.0)], "other-board")))
    assert (found.n_networks, found.n_without_idle, found.idle_mw) == (3, 1, 2000.0)
    assert (found.share_lowest, found.share_median, found.share_highest) == (0.25, 0.4, 0.5)
    assert (found.share_before_median, found.share_after_median) == (0.44, 0.36)
    assert (found.lowest_model, found.lowest_dtype) == ("busy", "int8")
    assert (found.highest_model, found.highest_dtype) == ("quiet", "fp32")
