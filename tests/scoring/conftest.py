from pathlib import Path

import pytest

from harness.releases import assemble
from harness.scoring.ratings import rate
from harness.validation import validate

SUBMISSIONS = Path(__file__).parents[2] / "submissions"


@pytest.fixture(scope="package")
def published():
    """Release of the committed submissions."""
    return assemble(validate([SUBMISSIONS]).campaigns)


@pytest.fixture(scope="package")
def published_ratings(published):
    return rate(published)
