import pyarrow as pa
import pytest

from harness.schema.cost import kernel_cost
from harness.schema.vocabulary import EXTENTS, KERNEL_REQUIRES
from harness.simulation.layers import SIMULATED, Layer, layers_of
from tests.simulation.cases import CONFIGURATIONS, SHAPE, WINDOW

BY_KERNEL = {configuration["kernel"]: configuration for configuration in CONFIGURATIONS}


def flops_of(configuration):
    extents = {name: pa.array([configuration.get(name)], pa.int64()) for name in EXTENTS}
    table = pa.table({"kernel": [configuration["kernel"]], "dtype": ["int8"], **extents})
    return int(kernel_cost(table).flops[0])


@pytest.mark.parametrize("configuration", CONFIGURATIONS[:6], ids=lambda each: each["kernel"])
def test_convolutions_multiply_half_as_often_as_the_cost_of_kernels_counts_flops(configuration):
    (layer,) = layers_of(configuration)
    assert 2 * layer.n_operations == flops_of(configuration)


@pytest.mark.parametrize("kernel", ["maxpool", "avgpool", "global-avgpool", "add"])
def test_other_layers_operate_as_often_as_the_cost_of_kernels_counts_flops(kernel):
    (layer,) = layers_of(BY_KERNEL[kernel])
    assert layer.n_operations == flops_of(BY_KERNEL[kernel])


def test_every_kernel_type_is_simulated_or_has_no_layer():
    for kernel in KERNEL_REQUIRES:
        configuration = {**SHAPE, **WINDOW, **TOKENS, "kernel": kernel, "cout": 12, "cin2": 4}
        assert bool(layers_of(configuration)) == (kernel in SIMULATED)


TOKENS = {"rows": 5, "q_len": 5, "kv_len": 7, "heads": 4, "kv_heads": 2, "head_size": 8}


@pytest.mark.parametrize(
    "configuration",
    [
        {"kernel": "matmul", "rows": 5, "cin": 12, "cout": 10},
        {"kernel": "matmul", "rows": 5, "cin": 12, "cout": 10, "batch": 3},
        {"kernel": "attention", **{name: value for name, value in TOKENS.items() if name != "rows"}},
    ],
)
def test_products_of_tokens_multiply_half_as_often_as_the_cost_of_kernels_counts_flops(configuration):
    assert 2 * sum(layer.n_operations for layer in layers_of(configuration)) == flops_of(configuration)


def test_a_window_with_gaps_has_no_layer():
    assert layers_of(CONFIGURATIONS[0] | {"dilation_h": 2}) == ()


def test_an_operator_without_a_kernel_type_has_no_layer():
    assert layers_of({}) == ()


def test_kernels_of_equal_work_are_equal_layers():
    dense = {"kernel": "conv-bn-relu", "input_h": 1, "input_w": 1, "cin": 12, "cout": 10}
    dense |= dict.fromkeys(WINDOW, 1)
    assert layers_of(dense) == layers_of({"kernel": "fc", "cin": 12, "cout": 10})
    assert layers_of(BY_KERNEL["add"]) == layers_of(BY_KERNEL["addrelu"])
    assert layers_of({"kernel": "dwconv-bn-relu", **SHAPE, **dict.fromkeys(WINDOW, 1)}) == layers_of(BY_KERNEL["bn"])


def test_squeeze_and_excitation_is_the_sum_of_its_parts():
    pooled, squeeze, excite, product = layers_of(BY_KERNEL["se"])
    assert pooled == layers_of(BY_KERNEL["global-avgpool"])[0]
    assert (squeeze.cin, squeeze.cout, excite.cin, excite.cout) == (12, 3, 3, 12)
    assert product == layers_of(BY_KERNEL["bn"])[0]


def test_outputs_are_inputs_over_the_stride_rounded_up():
    layer = Layer("conv", 49, 10, 1, 64, 1, 10, 4, 2, 3)
    assert (layer.output_h, layer.output_w) == (25, 4)


@pytest.mark.parametrize(
    ("configuration", "reason"),
    [
        ({"kernel": "conv-bn-relu", **SHAPE, "cout": 8}, "conv-bn-relu lacks kernel_h"),
        ({"kernel": "conv-bn-relu", **SHAPE, "cout": 8, **WINDOW, "groups": 5}, "5 groups do not divide 12 input"),
    ],
)
def test_a_configuration_that_is_no_kernel_is_refused(configuration, reason):
    with pytest.raises(ValueError, match=reason):
        layers_of(configuration)
