"""Energies of random worlds lie within their expanded uncertainty as often as it says."""

from dataclasses import replace

import pytest

from harness.traces.reduction import reduce_trace
from tests.traces.worlds import world

N_WORLDS = 60


@pytest.mark.parametrize("is_aligned", [False, True])
def test_true_energies_lie_within_the_expanded_uncertainty(is_aligned):
    n_given = n_covered = 0
    for seed in range(1000, 1000 + N_WORLDS):
        drawn = world(seed)
        found = reduce_trace(drawn.trace, drawn.inferences, None, replace(drawn.settings, is_aligned=is_aligned))
        if found.energy_mj is not None:
            n_given += 1
            n_covered += abs(found.energy_mj - drawn.energy_mj) <= found.energy_u_mj
    assert n_given > N_WORLDS / 3
    assert n_covered / n_given > 0.9
