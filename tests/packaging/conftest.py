"""Folders and a release that tests of packaging share."""

import shutil
from pathlib import Path

import pytest

from harness.files.swap import replacing_parts
from harness.packaging.build import NAMESPACE, BuiltDataset, build_datasets
from harness.packaging.release_plan import Progress
from harness.releases import Release, assemble
from tests.campaigns import board_campaign, kernel_campaign, phone_campaign

CARDS = Path(__file__).parents[2] / "dataset_cards"


def replace_datasets(
    release: Release, cards: Path, dist: Path, progress: Progress = lambda _level, _step: None
) -> list[BuiltDataset]:
    """Build datasets in place of the ones before, as `deepen build` does."""
    with replacing_parts(dist, (NAMESPACE,)) as fresh:
        return build_datasets(release, cards, fresh, progress, previous=dist)


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    """Copy of the dataset cards that a test may change."""
    return shutil.copytree(CARDS, tmp_path / "cards")


@pytest.fixture(scope="session")
def release() -> Release:
    """All three levels, two phones and one board."""
    return assemble(
        [
            phone_campaign(),
            phone_campaign("beta-phone", 100.0),
            board_campaign(),
            kernel_campaign("gamma-phone"),
            kernel_campaign("test-phone"),
        ]
    )


@pytest.fixture(scope="session")
def built(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`dist` after a build; tests must not write below it."""
    dist = tmp_path_factory.mktemp("dist")
    build_datasets(release, CARDS, dist)
    return dist
