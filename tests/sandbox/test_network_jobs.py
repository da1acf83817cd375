import numpy as np
import pytest

from harness.predictor.features import FEATURES, LABEL
from harness.predictor.networks import LIST_COLUMNS, SYSTEM_COLUMNS
from harness.sandbox.jobs import Limits, NetworkJob, run_jobs
from tests.evaluation.measured import network_table
from tests.predictor.packages import info_source

LIMITS = Limits(seconds=12, memory_mb=1024, file_mb=1)
TABLE = network_table(4)
LISTS = TABLE.drop_duplicates(["network", "dtype"])[list(LIST_COLUMNS)].reset_index(drop=True)
NUMBER = TABLE[["network", "dtype"]].merge(LISTS[["network", "dtype"]].reset_index())["index"].to_numpy()
ROWS = TABLE[[*SYSTEM_COLUMNS, "latency_ms", LABEL]].assign(list=NUMBER)
NO_KERNELS = TABLE[[]].reindex(columns=[*FEATURES, LABEL])[:0].astype("float64")
SOURCE = """
import numpy as np
from sklearn.base import BaseEstimator


class Model(BaseEstimator):
    def fit(self, kernels, networks):
        {fit}
        self.mean_ = float(networks["energy_mj"].mean())
        return self

    def predict_networks(self, networks):
        {predict}
        return np.full(len(networks), self.mean_)
"""
MORE = "learns_networks = true\n"


def job(latency=False):
    shown = ["list", *SYSTEM_COLUMNS, *["latency_ms"] * latency]
    train, test = ROWS[:-3][[*shown, LABEL]], ROWS[-3:][shown].reset_index(drop=True)
    return NetworkJob(NO_KERNELS, LISTS, train, test)


def outcome(package, fit="", predict="", latency=False):
    info = info_source("nets", MORE).replace('kernels = "all"', "kernels = []")
    package.add("nets", info=info, model=SOURCE.format(fit=fit or "pass", predict=predict or "pass"))
    (found,) = run_jobs("nets", [job(latency)], package=package.name, limits=LIMITS)
    return found


def test_networks_are_fitted_and_predicted(package):
    found = outcome(package, fit="assert len(kernels) == 0 and tuple(networks.columns)[-1] == 'energy_mj'")
    assert (found.status, found.reason) == ("ok", "")
    assert found.predictions == pytest.approx(np.full(3, ROWS[:-3][LABEL].mean()))
    assert found.fit_s > 0


def test_networks_to_predict_have_no_label_and_no_latency(package):
    found = outcome(package, predict="assert not {'energy_mj', 'latency_ms'} & set(networks.columns)")
    assert found.status == "ok"


def test_latency_is_there_where_it_is_given(package):
    assert outcome(package, predict="networks['latency_ms']", latency=True).status == "ok"


@pytest.mark.parametrize(
    ("statements", "reason"),
    [
        ({"fit": "networks['energy_mj'] *= 2"}, "changed its input in fit"),
        ({"predict": "networks['flops'] *= 2"}, "changed its input in predict_networks"),
        ({"fit": "return None"}, "returned NoneType from fit; expected self"),
        ({"predict": "return np.ones(1)"}, "gave energies of networks of shape (1,); expected (3,)"),
        ({"predict": "return -np.ones(3)"}, "gave energies that are not positive for 3 of 3 rows"),
    ],
)
def test_a_fault_is_a_failure_with_its_reason(package, statements, reason):
    found = outcome(package, **statements)
    assert (found.status, found.reason) == ("failed", reason)


@pytest.mark.parametrize("name", ["kernels", "lists", "train", "test"])
def test_tables_with_other_columns_are_refused(name):
    tables = {"kernels": NO_KERNELS, "lists": LISTS, "train": job().train, "test": job().test}
    tables[name] = tables[name].assign(other=1.0)
    with pytest.raises(ValueError, match=f"{name} has columns .*other; expected"):
        NetworkJob(**tables)


def test_a_label_in_what_is_asked_is_refused():
    with pytest.raises(ValueError, match=r"test has columns .*energy_mj"):
        NetworkJob(NO_KERNELS, LISTS, job().train, job().test.assign(energy_mj=1.0))


def test_a_predictor_of_networks_without_their_method_is_refused(package):
    info = info_source("nets", MORE).replace('kernels = "all"', "kernels = []")
    package.add("nets", info=info)
    (found,) = run_jobs("nets", [job()], package=package.name, limits=LIMITS)
    assert "Model has no predict_networks" in found.reason
