from harness.evaluation.network_scores import NetworkScore, NetworkShare
from harness.pages.network_tables import network_tables
from tests.evaluation.releases import info

FAMILIES = (NetworkShare("MobileNetV1", 0.5, (0.25, 0.75), 40, 20), NetworkShare("SqueezeNet", 0.125, None, 8, 1))
SYSTEMS = (NetworkShare("Acme · TFLite 2.7", 0.75, (0.5, 0.9), 24, 18),)
INFOS = {"transfer": info("transfer", kernels=(), learns_networks=True)}
DONE = NetworkScore(
    "leave-one-family-out", "other-boards", "transfer", uses_latency=False, within_5=0.4, within_10=0.7,
    within_10_ci95=(0.6, 0.8), mean_within_5=0.3, mean_within_10=0.65, median_ape=6.25, n_systems=28, n=2606,
    families=FAMILIES, systems=SYSTEMS,
)  # fmt: skip
FAILED = NetworkScore("5-fold", "nowhere", "gone", uses_latency=True, reason="raised OSError: <b>no")


def values(table):
    return [[cell.value for cell in row] for row in table.rows]


def test_first_table_has_every_split_with_its_interval():
    by_split, by_family, by_system = network_tables([FAILED, DONE], INFOS)
    assert values(by_split) == [
        [
            "5-fold",
            "nowhere",
            "gone",
            "latency; failed: raised OSError: <b>no",
            None,
            None,
            None,
            None,
            None,
            None,
            None,
        ],
        ["leave-one-family-out", "other boards", "transfer", "", 70.0, 60.0, 80.0, 40.0, 65.0, 6.25, 28],
    ]
    assert "about/transfer/" in str(by_split.rows[1][2].shown)
    assert "<b>" not in str(by_split.rows[0][3].shown)
    assert "href" not in str(by_split.rows[0][2].shown)
    assert [len(table.rows) for table in (by_family, by_system)] == [2, 1]


def test_families_and_systems_have_one_row_each():
    _, by_family, by_system = network_tables([DONE], INFOS)
    assert values(by_family) == [["MobileNetV1", 50.0, 25.0, 75.0], ["SqueezeNet", 12.5, None, None]]
    assert values(by_system) == [["Acme · TFLite 2.7", 75.0, 50.0, 90.0]]
    assert "transfer, other boards" in [column.title for column in by_family.columns]


def test_there_is_no_table_without_scores():
    assert network_tables([], INFOS) == []


def test_failures_alone_have_no_families():
    assert len(network_tables([FAILED], INFOS)) == 1
