"""Checks of the protocol that every predictor must pass, for the project's tests and for authors alike.

It judges behaviour, never how good the predictions are. The checks call the predictor, so they run within the sandbox
(`harness.sandbox.jobs.conformance_faults`).
"""

import inspect
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.base import clone

from harness.arrays import Reals
from harness.predictor.features import FEATURES, LABEL, NUMBERS, WORDS
from harness.predictor.loading import load_model, raised_at
from harness.predictor.network_conformance import NETWORK_CHECKS, NetworkCase
from harness.predictor.network_conformance import Check as NetworkCheck
from harness.predictor.persistence import as_bytes, from_bytes
from harness.predictor.protocol import Predictor, PredictorError, PredictorInfo
from harness.predictor.registry import PACKAGE, predictor_info
from harness.schema.cost import kernel_cost
from harness.schema.kernel_costs import Extent
from harness.schema.kernel_types import KERNEL_TYPES, Kernel, require_each
from harness.schema.records import KEYS

COVERAGES: Final = (0.5, 0.8, 0.95)
"""Coverages at which intervals are compared."""
_TOLERANCE: Final = 1e-6
"""Relative difference that the order of additions may make."""
_EXTENTS: Final[Mapping[Extent, tuple[int, ...]]] = {
    "input_h": (7, 14, 28, 56), "input_w": (7, 14, 28, 56), "cin": (8, 16, 32, 64), "cout": (8, 24, 48, 96),
    "kernel_h": (1, 3, 5), "kernel_w": (1, 3, 5), "stride_h": (1, 2), "stride_w": (1, 2), "cin2": (8, 16),
    "output_h": (14, 28), "output_w": (14, 28), "rows": (1, 16, 128, 197), "q_len": (1, 64), "kv_len": (64, 128),
    "heads": (4, 12), "kv_heads": (2, 4), "head_size": (32, 64), "entries": (1000, 32000),
}  # fmt: skip
"""Values of the extents that kernel types require."""
require_each({name for kind in KERNEL_TYPES.values() for name in kind.requires}, _EXTENTS, "trial extent")


class ConformanceError(PredictorError):
    """A predictor breaks the protocol; the message states how."""


class ConformanceCase:
    """A predictor, with kernels to check it on.

    Args:
        key: predictor.
        package: package that it is in.

    Attributes:
        info: what it declares.
        model: its class.
        train: kernels of every type that it supports, 40 of the first, with energies.
        test: other kernels of these types, without.
        few: rows of `train` of the first two types, for what does not depend on the type.
        few_test: rows of `test` likewise.
    """

    def __init__(self, key: str, package: str = PACKAGE) -> None:
        self.info: PredictorInfo = predictor_info(key, package)
        self.model: type[Predictor] = load_model(key, package)
        self.package = package
        types = self.info.kernel_types
        self.train = sample_kernels([types[0]] * 40 + [kernel for kernel in types for _ in range(6)], seed=0)
        self.test = sample_kernels([kernel for kernel in types for _ in range(3)], seed=1)[list(FEATURES)]
        self.few, self.few_test = (
            rows[rows["kernel"].isin(types[:2])].reset_index(drop=True) for rows in (self.train, self.test)
        )

    @cached_property
    def fitted(self) -> Predictor:
        """Fitted on `train`; nobody may fit it again."""
        return self.model().fit(self.train.copy())

    @cached_property
    def energies(self) -> Reals:
        """What it predicts for `test`, in mJ."""
        return self.fitted.predict(self.test.copy())

    @cached_property
    def fitted_on_few(self) -> Predictor:
        """Fitted on `few`; nobody may fit it again."""
        return self.model().fit(self.few.copy())

    @cached_property
    def few_energies(self) -> Reals:
        """What that predicts for `few_test`, in mJ."""
        return self.fitted_on_few.predict(self.few_test.copy())


