"""The MLPerf Tiny networks: the kernels that the reference files hold."""

import pytest

from harness.graphs.families.tiny import TINY_NETWORKS
from harness.schema.network_names import FAMILIES
from tests.graphs.families.networks import kernels_of, list_of


def built(name):
    return TINY_NETWORKS[name][1](name)


def test_families_are_spelt_as_settled():
    assert {family for family, _ in TINY_NETWORKS.values()} <= set(FAMILIES)


@pytest.mark.parametrize(
    ("name", "macs"),
    [
        ("mlperf-tiny-ad", 264_192),
        ("mlperf-tiny-ic", 12_501_632),
        ("mlperf-tiny-kws", 2_656_768),
        ("mlperf-tiny-vww", 7_489_664),
    ],
)
def test_network_has_the_multiply_accumulates_of_the_reference(name, macs):
    kernels = list_of(built(name)).kernels
    assert sum(kernel.flops for kernel in kernels if "conv" in kernel.operator or "fc" in kernel.operator) == 2 * macs


def test_keyword_spotter_begins_with_its_window_of_10_by_4():
    first = kernels_of(built("mlperf-tiny-kws"))[0]
    assert first == {
        "kernel": "conv-bn-relu", "input_h": 49, "input_w": 10, "cin": 1, "cout": 64,
        "kernel_h": 10, "kernel_w": 4, "stride_h": 2, "stride_w": 2,
    }  # fmt: skip
