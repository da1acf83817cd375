"""Kernel lists: what is sound comes through, and what is not is said at its line."""

import json
import time
from pathlib import Path

import pytest

from harness.issues import as_text
from harness.schema.networks import MOST_KERNELS
from harness.schema.vocabulary import KERNEL_ALLOWS, KERNEL_FUNCTIONS, KERNEL_REQUIRES
from harness.validation import validate
from tests.kernel_lists import CONV, FC, RESNET, REST, as_json
from tests.validation.golden import lay_out
from tests.validation.hostile import CAMPAIGN, edit, network


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lay_out(None, tmp_path)


def report():
    return validate([Path("submissions")]).report


def rules():
    return [issue.rule for issue in report().issues]


def test_sound_kernel_lists_come_with_the_campaign_and_not_every_model_needs_one(root):
    network(root, as_json("ResNet18", *RESNET))
    validated = validate([root])
    assert as_text(validated.report) == "10 rows, 0 errors, 0 warnings"
    (campaign,) = validated.campaigns
    assert list(campaign.networks) == ["ResNet18"]
    found = campaign.networks["ResNet18"]
    assert (found.runtime, [kernel.operator for kernel in found.kernels]) == (
        "tflite-cpu",
        ["conv+bn+relu", "fc", "com.acme.Rest"],
    )
    assert found.kernels[0].model_dump() == dict.fromkeys(found.kernels[0].model_dump()) | CONV


def test_campaign_without_the_folder_has_no_kernel_lists(root):
    assert validate([root]).campaigns[0].networks == {}


@pytest.mark.parametrize("layout", [json.dumps, lambda value: json.dumps(value, indent=4)])
def test_layout_of_the_file_does_not_matter(root, layout):
    network(root, layout(json.loads(as_json("ResNet18", *RESNET))))
    assert len(validate([root]).campaigns[0].networks["ResNet18"].kernels) == 3


def test_fault_in_a_kernel_list_keeps_its_campaign_out(root):
    network(root, as_json("ResNet18", CONV | {"cin": 0}, FC, REST))
    assert validate([root]).campaigns == []


def test_each_entry_is_reported_at_its_own_line(root):
    broken = [CONV, CONV | {"cin": 0}, FC | {"cout": None}, FC | {"dtype": "float32"}, REST]
    network(root, as_json("ResNet18", *broken))
    places = [(issue.line, issue.column, issue.rule) for issue in report().issues]
    assert places == [(7, "kernels.1.cin", "configuration-range"), (9, "kernels.3.dtype", "vocabulary")]
    # What a kernel type needs is asked only of entries that can be read.
    network(root, as_json("ResNet18", *(CONV, CONV, FC | {"cout": None}, REST)))
    assert [(issue.line, issue.column) for issue in report().issues] == [(8, "kernels.2.cout")]


@pytest.mark.parametrize("kernel", KERNEL_REQUIRES)
def test_entry_may_give_what_a_kernel_row_may_give(root, kernel):
    cost = {"flops": REST["flops"], "params": REST["params"], "bytes_moved": 1}
    required = dict.fromkeys(KERNEL_REQUIRES[kernel], 2)
    if functions := KERNEL_FUNCTIONS.get(kernel):
        required["function"] = functions[0]
    entry = {"operator": "op", "kernel": kernel, "dtype": "fp32", **required, **cost}
    network(root, as_json("ResNet18", entry | dict.fromkeys(KERNEL_ALLOWS.get(kernel, ()), 2)))
    assert rules() == []
    network(root, as_json("ResNet18", entry | {KERNEL_REQUIRES[kernel][0]: None}))
    assert rules() == ["configuration-missing"]
    if functions:
        network(root, as_json("ResNet18", entry | {"function": "sigmoid" if kernel == "norm" else "rms-norm"}))
        assert rules() == ["configuration-function"]


def test_entry_without_a_kernel_type_may_give_any_extent(root):
    network(root, as_json("ResNet18", REST | CONV | {"kernel": None, "operator": "conv-dilated"}, *RESNET[1:]))
    assert rules() == []


@pytest.mark.parametrize(
    ("stated", "is_told"),
    [("3600000000", False), ("3630000000", False), ("3570000000", False), ("", False), ("3640000000", True),
     ("3560000000", True), ("0", True)],
)  # fmt: skip
def test_totals_agree_with_the_row_within_one_per_cent_where_it_states_them(root, stated, is_told):
    edit(root / CAMPAIGN / "models.csv", "3600000000", stated)
    network(root, as_json("ResNet18", *RESNET))
    assert rules() == ["network-cost"] * is_told


