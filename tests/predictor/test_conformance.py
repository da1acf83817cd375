import warnings

import pandas as pd
import pytest

from harness.predictor.conformance import CHECKS, ConformanceCase, faults_of, sample_kernels
from harness.predictor.features import FEATURES, LABEL
from harness.schema.vocabulary import KERNEL_ALLOWS, KERNEL_REQUIRES
from tests.predictor.packages import info_source, model_source

INTERVAL = """
def predict_interval(self, kernels, coverage):
    energies = self.predict(kernels)
    {statement}
    return np.column_stack([energies * (1 - coverage), energies * (1 + coverage)])
"""
BROKEN = {
    "check_constructor_only_stores": (
        {"rest": "def __init__(self, alpha=1.0):\n    self.beta = alpha\n"
                 "def get_params(self, deep=True):\n    return {'alpha': self.beta}"},
        "__init__ does not store alpha",
    ),
    "check_fit_returns_self": (
        {"fit": "self.mean_ = kernels['energy_mj'].mean()\nreturn None"},
        "fit returns NoneType; expected self",
    ),
    "check_repeats_itself": ({"fit": "kernels = kernels.sample(frac=0.5)"}, "predictions of a clone"),
    "check_refit_forgets": (
        {"fit": "if hasattr(self, 'mean_'): return self"},
        "predictions after a fit on other rows and a second on these differ in 6 of 6 rows; row 0: ",
    ),
    "check_predictions_are_energies": (
        {"predict": "return np.where(kernels['flops'] == 1, np.nan, 1.0)"},
        f"predictions for tiny kernels are not finite and positive in {(n := 3 * len(KERNEL_REQUIRES))} of {n} rows",
    ),
    "check_input_is_untouched": ({"predict": "kernels['flops'] += 1"}, "predict changes its input"),
    "check_labels_are_not_read_again": (
        {"fit": "self.kernels_ = kernels", "predict": "self.mean_ = self.kernels_['energy_mj'].mean()"},
        "predictions after the labels changed differ",
    ),
    "check_rows_stand_alone": (
        {"predict": "return (kernels['flops'] / kernels['flops'].mean()).to_numpy() + 1"},
        "predictions of rows on their own differ",
    ),
    "check_intervals_widen": (
        {"rest": INTERVAL.format(statement="coverage = 1 - coverage")},
        "80% intervals do not contain those of a lower coverage",
    ),
    "check_networks_have_energies": (
        {"rest": "def predict_models(self, models):\n    return -np.ones(len(models))"},
        "predictions for networks are not finite and positive in 2 of 2 rows",
    ),
    "check_every_type_is_answered": (
        {"predict": "if (kernels['kernel'] == 'se').all(): return np.zeros(len(kernels))"},
        "predictions for se kernels are not finite and positive in 3 of 3 rows",
    ),
    "check_few_rows_suffice": (
        {"fit": "if len(kernels) == 1: raise ValueError('one row')"},
        "raised ValueError: one row ({package}/broken/model.py:8)",
    ),
    "check_saving_keeps_predictions": ({"fit": "self.kernels_ = kernels"}, "cannot be saved: "),
}  # fmt: skip


def test_a_sound_predictor_passes_every_check(package):
    package.add("sound", model=model_source(rest=INTERVAL.format(statement="pass")))
    assert faults_of("sound", package.name) == []


@pytest.mark.parametrize("name", BROKEN)
def test_each_check_finds_what_it_is_for(package, name):
    parts, message = BROKEN[name]
    package.add("broken", model=model_source(**parts))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = [fault for fault in faults_of("broken", package.name) if fault.startswith(name)]
    assert len(found) == 1
    assert message.replace("{package}", package.name) in found[0]


def test_every_check_is_tried():
    assert list(BROKEN) == [check.__name__ for check in CHECKS]
    assert all(check.__doc__ for check in CHECKS)


def test_a_predictor_is_tried_on_its_own_kernel_types_only(package):
    package.add("narrow", info=info_source("narrow").replace('"all"', '["fc", "se"]'))
    candidate = ConformanceCase("narrow", package.name)
    assert set(candidate.train["kernel"]) == set(candidate.test["kernel"]) == {"fc", "se"}
    assert tuple(candidate.train.columns) == (*FEATURES, LABEL)
    assert tuple(candidate.test.columns) == FEATURES


def test_sample_kernels_are_whole_configurations():
    kernels = sample_kernels(list(KERNEL_REQUIRES), seed=0)
    extents = {name for names in (*KERNEL_REQUIRES.values(), *KERNEL_ALLOWS.values()) for name in names}
    for row in kernels.to_dict("records"):
        given = {name for name in extents if pd.notna(row[name])}
        assert given == set(KERNEL_REQUIRES[row["kernel"]])
        assert row[LABEL] > 0