def sample_kernels(types: list[Kernel], seed: int) -> pd.DataFrame:
    """Kernels with energies that follow from FLOPs and bytes, with 5 % of noise.

    Args:
        types: kernel type of every row.
        seed: seed of extents and noise.

    Returns:
        Columns `FEATURES` and `energy_mj`.

    >>> sample_kernels(["fc", "relu"], seed=0)["kernel"].tolist()
    ['fc', 'relu']
    """
    generator = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for kernel in types:
        extents: dict[str, int] = {
            name: int(generator.choice(_EXTENTS[name])) for name in KERNEL_TYPES[kernel].requires
        }
        functions = KERNEL_TYPES[kernel].functions
        function = str(generator.choice(functions)) if functions else None
        rows.append({"kernel": kernel, "function": function, "dtype": "fp32", **extents})
    words = ("kernel", "function", "dtype")
    fields = {name: pa.string() if name in words else pa.int64() for name in (*KEYS["kernels"], "dtype")}
    table = pa.Table.from_pylist(rows, schema=pa.schema(list(fields.items())))
    place = {"delegate": "CPU1", "processor": "cpu", "device_id": "acme-phone"}
    frame = table.to_pandas().assign(**kernel_cost(table)._asdict(), **place)
    frame = frame.astype(dict.fromkeys(NUMBERS, "float64") | dict.fromkeys(("kernel", *WORDS), "str"))
    noise = np.exp(generator.normal(0, 0.05, len(frame)))
    frame[LABEL] = (1e-3 + 2e-9 * frame["flops"] + 5e-8 * frame["bytes_moved"]) * noise
    return pd.DataFrame(frame[[*FEATURES, LABEL]])


Check = Callable[[ConformanceCase], None]


def check_constructor_only_stores(case: ConformanceCase) -> None:
    """It is made without arguments, keeps its parameters as given, and has no fitted attribute before its fit."""
    model: Any = case.model()
    parameters = inspect.signature(case.model).parameters
    for name in parameters:
        _require(hasattr(model, name), f"__init__ does not store {name}")
    fitted = [name for name in vars(model) if name.endswith("_") and not name.startswith("_")]
    _require(not fitted, f"{', '.join(fitted)} exists before fit")
    copied: Any = clone(model)
    _require(repr(copied.get_params()) == repr(model.get_params()), "its clone has other parameters")


def check_fit_returns_self(case: ConformanceCase) -> None:
    """`fit` gives the predictor back, with fitted attributes that end in an underscore."""
    model: Any = case.model()
    returned = model.fit(case.few.copy())
    _require(returned is model, f"fit returns {type(returned).__name__}; expected self")
    fitted = [name for name in vars(model) if name.endswith("_") and not name.startswith("_")]
    _require(bool(fitted), "no attribute that ends in _ after fit")


def check_repeats_itself(case: ConformanceCase) -> None:
    """The same rows give the same predictions in another instance, whatever was drawn from NumPy in between."""
    np.random.seed(12345)
    np.random.random(7)
    again = clone(case.model()).fit(case.few.copy()).predict(case.few_test.copy())
    _same(again, case.few_energies, "predictions of a clone fitted on the same rows", tolerance=0)


def check_refit_forgets(case: ConformanceCase) -> None:
    """A second fit leaves nothing of the first."""
    model = case.model()
    other = sample_kernels(list(case.few["kernel"]), seed=2)
    other[LABEL] *= 7
    model.fit(other)
    again = model.fit(case.few.copy()).predict(case.few_test.copy())
    _same(again, case.few_energies, "predictions after a fit on other rows and a second on these", tolerance=0)


def check_predictions_are_energies(case: ConformanceCase) -> None:
    """One finite positive number of mJ per row, also for kernels far larger and smaller than any it was fitted on."""
    costs = ["flops", "params", "bytes_moved"]
    far = case.test.assign(**{name: case.test[name] * 1e3 for name in costs})
    near = case.test.assign(**dict.fromkeys(costs, 1.0))
    for what, kernels in (("kernels", case.test), ("huge kernels", far), ("tiny kernels", near)):
        _energies(case.fitted.predict(kernels.copy()), len(kernels), what)


