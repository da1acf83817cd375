"""Tests of blank submissions on a disk that is full."""

import errno
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.intake.blank import write_blank


@pytest.mark.parametrize("failing", ["device.yaml", "submission.yaml", "models.csv"])
def test_full_disk_leaves_no_part_of_a_blank_submission(tmp_path, monkeypatch, failing):
    earlier = tmp_path / "known" / "2026-10"
    earlier.mkdir(parents=True)
    entered = tmp_path / "known" / "device.yaml"
    entered.write_text("name: Known\n")
    write_bytes = Path.write_bytes

    def full(path, data):
        if failing in path.name:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write_bytes(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(UsageError, match=f"new/.*{failing} cannot be written: No space left on device"):
        write_blank(tmp_path, "new", "2026-11", "models")
    assert not (tmp_path / "new").exists()
    if failing != "device.yaml":
        with pytest.raises(UsageError, match="cannot be written"):
            write_blank(tmp_path, "known", "2026-11", "models")
    assert sorted((tmp_path / "known").iterdir()) == [earlier, entered]
    assert entered.read_text() == "name: Known\n"
