"""Every predictor keeps to the protocol; `-k KEY` tries one."""

import pytest

from harness.evaluation.conformance import CHECKS, Candidate
from harness.evaluation.registry import predictors_in


@pytest.fixture(scope="module", params=predictors_in())
def candidate(request):
    return Candidate(request.param)


@pytest.mark.parametrize("check", CHECKS, ids=[check.__name__ for check in CHECKS])
def test_predictor_conforms(candidate, check):
    check(candidate)
