from typing import get_args

import pytest

from harness.schema.vocabulary import Boundary
from harness.traces.boards import BOARDS, RASPBERRY_PI_5, board_of, read_domains, read_rails
from harness.traces.trace import TraceOptionError


@pytest.mark.parametrize("board", [*BOARDS, RASPBERRY_PI_5], ids=lambda board: board.name)
def test_every_board_states_its_rails_what_they_are_of_and_where_that_is_written(board):
    assert len(set(board.total)) == len(board.total) > 0
    assert board.boundary in get_args(Boundary)
    assert board.source


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_rails_of_a_board_are_recognised_in_any_order(board):
    assert board_of([*reversed(board.total), "OTHER"]) is board


def test_board_that_is_not_known_has_no_total():
    assert board_of(["VDD_X", "VDD_Y"]) is None
    with pytest.raises(TraceOptionError, match=r"one of VDD_X, VDD_Y.*several joined by \+"):
        read_rails(None, ["VDD_X", "VDD_Y"], None)


def test_total_by_name_in_another_order_is_the_total():
    board = board_of(["VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"])
    rails, boundary = read_rails("VIN_SYS_5V0+VDD_CPU_CV+VDD_GPU_SOC", board.total, board)
    assert (len(rails), boundary) == (3, "module")


@pytest.mark.parametrize(
    ("channel", "boundary"),
    [
        (None, "package"),
        ("psys", "board"),
        ("dram", "rail"),
        ("pkg+dram", "sum-of-rails"),
        ("cores+dram", "sum-of-rails"),
    ],
)
def test_boundary_of_domains(channel, boundary):
    assert read_domains(channel, ["pkg", "psys", "cores", "dram"], ["pkg"])[1] == boundary


def test_packages_of_two_sockets_are_a_package_boundary():
    columns = ["package-0", "package-1"]
    assert read_domains(None, columns, columns, lambda _: "pkg") == (columns, "package")


@pytest.mark.parametrize("channel", ["pkg+cores", "cores+pkg", "psys+pkg", "psys+dram"])
def test_domain_that_another_holds_is_not_added_to_it(channel):
    with pytest.raises(TraceOptionError, match="which holds it already"):
        read_domains(channel, ["pkg", "psys", "cores", "dram"], ["pkg"])
