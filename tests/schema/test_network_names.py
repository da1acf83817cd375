"""Names of networks: one settled spelling each, and no name of two networks."""

import pytest

from harness.schema.network_names import NAMES, begins_like, settled_name
from harness.schema.vocabulary import LEVELS, plain_word


@pytest.mark.parametrize("level", LEVELS)
def test_no_name_is_of_two_networks(level):
    words = [plain_word(name) for settled, others in NAMES[level].items() for name in (settled, *others)]
    assert len(set(words)) == len(words)
    assert all(settled_name(level, settled) == settled for settled in NAMES[level])


def test_kernels_have_no_names():
    assert settled_name("kernels", "DS-CNN") is begins_like("kernels", "DS-CNN") is None


def test_a_name_begins_like_the_longest_known_one():
    assert begins_like("models", "EfficientNet-Lite0") == "EfficientNet-Lite"
    assert begins_like("models", "EfficientNet-B0") == "EfficientNet"
    assert begins_like("models", "Inception-ResNet-v3") == "Inception-ResNet"


def test_reference_networks_are_spelt_as_the_paper_prints_them():
    assert settled_name("applications", "MobileNetV1") == "MobileNetv1"
    assert settled_name("models", "mobilenet v1") == "MobileNetV1"