def check_input_is_untouched(case: ConformanceCase) -> None:
    """The tables that it is given stay as they are."""
    train, test = case.few.copy(), case.few_test.copy()
    model = case.model().fit(train)
    _require(train.equals(case.few), "fit changes its input")
    model.predict(test)
    if hasattr(model, "predict_interval"):
        model.predict_interval(test, COVERAGES[0])
    _require(test.equals(case.few_test), "predict changes its input")


def check_labels_are_not_read_again(case: ConformanceCase) -> None:
    """Labels that change after the fit change nothing; at prediction there are none."""
    train = case.few.copy()
    model = case.model().fit(train)
    train[LABEL] = train[LABEL].to_numpy()[::-1] * 1e3
    train.loc[:, LABEL] = 1e6
    _same(
        model.predict(case.few_test.copy()),
        case.few_energies,
        "predictions after the labels changed",
        tolerance=0,
    )


def check_rows_stand_alone(case: ConformanceCase) -> None:
    """A row's prediction depends neither on the other rows nor on their order."""
    order = np.random.default_rng(0).permutation(len(case.test))
    shuffled = case.fitted.predict(case.test.iloc[order].reset_index(drop=True))
    _same(shuffled, case.energies[order], "predictions in another order")
    rows = [case.test.iloc[[row]].reset_index(drop=True) for row in range(len(case.test))]
    alone = np.concatenate([case.fitted.predict(row) for row in rows])
    _same(alone, case.energies, "predictions of rows on their own")
    none = case.fitted.predict(pd.concat([case.test] * 3, ignore_index=True))
    _same(none, np.tile(case.energies, 3), "predictions of a larger batch")


def check_intervals_widen(case: ConformanceCase) -> None:
    """Intervals, where there are any, are ordered, finite and not negative, and contain those of lower coverage.

    A kernel without an interval, whose bounds are both NaN, has none at any coverage.
    """
    model: Any = case.fitted
    if not hasattr(model, "predict_interval"):
        return
    inner = None
    for coverage in COVERAGES:
        bounds = np.asarray(model.predict_interval(case.test.copy(), coverage))
        what = f"{coverage:.0%} intervals"
        _require(bounds.shape == (len(case.test), 2), f"{what} have shape {bounds.shape}; expected (n, 2)")
        has_none = np.isnan(bounds).all(axis=1)
        given = bounds[~has_none]
        _require(bool(np.isfinite(given).all() and (given >= 0).all()), f"{what} are not finite or are negative")
        _require(bool((given[:, 0] <= given[:, 1]).all()), f"{what} have lower bounds above the upper ones")
        if inner is not None:
            same = bool((has_none == np.isnan(inner).all(axis=1)).all())
            _require(same, f"{what} are of other kernels than those of a lower coverage")
            is_wider = has_none | ((bounds[:, 0] <= inner[:, 0]) & (bounds[:, 1] >= inner[:, 1]))
            _require(bool(is_wider.all()), f"{what} do not contain those of a lower coverage")
        inner = bounds


def check_networks_have_energies(case: ConformanceCase) -> None:
    """Energies of whole networks, where it offers any, are one finite positive number of mJ per network."""
    model: Any = case.fitted
    if not hasattr(model, "predict_models"):
        return
    half = len(case.test) // 2
    kernels = [case.test[:half], case.test[half:].reset_index(drop=True)]
    models = pd.DataFrame({"kernels": pd.Series(kernels, dtype=object)})
    _energies(model.predict_models(models), len(models), "networks")


def check_every_type_is_answered(case: ConformanceCase) -> None:
    """It predicts every kernel type that it declares, each alone."""
    for kernel in case.info.kernel_types:
        rows = case.test[case.test["kernel"] == kernel].reset_index(drop=True)
        _energies(case.fitted.predict(rows), len(rows), f"{kernel} kernels")


