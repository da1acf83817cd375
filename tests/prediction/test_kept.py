"""What is kept between predictions: found by content alone, and believed only with the seal of this user."""

import os

import pytest

from harness.prediction import kept
from harness.prediction.kept import keep, key_for, key_of, read_kept
from harness.predictor.package_files import package_folders

KEY = key_for("rows and program", "phone")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Folder of what is kept, empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "deepen" / "fitted"


@pytest.fixture
def tree(tmp_path):
    """Submissions of two devices, with a shared kernel list."""
    for name in ("phone/2026/kernels.csv", "phone/device.yaml", "board/2026/kernels.csv", "_graphs/rules/net.json"):
        path = tmp_path / "submissions" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1234")
    return tmp_path / "submissions"


def test_what_is_kept_is_found_again_under_its_key_alone(cache):
    assert read_kept(KEY) is None
    keep(KEY, b"answer")
    assert read_kept(KEY) == b"answer"
    assert read_kept(key_for("rows and program", "tablet")) is None
    assert cache.stat().st_mode & 0o077 == 0


def test_what_was_changed_or_put_under_another_key_is_not_believed(cache):
    keep(KEY, b"answer")
    other = key_for("other rows")
    whole = (cache / KEY).read_bytes()
    (cache / other).write_bytes(whole)
    assert read_kept(other) is None
    for damaged in (whole.replace(b"answer", b"poison"), whole[:-1], whole + b"x", b"", b"\xff\n", b"0" * 64 + b"\nx"):
        (cache / KEY).write_bytes(damaged)
        assert read_kept(KEY) is None


def test_what_another_user_sealed_is_not_believed(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "theirs"))
    keep(KEY, b"poison")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "ours"))
    assert read_kept(KEY) is None


def test_without_a_place_to_write_nothing_is_kept(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    keep(KEY, b"answer")
    assert read_kept(KEY) is None


def test_without_a_home_nothing_is_kept(monkeypatch):
    def no_home():
        raise RuntimeError("no home")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr("pathlib.Path.home", no_home)
    keep(KEY, b"answer")
    assert read_kept(KEY) is None


def test_the_oldest_are_removed(cache, monkeypatch):
    monkeypatch.setattr(kept, "_MOST_KEPT", 2)
    keys = [key_for(str(number)) for number in range(3)]
    for number, key in enumerate(keys):
        keep(key, b"answer")
        os.utime(cache / key, (number, number))
    keep(key_for("last"), b"answer")
    assert [read_kept(key) is not None for key in keys] == [False, False, True]


def changed(path):
    """Change a file, and leave its size and its times as they are."""
    stat = path.stat()
    path.write_text("4321")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


@pytest.mark.parametrize(
    ("name", "is_same"),
    [("phone/2026/kernels.csv", False), ("phone/device.yaml", False), ("_graphs/rules/net.json", False),
     ("board/2026/kernels.csv", True)],
)  # fmt: skip
def test_key_follows_the_files_of_the_device_and_the_shared_ones(tree, name, is_same):
    before = key_of([tree], "phone")
    assert before == key_of([tree], "phone")
    changed(tree / name)
    assert (key_of([tree], "phone") == before) == is_same


def test_key_follows_files_that_come_and_go(tree):
    keys = [key_of([tree], "phone")]
    (tree / "phone" / "2027").mkdir()
    (tree / "phone" / "2027" / "kernels.csv").write_text("")
    keys.append(key_of([tree], "phone"))
    (tree / "phone" / "2027" / "kernels.csv").rename(tree / "phone" / "2027" / "models.csv")
    keys.append(key_of([tree], "phone"))
    assert len(set(keys)) == 3


def test_key_follows_which_of_the_files_are_asked_for(tree):
    paths = [[tree], [tree / "phone"], [tree / "phone" / "2026"], [tree, tree]]
    keys = [key_of(each, "phone") for each in paths]
    assert None not in keys
    assert len(set(keys)) == len(paths)


def test_links_and_devices_that_are_not_there_have_no_key(tree, tmp_path):
    assert key_of([tree], "tablet") is None
    assert key_of([tmp_path / "nowhere"], "phone") is None
    (tmp_path / "link").symlink_to(tree)
    assert key_of([tmp_path / "link"], "phone") is None
    (tree / "tablet").symlink_to(tree / "phone")
    assert key_of([tree], "tablet") is None


@pytest.mark.parametrize("package", ["harness", "predictors"])
def test_key_follows_the_code(tree, tmp_path, monkeypatch, package):
    before = key_of([tree], "phone")
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.setattr(kept, "package_folders", lambda name: [other] if name == package else package_folders(name))
    after = key_of([tree], "phone")
    (other / "module.py").write_text("")
    assert len({before, after, key_of([tree], "phone")}) == 3


def test_key_follows_the_libraries(tree, monkeypatch):
    before = key_of([tree], "phone")
    monkeypatch.setattr(kept, "version", lambda name: "0")
    assert key_of([tree], "phone") != before
