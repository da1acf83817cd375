import pytest

from harness.errors import UsageError
from harness.predictor import registry
from harness.predictor.protocol import PredictorError
from harness.predictor.registry import load_model, predictor_info, predictor_version, predictors_in
from tests.predictor.packages import info_source, model_source


def test_every_folder_is_found_by_being_there(package):
    package.add("second-one")
    package.add("first")
    assert list(predictors_in(package.name)) == ["first", "second-one"]
    assert load_model("second-one", package.name).__module__ == f"{package.name}.second_one.model"


def test_listing_imports_no_model(package):
    package.add("broken", model="raise RuntimeError('imported')")
    assert list(predictors_in(package.name)) == ["broken"]


def test_folders_and_modules_with_an_underscore_are_shared_code(package):
    package.add("sound")
    (package.folder / "_shared.py").write_text("")
    assert list(predictors_in(package.name)) == ["sound"]


def test_what_another_branch_left_behind_is_no_predictor(package):
    (package.folder / "gone" / "__pycache__").mkdir(parents=True)
    assert predictors_in(package.name) == {}


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"info": False}, r"trial_\d+/bad: no info.py"),
        ({"info": "X = 1"}, r"bad/info.py: .* must hold INFO, a PredictorInfo"),
        ({"info": "INFO = {}"}, r"bad/info.py: .* must hold INFO, a PredictorInfo"),
        ({"info": "INFO ="}, r"bad/info.py: SyntaxError"),
        ({"info": info_source("bad").replace('licence="Apache-2.0", ', "")}, r"bad/info.py: licence: Field required"),
        (
            {"info": info_source("other")},
            r"bad/info.py: key 'other' in folder bad; expected folder other, or key 'bad'",
        ),
        ({"info": info_source("a-sound")}, r"bad/info.py: key 'a-sound' is that of trial_\d+/a_sound"),
        ({"model": False}, r"bad/info.py: no model.py beside it"),
    ],
    ids=["no info", "no INFO", "no PredictorInfo", "syntax", "no licence", "other key", "key twice", "no model"],
)
def test_a_broken_predictor_fails_for_everyone_and_is_named(package, parts, message):
    package.add("a-sound")
    package.add("bad", **parts)
    with pytest.raises(PredictorError, match=message):
        predictors_in(package.name)


def test_a_folder_that_python_would_pass_over_fails(package):
    home = package.add("bad")
    (home / "__init__.py").unlink()
    with pytest.raises(PredictorError, match=r"bad: no __init__.py; expected it beside info.py and model.py"):
        predictors_in(package.name)


def test_a_module_among_the_folders_fails(package):
    (package.folder / "stray.py").write_text("")
    with pytest.raises(PredictorError, match=r"stray.py: a module; expected a folder with info.py and model.py"):
        predictors_in(package.name)


def test_a_package_that_is_not_there_fails():
    with pytest.raises(PredictorError, match="no_such_package"):
        predictors_in("no_such_package")


def test_an_unknown_key_gets_the_nearest(package):
    package.add("my-forest")
    with pytest.raises(UsageError, match=r"'my-forrest' is not a known predictor; did you mean my-forest\?"):
        predictor_info("my-forrest", package.name)


def test_a_missing_extra_says_how_to_install_it(package):
    package.add("boosted", info=info_source("boosted", ', extras={"nosuchboost": "nosuchboost>=4"}'))
    with pytest.raises(PredictorError, match=r"needs nosuchboost.*python -m pip install 'nosuchboost>=4'"):
        load_model("boosted", package.name)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("", r"bad/model.py: no class Model"),
        ("Model = 3", r"bad/model.py: no class Model"),
        ("import nosuchthing", r"bad/model.py: ModuleNotFoundError: No module named 'nosuchthing'"),
        ("class Model:\n    def fit(self): ...", r"Model has no predict and no get_params and no set_params"),
    ],
    ids=["none", "no class", "import", "no estimator"],
)
def test_a_model_that_cannot_be_used_is_named(package, model, message):
    package.add("bad", model=model)
    with pytest.raises(PredictorError, match=message):
        load_model("bad", package.name)


def test_version_follows_the_code_and_what_it_imports_of_the_package(package):
    shared = package.folder / "_shared.py"
    shared.write_text("FACTOR = 1\n")
    home = package.add("sound", model=f"from {package.name} import _shared\n{model_source()}")
    package.add("other")
    first = predictor_version("sound", package.name)
    (package.folder / "other" / "model.py").write_text(model_source(fit="self.x_ = 1"))
    assert predictor_version("sound", package.name) == first
    shared.write_text("FACTOR = 2\n")
    second = predictor_version("sound", package.name)
    (home / "model.py").write_text(model_source(fit="self.x_ = 1"))
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
