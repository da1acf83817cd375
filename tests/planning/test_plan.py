"""Plans: chosen kernels with their files, the order, what is known already, and what is left out."""

import hashlib

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from harness.errors import UsageError
from harness.graphs.families.variants import Variant
from harness.graphs.fusion_rules import read_runtime
from harness.graphs.kernels import kernel_list
from harness.graphs.onnx_reader import graph_of_onnx
from harness.planning.design import design, variance_left
from harness.planning.ordering import measuring_order
from harness.planning.plan import MeasuredKernels, make_plan
from harness.planning.targets import TargetNetwork, kernel_table, key_of, shares_of
from harness.schema.networks import configuration_of
from harness.schema.vocabulary import CONFIGURATION_FIELDS
from tests.planning.test_design import ASKED, POOL


def network(name, weight=1.0, runtime="tflite-cpu"):
    variant = Variant.parsed(name)
    return TargetNetwork(
        variant.model, weight, kernel_list(graph_of_onnx(variant.build(), "net"), read_runtime(runtime)).kernels
    )


MOBILE = network("MobileNetV2/alpha-0.35-96")
TINY = network("KWT/1")


@pytest.fixture(scope="module")
def made():
    return make_plan("acme-board", [MOBILE], [MOBILE, TINY], 8, seed=1)


def test_files_are_those_that_the_plan_states(made):
    files = [file for kernel in made.plan.kernels for file in kernel.files]
    assert sorted(file.path for file in files) == sorted(made.contents)
    for file in files:
        content = made.contents[file.path]
        assert (file.sha256, file.n_bytes) == (hashlib.sha256(content).hexdigest(), len(content))


def test_same_arguments_give_the_same_bytes_and_another_seed_does_not(made):
    again = make_plan("acme-board", [MOBILE], [MOBILE, TINY], 8, seed=1)
    assert (again.plan, again.contents) == (made.plan, made.contents)
    other = make_plan("acme-board", [MOBILE], [MOBILE, TINY], 8, seed=2)
    assert other.contents != made.contents


def test_variance_falls_from_kernel_to_kernel_and_every_step_begins_where_the_last_ended(made):
    kernels = made.plan.kernels
    left = [made.plan.variance_measured, *(kernel.variance_left for kernel in kernels)]
    assert [kernel.variance_before for kernel in kernels] == left[:-1]
    assert left[0] == 1
    assert (np.diff(left) < 0).all()


def test_every_kernel_is_measured_once_and_the_anchor_three_times(made):
    names = [each.id for each in made.plan.order]
    (anchor,) = {each.id for each in made.plan.order if each.is_anchor}
    assert [names[0], names[-1]] == [anchor, anchor]
    assert names.count(anchor) == 3
    assert sorted(set(names)) == sorted(kernel.id for kernel in made.plan.kernels)
    assert len(names) == len(made.plan.kernels) + 2


def test_weights_are_shares_of_the_networks_and_together_one_with_what_is_left_out():
    shares = shares_of([MOBILE, TINY])
    others = sum(share for _, share in shares.others.values())
    assert sum(shares.typed.values()) + others == pytest.approx(1)
    whole = sum(kernel.flops for kernel in TINY.kernels), sum(kernel.bytes_moved for kernel in TINY.kernels)
    first = TINY.kernels[0]
    alone = shares_of([TINY]).typed[key_of(configuration_of(first))]
    assert alone == pytest.approx((first.flops / whole[0] + first.bytes_moved / whole[1]) / 2)


def test_what_no_file_holds_is_left_out_with_its_share_and_reason():
    llama = network("Llama/stories15M-decode-128", runtime="onnxruntime-cpu")
    plan = make_plan("acme-board", [llama], [llama], 3, seed=0, formats=["tflite"]).plan
    reasons = {each.kernel: each.reason for each in plan.left_out}
    assert reasons["norm"] == "tflite: TFLite has no operator of the type norm"
    assert reasons["transpose"] == "it has no kernel type"
    assert [each.weight for each in plan.left_out] == sorted((each.weight for each in plan.left_out), reverse=True)
    assert {file.format for kernel in plan.kernels for file in kernel.files} == {"tflite"}


def test_kernels_that_the_device_was_measured_on_are_known_and_not_planned_again(made):
    done = made.plan.kernels[:3]
    ids = frozenset(kernel.configuration_id for kernel in done)
    table = kernel_table([_configuration(kernel) for kernel in done])
    plan = make_plan("acme-board", [MOBILE], [MOBILE, TINY], 5, seed=1, measured=MeasuredKernels(table.frame, ids)).plan
    assert plan.n_measured == 3
    assert plan.variance_measured == pytest.approx(done[-1].variance_left)
    # The choice goes on where it would have gone on.
    assert [kernel.configuration_id for kernel in plan.kernels] == [
        kernel.configuration_id for kernel in made.plan.kernels[3:]
    ]


def _configuration(kernel):
    return kernel.model_dump(include={"kernel", *CONFIGURATION_FIELDS}, exclude_none=True)


@pytest.mark.parametrize("n_rows", [1, 10_000])
def test_more_kernels_than_there_are_or_too_few_are_refused(n_rows):
    with pytest.raises(UsageError, match=rf"{n_rows} kernels to measure; expected 2 to \d+, of the \d+ that can be"):
        make_plan("acme-board", [TINY], [TINY], n_rows, seed=0)


def test_networks_without_a_kernel_of_a_type_are_refused():
    untyped = [kernel.model_copy(update={"kernel": None}) for kernel in TINY.kernels]
    with pytest.raises(UsageError, match="no kernel of the networks has a kernel type"):
        make_plan("acme-board", [TargetNetwork("strange", 1.0, untyped)], [TINY], 2, seed=0)


def test_variance_left_is_that_of_the_design():
    """The greedy choice is the best first one by the variance that is left."""
    weights = np.ones(len(ASKED))
    (first,) = design(POOL, ASKED, 1)
    left = [variance_left(POOL.iloc[[place]], ASKED, weights)[1] for place in range(len(POOL))]
    assert int(np.argmin(left)) == first
    everything = variance_left(pd.concat([POOL, POOL]), ASKED, weights)
    assert (np.diff(everything) <= 1e-12).all()
    assert everything[0] == pytest.approx(1)
    assert 0 < everything[-1] < 1


@given(n=st.integers(4, 200), seed=st.integers(-5, 300))
def test_order_has_every_kernel_and_size_does_not_grow_with_place(n, seed):
    sizes = {f"k{place:03}": place for place in range(n)}
    order = measuring_order(sizes, f"k{n // 2:03}", seed)
    assert sorted(set(order)) == list(sizes)
    assert order[0] == order[-1] == order[(n - 1) // 2 + 1]
    rank = spearmanr(range(n - 1), [int(name[1:]) for name in order if name != order[0]]).statistic
    assert abs(rank) < 0.5 or n < 16
