import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import skops.io
from sklearn.ensemble import ExtraTreesRegressor, HistGradientBoostingRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern, WhiteKernel
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from harness.errors import UsageError
from harness.predictor.features import FEATURES
from harness.predictor.persistence import (
    STAMP_FILE,
    Stamp,
    as_bytes,
    from_bytes,
    load_predictor,
    save_predictor,
)
from harness.predictor.protocol import PredictorError
from harness.predictor.registry import load_model, predictor_version
from harness.schema.results import Subject
from tests.predictor.packages import kernels, model_source

SUBJECT = Subject(
    device_id="acme-phone", delegate="CPU1", dtype="fp32", is_idle_subtracted=False, batch_size=1, tier="analyser"
)
TEST = kernels(20, seed=1)[list(FEATURES)]


def stamp(package, key="sound", **facts):
    return Stamp(
        **{
            "predictor": key,
            "predictor_version": predictor_version(key, package.name),
            "subjects": (SUBJECT,),
            "dataset": "deepen/kernels",
            "dataset_version": "1.0.0",
            "data_sha256": "0" * 64,
            "split": "train",
            "split_version": "2026.1",
            "n_rows": 50,
            "kernels": ("fc", "relu"),
            "seed": 0,
            "harness_version": "0.1.0",
            "packages": {"scikit-learn": "1.9"},
        }
        | facts
    )


@pytest.fixture
def saved(package, tmp_path):
    """File of a fitted predictor."""
    package.add("sound")
    package.add("other")
    path = tmp_path / "out" / "sound.skops"
    save_predictor(load_model("sound", package.name)().fit(kernels()), stamp(package), path, package.name)
    return path


def rewritten(path, **changed):
    """The file with entries replaced; `stamp_json` and `schema_json` for their names."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    for name, content in changed.items():
        entries[name.replace("_", ".")] = content
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            if content is not None:
                archive.writestr(name, content)
    return path


def test_what_is_loaded_predicts_as_what_was_saved_and_keeps_its_stamp(package, saved):
    model, found = load_predictor(saved, package.name)
    expected = load_model("sound", package.name)().fit(kernels()).predict(TEST)
    np.testing.assert_array_equal(model.predict(TEST), expected)
    assert found == stamp(package)


@pytest.mark.parametrize(
    "inner",
    [
        ExtraTreesRegressor(3, random_state=0),
        HistGradientBoostingRegressor(max_iter=3, random_state=0),
        GaussianProcessRegressor(ConstantKernel() * Matern() + RBF() + WhiteKernel(), optimizer=None),
        make_pipeline(StandardScaler(), KNeighborsRegressor()),
        make_pipeline(FunctionTransformer(np.log1p), StandardScaler(), KNeighborsRegressor()),
    ],
    ids=["trees", "boosting", "gaussian process", "pipeline", "function of numpy"],
)
def test_estimators_of_scikit_learn_can_be_kept(inner):
    generator = np.random.default_rng(0)
    features, labels = generator.random((60, 3)), generator.random(60)
    inner.fit(features, labels)
    again = from_bytes(as_bytes(inner))
    np.testing.assert_array_equal(again.predict(features), inner.predict(features))


SAVE = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[4:]
from harness.predictor.persistence import Stamp, save_predictor
from harness.predictor.registry import load_model
from tests.predictor.packages import kernels
package, text, path = sys.argv[1:4]
model = load_model("forest", package)().fit(kernels())
save_predictor(model, Stamp.model_validate_json(text), Path(path), package)
"""
FOREST = """
    self.forest_ = ExtraTreesRegressor(3, random_state=0).fit(kernels[["flops"]].to_numpy(), kernels["energy_mj"])
    self.words_ = {"a": [1.5, None], "b": np.arange(3), "c": b"bytes"}
"""


def test_the_same_predictor_gives_the_same_bytes_in_any_process(package, tmp_path):
    source = model_source(fit=FOREST)
    package.add("forest", model=f"from sklearn.ensemble import ExtraTreesRegressor\n{source}")
    text = stamp(package, "forest").model_dump_json()
    contents = []
    for name in ("one", "two"):
        path = tmp_path / f"{name}.skops"
        roots = [str(package.folder.parent), *sys.path]
        subprocess.run([sys.executable, "-c", SAVE, package.name, text, path, *roots], check=True)
        contents.append(path.read_bytes())
    assert contents[0] == contents[1]
    model, _ = load_predictor(path, package.name)
    assert model.words_["c"] == b"bytes"


