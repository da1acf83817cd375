"""A device is found under the names that its submissions had."""

import pytest

from harness.validation.former import device_of

MANIFEST = """schema_version: 1
title: Networks of a board
contributors: [A. Tester]
date: "2026"
method: published
runtime: Runtime 1
licence: CC-BY-4.0
source: {{citation: "A paper, 2026."}}
{former}
"""


@pytest.fixture
def campaigns(tmp_path):
    """Campaign folders of a board, one of which had another name."""
    for name, former in (("one", "formerly: old-board/one"), ("two", "# formerly: rumoured-board/two")):
        (tmp_path / "board" / name).mkdir(parents=True)
        (tmp_path / "board" / name / "submission.yaml").write_text(MANIFEST.format(former=former))
    return sorted((tmp_path / "board").iterdir())


@pytest.mark.parametrize(
    ("asked", "found"),
    [("board", "board"), ("old-board", "board"), ("old", "old"), ("rumoured-board", "rumoured-board")],
)
def test_a_former_name_stands_for_the_device_of_today(campaigns, asked, found):
    assert device_of(asked, campaigns) == found
