from functools import cache
from pathlib import Path

import pytest

from harness.releases import assemble
from harness.scoring.editions import edition_named, editions
from harness.scoring.ratings import rate
from harness.validation import validate

SUBMISSIONS = Path(__file__).parents[2] / "submissions"


@cache
def founding_release(*names):
    """Release of the founding submissions of some editions, and of nothing else."""
    founding = sorted({submission for name in names for submission in edition_named(name).founding})
    return assemble(validate([SUBMISSIONS / name for name in founding]).campaigns)


@pytest.fixture(scope="package")
def founding():
    """Release of the founding submissions of every edition that has any."""
    return founding_release(*(edition.edition for edition in editions()))


@pytest.fixture(scope="package")
def founding_ratings(founding):
    return rate(founding)
