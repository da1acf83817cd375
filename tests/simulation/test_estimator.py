import logging
import sys
from importlib.metadata import PackageNotFoundError

import pytest

from harness.errors import UsageError
from harness.simulation import accelerators as accelerators_module
from harness.simulation import estimator
from harness.simulation.accelerators import accelerator, accelerators, estimator_version
from harness.simulation.estimator import UnmappedError, estimate_layer, layer_entry
from harness.simulation.layers import Layer, layers_of
from tests.simulation.cases import CONFIGURATIONS, needs_estimator

PLACES = accelerators()
TPU, EYERISS, META = PLACES
POINTWISE = Layer("conv", 6, 6, 16, 24)
SMALLER = Layer("conv", 6, 6, 16, 12)
SIX_LOOPS = Layer("conv", 16, 16, 20, 24, 1, 3, 3)
OFF_CHIP_PJ = {TPU.id: 87.5, EYERISS.id: 125.0, META.id: 87.5}
"""Energy of reading one byte from off-chip memory, by the hardware files; writing costs as much or more."""


def named(place):
    return place.id


def node_of(layer, place):
    from zigzag.parser.workload_factory import LayerNodeFactory

    return LayerNodeFactory(layer_entry(layer), estimator._read(place)[1]).create()


@needs_estimator
@pytest.mark.parametrize("configuration", CONFIGURATIONS[:14], ids=lambda each: each["kernel"])
def test_the_estimator_counts_the_operations_and_inputs_that_the_layers_have(configuration):
    for layer in layers_of(configuration):
        node = node_of(layer, TPU)
        assert node.total_mac_count == layer.n_operations
        outputs = layer.output_h * layer.output_w * layer.groups * layer.cout
        sizes = {str(operand): size for operand, size in node.operand_size_elem.items()}
        assert sizes["O"] == outputs
        assert sizes["I"] <= layer.input_h * layer.input_w * layer.groups * layer.cin
        if layer.operation == "conv":
            assert sizes["W"] == layer.groups * layer.cin * layer.cout * layer.kernel_h * layer.kernel_w


@needs_estimator
@pytest.mark.parametrize("place", PLACES, ids=named)
def test_more_channels_need_more_energy_and_not_less_time(place):
    more, less = estimate_layer(POINTWISE, place), estimate_layer(SMALLER, place)
    assert more.energy_pj > less.energy_pj
    assert more.cycles >= less.cycles


@needs_estimator
@pytest.mark.parametrize("operation", ["add", "pool", "conv"])
@pytest.mark.parametrize("place", PLACES, ids=named)
def test_no_layer_costs_less_than_moving_its_tensors_to_and_from_off_chip_memory(place, operation):
    window = (1, 1) if operation == "add" else (2, 2)
    layer = Layer(operation, 4, 4, 1, 1, 8, *window)
    n_bytes = 4 * 4 * 8 * (3 if operation == "add" else 2)
    energy_pj = estimate_layer(layer, place).energy_pj
    assert OFF_CHIP_PJ[place.id] * n_bytes < energy_pj < 4 * OFF_CHIP_PJ[place.id] * n_bytes


@needs_estimator
def test_a_wide_window_costs_what_the_tall_one_of_the_transposed_input_does():
    tall = Layer("conv", 12, 5, 1, 8, 1, 4, 2, 2, 1)
    wide = Layer("conv", 5, 12, 1, 8, 1, 2, 4, 1, 2)
    assert estimate_layer(tall, TPU) == pytest.approx(estimate_layer(wide, TPU))


@needs_estimator
def test_a_layer_of_six_loops_is_estimated_from_a_tenth_of_its_orders_or_less(monkeypatch):
    seen = []
    by_energy = estimator._ChosenOrders._costs_of

    def counted(self, orders, loops):
        for each in by_energy(self, orders, loops):
            seen.append(each)
            yield each

    monkeypatch.setattr(estimator._ChosenOrders, "_costs_of", counted)
    found = estimate_layer(SIX_LOOPS, TPU)
    assert 0 < len(seen) <= 72
    assert found.energy_pj == min(evaluated.energy_total for evaluated, _ in seen)


@needs_estimator
@pytest.mark.parametrize("place", PLACES, ids=named)
def test_the_local_search_finds_what_the_full_search_of_five_loops_finds(place, monkeypatch):
    layer = Layer("conv", 16, 16, 1, 24, 1, 3, 3)
    full = estimate_layer(layer, place)
    monkeypatch.setattr(estimator, "MOST_SEARCHED_LOOPS", 3)
    assert estimate_layer(layer, place).energy_pj == pytest.approx(full.energy_pj, rel=0.02)


@needs_estimator
def test_grouped_convolutions_of_seven_loops_are_estimated():
    grouped = Layer("conv", 16, 16, 20, 24, 2, 3, 3)
    ratio = estimate_layer(grouped, TPU).energy_pj / estimate_layer(SIX_LOOPS, TPU).energy_pj
    assert ratio == pytest.approx(2, rel=0.01)


@needs_estimator
def test_the_estimator_leaves_no_files_and_no_settings_of_the_log(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    before = logging.root.manager.disable, list(logging.root.handlers), logging.root.level
    estimate_layer(POINTWISE, TPU)
    assert (logging.root.manager.disable, list(logging.root.handlers), logging.root.level) == before
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


@needs_estimator
def test_a_layer_that_fits_no_memory_is_unmapped_with_the_reason():
    with pytest.raises(UnmappedError, match=r"^\w+: "):
        estimate_layer(Layer("conv", 10**6, 10**6, 10**4, 10**4), TPU)


def test_a_missing_extra_says_how_to_install_it(monkeypatch):
    def missing(_):
        raise PackageNotFoundError

    monkeypatch.setattr(accelerators_module, "version", missing)
    estimator_version.cache_clear()
    with pytest.raises(UsageError, match=r"needs the extra simulate: pip install 'deepen\[simulate\]'"):
        estimate_layer(POINTWISE, TPU)
    estimator_version.cache_clear()


@needs_estimator
def test_an_extra_that_is_not_whole_is_no_fault_of_the_layer(monkeypatch):
    monkeypatch.setitem(sys.modules, "zigzag.stages.main", None)
    with pytest.raises(UsageError, match="needs the extra simulate"):
        estimate_layer(POINTWISE, TPU)


def test_a_misspelt_accelerator_is_told_with_the_nearest():
    with pytest.raises(UsageError, match="did you mean zigzag-eyeriss-like"):
        accelerator("zigzag-eyeris-like")


@needs_estimator
@pytest.mark.parametrize("place", PLACES, ids=named)
def test_every_accelerator_has_its_files_in_the_release(place):
    assert all(len(digest) == 64 for digest in place.files_sha256)


@needs_estimator
def test_layers_of_five_loops_are_searched_in_full_and_those_of_six_are_not(monkeypatch):
    def refused(*_):
        raise AssertionError("only some orders are tried")

    monkeypatch.setattr(estimator, "first_orders", refused)
    assert estimate_layer(Layer("conv", 16, 16, 1, 24, 1, 3, 3), TPU).energy_pj > 0
    with pytest.raises(UnmappedError, match="only some orders"):
        estimate_layer(SIX_LOOPS, TPU)
