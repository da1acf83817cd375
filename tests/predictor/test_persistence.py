import contextlib
import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import skops.io
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.ensemble import ExtraTreesRegressor, HistGradientBoostingRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern, WhiteKernel
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from harness.predictor.features import FEATURES
from harness.predictor.loading import load_model
from harness.predictor.persistence import (
    STAMP_FILE,
    DamagedError,
    Stamp,
    as_bytes,
    from_bytes,
    load_predictor,
    read_stamp,
    saved_bytes,
)
from harness.predictor.protocol import PredictorError
from harness.predictor.registry import predictor_version
from harness.schema.results import Subject
from tests.predictor.packages import kernels, model_source

SUBJECT = Subject(
    device_id="acme-phone",
    system_id="acme-phone",
    delegate="CPU1",
    dtype="fp32",
    energy_kind="absolute",
    batch_size=1,
    tier="analyser",
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
    path = tmp_path / "sound.skops"
    path.write_bytes(saved_bytes(load_model("sound", package.name)().fit(kernels()), stamp(package), package.name))
    return path


def loaded(path, package, key="sound"):
    return load_predictor(path.read_bytes(), key, package.name)


def test_an_archive_of_very_many_entries_is_damaged_before_any_is_read():
    with pytest.raises(DamagedError, match="more than 100000 entries"):
        read_stamp(b"PK\x01\x02" * 100_001)


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
    expected = load_model("sound", package.name)().fit(kernels()).predict(TEST)
    np.testing.assert_array_equal(loaded(saved, package).predict(TEST), expected)
    assert read_stamp(saved.read_bytes()) == stamp(package)


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
from harness.predictor.loading import load_model
from harness.predictor.persistence import Stamp, saved_bytes
from tests.predictor.packages import kernels
package, text, path = sys.argv[1:4]
model = load_model("forest", package)().fit(kernels())
Path(path).write_bytes(saved_bytes(model, Stamp.model_validate_json(text), package))
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
    assert loaded(path, package, "forest").words_["c"] == b"bytes"


@pytest.mark.parametrize(
    ("fit", "message"),
    [
        ("self.kernels_ = kernels", "cannot be saved: .* and no DataFrame"),
        ("self.function_ = lambda x: x", "cannot be saved"),
        ("import subprocess; self.call_ = subprocess.run", "holds subprocess.run, which would not be loaded again"),
    ],
    ids=["frame", "lambda", "function"],
)
def test_what_could_not_be_loaded_is_not_saved(package, fit, message):
    package.add("sound", model=model_source(fit=fit))
    model = load_model("sound", package.name)().fit(kernels())
    with pytest.raises(PredictorError, match=message):
        saved_bytes(model, stamp(package), package.name)


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
        loaded(saved, package)


def test_a_name_that_a_module_of_the_package_only_imports_is_not_trusted(package, saved):
    with zipfile.ZipFile(saved) as archive:
        schema = json.loads(archive.read("schema.json"))
    module = f"{package.name}.sound.model"
    schema["content"]["content"]["mean_"] = {
        "__class__": "RegressorMixin", "__module__": module, "__loader__": "TypeNode", "__id__": 999,
    }  # fmt: skip
    rewritten(saved, schema_json=json.dumps(schema))
    with pytest.raises(PredictorError, match=r"sound.model.RegressorMixin, which is not trusted"):
        loaded(saved, package)


def flipped(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 255
    path.write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b"no archive"),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-30]),
        lambda path: flipped(path, path.read_bytes().index(b"stamp.json") + 14),
        lambda path: flipped(path, path.read_bytes().rindex(b"stamp.json") - 3),
        lambda path: rewritten(path, stamp_json=None),
        lambda path: rewritten(path, stamp_json="{}"),
        lambda path: rewritten(path, stamp_json="["),
        lambda path: rewritten(path, stamp_json=b"[" * 100_000),
    ],
    ids=["foreign", "empty", "cut", "deflate", "seek", "no stamp", "empty stamp", "stamp", "deep stamp"],
)
def test_a_file_without_a_sound_stamp_is_damaged(saved, damage):
    damage(saved)
    with pytest.raises(DamagedError) as refused:
        read_stamp(saved.read_bytes())
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("schema", ["{}", None, b"[" * 100_000], ids=["empty", "none", "deep"])
def test_a_damaged_content_is_found_where_it_is_loaded(package, saved, schema):
    rewritten(saved, schema_json=schema)
    with pytest.raises(DamagedError, match="damaged: "):
        loaded(saved, package)


@given(st.integers(0, 3000), st.integers(1, 255))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_byte_is_changed_nothing_but_damage_is_raised(saved, place, change):
    content = bytearray(saved.read_bytes())
    content[place % len(content)] ^= change
    with contextlib.suppress(DamagedError):
        read_stamp(bytes(content))


def test_a_file_that_unpacks_to_far_more_is_not_unpacked(saved, monkeypatch):
    monkeypatch.setattr("harness.predictor.persistence._MOST_BYTES", 100)
    with pytest.raises(DamagedError, match="unpacks to"):
        read_stamp(saved.read_bytes())


def test_a_file_of_another_predictor_is_found_out(package, saved):
    with pytest.raises(PredictorError, match=r"holds a Model of .*sound.model; expected that of .*other.model"):
        loaded(saved, package, "other")
