"""Committed kernel lists are those of the networks that they describe, and one command brings them there."""

import csv
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.graphs.families.phone import PHONE_FAMILIES
from harness.graphs.families.tiny import tiny_network
from harness.graphs.families.variants import Variant, variant_network, varied_of
from harness.regenerate import COMMAND, main, regenerate_networks, stale_networks
from harness.schema.networks import network_json

SUBMISSIONS = Path(__file__).parents[1] / "submissions"
HEADER = "model,family,variant,dtype\n"


@pytest.fixture
def submissions(tmp_path, monkeypatch):
    """Two campaigns whose kernel lists are empty files, beside two that somebody else contributed."""
    monkeypatch.chdir(tmp_path)
    for campaign, row in (
        ("GAP9-EVK/mlperf-tiny-v1.0-650mV-240MHz", "mlperf-tiny-ad,Autoencoder,,int8"),
        ("zigzag-eyeriss-like/zigzag-3.9.1", "ResNet18-s0-2,ResNet18,s0-2,int8"),
        ("phone/mine", "mlperf-tiny-ad,Autoencoder,,int8"),
        ("GAP9-EVK/mlperf-tiny-v9.9", "mlperf-tiny-ad,Autoencoder,,int8"),
    ):
        folder = tmp_path / "submissions" / campaign
        (folder / "graphs").mkdir(parents=True)
        (folder / "models.csv").write_text(HEADER + row + "\n")
        (folder / "graphs" / f"{row.split(',')[0]}.json").write_text("{}")
    return tmp_path / "submissions"


def test_committed_kernel_lists_are_those_of_their_networks():
    stale = [file.relative_to(SUBMISSIONS).as_posix() for file, _ in stale_networks(SUBMISSIONS)]
    assert not stale, f"{len(stale)} kernel lists are stale, {stale[0]} among them; run {COMMAND}"


@pytest.mark.parametrize("folder", sorted(SUBMISSIONS.glob("zigzag-*/zigzag-*")), ids=lambda folder: folder.parent.name)
def test_simulated_networks_are_those_that_the_command_in_their_notes_draws(folder):
    assert "--variants 10 --kernels 1865 --seed 0" in " ".join((folder / "submission.yaml").read_text().split())
    rows = list(csv.DictReader((folder / "models.csv").read_text().splitlines()))
    drawn = sorted(varied_of(PHONE_FAMILIES, 10, 0), key=lambda variant: variant.model)
    assert [(row["model"], row["family"], row["variant"]) for row in rows] == [
        (variant.model, variant.family, variant.name) for variant in drawn
    ]


def test_stale_kernel_lists_are_written_and_what_others_contributed_is_left_alone(submissions):
    tiny = submissions / "GAP9-EVK/mlperf-tiny-v1.0-650mV-240MHz/graphs/mlperf-tiny-ad.json"
    variant = submissions / "zigzag-eyeriss-like/zigzag-3.9.1/graphs/ResNet18-s0-2.json"
    assert regenerate_networks(submissions) == [tiny, variant]
    assert tiny.read_text() == network_json(tiny_network("mlperf-tiny-ad", "int8"))
    assert variant.read_text() == next(SUBMISSIONS.glob(f"zigzag-eyeriss-like/*/graphs/{variant.name}")).read_text()
    for contributed in ("phone/mine", "GAP9-EVK/mlperf-tiny-v9.9"):
        assert (submissions / contributed / "graphs/mlperf-tiny-ad.json").read_text() == "{}"
    assert regenerate_networks(submissions) == []


def test_a_missing_kernel_list_is_written(submissions):
    regenerate_networks(submissions)
    tiny = submissions / "GAP9-EVK/mlperf-tiny-v1.0-650mV-240MHz/graphs/mlperf-tiny-ad.json"
    tiny.unlink()
    assert regenerate_networks(submissions) == [tiny]


def test_shared_kernel_lists_that_a_campaign_takes_are_written_and_those_of_other_networks_left_alone(submissions):
    regenerate_networks(submissions)
    folder = submissions / "phone/mine"
    (folder / "submission.yaml").write_text("title: Mine\nkernel_lists: tflite-gpu\n")
    (folder / "models.csv").write_text(HEADER + "KWT-1,KWT,1,fp32\nKWT-1,KWT,1,int8\nOwn,Zebra,1,int8\n")
    shared = submissions / "_graphs/tflite-gpu/KWT-1.json"
    assert regenerate_networks(submissions) == [shared]
    assert shared.read_text() == network_json(variant_network(Variant.named("KWT", "1"), "fp32", "tflite-gpu"))
    (folder / "graphs/KWT-1.json").write_text("{}")
    shared.unlink()
    assert regenerate_networks(submissions) == []


def test_the_command_prints_what_it_wrote(submissions, capsys):
    main()
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "submissions/GAP9-EVK/mlperf-tiny-v1.0-650mV-240MHz/graphs/mlperf-tiny-ad.json"
    assert printed[-1] == "2 kernel lists rewritten"
    main()
    assert capsys.readouterr().out == "kernel lists are up to date\n"


def test_a_network_that_is_no_variant_is_wrong_usage(submissions):
    table = submissions / "zigzag-eyeriss-like/zigzag-3.9.1/models.csv"
    table.write_text(HEADER + "ResNet18-x,ResNet18,x,int8\n")
    with pytest.raises(UsageError, match="'x' is no variant of ResNet18; expected base, or a name such as s0-3"):
        regenerate_networks(submissions)


def test_outside_of_a_checkout_the_command_states_where_to_run_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="there is no folder submissions; run this in the root of the checkout"):
        main()
