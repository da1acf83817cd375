"""Kernel sampler: the counts asked for, from what networks contain, the same for the same seed."""

import csv
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from harness.graphs.families.phone import PHONE_FAMILIES
from harness.graphs.families.variants import variants_of, varied_of
from harness.graphs.sampler import COUNTS, sample_kernels
from harness.schema.networks import NetworkKernel, configuration_of
from harness.schema.records import KEYS
from harness.schema.vocabulary import KERNEL_ALLOWS, KERNEL_REQUIRES
from tests.graphs.families.networks import variant_list

SUBMISSIONS = Path(__file__).parents[2] / "submissions"


@pytest.fixture(scope="module")
def networks():
    return [variant_list(variant.family, variant.name).kernels for variant in variants_of(PHONE_FAMILIES, 12, 0)]


def as_set(sample):
    return {tuple(configuration.items()) for configuration in sample.configurations}


def test_counts_are_those_of_the_paper(networks):
    sample = sample_kernels(networks, sum(COUNTS.values()), 0)
    assert Counter(configuration["kernel"] for configuration in sample.configurations) == COUNTS
    assert not sample.missing
    assert len(as_set(sample)) == 1865


def test_every_configuration_is_complete_and_has_nothing_beside(networks):
    for configuration in sample_kernels(networks, 1865, 0).configurations:
        kernel = configuration["kernel"]
        given = set(configuration) - {"kernel"}
        assert set(KERNEL_REQUIRES[kernel]) <= given <= {*KERNEL_REQUIRES[kernel], *KERNEL_ALLOWS.get(kernel, ())}


def test_convolutions_occur_in_the_networks(networks):
    there = {tuple(configuration_of(kernel).items()) for network in networks for kernel in network}
    for configuration in sample_kernels(networks, 1865, 0).configurations:
        if configuration["kernel"] in ("conv-bn-relu", "dwconv-bn-relu", "fc", "concat"):
            assert tuple(configuration.items()) in there


def test_same_seed_draws_the_same_and_another_does_not(networks):
    assert as_set(sample_kernels(networks, 300, 1)) == as_set(sample_kernels(list(reversed(networks)), 300, 1))
    assert as_set(sample_kernels(networks, 300, 1)) != as_set(sample_kernels(networks, 300, 2))


@pytest.mark.parametrize("folder", sorted(SUBMISSIONS.glob("zigzag-*/zigzag-*")), ids=lambda folder: folder.parent.name)
def test_simulated_configurations_are_those_that_the_command_in_their_notes_draws(folder):
    varied = [variant_list(variant.family, variant.name).kernels for variant in varied_of(PHONE_FAMILIES, 10, 0)]
    drawn = sample_kernels(varied, 1865, 0).configurations
    rows = list(csv.DictReader((folder / "kernels.csv").read_text().splitlines()))
    committed = [{name: row[name] for name in KEYS["kernels"] if row.get(name)} for row in rows]
    written = [{name: str(value) for name, value in each.items()} for each in drawn]
    types = {each["kernel"] for each in committed}
    in_order = partial(sorted, key=lambda each: sorted(each.items()))
    assert in_order(committed) == in_order(each for each in written if each["kernel"] in types)


def test_what_networks_lack_is_told(networks):
    only = [kernel for kernel in networks[0] if kernel.kernel == "fc"]
    sample = sample_kernels([only], 1865, 0)
    assert sample.missing["fc"] == 24 - len({(kernel.cin, kernel.cout) for kernel in only})
    assert sample.missing["conv-bn-relu"] == 1032


def planes(*channels):
    """Kernels of which only the extents matter, one for each number of channels."""
    plane = {"operator": "relu", "kernel": "relu", "dtype": "fp32", "input_h": 7, "input_w": 7}
    cost = {"flops": 1, "params": 0, "bytes_moved": 1}
    return [NetworkKernel.model_validate(plane | cost | {"cin": cin}) for cin in channels]


def test_types_that_halve_their_channels_are_drawn_with_an_even_number_of_them():
    drawn = {"split": set(), "channelshuffle": set(), "hswish": set()}
    for configuration in sample_kernels([planes(3, 4, 5, 6)], 1865, 0).configurations:
        if configuration["kernel"] in drawn:
            drawn[configuration["kernel"]].add(configuration["cin"])
    assert drawn == {"split": {4, 6}, "channelshuffle": {4, 6}, "hswish": {3, 4, 5, 6}}


def test_a_small_draw_asks_for_one_of_every_kernel_type():
    sample = sample_kernels([planes(4)], 1, 0)
    drawn = Counter(configuration["kernel"] for configuration in sample.configurations)
    assert {name: drawn[name] + sample.missing.get(name, 0) for name in COUNTS} == dict.fromkeys(COUNTS, 1)
