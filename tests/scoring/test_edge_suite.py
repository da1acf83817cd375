"""How far classes of the edition edge-2023 move with another suite: the figures on its page, computed from the rows."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest

from harness.scoring.editions import edition_named

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "site" / "edition-edge-2023.md"
EDITION = edition_named("edge-2023")
FAMILIES = ("MobileNet", "EfficientNet-Lite")
N_SUITES, N_NETWORKS, SEED = 2000, 12, 0


@pytest.fixture(scope="module")
def energies():
    """Energies in mJ, by system and by network in a data type that all systems ran, and the names of both."""
    found = {}
    for table in sorted((ROOT / "submissions").glob("*/mlperf-inference-v[123].[01]-open-*/models.csv")):
        with table.open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["family"].startswith(FAMILIES)]
        name = table.parent.relative_to(ROOT / "submissions").as_posix()
        of_network = {(row["model"], row["dtype"]): float(row["energy_mj"]) for row in rows}
        assert len(of_network) == len(rows)
        if of_network:
            found[name] = of_network
    networks = sorted(set.intersection(*map(set, found.values())))
    return found, networks, np.array([[of_network[each] for each in networks] for of_network in found.values()])


def classes_of(log_indices):
    """Number of each class, 0 the best; a border belongs to the better class."""
    borders = np.log(np.array(list(EDITION.borders.values())) / 100)
    return np.searchsorted(borders, log_indices, side="left")


@pytest.fixture(scope="module")
def figures(energies):
    """Figures of the page by their names there."""
    found, networks, values = energies
    is_founding = np.array([name in EDITION.founding for name in found])
    ratios = np.log(values / np.median(values[is_founding], axis=0))
    of_suite = [networks.index((network.model, network.dtype)) for network in EDITION.networks]
    chosen, full = ratios[:, of_suite].mean(axis=1), ratios.mean(axis=1)
    random = np.random.default_rng(SEED)
    drawn = np.array([ratios[:, random.choice(len(networks), N_NETWORKS, replace=False)].mean(axis=1)
                      for _ in range(N_SUITES)])  # fmt: skip
    moved = classes_of(drawn) != classes_of(chosen)
    apart = np.abs(drawn - full).mean(axis=1)
    return {
        "systems": len(found),
        "networks in common": len(networks),
        "classes moved, mean": 100 * moved.mean(),
        "classes moved, 90th percentile": 100 * np.quantile(moved.mean(axis=1), 0.9),
        "most classes moved": np.abs(classes_of(drawn) - classes_of(chosen)).max(),
        "systems that never move": (~moved.any(axis=0)).sum(),
        "index moved, mean": 100 * np.expm1(np.abs(drawn - full)).mean(),
        "index moved, most": 100 * np.expm1(np.abs(drawn - full).max()),
        "this suite, mean": 100 * np.expm1(np.abs(chosen - full)).mean(),
        "this suite, most": 100 * np.expm1(np.abs(chosen - full).max()),
        "this suite, classes": (classes_of(chosen) != classes_of(full)).sum(),
        "random suites, classes": (classes_of(drawn) != classes_of(full)).sum(axis=1).mean(),
        "random suites that are nearer": 100 * (apart < np.abs(chosen - full).mean()).mean(),
    }


def test_every_figure_of_the_page_is_computed_from_the_rows(figures):
    text = PAGE.read_text(encoding="utf-8")
    printed = dict(re.findall(r"^\| ([^|]+?) \| ([\d.]+)(?: %)? \|", text, re.MULTILINE))
    assert printed == {name: f"{value:.{1 if isinstance(value, float) else 0}f}" for name, value in figures.items()}


def test_all_systems_ran_the_whole_suite(energies):
    found, networks, _ = energies
    assert len(found) >= len(EDITION.founding)
    assert {(network.model, network.dtype) for network in EDITION.networks} <= set(networks)
