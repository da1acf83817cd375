"""Variants: the same seed gives the same networks, whichever others are drawn."""

from itertools import pairwise

import onnx
import pytest

from harness.errors import UsageError
from harness.graphs.families.choices import CHANNEL_TENTHS, WINDOWS, LoggedChoices, RandomChoices
from harness.graphs.families.phone import PHONE_FAMILIES
from harness.graphs.families.variants import Variant, variants_of, varied_of
from tests.graphs.families.networks import kernels_of, list_of


@pytest.mark.parametrize("family", PHONE_FAMILIES)
def test_every_network_is_valid_onnx_without_weights(family):
    for variant in variants_of([family], 3, 0):
        model = variant.build()
        onnx.checker.check_model(model, full_check=True)
        assert len(model.SerializeToString()) < 100_000


@pytest.mark.parametrize("family", PHONE_FAMILIES)
def test_every_kernel_of_every_family_has_a_type(family):
    for variant in variants_of([family], 4, 1):
        found = list_of(variant.build())
        assert (found.coverage_kernels, found.coverage_flops) == (1, 1), found.unsupported


@pytest.mark.parametrize("family", PHONE_FAMILIES)
def test_same_seed_gives_the_same_network_whatever_else_is_drawn(family):
    few, many = variants_of([family], 2, 3), variants_of(["AlexNet", family], 5, 3)
    assert few[1] in many
    assert few[1].build().SerializeToString(deterministic=True) == few[1].build().SerializeToString(deterministic=True)
    assert kernels_of(few[1].build()) != kernels_of(Variant(family, "s4-1").build())


@pytest.mark.parametrize("family", PHONE_FAMILIES)
def test_variants_of_a_family_differ(family):
    lists = [kernels_of(variant.build()) for variant in variants_of([family], 6, 0)]
    assert all(one != other for one, other in pairwise(lists))


def test_drawn_channels_and_windows_stay_within_what_is_stated():
    drawn = [RandomChoices(f"0/x/{number}") for number in range(300)]
    assert {one.channels("layer", 100) // 10 for one in drawn} == set(CHANNEL_TENTHS)
    assert {one.window("layer", 3) for one in drawn} == set(WINDOWS)
    assert {one.window("layer", 1) for one in drawn} == {1}
    assert min(one.channels("layer", 2) for one in drawn) == 1


@pytest.mark.parametrize("family", PHONE_FAMILIES)
def test_the_drawn_variants_vary_the_base_unless_they_vary_another_network(family):
    (base,), (varied,) = variants_of([family], 1, 0), varied_of([family], 1, 0)
    others = {"AlexNet": "same", "ShuffleNetV2": "x1.5", "SqueezeNet": "same"}
    assert (base.name, varied.name) == ("base", others.get(family, "base"))
    assert variants_of([family], 4, 7)[1:] == varied_of([family], 4, 7)[1:]
    assert kernels_of(PHONE_FAMILIES[family]("x", LoggedChoices())) == kernels_of(varied.build())


def test_unknown_family_is_named_with_the_nearest():
    with pytest.raises(UsageError, match="'ResNet19' is not a known family; did you mean ResNet18"):
        variants_of(["ResNet19"], 1, 0)
