import pytest

from harness.predictor.conformance import faults_of
from harness.predictor.network_conformance import NETWORK_CHECKS
from tests.predictor.packages import info_source
from tests.sandbox.test_network_jobs import SOURCE

BROKEN = {
    "check_networks_are_energies": (
        {"predict": "return np.where(networks['n'] > 0, np.nan, 1.0)"}, "networks are not finite and positive"
    ),
    "check_networks_repeat_themselves": (
        {"fit": "networks = networks.sample(frac=0.5)"}, "differ between fits on the same rows"
    ),
    "check_networks_stay_as_they_are": ({"fit": "networks['flops'] += 1"}, "fit changes its input"),
    "check_networks_stand_alone": (
        {"predict": "return (networks['flops'] / networks['flops'].mean()).to_numpy() + 1"},
        "depend on the other rows",
    ),
    "check_one_network_suffices": (
        {"fit": "if len(networks) == 1: raise ValueError('one')"}, "raised ValueError: one"
    ),
}  # fmt: skip


def faults(package, **statements):
    info = info_source("nets", "learns_networks = true\n").replace('kernels = "all"', "kernels = []")
    source = SOURCE.format(**({"fit": "pass", "predict": "pass"} | statements))
    package.add("nets", info=info, model=source)
    return faults_of("nets", package.name)


def test_a_sound_predictor_of_networks_has_no_fault(package):
    assert faults(package) == []


@pytest.mark.parametrize("check", [check.__name__ for check in NETWORK_CHECKS])
def test_each_check_finds_its_fault(package, check):
    statements, fault = BROKEN[check]
    found = faults(package, **statements)
    assert any(line.startswith(check) and fault in line for line in found), found
