"""A kernel type is one declaration; one that lacks a part stops the import."""

from pathlib import Path

import numpy as np
import pytest

from harness.schema import kernel_types
from harness.schema.cost import ELEMENTWISE_FLOPS
from harness.schema.kernel_costs import Elementwise, squeezed
from harness.schema.kernel_types import KERNEL_TYPES, KernelType

WHOLE = {
    "requires": ("input_h", "input_w", "cin"),
    "cost": Elementwise(5),
    "operators": ("softmax",),
    "layers": None,
    "n_drawn": None,
}
SOURCE = Path(kernel_types.__file__).read_text(encoding="utf-8")
FIRST_NAME = '    "conv-bn-relu",\n'


def imported(source):
    """Execute the module's text as an import would."""
    assert source != SOURCE
    exec(compile(source, "kernel_types.py", "exec"), {"__name__": kernel_types.__name__})


@pytest.mark.parametrize("part", ["requires", "cost", "layers", "n_drawn"])
def test_a_kernel_type_without_one_of_its_parts_cannot_be_declared(part):
    assert KernelType(**WHOLE).cost.flops == 5
    with pytest.raises(TypeError, match=part):
        KernelType(**{name: value for name, value in WHOLE.items() if name != part})


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"cost": None}, "the cost of a kernel type is a rule"),
        ({"requires": ("cin",)}, "its cost reads input_h, which it neither requires nor allows"),
        ({"cost": Elementwise(1, channels=("cin", "cin2"))}, "its cost reads cin2"),
        ({"layers": "activation"}, "layers = 'activation'; expected None, or one of convolution"),
        ({"n_drawn": 0}, "n_drawn = 0; expected None, or at least 1"),
    ],
)
def test_a_part_that_would_cost_nothing_or_mean_nothing_cannot_be_declared(part, message):
    with pytest.raises(TypeError, match=message):
        KernelType(**WHOLE | part)


def test_a_kernel_type_that_no_operator_runs_as_cannot_be_declared():
    with pytest.raises(TypeError, match="names the operators that run as it"):
        KernelType(**WHOLE | {"operators": ()})


def test_a_name_without_a_declaration_stops_the_import():
    with pytest.raises(TypeError, match="no kernel type is declared for made-up"):
        imported(SOURCE.replace(FIRST_NAME, FIRST_NAME + '    "made-up",\n', 1))


def test_a_declaration_without_a_name_stops_the_import():
    with pytest.raises(TypeError, match="kernel type declared for conv-bn-relu, which is not listed"):
        imported(SOURCE.replace(FIRST_NAME, "", 1))


def test_no_two_kernel_types_claim_the_same_operators():
    claims = [name for kind in KERNEL_TYPES.values() for name in (*kind.begins_with, *kind.operators)]
    assert len(claims) == len(set(claims))


def test_types_that_only_move_data_are_declared_to_cost_no_flops():
    assert {name for name, flops in ELEMENTWISE_FLOPS.items() if flops == 0} == {"concat", "split", "channelshuffle"}


@pytest.mark.parametrize(("channels", "inner"), [(1, 1), (3, 1), (4, 1), (7, 1), (8, 2)])
def test_squeeze_and_excitation_keeps_a_quarter_of_the_channels_and_at_least_one(channels, inner):
    assert squeezed(np.array([float(channels)])).tolist() == [inner]
