"""FLOPs of real ONNX files against the counts that are published for their networks; one MAC is two FLOPs."""

import importlib.resources
from pathlib import Path

import pytest

from harness.graphs.fusion_rules import read_runtime
from harness.graphs.kernels import kernel_list
from harness.graphs.reading import read_model

pytest.importorskip("zigzag", reason="needs the extra simulate, whose package ships the files")
FOLDER = importlib.resources.files("zigzag") / "inputs" / "workload"


def kernels_of(name):
    return kernel_list(read_model(Path(str(FOLDER / f"{name}.onnx"))), read_runtime("tflite-cpu"))


@pytest.mark.parametrize(
    ("name", "macs", "params"),
    [
        # He et al. 2016, table 1, print 1.8e9; torchvision's documentation 1.81e9 and 11.69 million parameters.
        ("resnet18", 1.81e9, 11.69e6),
        # Sandler et al. 2018, table 4: 300 million multiply-adds and 3.4 million parameters; torchvision 3.50 million.
        ("mobilenetv2", 300e6, 3.50e6),
    ],
)
def test_cost_of_a_network_is_within_one_per_cent_of_the_published(name, macs, params):
    found = kernels_of(name)
    assert found.flops / 2 == pytest.approx(macs, rel=0.01)
    assert found.params == pytest.approx(params, rel=0.01)
    assert (found.coverage_kernels, found.coverage_flops) == (1, 1)


def test_cost_of_alexnet_is_the_published_at_the_published_extents():
    """The file takes 224 x 224 images without padding, so its planes are 54, 26 and 12 wide.

    Krizhevsky et al. 2012 have planes of 55, 27 and 13, for which 724 million multiply-accumulates are published
    (666 in convolutions, 58.6 in fully connected layers).
    """
    found = kernels_of("alexnet")
    convolutions = [kernel for kernel in found.kernels if kernel.kernel == "conv-bn-relu"]
    dense = sum(kernel.flops for kernel in found.kernels if kernel.kernel == "fc")
    resized = zip(convolutions, (55 / 54, 27 / 26, 13 / 12, 13 / 12, 13 / 12), strict=True)
    assert [kernel.groups for kernel in convolutions] == [None, 2, None, 2, 2]
    assert dense / 2 == pytest.approx(58.6e6, rel=0.01)
    assert sum(kernel.flops * ratio**2 for kernel, ratio in resized) / 2 == pytest.approx(666e6, rel=0.01)
    assert found.params == pytest.approx(60.97e6, rel=0.01)
    assert "lrn" in {item.operator for item in found.unsupported}
    assert found.coverage_flops > 0.999
