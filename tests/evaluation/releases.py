"""Releases whose energies are known to the last digit, and predictors that run where they are called."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from harness.evaluation import runner, shards
from harness.predictor.features import LABEL
from harness.predictor.protocol import PredictorInfo
from harness.predictor.registry import Listing
from harness.releases import Release, assemble
from harness.sandbox.jobs import Job, Outcome
from harness.schema.campaign import Campaign
from harness.schema.cost import kernel_cost
from harness.schema.networks import Network
from tests.campaigns import campaign, row_table

SHARED = {"delegate": "CPU1", "dtype": "fp32", "energy_kind": "absolute"}
MEASURED = {"method": "measured", "meter": {"name": "Monsoon HVPM", "kind": "analyser", "sampling_hz": 5000}}
WINDOW = {"stride_h": 1, "stride_w": 1}
FAMILIES = ("GoogLeNet", "MobileNetV1", "ResNet18")


def true_energy(flops, bytes_moved):
    """Energy of a kernel in mJ."""
    return 0.01 + 1e-7 * np.asarray(flops, dtype=float) + 1e-6 * np.asarray(bytes_moved, dtype=float)


def configurations(n):
    """Distinct configurations of three kernel types in turn."""
    found = []
    for number in range(n):
        size, cin = 7 * (1 + number % 4), 8 + 3 * number
        if number % 3 == 0:
            window = 1 + 2 * (number % 4)
            extents = {"input_h": size, "input_w": size, "cin": cin, "cout": 2 * cin}
            found.append({"kernel": "conv-bn-relu", **extents, "kernel_h": window, "kernel_w": window, **WINDOW})
        elif number % 3 == 1:
            found.append({"kernel": "relu", "input_h": size, "input_w": size, "cin": cin})
        else:
            found.append({"kernel": "fc", "cin": cin, "cout": 10 + number})
    return found


def kernel_rows(n=60, factor=1.0, **shared):
    """Rows of the kernels level; a device's energies are the true ones times its factor."""
    rows = [found | SHARED | shared | {"energy_mj": 1.0} for found in configurations(n)]
    cost = kernel_cost(row_table("kernels", rows))
    energies = factor * true_energy(cost.flops, cost.bytes_moved)
    return [row | {"energy_mj": float(energy)} for row, energy in zip(rows, energies, strict=True)]


def kernel_device(device_id="acme-phone", n=60, factor=1.0, facts=None, **shared) -> Campaign:
    """Campaign of kernels."""
    return campaign("kernels", kernel_rows(n, factor, **shared), device_id, **({"manifest": MEASURED} | (facts or {})))


def entry(configuration, dtype="fp32", **fields):
    """Entry of a kernel list, at the cost that a row of the configuration has."""
    cost = kernel_cost(row_table("kernels", [configuration | SHARED | {"dtype": dtype, "energy_mj": 1.0}]))
    counted = {name: int(values[0]) for name, values in cost._asdict().items()}
    return {"operator": configuration["kernel"], "dtype": dtype, **counted, **configuration} | fields


def untyped(flops, bytes_moved=0):
    """Entry of a kernel list that no predictor supports."""
    return {
        "operator": "softmax",
        "kernel": None,
        "dtype": "fp32",
        "flops": flops,
        "params": 0,
        "bytes_moved": bytes_moved,
    }


def network_device(networks, device_id="acme-phone", factor=1.0, facts=None, **shared) -> Campaign:
    """Campaign of networks, by the name of each its family and kernel list; energies are the sums of the true ones."""
    rows, lists = [], {}
    for name, (family, entries) in networks.items():
        energy = factor * sum(float(true_energy(one["flops"], one["bytes_moved"])) for one in entries)
        rows.append(SHARED | shared | {"model": name, "family": family, "energy_mj": energy})
        lists[name] = Network.model_validate(
            {"schema_version": 1, "model": name, "runtime": "tflite-cpu", "kernels": entries}
        )
    more = {"manifest": MEASURED, "networks": lists, "name": "models-2026"}
    return campaign("models", rows, device_id, **(more | (facts or {})))


def networks(n_each=4):
    """Networks of three families out of the configurations of `configurations(60)`, no two families sharing any."""
    found = configurations(60)
    return {
        f"{family}-{number}": (family, [entry(found[(3 * place + number + 9 * step) % 60]) for step in range(3)])
        for place, family in enumerate(FAMILIES)
        for number in range(n_each)
    }


def release_of(*campaigns: Campaign) -> Release:
    return assemble(campaigns)


def changed(table: pa.Table, name, change: Callable) -> pa.Table:
    """Table with another value in a column."""
    place = table.column_names.index(name)
    values = change(table.column(name).to_pylist())
    return table.set_column(place, table.schema.field(name), pa.array(values, table.schema.field(name).type))


def info(key, **fields) -> PredictorInfo:
    return PredictorInfo(**({"key": key, "name": key, "authors": ("A",), "licence": "MIT", "kernels": "all"} | fields))


def listed(*infos) -> Listing:
    """Sound predictors, by key."""
    return Listing({each.key: each for each in infos}, {})


def constant(train, test):
    """Geometric mean of each kernel type."""
    means = np.log(train[LABEL]).groupby(train["kernel"]).mean()
    return np.exp(means.reindex(test["kernel"]).to_numpy())


def truth(train, test):
    return true_energy(test["flops"], test["bytes_moved"])


class InProcess:
    """Stands in for processes: predictors are functions of the training rows and the test kernels.

    Attributes:
        functions: what each predictor says; an exception is its failure.
        jobs: every job that was run, with the key of its predictor.
    """

    def __init__(self) -> None:
        self.functions = {"constant": constant, "truth": truth}
        self.versions: dict[str, str] = {}
        self.jobs: list[tuple[str, Job]] = []

    def run_jobs(
        self, key: str, jobs: Iterable[Job], *, package: str, limits: object, idle: object = None
    ) -> Iterator[Outcome]:
        for job in jobs:
            self.jobs.append((key, job))
            try:
                energies = np.asarray(self.functions[key](job.train, job.test), dtype=float)
            except ValueError as error:
                yield Outcome("failed", str(error))
                continue
            times = {"fit_s": 0.5, "predict_s": 0.25, "batch_s": 0.125 if job.n_timed else None}
            yield Outcome("ok", "", energies, self.intervals(key, job, energies), **times)

    def intervals(self, key: str, job: Job, energies: np.ndarray) -> dict[float, np.ndarray]:
        """Only the true one is sure of itself."""
        if key != "truth":
            return {}
        return {coverage: np.column_stack([0.9 * energies, 1.1 * energies]) for coverage in job.coverages}

    def keys_run(self) -> set[str]:
        """Predictors that ran since the last call."""
        keys = {key for key, _ in self.jobs}
        self.jobs.clear()
        return keys


def made_in_process(monkeypatch: pytest.MonkeyPatch) -> InProcess:
    instead = InProcess()
    monkeypatch.setattr(runner, "run_jobs", instead.run_jobs)
    for module in (runner, shards):
        monkeypatch.setattr(module, "predictor_version", lambda key, package: instead.versions.get(key, "1"))
    monkeypatch.setattr(runner, "predictor_files", lambda key, package: {})
    return instead


in_process = pytest.fixture(made_in_process, name="in_process")


def frames_of(jobs: Iterable[tuple[str, Job]]) -> list[tuple[pd.DataFrame, pd.DataFrame]]:
    return [(job.train, job.test) for _, job in jobs]
