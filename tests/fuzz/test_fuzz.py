"""A short run of the fuzzer, the same each time; `make fuzz` runs for hours."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fuzz import __main__ as fuzz
from tests.fuzz import worker
from tests.fuzz.inputs import Damaged, damaged
from tests.fuzz.mutators import SMALL, grow
from tests.fuzz.readers import TARGETS, Target

SEED = 20_261_126
N_INPUTS = 120
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def test_damaged_inputs_break_no_reader():
    for number in range(N_INPUTS):
        damage = damaged(SEED, number, may_grow=False)
        outcome = worker.read(damage)
        kinds = fuzz.kinds_of(outcome)
        assert not kinds, f"python -m tests.fuzz --seed {SEED} --only {number}: {damage.damage}: {outcome.problems}"


def test_valid_inputs_have_no_problem_and_are_read_to_their_end(tmp_path):
    for name in (name for name in TARGETS if not name.startswith("trace.")):
        Damaged(name, TARGETS[name].files, "nothing").lay_down(tmp_path / name)
        assert not list(TARGETS[name].read(tmp_path / name)), name
    for name in ("csv-source", "deepen2023-source"):
        assert (tmp_path / name / "out/acme-phone/2026-10/kernels.csv").exists(), name


def test_an_input_follows_from_its_seed_and_number_alone():
    assert damaged(SEED, 7) == damaged(SEED, 7)
    assert len({damaged(SEED, number).damage for number in range(20)}) > 10


def test_every_mutator_gives_bytes_of_any_bytes():
    for mutator in {*SMALL, grow}:
        for data in (b"", b"a,1\n2", b"\xff\0"):
            assert isinstance(mutator(data, random.Random(1), [b"", b"x"]), bytes)


@pytest.fixture
def brittle(monkeypatch):
    """A reader that breaks on a word, one that forgets to refuse, and one that never ends."""

    def read(root: Path):
        content = (root / "a").read_bytes()
        if b"crash" in content:
            raise KeyError("crash")
        if b"negative" in content:
            yield "energy -1.0 accepted"
        if b"caught" in content:
            yield "KeyError 1 [internal-fault]"

    monkeypatch.setitem(TARGETS, "brittle", Target(lambda _: None, read))
    return Damaged("brittle", {"a": b""}, "nothing")


@pytest.mark.parametrize(
    ("content", "kinds"),
    [(b"crash", ["traceback"]), (b"negative", ["bad energy accepted"]), (b"caught", ["traceback"]), (b"fine", [])],
)
def test_what_breaks_is_named_by_its_kind(brittle, content, kinds):
    assert fuzz.kinds_of(worker.read(replace(brittle, files={"a": content}))) == kinds


def test_time_and_memory_beyond_the_limits_are_kinds_of_their_own():
    assert fuzz.kinds_of(worker.Outcome((), 21.0, 0)) == ["over 20 s"]
    assert fuzz.kinds_of(worker.Outcome((), 1.0, (1 << 30) + 1)) == ["over 1 GB"]
    assert fuzz.kinds_of(worker.Outcome(("MemoryError [internal-fault]",), 1.0, 0)) == ["over 1 GB"]
    assert fuzz.kinds_of(worker.Outcome(("process ended (exit -11)",), 1.0, 0)) == ["traceback"]


def test_input_that_breaks_a_reader_is_made_small_and_kept(brittle, tmp_path):
    class Here:
        read = staticmethod(worker.read)

    large = replace(brittle, files={"a": b"x" * 5000 + b"crash" + b"y" * 3000})
    small = fuzz.shrunk(large, ["traceback"], Here())
    assert small.files == {"a": b"crash"}
    fuzz.keep(tmp_path, small, worker.read(small))
    assert (tmp_path / "a").read_bytes() == b"crash"
    assert "KeyError: 'crash'" in (tmp_path / "PROBLEM.txt").read_text()
