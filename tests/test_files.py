"""What the harness writes is whole at any moment, and one run writes to a place at a time."""

import errno
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from harness.errors import ReleaseError, UsageError
from harness.files import left_overs, swap, write_file
from harness.files.left_overs import scratch_folder
from harness.files.locks import only_writer
from harness.files.swap import replacing, replacing_parts, write_folder

ROOT = Path(__file__).parents[1]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def run(code: str, *arguments: object, **options) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, **options)


@pytest.fixture(params=[True, False], ids=["exchange", "two renames"])
def either_system(request, monkeypatch):
    """A system that can exchange two folders at once, and one that cannot."""
    if not request.param:
        monkeypatch.setattr(swap, "_exchange", lambda *_: False)


def fill(folder: Path, text: str, *parts: str) -> None:
    for part in parts:
        (folder / part).mkdir()
        (folder / part / "page.txt").write_text(text)


def fail_in(writer, *parts: str) -> None:
    """Write parts, and fail before the end of the block."""
    with writer as fresh:
        fill(fresh, "new", *parts)
        raise RuntimeError


# One folder.


def test_folder_takes_its_place_and_nothing_is_left_beside_it(tmp_path, either_system):
    for text in ("one", "other"):
        with replacing(tmp_path / "target") as fresh:
            (fresh / text).touch()
        assert names(tmp_path / "target") == {text}
        assert names(tmp_path) == {"target"}


def test_fault_in_the_block_leaves_the_previous_folder(tmp_path):
    with replacing(tmp_path / "target") as fresh:
        (fresh / "one").touch()
    with pytest.raises(RuntimeError):
        fail_in(replacing(tmp_path / "target"), "other")
    assert (names(tmp_path), names(tmp_path / "target")) == ({"target"}, {"one"})


def test_previous_folder_on_its_way_out_is_put_back_where_none_has_taken_its_place(tmp_path):
    fill(tmp_path, "old", ".target.deepen-old")
    with pytest.raises(RuntimeError):
        fail_in(replacing(tmp_path / "target"))
    assert (names(tmp_path), names(tmp_path / "target")) == ({"target"}, {"page.txt"})


def test_exchange_is_atomic_where_the_system_offers_it(tmp_path):
    fill(tmp_path, "", "one")
    (tmp_path / "other").mkdir()
    if not swap._exchange(tmp_path / "one", tmp_path / "other"):
        pytest.skip("the file system cannot exchange two folders")
    assert (names(tmp_path / "one"), names(tmp_path / "other")) == (set(), {"page.txt"})


def test_left_overs_of_dead_runs_beside_other_targets_go_and_those_of_living_ones_stay(tmp_path):
    fill(tmp_path, "", ".dead.deepen-new", "living", ".living.deepen-new", ".mine")
    held = threading.Event(), threading.Event()

    def live() -> None:
        with only_writer(tmp_path / "living"):
            held[0].set()
            held[1].wait()

    thread = threading.Thread(target=live)
    thread.start()
    held[0].wait()
    try:
        with replacing(tmp_path / "target"):
            pass
        assert names(tmp_path) == {"target", "living", ".living.deepen-new", ".living.deepen-lock", ".mine"}
    finally:
        held[1].set()
        thread.join()


# Parts that belong together.


def test_parts_are_replaced_together_and_others_stay(tmp_path, either_system):
    with replacing_parts(tmp_path, ("data", "site")) as fresh:
        fill(fresh, "old", "data", "site")
    with replacing_parts(tmp_path, ("site",)) as fresh:
        fill(fresh, "new", "site")
    assert names(tmp_path) == {"data", "site", "published"}
    assert [(tmp_path / part / "page.txt").read_text() for part in ("data", "site")] == ["old", "new"]


def test_part_that_is_written_no_more_is_gone(tmp_path):
    with replacing_parts(tmp_path, ("data", "site")) as fresh:
        fill(fresh, "old", "data", "site")
    with replacing_parts(tmp_path, ("data", "site")) as fresh:
        fill(fresh, "new", "data")
    assert names(tmp_path) == {"data", "published"}


