import pytest

from harness.cli.network_board import print_network_board, print_network_headlines
from harness.evaluation.network_scores import NetworkScore, NetworkShare

FAMILIES = (NetworkShare("MobileNetV1", 0.5, (0.25, 0.75), 40, 20), NetworkShare("SqueezeNet", 0.125, None, 8, 1))
SYSTEMS = (NetworkShare("Acme · TFLite 2.7", 0.75, (0.5, 0.9), 24, 18),)


def score(predictor, split="leave-one-family-out", scope="other-boards", **fields):
    figures = {
        "within_5": 0.4, "within_10": 0.7, "within_10_ci95": (0.6, 0.8), "mean_within_5": 0.3, "mean_within_10": 0.65,
        "median_ape": 6.25, "n_systems": 28, "n": 2606, "families": FAMILIES, "systems": SYSTEMS,
    }  # fmt: skip
    return NetworkScore(split, scope, predictor, **({"uses_latency": False} | figures | fields))


@pytest.fixture
def printed(capsys):
    def of(*scores, function=print_network_board):
        function(scores)
        return capsys.readouterr().out

    return of


def test_every_predictor_has_its_medians_and_interval(printed):
    out = printed(score("transfer"), score("latency", uses_latency=True))
    (line,) = (line for line in out.splitlines() if " transfer " in line and "28" in line)
    cells = [cell.strip() for cell in line.strip("│").split("│")]
    assert cells == [
        "leave-one-family-out", "other-boards", "transfer", "", "40.0", "70.0 [60.0 80.0]", "30.0", "65.0", "6.2", "28",
        "2606",
    ]  # fmt: skip


def test_families_and_systems_have_intervals_where_there_are_any(printed):
    out = printed(score("transfer"))
    assert "50.0 [25.0 75.0]" in out
    assert "12.5" in next(line for line in out.splitlines() if "SqueezeNet" in line)
    assert "75.0 [50.0 90.0]" in next(line for line in out.splitlines() if "Acme" in line)


def test_latency_is_marked(printed):
    out = printed(score("transfer"), score("with", uses_latency=True))
    assert [line.split("│")[4].strip() for line in out.splitlines() if "2606" in line] == ["", "latency"]


def test_a_failure_has_its_reason(printed):
    failed = NetworkScore("5-fold", "nowhere", "broken", uses_latency=False, reason="raised OSError: no")
    out = printed(failed, score("transfer"))
    assert "5-fold, nowhere, broken: failed: raised OSError: no" in out


def test_summary_is_one_line_for_what_is_known(printed):
    scores = (
        score("transfer"),
        score("other", within_10=0.5),
        score("roofline", scope="nowhere"),
        score("a", "5-fold"),
    )
    assert printed(*scores, function=print_network_headlines).splitlines() == [
        "measured networks, leave-one-family-out, known other-boards, within ±10 %: transfer 70.0, other 50.0",
        "measured networks, leave-one-family-out, known nowhere, within ±10 %: roofline 70.0",
    ]


def test_nothing_is_printed_of_no_scores(printed):
    assert printed() == printed(function=print_network_headlines) == ""
