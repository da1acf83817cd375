import numpy as np
import pytest

from harness.predictor.features import (
    FEATURES,
    LABEL,
    NUMBERS,
    kernel_frame,
    labelled_frame,
    network_frame,
    numbered_configurations,
)
from harness.releases import assemble
from tests.campaigns import board_campaign, kernel_campaign


@pytest.fixture(scope="module")
def release():
    return assemble([kernel_campaign(), board_campaign()])


def test_kernels_come_without_their_labels(release):
    frame = kernel_frame(release.levels["kernels"])
    assert tuple(frame.columns) == FEATURES
    assert frame.index.equals(labelled_frame(release.levels["kernels"]).index)


def test_labels_stand_beside_their_kernels(release):
    rows = release.levels["kernels"]
    frame = labelled_frame(rows)
    assert tuple(frame.columns) == (*FEATURES, LABEL)
    assert frame[LABEL].tolist() == rows.column(LABEL).to_pylist()


def test_absent_extents_are_nan_and_numbers_are_reals(release):
    rows = release.levels["kernels"]
    frame = kernel_frame(rows)
    for name in NUMBERS:
        assert frame[name].dtype == np.float64
        assert frame[name].isna().tolist() == [value is None for value in rows.column(name).to_pylist()]


def test_kernels_of_networks_know_their_network(release):
    models = release.levels["models"]
    frame, place = network_frame(models)
    lists = models.column("kernels").to_pylist()
    expected = [(row, kernel) for row, kernels in enumerate(lists) for kernel in kernels or ()]
    assert tuple(frame.columns) == FEATURES
    assert place.tolist() == [row for row, _ in expected]
    types = [kernel["kernel"] for _, kernel in expected]
    assert None in types
    assert [None if kernel != kernel else kernel for kernel in frame["kernel"]] == types
    assert frame["flops"].tolist() == [kernel["flops"] for _, kernel in expected]
    assert frame["device_id"].tolist() == [models.column("device_id")[row].as_py() for row, _ in expected]


def test_networks_without_kernel_lists_give_no_kernels(release):
    models = release.levels["models"]
    bare = models.filter([kernels is None for kernels in models.column("kernels").to_pylist()])
    assert bare.num_rows
    frame, place = network_frame(bare)
    assert len(frame) == len(place) == 0


def test_configurations_are_numbered_by_type_and_extents_alone(release):
    frame = kernel_frame(release.levels["kernels"])
    numbers = numbered_configurations(frame)
    ids = release.levels["kernels"].column("configuration_id").to_pylist()
    assert len(set(numbers)) == len(set(ids)) == len(set(zip(numbers, ids, strict=True)))
    assert sorted(set(numbers)) == list(range(len(set(ids))))
    elsewhere = frame.assign(device_id="elsewhere", flops=frame["flops"] + 1)
    assert (numbered_configurations(elsewhere) == numbers).all()
