"""Files of a predictor that hold energies of the rows that it is tested on, and files that do not."""

import gzip
import io
import json
import zipfile

import numpy as np
import pytest

from harness.evaluation.board import board, notes_on
from harness.evaluation.label_files import LEAST_FOUND, label_files, numbers_in
from harness.evaluation.runner import RunSettings, evaluate
from harness.evaluation.tracks import plans_of
from tests.evaluation.releases import info, kernel_device, listed, release_of

ENERGIES = np.round(np.random.default_rng(0).lognormal(2, 1, 200), 4)


def npz(values):
    file = io.BytesIO()
    np.savez_compressed(file, values=values)
    return file.getvalue()


HOLD = {
    "table": "\n".join(f"relu,{energy}" for energy in ENERGIES).encode(),
    "code": f"KNOWN = {ENERGIES.tolist()}".encode(),
    "json": json.dumps({str(number): energy for number, energy in enumerate(ENERGIES.tolist())}).encode(),
    "array": b"\x93odd" + ENERGIES.tobytes(),
    "single": ENERGIES.astype("<f4").tobytes(),
    "npz": npz(ENERGIES),
    "gzip": gzip.compress(b" ".join(str(energy).encode() for energy in ENERGIES)),
    "some": " ".join(map(str, ENERGIES[: 2 * LEAST_FOUND])).encode(),
}
"""Contents of files that hold the energies."""
RANDOM = np.random.default_rng(1)
HOLD_NOT = {
    "nothing": b"",
    "others": " ".join(map(str, np.round(RANDOM.lognormal(2, 1, 2000), 4))).encode(),
    "others of full precision": RANDOM.lognormal(2, 1, 2000).tobytes(),
    "noise": RANDOM.bytes(100_000),
    "whole numbers": " ".join(map(str, range(1000))).encode(),
    "every number of four digits": " ".join(f"{number / 100}" for number in range(10_000)).encode(),
    "damaged": npz(ENERGIES)[:-40],
    "no archive": b"\x1f\x8bno",
}


def found_in(tmp_path, content, energies=ENERGIES):
    path = tmp_path / "data"
    path.write_bytes(content)
    return label_files(numbers_in({"own/data": path}), energies)


@pytest.mark.parametrize("kind", HOLD)
def test_a_file_that_holds_energies_is_found_with_their_number(tmp_path, kind):
    expected = 2 * LEAST_FOUND if kind == "some" else len(np.unique(ENERGIES))
    assert found_in(tmp_path, HOLD[kind])["own/data"] == pytest.approx(expected, abs=2)


@pytest.mark.parametrize("kind", HOLD_NOT)
def test_a_file_of_other_numbers_is_not(tmp_path, kind):
    assert found_in(tmp_path, HOLD_NOT[kind]) == {}


def test_energies_so_dense_that_numbers_meet_them_by_chance_are_told_from_those_that_are_held(tmp_path):
    dense = np.unique(np.round(np.random.default_rng(2).uniform(1, 10, 4000), 3))
    by_chance = np.round(np.random.default_rng(3).uniform(1, 10, 1000), 3)
    assert found_in(tmp_path, " ".join(map(str, by_chance)).encode(), dense) == {}
    held = found_in(tmp_path, " ".join(map(str, dense[:1000])).encode(), dense)
    assert held == {"own/data": pytest.approx(1000, abs=99)}


def zip_with_offset(content):
    """An archive with one entry, said to lie further on than any file reaches, before that of the content."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("far", b"")
        archive.writestr("near", content)
        # Offsets beyond four gigabytes go into a field of their own.
        archive.filelist[0].header_offset = (1 << 63) + 1
    return written.getvalue()


def test_an_entry_that_cannot_be_read_hides_no_other(tmp_path):
    content = zip_with_offset(ENERGIES.tobytes())
    assert ENERGIES.tobytes() not in content
    assert found_in(tmp_path, content)["own/data"] == len(np.unique(ENERGIES))


def test_links_and_energies_of_few_digits_hold_nothing(tmp_path):
    (tmp_path / "link").symlink_to("/dev/zero")
    assert numbers_in({"link": tmp_path / "link", "gone": tmp_path / "gone"}) == {}
    assert found_in(tmp_path, b" ".join(b"%d.5" % number for number in range(10)), np.arange(10) + 0.5) == {}


def test_a_result_and_a_note_of_the_board_name_the_file_with_the_energies(in_process, tmp_path, monkeypatch):
    plans = plans_of("kernels", release_of(kernel_device()), 0).plans
    path = tmp_path / "known.csv"
    path.write_text("\n".join(map(str, plans[0].actual_mj)))
    monkeypatch.setattr("harness.evaluation.runner.predictor_files", lambda *_: {"truth/known.csv": path})
    found = evaluate(plans, listed(info("truth")), RunSettings(tmp_path / "results", n_jobs=1))
    held = [split.label_files for split in found[0].result.splits if split.status == "ok"]
    assert held == [{"truth/known.csv": 60}] * len(held)
    expected = "acme-phone, CPU1, fp32: file truth/known.csv of truth holds 60 of the energies that it is tested on"
    assert [note for note in notes_on(board(found)) if "file" in note] == [expected]