@pytest.mark.parametrize(
    ("fit", "message"),
    [
        ("self.kernels_ = kernels", "cannot be saved: .* and no DataFrame"),
        ("self.function_ = lambda x: x", "cannot be saved"),
        ("import subprocess; self.call_ = subprocess.run", "holds subprocess.run, which would not be loaded again"),
    ],
    ids=["frame", "lambda", "function"],
)
def test_what_could_not_be_loaded_is_not_saved(package, fit, message, tmp_path):
    package.add("sound", model=model_source(fit=fit))
    model = load_model("sound", package.name)().fit(kernels())
    with pytest.raises(PredictorError, match=message):
        save_predictor(model, stamp(package), tmp_path / "x.skops", package.name)
    assert not (tmp_path / "x.skops").exists()


class Foreign:
    """Of no package that is trusted."""


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ({"call": subprocess.run}, "subprocess.run"),
        ({"call": eval}, "builtins.eval"),
        ({"object": Foreign()}, "tests.predictor.test_persistence.Foreign"),
        ({"transformer": FunctionTransformer(subprocess.run)}, "subprocess.run"),
        ({"map": np.memmap}, "numpy.memmap"),
    ],
    ids=["function", "builtin", "class", "in an estimator", "writing class"],
)
def test_a_file_with_something_untrusted_is_refused_and_named(package, saved, content, name):
    with zipfile.ZipFile(saved) as archive:
        text = archive.read(STAMP_FILE)
    saved.write_bytes(skops.io.dumps(content))
    rewritten(saved, stamp_json=text)
    with pytest.raises(PredictorError, match=f"{name}.*which is not trusted; nothing was loaded"):
        load_predictor(saved, package.name)


def test_a_name_that_a_module_of_the_package_only_imports_is_not_trusted(package, saved):
    with zipfile.ZipFile(saved) as archive:
        schema = json.loads(archive.read("schema.json"))
    module = f"{package.name}.sound.model"
    schema["content"]["content"]["mean_"] = {
        "__class__": "RegressorMixin", "__module__": module, "__loader__": "TypeNode", "__id__": 999,
    }  # fmt: skip
    rewritten(saved, schema_json=json.dumps(schema))
    with pytest.raises(PredictorError, match=r"sound.model.RegressorMixin, which is not trusted"):
        load_predictor(saved, package.name)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.write_bytes(b"no archive"), "no saved predictor, or a damaged one"),
        (lambda path: path.write_bytes(path.read_bytes()[:-30]), "no saved predictor, or a damaged one"),
        (lambda path: rewritten(path, stamp_json=None), "no saved predictor, or a damaged one"),
        (lambda path: rewritten(path, stamp_json="{}"), "stamp.json: predictor: Field required"),
        (lambda path: rewritten(path, stamp_json="["), "stamp.json: : Invalid JSON"),
        (lambda path: rewritten(path, schema_json="{}"), "damaged: "),
        (lambda path: rewritten(path, schema_json=None), "damaged: "),
        (lambda path: rewritten(path, schema_json=b"[" * 100_000), "damaged: "),
    ],
    ids=["foreign", "cut", "no stamp", "empty stamp", "stamp", "empty schema", "no schema", "deep schema"],
)
def test_a_damaged_file_is_told_from_a_sound_one(package, saved, damage, message):
    damage(saved)
    with pytest.raises(PredictorError, match=f"sound.skops: {message}"):
        load_predictor(saved, package.name)


def test_a_flipped_bit_is_found(package, saved):
    content = bytearray(saved.read_bytes())
    content[200] ^= 1
    saved.write_bytes(content)
    with pytest.raises(PredictorError, match="damaged"):
        load_predictor(saved, package.name)


def test_a_file_that_unpacks_to_far_more_is_not_unpacked(package, saved, monkeypatch):
    monkeypatch.setattr("harness.predictor.persistence._MOST_BYTES", 100)
    with pytest.raises(PredictorError, match="unpacks to"):
        load_predictor(saved, package.name)


def test_a_predictor_of_other_code_is_not_trusted_to_fit_this_one(package, saved):
    (package.folder / "sound" / "model.py").write_text(model_source(fit="self.other_ = 1"))
    with pytest.raises(PredictorError, match=r"fitted by version \w{12} of sound; expected \w{12}.*Fit it again"):
        load_predictor(saved, package.name)


def test_a_stamp_of_another_predictor_is_found_out(package, saved):
    rewritten(saved, stamp_json=stamp(package, "other").model_dump_json())
    with pytest.raises(PredictorError, match=r"holds a Model of .*sound.model; expected that of"):
        load_predictor(saved, package.name)


def test_an_unknown_predictor_and_a_missing_file_are_usage_errors(package, saved, tmp_path):
    rewritten(saved, stamp_json=stamp(package).model_copy(update={"predictor": "saund"}).model_dump_json())
    with pytest.raises(UsageError, match="did you mean sound"):
        load_predictor(saved, package.name)
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        load_predictor(tmp_path / "none.skops", package.name)