def test_table_that_cannot_be_read_does_not_condemn_its_kernel_lists(root):
    (root / CAMPAIGN / "models.csv").write_text("")
    network(root, as_json("ResNet18", *RESNET))
    assert rules() == ["file-empty"]


def test_numbers_of_many_digits_are_out_of_bounds_and_not_slow(root):
    network(root, as_json("ResNet18", CONV, FC).replace("55296", "5" * 3_000_000))
    assert rules() == ["cost-range"]


def test_as_many_faults_as_a_file_can_hold_are_reported_in_bounded_time(root):
    entry = json.dumps({"cin": 0, "cout": 0, "cin2": 0, "cin3": 0, "x": 0, "y": 0})
    network(root, '{"schema_version": 1, "model": "ResNet18", "kernels": [' + ",".join([entry] * MOST_KERNELS) + "]}")
    start = time.process_time()
    assert report().n_errors == 1 + 10 * MOST_KERNELS
    assert time.process_time() - start < 30


def test_weights_that_kernels_share_are_once_in_the_parameters_of_the_network(root):
    text = json.loads(as_json("ResNet18", *RESNET))
    total = sum(kernel["params"] for kernel in text["kernels"])
    text["kernels"][1]["params"] += total
    network(root, json.dumps(text))
    assert rules() == ["network-cost"]
    network(root, json.dumps(text | {"params": total}))
    assert rules() == []


def test_a_total_of_which_a_part_is_unknown_is_at_least_the_rest(root):
    text = json.loads(as_json("ResNet18", *RESNET))
    text["kernels"][-1]["flops"] = None
    network(root, json.dumps(text))
    assert rules() == []
    text["kernels"][0]["flops"] += 10**12
    network(root, json.dumps(text))
    assert rules() == ["network-cost"]


@pytest.mark.parametrize("name", ["flops", "bytes_moved"])
def test_a_kernel_with_a_type_has_its_counts(root, name):
    text = json.loads(as_json("ResNet18", *RESNET))
    text["kernels"][0][name] = None
    network(root, json.dumps(text))
    assert rules() == ["fact-missing"]


def share(root, *models, runtime="tflite-cpu"):
    """Let the sound submission take kernel lists that are shared."""
    folder = root / "_graphs" / runtime
    folder.mkdir(parents=True)
    for model in models:
        (folder / f"{model}.json").write_text(as_json(model, *RESNET))
    edit(root / CAMPAIGN / "submission.yaml", "meter:", f"kernel_lists: {runtime}\nmeter:")


def test_shared_kernel_lists_come_with_the_models_that_have_none_of_their_own(root):
    share(root, "ResNet18", "MobileNetV2", "Another")
    network(root, as_json("MobileNetV2", CONV, REST), "MobileNetV2.json")
    edit(root / CAMPAIGN / "models.csv", "600000000,3500000,4", ",,4")
    (campaign,) = validate([root / CAMPAIGN]).campaigns
    assert (list(campaign.networks), list(campaign.shared_networks)) == (["MobileNetV2"], ["ResNet18"])
    assert rules() == []


def test_shared_kernel_lists_are_not_taken_unless_the_submission_names_them(root):
    share(root, "ResNet18")
    edit(root / CAMPAIGN / "submission.yaml", "kernel_lists: tflite-cpu\n", "")
    (campaign,) = validate([root]).campaigns
    assert not campaign.shared_networks


def test_folder_of_shared_kernel_lists_is_no_device_and_may_be_elsewhere(root):
    share(root, "ResNet18", "MobileNetV2")
    edit(root / CAMPAIGN / "models.csv", "600000000,3500000,4", ",,4")
    (root / "_graphs").rename(root.parent / "lists")
    assert rules() == ["network-shared"]
    assert not validate([root], shared=root.parent / "lists").report.issues


def test_shared_kernel_list_of_several_variants_under_one_name_is_an_error(root):
    share(root, "ResNet18", "MobileNetV2")
    models = root / CAMPAIGN / "models.csv"
    edit(models, "600000000,3500000,4", ",,4")
    row = models.read_text().splitlines()[1].replace(",1.0,224", ",0.5,192").replace("M1", "M3")
    models.write_text(models.read_text() + row + "\n")
    assert "network-model" in rules()


def test_link_among_shared_kernel_lists_is_an_error(root):
    share(root, "ResNet18", "MobileNetV2")
    edit(root / CAMPAIGN / "models.csv", "600000000,3500000,4", ",,4")
    (root / "_graphs" / "other").symlink_to(root / "_graphs" / "tflite-cpu")
    assert rules() == ["path-symlink"]
