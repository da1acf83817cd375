"""Every predictor keeps to the protocol; `-k KEY` tries one."""

import pytest

from harness.predictor.conformance import CHECKS, ConformanceCase
from harness.predictor.registry import predictors_in


@pytest.fixture(scope="module", params=predictors_in())
def candidate(request):
    return ConformanceCase(request.param)


@pytest.mark.parametrize("check", CHECKS, ids=[check.__name__ for check in CHECKS])
def test_predictor_conforms(candidate, check):
    check(candidate)
