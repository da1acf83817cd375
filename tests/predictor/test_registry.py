import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.predictor import registry
from harness.predictor.loading import load_model
from harness.predictor.protocol import PredictorError
from harness.predictor.registry import (
    libraries_of,
    list_predictors,
    predictor_files,
    predictor_info,
    predictor_version,
    predictors_in,
    readable_files,
)
from tests.predictor.packages import info_source, model_source


def test_every_folder_is_found_by_being_there(package):
    package.add("second-one")
    package.add("first")
    assert list(predictors_in(package.name)) == ["first", "second-one"]
    assert load_model("second-one", package.name).__module__ == f"{package.name}.second_one.model"


RUNS = "raise RuntimeError('imported')"


def test_nothing_of_a_package_is_imported(package, monkeypatch):
    home = package.add("loud", model=f"import xml.sax\n{RUNS}")
    for path in (package.folder / "__init__.py", home / "__init__.py", home / "info.py"):
        path.write_text(RUNS)
    assert list_predictors(package.name).faults == {}
    assert predictor_info("loud", package.name).name == "On trial"
    assert len(predictor_version("loud", package.name)) == 12
    assert libraries_of("loud", package.name) == ["xml.sax"]
    assert not [name for name in sys.modules if name.partition(".")[0] == package.name]


def test_a_package_in_the_current_folder_is_found_and_nothing_beside_it_can_be_imported(tmp_path, monkeypatch):
    home = tmp_path / "mine_here" / "own"
    home.mkdir(parents=True)
    (home / "predictor.toml").write_text(info_source("own"))
    (home / "model.py").write_text(model_source())
    (home / "__init__.py").write_text("")
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    assert list(predictors_in("mine_here")) == ["own"]
    assert sys.path == before


def test_folders_and_modules_with_an_underscore_are_shared_code(package):
    package.add("sound")
    (package.folder / "_shared.py").write_text("")
    assert list_predictors(package.name) == (predictors_in(package.name), {})


def test_what_another_branch_left_behind_is_no_predictor(package):
    (package.folder / "gone" / "__pycache__").mkdir(parents=True)
    assert list_predictors(package.name) == ({}, {})