def test_folders_that_are_no_parts_yet_become_parts(tmp_path, either_system):
    fill(tmp_path, "old", "data", "site")
    with pytest.raises(RuntimeError):
        fail_in(replacing_parts(tmp_path, ("data", "site")), "data")
    assert [(tmp_path / part / "page.txt").read_text() for part in ("data", "site")] == ["old", "old"]
    with replacing_parts(tmp_path, ("data", "site")) as fresh:
        fill(fresh, "new", "data", "site")
    assert [(tmp_path / part / "page.txt").read_text() for part in ("data", "site")] == ["new", "new"]


def test_first_parts_are_seen_only_when_all_are_there(tmp_path):
    with pytest.raises(RuntimeError):
        fail_in(replacing_parts(tmp_path, ("data",)), "data")
    assert not os.path.lexists(tmp_path / "data")


def test_link_to_another_place_is_refused(tmp_path):
    (tmp_path / "site").symlink_to("/srv/www")
    with (
        pytest.raises(UsageError, match=r"site is a link to /srv/www; remove it"),
        replacing_parts(tmp_path, ("site",)),
    ):
        pass


DIE_AT = """
import os, signal, sys
from pathlib import Path
from harness.files import swap

calls = 0

def die(frame, event, argument):
    global calls
    if frame.f_code.co_filename.endswith(("swap.py", "left_overs.py", "locks.py")) and event == "line":
        calls += 1
        if calls == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
    return die

folder = Path(sys.argv[1])
sys.settrace(die)
with swap.replacing_parts(folder, ("data", "site")) as fresh:
    for part in ("data", "site"):
        (fresh / part).mkdir()
        (fresh / part / "page.txt").write_text("new")
sys.settrace(None)
print(calls)
"""


