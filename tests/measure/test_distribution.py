"""The wheel is small, pure and of the standard library, and runs on the oldest and the newest Python that are here."""

import ast
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import deepen_measure
import pytest

from tests.measure.world import World, machine

SOURCE = Path(deepen_measure.__file__).parents[1]
VERSIONS = [(3, minor) for minor in range(9, 21)]
MOST_BYTES = 200_000
LAZY = {"numpy", "onnxruntime"}
"""What the device has, imported only when a network of it is run."""


def interpreters():
    """Every Python that starts here, by its version."""
    found = {sys.version_info[:2]: sys.executable}
    for version in VERSIONS:
        name = f"python{version[0]}.{version[1]}"
        places = [
            *os.environ["PATH"].split(os.pathsep),
            *map(str, Path("~/.pyenv/versions").expanduser().glob("*/bin")),
        ]
        for place in places:
            program = Path(place) / name
            told = "import sys; print(sys.version_info[:2])"
            if program.is_file() and _output([str(program), "-c", told]) == f"{version}\n":
                found[version] = str(program)
    return found


def _output(command):
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built as it is published."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    (source / "deepen_measure/meters").mkdir(parents=True)
    for path in (SOURCE / "pyproject.toml", SOURCE / "README.md", *(SOURCE / "deepen_measure").rglob("*.py")):
        (source / path.relative_to(SOURCE)).write_bytes(path.read_bytes())
    built = subprocess.run(
        [sys.executable, "-c", "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])",
         str(folder)], cwd=source, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    (path,) = folder.glob("*.whl")
    return path


def test_the_wheel_is_small_and_pure(wheel):
    assert wheel.name.endswith("-py3-none-any.whl")
    assert wheel.stat().st_size < MOST_BYTES
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith("METADATA"))
        assert b"Requires-Dist" not in archive.read(metadata)


def test_nothing_outside_the_standard_library_is_imported():
    imported = set()
    for path in (SOURCE / "deepen_measure").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {name.name.partition(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0
                imported.add(node.module.partition(".")[0])
    assert imported - set(sys.stdlib_module_names) == {"deepen_measure"}


def test_the_harness_and_the_tool_import_nothing_of_each_other():
    root = Path(__file__).parents[2]
    for folder, other in (("harness", "deepen_measure"), ("predictors", "deepen_measure"), ("measure", "harness")):
        for path in (root / folder).rglob("*.py"):
            assert not any(
                line.startswith((f"import {other}", f"from {other}")) for line in path.read_text().splitlines()
            )


@pytest.mark.parametrize("place", [0, -1], ids=["oldest", "newest"])
def test_it_installs_and_measures_in_a_bare_environment(wheel, tmp_path, place):
    found = interpreters()
    version = sorted(found)[place]
    home = tmp_path / "venv"
    subprocess.run([found[version], "-m", "venv", "--without-pip", str(home)], check=True)
    (packages,) = home.glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    root, folder = machine(tmp_path / "root"), tmp_path / "out"
    program = (
        "print('deepen-measure ready', flush=True)\n"
        "for line in __import__('sys').stdin: print('deepen-measure done', flush=True)"
    )
    command = [str(home / "bin/python"), "-I", "-m", "deepen_measure"]
    with World(root, "powercap", update_s=0.01):
        doctor = subprocess.run(
            [*command, "doctor", "--root-sysfs", str(root)], capture_output=True, text=True, check=False
        )
        run = [
            "run",
            "-o",
            str(folder),
            "--root-sysfs",
            str(root),
            "--idle",
            "0.2",
            "--",
            sys.executable,
            "-c",
            program,
        ]
        measured = subprocess.run([*command, *run], capture_output=True, text=True, check=False)
    assert (doctor.returncode, doctor.stderr) == (0, "")
    assert measured.returncode == 0, measured.stderr
    assert json.loads((folder / "run.json").read_text())["machine"]["python"].startswith(".".join(map(str, version)))