SOUND = info_source("bad")
FAULTS = {
    "none": (
        False,
        r"/bad/predictor.toml: no such file; expected the declaration. Write it with the lines key = \"bad\"",
    ),
    "syntax": ("key =", r"/bad/predictor.toml:1: no TOML: .*Correct the line"),
    "deep": ("x = " + "[" * 3000, r"/bad/predictor.toml:1: no TOML: .*"),
    "long number": ("x = " + "9" * 5000, r"/bad/predictor.toml:1: no TOML: .*"),
    "long": ("# " + "x" * 70_000, r"/bad/predictor.toml: more than 8192 bytes"),
    "deep keys": (f"name{'.a' * 3000} = 1", r"/bad/predictor.toml.*name = a dict too deep or too long to show"),
    "huge number": (
        SOUND.replace('"all"', f"0x{'f' * 5000}"),
        r"/bad/predictor.toml:5: kernels = a int too deep or too long to show",
    ),
    "many": ("".join(f"a{number} = 1\n" for number in range(900)), "; and 900 more faults$"),
    "hidden": (
        SOUND.replace("On trial", "On\u00adtrial"),
        r"/bad/predictor.toml:2: name = .*U\+00AD, which shows nothing",
    ),
    "blank": (SOUND.replace("On trial", "\u3164"), r"/bad/predictor.toml:2: name = .*U\+3164, which shows nothing"),
    "no licence": (
        SOUND.replace('licence = "Apache-2.0"\n', ""),
        r"/bad/predictor.toml: licence is not there; expected: SPDX [^()]*\. Write it as in licence = \"Apache-2.0\"$",
    ),
    "kind": (SOUND.replace('"On trial"', "3"), r"/bad/predictor.toml:2: name = 3; expected: Name that people read"),
    "kernel": (
        SOUND.replace('"all"', '["fc", "conv-bn-rel"]'),
        r"^\S+/bad/predictor.toml:5: kernels = \['fc', 'conv-bn-rel'\]; expected conv-bn-relu in place of conv-bn-rel, "
        r"which is no kernel type\. Did you mean conv-bn-relu\?$",
    ),
    "kernel like no other": (
        SOUND.replace('"all"', '["zzzz"]'),
        r"expected one of .*, fc, .* in place of zzzz, which is no kernel type\. Write one of them, or remove it$",
    ),
    "kernel twice": (
        SOUND.replace('"all"', '["fc", "fc"]'),
        r"expected every kernel type once, and fc is there again\. Remove one of the two$",
    ),
    "kernel alone": (
        SOUND.replace('"all"', '"fc"'),
        r'kernels = fc; expected "all", or a list of kernel types\. Write it as in kernels = \["conv-bn-relu", "fc"\]$',
    ),
    "no kernel": (SOUND.replace('"all"', "[]"), r'kernels = \[\]; expected "all", or a list of kernel types'),
    "own licence": (
        SOUND.replace("Apache-2.0", "my own"),
        r"/bad/predictor.toml:4: licence = my own; expected an identifier of the SPDX licence list\. Write for ex",
    ),
    "licence spelt otherwise": (
        SOUND.replace("Apache-2.0", "apache-2.0"),
        r"/bad/predictor.toml:4: licence = apache-2.0; expected Apache-2.0\. Write Apache-2.0$",
    ),
    "no author": (
        SOUND.replace('["A. Author"]', "[]"),
        r"authors = \[\]; expected: Who wrote it \(at least 1 entry\)\.",
    ),
    "truth": (
        f'{SOUND}is_cross_device = "yes"',
        r"is_cross_device = yes; expected: Whether .* \(true or false\)\. Write",
    ),
    "unknown": (
        f'{SOUND}licens = "MIT"\n',
        r"/bad/predictor.toml:6: licens: no field .*; expected licence. Rename",
    ),
    "markup": (SOUND.replace("On trial", "\\u001b[2J"), r"/bad/predictor.toml:2: name = \\x1b\[2J; expected"),
    "command": (
        f"{SOUND}extras = {{ x = \"y'; rm -r /; '\" }}",
        r"/bad/predictor.toml:6: extras = .*; expected: Modules",
    ),
    "other key": (
        info_source("other"),
        r"/bad/predictor.toml: key = other in folder bad; expected one name for both. Rename the folder to other, or",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_broken_declaration_is_a_fault_of_its_own_with_place_and_fix(package, name):
    source, message = FAULTS[name]
    package.add("a-sound")
    package.add("bad", info=source)
    infos, faults = list_predictors(package.name)
    assert (list(infos), list(faults)) == (["a-sound"], ["bad"])
    with pytest.raises(PredictorError, match=message):
        predictor_info("bad", package.name)
    assert predictor_info("a-sound", package.name).key == "a-sound"
    assert faults["bad"].isprintable()
    # What pydantic says of its own is no word of the project.
    assert not re.search(r"Field required|Input should|String should|Value error|validation error", faults["bad"])


def test_a_declaration_that_is_python_is_not_read(package):
    home = package.add("bad", info=False)
    (home / "info.py").write_text(RUNS)
    fault = list_predictors(package.name).faults["bad"]
    assert "info.py beside it is not read; expected the declaration. Write it with the lines key = " in fault


def test_the_lines_that_a_fault_names_make_a_declaration(package):
    home = package.add("bad", info=False)
    fault = list_predictors(package.name).faults["bad"]
    (home / "predictor.toml").write_text(fault.partition("with the lines ")[2].replace("; ", "\n"))
    assert list_predictors(package.name).faults == {}


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_a_declaration_that_is_no_file_is_not_opened(package, kind, tmp_path):
    home = package.add("bad", info=False)
    if kind == "link":
        (tmp_path / "elsewhere").write_text(SOUND)
        (home / "predictor.toml").symlink_to(tmp_path / "elsewhere")
    else:
        os.mkfifo(home / "predictor.toml")
    assert "no file but a link or a device" in list_predictors(package.name).faults["bad"]


@pytest.mark.parametrize("name", ["__init__.py", "model.py"])
def test_a_folder_without_a_module_that_it_needs_is_a_fault(package, name):
    (package.add("bad") / name).unlink()
    assert f"/bad: no {name}; expected it beside predictor.toml" in list_predictors(package.name).faults["bad"]


def test_a_module_among_the_folders_is_a_fault(package):
    (package.folder / "stray.py").write_text("")
    fault = list_predictors(package.name).faults["stray"]
    assert "stray.py: a module; expected a folder with predictor.toml and model.py" in fault


@pytest.mark.parametrize("name", ["a-sound.py", "a-sound.old/x", "a-sound/x", "a_sound.py"])
def test_what_is_called_like_a_sound_predictor_hides_it_not(package, name):
    package.add("a-sound")
    path = package.folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("")
    infos, faults = list_predictors(package.name)
    assert list(infos) == ["a-sound"]
    assert len(faults) == 1
    assert predictor_info("a-sound", package.name).key == "a-sound"


def test_a_folder_that_is_a_link_is_a_fault(package, tmp_path):
    package.add("sound").rename(tmp_path / "elsewhere")
    (package.folder / "sound").symlink_to(tmp_path / "elsewhere")
    assert "/sound: a link; expected a folder" in list_predictors(package.name).faults["sound"]


def test_links_and_compiled_code_are_not_read(package, tmp_path):
    (tmp_path / "rows.csv").write_text("1.0")
    home = package.add("sound", model=f"from {package.name} import _rows, _table\n{model_source()}")
    (package.folder / "_rows").symlink_to(tmp_path)
    (package.folder / "_table.py").symlink_to(tmp_path / "rows.csv")
    (home / "rows.csv").symlink_to(tmp_path / "rows.csv")
    (home / "__pycache__").mkdir()
    (home / "__pycache__" / "rows.csv").write_text("1.0")
    names = ["__init__.py", "__init__.py", "model.py", "predictor.toml"]
    assert sorted(path.name for path in readable_files("sound", package.name)) == names
    assert "sound/rows.csv" in predictor_files("sound", package.name)


def test_folders_nested_deeply_are_read_to_the_end(package, monkeypatch):
    home = package.add("sound")
    monkeypatch.chdir(home)
    for _ in range(1100):
        Path("d").mkdir()
        os.chdir("d")
    first = predictor_version("sound", package.name)
    Path("data").write_text("1")
    second = predictor_version("sound", package.name)
    # Python's own removal does not reach so deep.
    subprocess.run(["rm", "-rf", home / "d"], check=True)
    assert first != second


@pytest.mark.parametrize("name", ["no_such_package", "../up", "", "a..b"])
def test_a_package_that_is_not_there_fails(name):
    with pytest.raises(PredictorError, match="package"):
        predictors_in(name)


def test_an_unknown_key_gets_the_nearest(package):
    package.add("my-forest")
    with pytest.raises(UsageError, match=r"'my-forrest' is not a known predictor; did you mean my-forest\?"):
        predictor_info("my-forrest", package.name)


def test_a_missing_extra_says_how_to_install_it(package):
    package.add("boosted", info=info_source("boosted", 'extras = { nosuchboost = "nosuchboost>=4" }'))
    with pytest.raises(PredictorError, match=r"needs nosuchboost.*python -m pip install 'nosuchboost>=4'"):
        load_model("boosted", package.name)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("", r"bad/model.py: no class Model"),
        ("Model = 3", r"bad/model.py: no class Model"),
        ("import nosuchthing", r"bad/model.py:1: ModuleNotFoundError: No module named 'nosuchthing'; .* under extras"),
        ("class Model:\n    def fit(self): ...", r"Model has no predict and no get_params and no set_params"),
    ],
    ids=["none", "no class", "import", "no estimator"],
)
def test_a_model_that_cannot_be_used_is_named(package, model, message):
    package.add("bad", model=model)
    with pytest.raises(PredictorError, match=message):
        load_model("bad", package.name)


