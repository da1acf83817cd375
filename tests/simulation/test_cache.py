import json

import pytest

from harness.errors import UsageError
from harness.simulation.accelerators import accelerators
from harness.simulation.cache import Entry, entry_key, open_cache
from harness.simulation.estimator import Estimate
from harness.simulation.layers import Layer
from tests.simulation.cases import needs_estimator

pytestmark = needs_estimator
TPU, EYERISS, _ = accelerators()
LAYER, OTHER = Layer("conv", 4, 4, 2, 2), Layer("conv", 4, 4, 2, 3)
ENTRY = Entry(Estimate(12.5, 40.0), None, 0.25)
FAILED = Entry(None, "AssertionError: it does not fit", 0.5)


def filled(path):
    cache = open_cache(path)
    cache.add(LAYER, TPU, ENTRY)
    cache.add(OTHER, TPU, FAILED)
    return path


def test_a_cache_gives_back_estimates_and_failures(tmp_path):
    cache = open_cache(filled(tmp_path / "deep" / "cache.jsonl"))
    assert cache.get(LAYER, TPU) == ENTRY
    assert cache.get(OTHER, TPU) == FAILED
    assert cache.get(LAYER, EYERISS) is None
    assert cache.n_torn == 0


@pytest.mark.parametrize("n_lost", [1, 2, 30])
def test_a_last_line_cut_short_is_dropped_and_told_and_the_file_goes_on(tmp_path, n_lost):
    path = filled(tmp_path / "cache.jsonl")
    path.write_bytes(path.read_bytes()[:-n_lost])
    cache = open_cache(path)
    assert cache.n_torn == 1
    assert cache.get(OTHER, TPU) is None
    cache.add(OTHER, TPU, FAILED)
    again = open_cache(path)
    assert (again.get(LAYER, TPU), again.get(OTHER, TPU), again.n_torn) == (ENTRY, FAILED, 0)


def test_lines_that_are_no_entries_are_counted_and_passed_over(tmp_path):
    path = filled(tmp_path / "cache.jsonl")
    path.write_text('[1]\n{"key": "x"}\n\xff\n' + path.read_text(), encoding="latin-1")
    cache = open_cache(path)
    assert cache.n_torn == 3
    assert cache.get(LAYER, TPU) == ENTRY


def test_every_line_says_for_itself_what_was_estimated(tmp_path):
    first, _ = filled(tmp_path / "cache.jsonl").read_text().splitlines()
    held = json.loads(first)
    assert (held["accelerator"], held["layer"], held["energy_pj"]) == (TPU.id, list(LAYER), 12.5)


def test_a_key_depends_on_layer_accelerator_and_orders():
    changed = TPU.model_copy(update={"orders": TPU.orders[:1]})
    keys = {entry_key(LAYER, TPU), entry_key(OTHER, TPU), entry_key(LAYER, EYERISS), entry_key(LAYER, changed)}
    assert len(keys) == 4


def test_a_place_that_is_no_file_is_wrong_usage(tmp_path):
    with pytest.raises(UsageError, match="cannot be used as a cache"):
        open_cache(tmp_path)


def test_a_key_depends_on_the_files_of_the_accelerator(monkeypatch):
    before = entry_key(LAYER, TPU)
    monkeypatch.setattr(type(TPU), "files_sha256", ("0" * 64, "1" * 64))
    assert entry_key(LAYER, TPU) != before
