"""Checks of the protocol that predictors of networks must pass; `harness.predictor.conformance` runs them.

It judges behaviour, never how good the predictions are.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.base import clone

from harness.arrays import Reals
from harness.predictor.features import FEATURES, LABEL
from harness.predictor.loading import load_model
from harness.predictor.networks import LATENCY, LIST_COLUMNS, network_costs, networks_on_systems
from harness.predictor.protocol import NetworkPredictor, PredictorInfo

SampleKernels = Callable[[list[Any], int], pd.DataFrame]
"""Kernels of types, with a seed."""
_SYSTEMS: Final = (("board-a--one", "board-a"), ("board-a--two", "board-a"), ("board-b--one", "board-b"))
_N_NETWORKS: Final = 12
_N_KNOWN: Final = 8
"""Networks that the last system was measured on; the others were on all other systems."""
_TYPES: Final = ("conv-bn-relu", "dwconv-bn-relu", "fc")


class NetworkCase:
    """A predictor of networks, with networks to check it on.

    Args:
        info: what it declares.
        package: package that it is in.
        sample_kernels: how kernels are drawn.

    Attributes:
        kernels: kernels to fit on: none.
        train: networks of three systems, the last with fewer.
        test: the others on the last system, those that are new everywhere, and one on a new system.
    """

    def __init__(self, info: PredictorInfo, package: str, sample_kernels: SampleKernels) -> None:
        self.model: Any = load_model(info.key, package)
        networks = _networks(sample_kernels)
        if not info.uses_latency:
            networks = networks.drop(columns=LATENCY)
        number = networks["network"].str.removeprefix("network-").astype(int)
        is_last = networks["system_id"] == _SYSTEMS[-1][0]
        is_new = number >= _N_NETWORKS - 2
        is_known = ~is_new & ~(is_last & (number >= _N_KNOWN))
        self.kernels = sample_kernels(["fc"], 0)[:0]
        self.train = networks[is_known].reset_index(drop=True)
        strange = networks[is_last].head(1).assign(system_id="board-c--one", device_id="board-c")
        self.test = pd.concat([networks[~is_known], strange], ignore_index=True).drop(columns=LABEL)

    def fit(self) -> NetworkPredictor:
        """A new instance, fitted on copies."""
        fitted: NetworkPredictor = self.model().fit(self.kernels.copy(), self.train.copy())
        return fitted

    @cached_property
    def fitted(self) -> NetworkPredictor:
        """Fitted once; nobody may fit it again."""
        return self.fit()

    @cached_property
    def energies(self) -> Reals:
        """What it predicts for `test`, in mJ."""
        return self.fitted.predict_networks(self.test.copy())


def _networks(sample_kernels: SampleKernels) -> pd.DataFrame:
    """Networks in two data types on three systems, whose energies are sums of those of their kernels."""
    lists, energies = [], []
    for number in range(_N_NETWORKS):
        kernels = sample_kernels([*_TYPES] * 2, number)
        place = np.zeros(len(kernels), dtype=np.int64)
        costs = network_costs(kernels[list(FEATURES)], place, 1)
        for dtype, factor in (("fp32", 1.0), ("int8", 0.4)):
            name = {"network": f"network-{number}", "family": f"family-{number % 3}", "dtype": dtype}
            lists.append(pd.concat([pd.DataFrame([name], dtype="str"), costs], axis=1)[list(LIST_COLUMNS)])
            energies.append(factor * float(kernels[LABEL].sum()))
    rows = [
        {"list": place, "system_id": system, "device_id": device, LATENCY: energy, LABEL: energy * (1 + number)}
        for number, (system, device) in enumerate(_SYSTEMS)
        for place, energy in enumerate(energies)
    ]
    table = pd.DataFrame(rows).astype({"system_id": "str", "device_id": "str"})
    return networks_on_systems(pd.concat(lists, ignore_index=True), table)


Check = Callable[[NetworkCase], str]
"""What is wrong; empty where nothing is."""


def check_networks_are_energies(case: NetworkCase) -> str:
    """One finite positive number of mJ per network: known on other systems or nowhere, and on a new system."""
    found = np.asarray(case.energies)
    if found.shape != (len(case.test),) or found.dtype != np.float64:
        return f"predictions of networks are {found.dtype} of shape {found.shape}; expected float64 of shape (n,)"
    n_bad = int((~(np.isfinite(found) & (found > 0))).sum())
    return f"predictions of {n_bad} of {len(found)} networks are not finite and positive" if n_bad else ""


def check_networks_repeat_themselves(case: NetworkCase) -> str:
    """The same rows give the same predictions in another instance, and in one that was fitted on others before."""
    again = clone(case.model()).fit(case.kernels.copy(), case.train.copy())
    other = case.model().fit(case.kernels.copy(), case.train.assign(**{LABEL: case.train[LABEL] * 7}))
    refitted = other.fit(case.kernels.copy(), case.train.copy())
    same = all(np.array_equal(one.predict_networks(case.test.copy()), case.energies) for one in (again, refitted))
    return "" if same else "predictions of networks differ between fits on the same rows"


def check_networks_stay_as_they_are(case: NetworkCase) -> str:
    """The tables that it is given stay as they are."""
    kernels, train, test = case.kernels.copy(), case.train.copy(), case.test.copy()
    model = case.model().fit(kernels, train)
    if not (kernels.equals(case.kernels) and train.equals(case.train)):
        return "fit changes its input"
    model.predict_networks(test)
    return "" if test.equals(case.test) else "predict_networks changes its input"


def check_networks_stand_alone(case: NetworkCase) -> str:
    """A prediction depends neither on the other rows that are asked for nor on their order."""
    alone = [
        case.fitted.predict_networks(case.test.iloc[[row]].reset_index(drop=True)) for row in range(len(case.test))
    ]
    turned = case.fitted.predict_networks(case.test.iloc[::-1].reset_index(drop=True))[::-1]
    same = all(np.allclose(found, case.energies, rtol=_TOLERANCE) for found in (np.concatenate(alone), turned))
    return "" if same else "predictions of networks depend on the other rows"


def check_one_network_suffices(case: NetworkCase) -> str:
    """One network of one system is enough to be fitted on."""
    model = case.model().fit(case.kernels.copy(), case.train.head(1).copy())
    found = model.predict_networks(case.test.copy())
    is_good = np.isfinite(found).all() and (np.asarray(found) > 0).all()
    return "" if is_good else "predictions are not finite and positive when fitted on one network"


_TOLERANCE: Final = 1e-6
"""Relative difference that the order of additions may make."""
NETWORK_CHECKS: Final[tuple[Check, ...]] = (
    check_networks_are_energies,
    check_networks_repeat_themselves,
    check_networks_stay_as_they_are,
    check_networks_stand_alone,
    check_one_network_suffices,
)
"""All checks."""