def check_few_rows_suffice(case: ConformanceCase) -> None:
    """One row of a type is enough to be fitted on, with others and alone; so are rows of one energy."""
    types = list(case.info.kernel_types)
    sparse = sample_kernels(types, seed=3)
    flat = case.few.assign(**{LABEL: 2.5})
    for what, train in (("one row of each type", sparse), ("one row", sparse[:1]), ("rows of one energy", flat)):
        test = case.test[case.test["kernel"].isin(train["kernel"])].reset_index(drop=True)
        model: Any = case.model().fit(train.copy())
        _energies(model.predict(test), len(test), f"kernels when fitted on {what}")
        if hasattr(model, "predict_interval"):
            bounds = np.asarray(model.predict_interval(test, COVERAGES[-1]))
            has_none = np.isnan(bounds).all(axis=1, keepdims=True)
            _require(bool((np.isfinite(bounds) | has_none).all()), f"intervals are not finite when fitted on {what}")


def check_saving_keeps_predictions(case: ConformanceCase) -> None:
    """Saved without pickle and loaded again, it predicts the same."""
    model = from_bytes(as_bytes(case.fitted_on_few, case.package), case.package)
    _same(
        model.predict(case.few_test.copy()),
        case.few_energies,
        "predictions after saving and loading",
        tolerance=0,
    )


CHECKS: Final[tuple[Check, ...]] = (
    check_constructor_only_stores,
    check_fit_returns_self,
    check_repeats_itself,
    check_refit_forgets,
    check_predictions_are_energies,
    check_input_is_untouched,
    check_labels_are_not_read_again,
    check_rows_stand_alone,
    check_intervals_widen,
    check_networks_have_energies,
    check_every_type_is_answered,
    check_few_rows_suffice,
    check_saving_keeps_predictions,
)
"""All checks; each raises `ConformanceError`, or what the predictor raises."""


def faults_of(key: str, package: str = PACKAGE) -> list[str]:
    """Faults of a predictor, one line per check that it does not pass; its code runs in this process.

    Raises:
        UsageError: there is no such predictor.
        PredictorError: it cannot be loaded.
    """
    info = predictor_info(key, package)
    faults = []
    if info.kernel_types:
        case = ConformanceCase(key, package)
        for check in CHECKS:
            faults += _faults(check.__name__, partial(check, case), package)
    if info.learns_networks:
        networks = NetworkCase(info, package, sample_kernels)
        for of_networks in NETWORK_CHECKS:
            faults += _faults(of_networks.__name__, partial(_check_networks, of_networks, networks), package)
    return faults


def _faults(name: str, check: Callable[[], None], package: str) -> list[str]:
    """Fault of one check in a line; none where it is passed."""
    try:
        check()
    except ConformanceError as error:
        return [f"{name}: {error}"]
    except Exception as error:  # noqa: BLE001 - whatever a predictor raises is a fault of it
        place = raised_at(error, package)
        return [f"{name}: raised {type(error).__name__}: {error}{f' ({place})' if place else ''}"]
    return []


def _check_networks(check: NetworkCheck, case: NetworkCase) -> None:
    fault = check(case)
    _require(not fault, fault)


def _require(is_met: bool, fault: str) -> None:
    if not is_met:
        raise ConformanceError(fault)


def _energies(values: Any, n: int, what: str) -> None:
    found = np.asarray(values)
    _require(found.shape == (n,), f"predictions for {what} have shape {found.shape}; expected ({n},)")
    _require(found.dtype == np.float64, f"predictions for {what} are {found.dtype}; expected float64")
    n_bad = int((~(np.isfinite(found) & (found > 0))).sum())
    _require(n_bad == 0, f"predictions for {what} are not finite and positive in {n_bad} of {n} rows")


def _same(found: Reals, expected: Reals, what: str, tolerance: float = _TOLERANCE) -> None:
    _require(np.shape(found) == np.shape(expected), f"{what} have another shape")
    differs = ~np.isclose(found, expected, rtol=tolerance, atol=0, equal_nan=True)
    if differs.any():
        row = int(np.flatnonzero(differs)[0])
        raise ConformanceError(
            f"{what} differ in {int(differs.sum())} of {len(expected)} rows; row {row}: {found[row]:.6g} mJ, "
            f"expected {expected[row]:.6g} mJ"
        )
