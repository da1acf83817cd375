import numpy as np
import pytest

from predictors.constant.model import Model as Constant
from predictors.flops_linear.model import Model as FlopsLinear
from predictors.roofline.model import Model as Roofline
from predictors.sec23_random_forest.model import CPU, GPU
from predictors.sec23_random_forest.model import Model as RandomForest
from tests.predictors.kernels import (
    BYTE_MJ,
    CONSTANT_MJ,
    FLOP_MJ,
    energies_of,
    relative_errors,
    roofline_kernels,
    shuffled,
    unlabelled,
    with_energies,
)

CONVS = ["conv-bn-relu"] * 60


def test_constant_is_the_geometric_mean_of_each_type():
    kernels = with_energies(roofline_kernels(["relu", "relu", "fc"]), [1.0, 100.0, 3.0])
    assert Constant().fit(kernels).predict(unlabelled(kernels)) == pytest.approx([10, 10, 3])


def test_line_over_flops_is_found():
    kernels = roofline_kernels(CONVS)
    line = with_energies(kernels, 0.25 + 3e-9 * kernels["flops"])
    assert FlopsLinear().fit(line).models_["conv-bn-relu"] == pytest.approx([0.25, 3e-9], rel=1e-4)


def test_line_over_flops_is_never_below_zero():
    kernels = roofline_kernels(CONVS)
    falling = with_energies(kernels, 1 / (1 + kernels["flops"]))
    assert (FlopsLinear().fit(falling).models_["conv-bn-relu"] >= 0).all()


def test_line_over_flops_of_a_type_without_flops_is_a_constant():
    kernels = roofline_kernels(["split"] * 10)
    predicted = FlopsLinear().fit(kernels).predict(unlabelled(kernels))
    assert predicted == pytest.approx(np.full(10, np.exp(np.log(kernels["energy_mj"]).mean())))


@pytest.mark.parametrize("kernel", ["conv-bn-relu", "fc", "maxpool"])
def test_roofline_finds_its_coefficients(kernel):
    model = Roofline().fit(roofline_kernels([kernel] * 60))
    found = model.models_[kernel]
    assert found[1:] == pytest.approx([FLOP_MJ, BYTE_MJ], rel=0.05)
    assert found[0] == pytest.approx(CONSTANT_MJ, abs=1e-4)


def test_roofline_finds_its_coefficients_through_noise():
    kernels = roofline_kernels(["conv-bn-relu"] * 400, noise=0.05)
    assert Roofline().fit(kernels).models_["conv-bn-relu"][1:] == pytest.approx([FLOP_MJ, BYTE_MJ], rel=0.1)


def test_roofline_scales_with_the_unit_of_energy():
    kernels = roofline_kernels(CONVS, noise=0.2)
    small = Roofline().fit(kernels).models_["conv-bn-relu"]
    large = Roofline().fit(with_energies(kernels, 1e6 * kernels["energy_mj"])).models_["conv-bn-relu"]
    assert large == pytest.approx(1e6 * small, rel=1e-3)


def test_roofline_of_nothing_to_learn_is_no_worse_than_the_constant():
    kernels = shuffled(roofline_kernels(CONVS))
    errors = [
        np.log(model().fit(kernels).predict(unlabelled(kernels)) / energies_of(kernels))
        for model in (Roofline, Constant)
    ]
    assert np.mean(errors[0] ** 2) <= np.mean(errors[1] ** 2) * 1.001


def test_forest_has_the_hyper_parameters_of_the_back_end():
    kernels = roofline_kernels(["conv-bn-relu"] * 30)
    _, on_cpu = RandomForest().fit(kernels).models_["conv-bn-relu"]
    _, on_gpu = RandomForest().fit(kernels.assign(processor="gpu")).models_["conv-bn-relu"]
    assert (on_cpu.max_depth, on_cpu.max_features) == CPU["conv-bn-relu"] == (70, 6)
    assert (on_gpu.max_depth, on_gpu.max_features) == GPU["conv-bn-relu"] == (80, 5)


def test_forest_sees_the_papers_features_of_a_convolution():
    given, _ = RandomForest().fit(roofline_kernels(CONVS)).models_["conv-bn-relu"]
    assert given == ["input_h", "cin", "cout", "kernel_h", "stride_h", "flops", "params"]


def test_forest_stays_within_the_energies_that_it_has_seen():
    kernels = roofline_kernels(CONVS)
    huge = unlabelled(kernels).assign(flops=kernels["flops"] * 1e6)
    predicted = RandomForest().fit(kernels).predict(huge)
    assert predicted.max() <= kernels["energy_mj"].max()


def test_roofline_goes_on_where_the_forest_ends():
    kernels = roofline_kernels(CONVS)
    is_large = kernels["flops"] > kernels["flops"].quantile(0.8)
    small, large = (kernels[chosen].reset_index(drop=True) for chosen in (~is_large, is_large))
    assert np.median(relative_errors(Roofline().fit(small), large)) < 0.01
    assert np.median(relative_errors(RandomForest().fit(small), large)) > 0.1
