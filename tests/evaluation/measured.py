"""Measured networks on generated systems, whose energies are known to the last digit."""

from dataclasses import replace

import numpy as np
import pandas as pd

from harness.evaluation.network_track import network_plan
from harness.predictor.networks import LATENCY, LIST_COLUMNS, NETWORK_COSTS, SYSTEM_COLUMNS
from harness.predictor.protocol import KERNELS, PredictorInfo
from tests.campaigns import row_table
from tests.evaluation.releases import MEASURED, configurations, entry, info, network_device, release_of

BOARDS = {"board-a": ("one", "two"), "board-b": ("one",), "board-c": ("one", "two", "three")}
"""Stacks of each board."""
FAMILIES = ("MobileNetV1", "MobileNetV2", "SqueezeNet")
N_NETWORKS = 24


def learner(key="learner", **fields) -> PredictorInfo:
    """A predictor of networks alone."""
    return info(key, **({"kernels": (), "learns_networks": True} | fields))


def network_table(n_networks=N_NETWORKS, boards=None, seed=0) -> pd.DataFrame:
    """Networks in two data types on every system, columns as predictors see them, with labels and latencies."""
    generator = np.random.default_rng(seed)
    costs = pd.DataFrame(generator.uniform(1e5, 1e8, (n_networks, len(NETWORK_COSTS))), columns=list(NETWORK_COSTS))
    for cost in ("flops", "bytes_moved", "n"):
        costs[f"{cost}:pointwise"] = 0.5 * costs[f"{cost}:conv-bn-relu"]
        costs[cost] = costs[[f"{cost}:{kernel}" for kernel in KERNELS]].sum(axis=1)
    rows = []
    for device, stacks in (boards or BOARDS).items():
        for place, stack in enumerate(stacks):
            for number in range(n_networks):
                for dtype, factor in (("fp32", 1.0), ("int8", 0.3)):
                    words = {
                        "network": f"network-{number:02}", "family": FAMILIES[number % len(FAMILIES)], "dtype": dtype,
                        "system_id": f"{device}--{stack}", "device_id": device,
                    }  # fmt: skip
                    energy_mj = (2 + place) * factor * 1e-6 * float(costs.loc[number, "flops"])
                    rows.append(words | costs.loc[number].to_dict() | {LATENCY: energy_mj / 3, "energy_mj": energy_mj})
    return pd.DataFrame(rows).astype(dict.fromkeys((*LIST_COLUMNS[:3], *SYSTEM_COLUMNS), "str"))


def system_of(device, stack, factor=1.0, n_networks=N_NETWORKS, **shared):
    """Campaign of one system: networks of a few kernels each, in two data types, of which int8 takes a third."""
    found = configurations(60)
    networks = {
        f"Net-{number:02}": (
            FAMILIES[number % len(FAMILIES)],
            [entry(found[(number + 7 * step) % 60]) for step in range(2 + number % 4)],
        )
        for number in range(n_networks)
    }
    facts = {"manifest": MEASURED | {"boundary": "wall", "system": {"stack": stack}}, "name": f"{stack}-2026"}
    facts |= {"manifest": facts["manifest"] | shared.pop("manifest", {})}
    one = network_device(networks, device, factor, facts, latency_ms=5.0, **shared)
    rows = one.tables["models"].to_pylist()
    rows += [row | {"dtype": "int8", "energy_mj": row["energy_mj"] / 3} for row in rows]
    return replace(one, tables={"models": row_table("models", rows)})


def measured_release(*more):
    """Release of every system of `BOARDS`, and other campaigns."""
    campaigns = [
        system_of(device, stack, (1 + number) * (1 + 0.1 * place))
        for number, (device, stacks) in enumerate(BOARDS.items())
        for place, stack in enumerate(stacks)
    ]
    return release_of(*campaigns, *more)


def measured_plan(*more, seed=0):
    plan, _ = network_plan(measured_release(*more), seed)
    return plan
