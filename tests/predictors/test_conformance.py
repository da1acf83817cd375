"""Every predictor keeps to the protocol; `-k KEY` tries one. Its checks run within the sandbox."""

import pytest

from harness.predictor.protocol import PredictorError
from harness.predictor.registry import list_predictors
from harness.sandbox.jobs import conformance_faults

LISTING = list_predictors()


@pytest.mark.parametrize("key", [*LISTING.infos, *LISTING.faults])
def test_predictor_conforms(key):
    try:
        faults = conformance_faults(key)
    except PredictorError as error:
        faults = [str(error)]
    if faults:
        pytest.fail("\n".join(faults), pytrace=False)
