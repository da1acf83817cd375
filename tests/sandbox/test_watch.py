"""What a job has, as the process that watches it finds out."""

import mmap
from pathlib import Path

import pytest

from harness.sandbox import watch

SIZE = 3 * mmap.PAGESIZE


@pytest.mark.parametrize("name", ["plain", "two words", "a line\rbreak", "a line\nbreak"])
def test_file_that_is_mapped_and_unlinked_is_found_whatever_its_name(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(bytes(SIZE))
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0):
        number = path.stat().st_ino
        assert watch._mapped(Path("/proc/thread-self"), tmp_path) == {}
        path.unlink()
        assert watch._mapped(Path("/proc/thread-self"), tmp_path) == {number: SIZE}
        assert watch._mapped(Path("/proc/thread-self"), tmp_path / "inner") == {}
