"""Runs that are killed or told to end leave the old output or the new one, and no process."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.files.swap import replacing_parts

ROOT = Path(__file__).parents[1]
SITE = """
import sys
from pathlib import Path
from harness.cli.ending import end_on_signals
from harness.errors import DeepenError
from harness.files.swap import replacing_parts
from harness.pages.build import build_site

end_on_signals()
root = Path(sys.argv[1])
try:
    with replacing_parts(root / "dist", ("site",)) as fresh:
        build_site(root, root / "docs", fresh / "site")
except DeepenError as error:
    sys.exit(str(error))
"""
HOOK = """
import os, time
from pathlib import Path

def on_post_build(config):
    place = Path(config["site_dir"])
    (place / "index.html").unlink()
    started = Path(config["docs_dir"]).parent / "started"
    started.with_suffix(".new").write_text(str(os.getpid()))
    started.with_suffix(".new").rename(started)
    time.sleep(600)
"""


def wait_for(is_so, seconds=60.0):
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def checkout(tmp_path):
    """Checkout whose old site is in place."""
    for folder in ("docs", "scratch"):
        (tmp_path / folder).mkdir()
    (tmp_path / "docs" / "index.md").write_text("# New\n")
    (tmp_path / "mkdocs.yml").write_text("site_name: x\nplugins: []\ntheme: mkdocs\n")
    with replacing_parts(tmp_path / "dist", ("site",)) as fresh:
        (fresh / "site").mkdir()
        (fresh / "site" / "index.html").write_text("old")
    return tmp_path


def started(root, **options):
    """A run that builds a new site."""
    environment = os.environ | {"TMPDIR": str(root / "scratch")}
    command = [sys.executable, "-c", SITE, str(root)]
    return subprocess.Popen(command, cwd=ROOT, env=environment, text=True, stderr=subprocess.PIPE, **options)


def left_over(root):
    return [path.name for path in (*(root / "dist").iterdir(), *(root / "scratch").iterdir())]


@pytest.fixture
def building(checkout):
    """The checkout, and a run in which MkDocs hangs half-way."""
    (checkout / "hook.py").write_text(HOOK)
    with (checkout / "mkdocs.yml").open("a") as file:
        file.write(f"hooks: [{checkout}/hook.py]\n")
    run = started(checkout, start_new_session=True)
    try:
        wait_for(lambda: (checkout / "started").exists() or run.poll() is not None)
        yield checkout, run
    finally:
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
        run.communicate()


@pytest.mark.parametrize(
    ("number", "whole_group"), [(signal.SIGKILL, True), (signal.SIGKILL, False), (signal.SIGTERM, False)]
)
def test_site_whose_build_is_ended_is_the_old_one_and_mkdocs_ends_too(building, number, whole_group):
    root, run = building
    child = int((root / "started").read_text())
    (os.killpg if whole_group else os.kill)(run.pid, number)
    run.wait()
    wait_for(lambda: not Path(f"/proc/{child}").exists())
    assert (root / "dist" / "site" / "index.html").read_text() == "old"
    if number == signal.SIGTERM:
        assert run.returncode == 128 + number
        assert run.stderr.read() == "deepen: ended by SIGTERM\n"
        assert sorted(left_over(root)) == ["published", "site"]


def test_faulty_pages_leave_the_old_site(checkout):
    (checkout / "docs" / "index.md").write_text("[gone](nowhere.md)\n")
    _, printed = started(checkout).communicate()
    assert "nowhere.md" in printed
    assert (checkout / "dist" / "site" / "index.html").read_text() == "old"
    assert sorted(left_over(checkout)) == ["published", "site"]


def test_full_disk_while_mkdocs_writes_is_one_line_and_leaves_the_old_site(checkout):
    limit = (5000, 5000)
    _, printed = started(checkout, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit)).communicate()
    assert printed == f"{checkout}/dist/published cannot be written: File too large\n"
    assert (checkout / "dist" / "site" / "index.html").read_text() == "old"
    assert sorted(left_over(checkout)) == ["published", "site"]


def test_kills_at_random_moments_leave_whole_outputs():
    command = [sys.executable, "-m", "tests.bench.kills", "6", "1", "intake", "simulate"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
