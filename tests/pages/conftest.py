import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.pages.board_rows import Boards
from harness.pages.build import build_site
from harness.pages.rules import RuleDoc
from harness.pages.write import GENERATED, write_pages
from harness.releases import Release, assemble
from harness.schema.campaign import Campaign
from harness.scoring.editions import edition_named
from harness.scoring.ratings import rate
from harness.scoring.suite import suites
from harness.validation import RULES, validate
from tests.campaigns import board_campaign, campaign, kernel_campaign, phone_campaign, simulated_campaign

ROOT = Path(__file__).parents[2]
VERSION = "1.2.3"
NASTY = 'A|B *bold* _em_ [x](javascript:alert) `c` & "q" # {{ 1 }} ~~~ 1. &lt;i&gt; ${x}'


def rated_phone(device_id: str = "rated-phone", factor: float = 1.0, *, batch_size: int = 1, **facts: Any) -> Campaign:
    """Phone with every network of the suite at a factor of its reference, on two delegates."""
    rows = [
        {
            "application": "image-detection",
            "dnn": network.id,
            "reference_model": "Some net",
            "delegate": delegate,
            "dtype": "fp32",
            "energy_kind": "absolute",
            "energy_mj": network.reference_mj * factor * slower,
            "power_mw": 1500.0,
            "batch_size": batch_size,
        }
        for network in edition_named("phone-2023").networks
        for delegate, slower in (("CPU1", 1.0), ("GPU", 1.5))
    ]
    facts["device"] = {"tdp_w": 5} | facts.get("device", {})
    return campaign("applications", rows, device_id, **facts)


def straddling_board(device_id: str = "straddler", *, lowest: float = 0.9, **facts: Any) -> Campaign:
    """Board whose lowest and highest runs fall into different classes."""
    rows = [
        {
            "model": network.id,
            "family": "DS-CNN",
            "delegate": "CPU",
            "dtype": "int8",
            "energy_kind": "absolute",
            "energy_mj": network.reference_mj * 0.99,
            "energy_min_mj": network.reference_mj * lowest,
            "energy_max_mj": network.reference_mj * 1.1,
        }
        for network in edition_named("mcu-2025").networks
    ]
    facts["device"] = {"device_class": "microcontroller", "delegates": {"CPU": "cpu"}} | facts.get("device", {})
    facts["manifest"] = {"boundary": "rail", "rails": ["VDD"]} | facts.get("manifest", {})
    return campaign("models", rows, device_id, **facts)


@pytest.fixture(scope="session")
def release() -> Release:
    return assemble(
        [
            rated_phone(),
            rated_phone("nasty", 2.0, device={"name": NASTY}, manifest={"notes": f"{NASTY}\n\n# Heading\n\n- list"}),
            phone_campaign("acme-phone"),
            kernel_campaign("acme-phone"),
            simulated_campaign("acme-npu"),
            simulated_campaign("acme-npu", "models", 70),
            board_campaign(),
            straddling_board(),
            phone_campaign("index"),
        ]
    )


@pytest.fixture(scope="session")
def unrated() -> Release:
    """Devices without a rating, for which no chart or label is drawn."""
    return assemble([kernel_campaign("acme-phone"), simulated_campaign("acme-npu")])


@pytest.fixture(scope="session")
def rules() -> list[RuleDoc]:
    return [RuleDoc("energy-positive", "error", "Energy is above 0 | always.", "Because *so*.", "Drop it.", "a_b < 0")]


def copy_of_site(folder: Path) -> Path:
    """Folder with `mkdocs.yml` and the hand-written part of the site."""
    generated = {ROOT / "site" / name for name in GENERATED}

    def ignored(parent: str, names: list[str]) -> list[str]:
        return [name for name in names if Path(parent, name) in generated]

    shutil.copytree(ROOT / "site", folder / "site", ignore=ignored)
    shutil.copy(ROOT / "mkdocs.yml", folder / "mkdocs.yml")
    return folder / "site"


def write_site(release: Release, site: Path, rules: Sequence[RuleDoc], boards: Boards | None = None) -> list[Path]:
    """Write the pages of a release with the ratings of its own rows."""
    places = suites(release)
    ratings = rate(release, places)
    return write_pages(release, ratings, places, site, dataset_version=VERSION, rules=rules, boards=boards)


def built_site(site: Path) -> Path:
    """Folder of the built site of pages that are written."""
    out = site.parent / "built"
    build_site(site.parent, site, out)
    return out


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return copy_of_site(tmp_path)


@pytest.fixture(scope="session")
def written(release: Release, rules: list[RuleDoc], tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = copy_of_site(tmp_path_factory.mktemp("written"))
    write_site(release, site, rules)
    return site


@pytest.fixture(scope="session")
def built(written: Path) -> Path:
    return built_site(written)


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of the founding submissions of two editions and of one simulated device, and of no later ones."""
    site = copy_of_site(tmp_path_factory.mktemp("published"))
    rules = [RuleDoc(rule.rule, rule.severity, rule.summary, rule.why, subject=rule.subject) for rule in RULES.values()]
    founding = [name for edition in ("phone-2023", "mcu-2025") for name in edition_named(edition).founding]
    folders = [ROOT / "submissions" / name for name in (*founding, "zigzag-edge-tpu-like/zigzag-3.9.1")]
    write_site(assemble(validate(folders).campaigns), site, rules)
    return built_site(site)
