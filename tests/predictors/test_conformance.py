"""Every predictor keeps to the protocol; `-k KEY` tries one. Its checks run within the sandbox."""

import pytest

from harness.predictor.registry import list_predictors
from harness.sandbox.jobs import conformance_faults

LISTING = list_predictors()


@pytest.mark.parametrize("key", [*LISTING.infos, *LISTING.faults])
def test_predictor_conforms(key):
    assert conformance_faults(key) == []