def test_death_at_any_line_leaves_all_parts_old_or_all_new(tmp_path):
    folder = tmp_path / "dist"
    with replacing_parts(folder, ("data", "site")) as fresh:
        fill(fresh, "old", "data", "site")
    n_lines = int(run(DIE_AT, folder, 0).stdout)
    # Each child costs a start of Python, so some lines of each part of the way stand for all.
    for line in range(1, n_lines, n_lines // 12):
        with replacing_parts(folder, ("data", "site")) as fresh:
            fill(fresh, "old", "data", "site")
        assert names(folder) == {"data", "site", "published"}
        assert run(DIE_AT, folder, line).returncode == -signal.SIGKILL
        assert len({(folder / part / "page.txt").read_text() for part in ("data", "site")}) == 1


# A folder with what belongs beside it.


def test_new_file_beside_a_folder_comes_in_the_same_step_and_the_rest_of_the_parent_stays(tmp_path, either_system):
    device = tmp_path / "device"
    write_folder(device / "one", {"a/b.txt": b"1"}, {"device.yaml": b"x"})
    before = (device / "one").stat().st_ino
    write_folder(device / "two", {"a.txt": b"2"}, {"device.yaml": b"y"})
    assert names(device) == {"one", "two", "device.yaml"}
    assert ((device / "one" / "a" / "b.txt").read_bytes(), (device / "device.yaml").read_bytes()) == (b"1", b"y")
    assert (device / "one").stat().st_ino != before
    write_folder(device / "two", {"b.txt": b"3"}, {"device.yaml": b"y"})
    assert (names(device / "two"), names(tmp_path)) == ({"b.txt"}, {"device"})


# Locks.


def test_second_run_is_refused_and_told_who_is_there(tmp_path):
    code = """
import sys
from pathlib import Path
from harness.cli import main
from harness.errors import DeepenError
from harness.files.locks import only_writer
try:
    with only_writer(Path(sys.argv[1])):
        print("in")
except DeepenError as error:
    print(error)
"""
    with only_writer(tmp_path / "place"):
        printed = run(code, tmp_path / "place").stdout
    assert re.search(rf"place: `.+` \(process {os.getpid()} on .+, since \d\d:.+\) is writing here; wait", printed)
    assert run(code, tmp_path / "place").stdout == "in\n"
    assert names(tmp_path) == set()


def test_same_thread_may_ask_twice_and_another_may_not(tmp_path):
    found = []

    def ask() -> None:
        try:
            with only_writer(tmp_path / "place"):
                found.append("in")
        except ReleaseError:
            found.append("refused")

    with only_writer(tmp_path / "place"):
        ask()
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
    assert found == ["in", "refused"]


def test_lock_file_of_a_dead_run_blocks_nobody(tmp_path):
    (tmp_path / ".place.deepen-lock").write_text("`deepen publish` (process 1)")
    with only_writer(tmp_path / "place"):
        pass
    assert names(tmp_path) == set()


def test_folders_made_for_a_lock_go_with_it(tmp_path):
    with only_writer(tmp_path / "a" / "b" / "place"):
        pass
    assert names(tmp_path) == set()


# Single files.


def test_file_is_whole_keeps_its_mode_and_follows_links(tmp_path):
    (tmp_path / "file").write_text("old")
    (tmp_path / "file").chmod(0o640)
    (tmp_path / "link").symlink_to("file")
    write_file(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert ((tmp_path / "file").read_text(), (tmp_path / "file").stat().st_mode & 0o777) == ("new", 0o640)
    assert names(tmp_path) == {"file", "link"}


def test_device_is_written_to_directly():
    write_file(Path(os.devnull), "text")


@pytest.mark.parametrize("at_most", [0, 100])
def test_full_disk_is_one_line_and_leaves_the_old_file(tmp_path, at_most):
    (tmp_path / "file").write_text("old")
    code = """
import sys
from pathlib import Path
from harness.errors import UsageError
from harness.files import write_file
try:
    write_file(Path(sys.argv[1]), "x" * 1000)
except UsageError as error:
    print(error)
"""
    limit = (at_most, at_most)
    printed = run(code, tmp_path / "file", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit))
    assert (printed.stdout, printed.stderr) == (f"{tmp_path}/file cannot be written: {os.strerror(errno.EFBIG)}\n", "")
    assert ((tmp_path / "file").read_text(), names(tmp_path)) == ("old", {"file"})


@pytest.mark.parametrize("write", [replacing, lambda path: replacing_parts(path, ("site",))])
def test_folder_that_cannot_be_written_is_one_line(tmp_path, write):
    (tmp_path / "file").touch()
    with (
        pytest.raises(UsageError, match=r"file/place.* cannot be written: (?:Not a directory|File exists)"),
        write(tmp_path / "file" / "place"),
    ):
        pass


def test_full_disk_while_a_folder_is_filled_is_one_line_and_a_fault_of_reading_stays(tmp_path):
    with (
        pytest.raises(UsageError, match="target cannot be written: No space left on device"),
        replacing(tmp_path / "target"),
    ):
        raise OSError(errno.ENOSPC, "")
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "target"):
        (tmp_path / "nowhere").read_text()
    assert names(tmp_path) == set()


# Scratch folders.


@pytest.fixture
def scratch_place(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left_overs._remove_scratch.cache_clear()
    yield tmp_path
    left_overs._remove_scratch.cache_clear()


def test_scratch_folders_of_dead_runs_go_and_those_of_living_ones_stay(scratch_place):
    dead = scratch_place / "deepen-scratch-abcdefgh"
    (dead / "closed").mkdir(parents=True)
    (dead / "closed").chmod(0)
    (scratch_place / "deepen-scratch-of-mine").mkdir()
    with scratch_folder() as living:
        left_overs._remove_scratch.cache_clear()
        with scratch_folder() as other:
            assert names(scratch_place) == {Path(living).name, Path(other).name, "deepen-scratch-of-mine"}
    assert names(scratch_place) == {"deepen-scratch-of-mine"}