def test_version_covers_every_file_and_the_helpers_that_are_imported(package):
    shared = package.folder / "_shared.py"
    shared.write_text("from . import _deeper\n")
    (package.folder / "_deeper").mkdir()
    (package.folder / "_deeper" / "__init__.py").write_text("")
    (package.folder / "_unused.py").write_text("")
    home = package.add("sound", model=f"from {package.name} import _shared\n{model_source()}")
    other = package.add("other")
    (home / "tables").mkdir()
    covered = [
        home / "tables" / "weights.bin", home / "model.py", home / "predictor.toml", shared,
        package.folder / "_deeper" / "more.json", package.folder / "__init__.py",
    ]  # fmt: skip
    seen = {predictor_version("sound", package.name)}
    for number, path in enumerate(covered, 2):
        with path.open("a") as file:
            file.write("\n# changed")
        seen.add(predictor_version("sound", package.name))
        assert len(seen) == number, path
    for path in (other / "model.py", package.folder / "_unused.py", home / "__pycache__" / "model.pyc"):
        path.parent.mkdir(exist_ok=True)
        path.write_text("# changed")
    assert predictor_version("sound", package.name) in seen
    assert set(predictor_files("sound", package.name)) == {
        path.relative_to(package.folder).as_posix() for path in (*covered, home / "__init__.py",
        package.folder / "_deeper" / "__init__.py")
    }  # fmt: skip
    assert set(readable_files("sound", package.name)) == set(predictor_files("sound", package.name).values())


def test_links_and_pipes_count_as_what_they_are_and_are_not_opened(package):
    home = package.add("sound")
    first = predictor_version("sound", package.name)
    os.mkfifo(home / "pipe")
    second = predictor_version("sound", package.name)
    (home / "link").symlink_to("/dev/zero")
    (home / "folder").symlink_to("/")
    assert len({first, second, predictor_version("sound", package.name)}) == 3


def test_version_follows_what_is_imported_of_the_harness(package, monkeypatch):
    stand_in = package.folder.parent / "stand_in"
    stand_in.mkdir()
    for name, source in {"__init__": "", "folds": "import stand_in.deeper\n", "deeper": "", "other": ""}.items():
        (stand_in / f"{name}.py").write_text(source)
    monkeypatch.setattr(registry, "HARNESS", "stand_in")
    package.add("folding", model=f"from stand_in.folds import deeper\n{model_source()}")
    first = predictor_version("folding", package.name)
    for name in ("deeper", "other"):
        (stand_in / f"{name}.py").write_text("CHANGED = 1\n")
    assert predictor_version("folding", package.name) == first
    (stand_in / "folds.py").write_text("N_FOLDS = 5\n")
    assert predictor_version("folding", package.name) != first
