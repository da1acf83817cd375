import hashlib
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from harness.pages.palette import CLASS_COLOURS, INK, PAPER, THEMES, contrast
from harness.releases import Release
from harness.scoring.editions import editions
from harness.scoring.ratings import Rating, rate
from tests.pages.conftest import NASTY, VERSION

SVG = "{http://www.w3.org/2000/svg}"


def label_text(site: Path, device_id: str) -> list[str]:
    root = ElementTree.parse(site / "labels" / f"{device_id}.svg").getroot()
    return ["".join(element.itertext()) for element in root.iter(f"{SVG}text")]


@pytest.fixture(scope="module")
def ratings(release: Release) -> list[Rating]:
    return [rating for rating in rate(release) if rating.label]


def test_label_is_a_standalone_accessible_drawing_of_a_series_proportions(written: Path, ratings: list[Rating]) -> None:
    for rating in ratings:
        path = written / "labels" / f"{rating.device_id}.svg"
        root = ElementTree.parse(path).getroot()
        assert root.attrib["role"] == "img"
        assert [root[0].tag, root[1].tag] == [f"{SVG}title", f"{SVG}desc"]
        _, _, width, height = map(float, root.attrib["viewBox"].split())
        assert height / width == pytest.approx(2**0.5, rel=0.005)
        assert not re.search(r"<script|href=|url\(|@import|<image|<foreignObject", path.read_text(encoding="utf-8"))


def test_label_prints_every_figure(written: Path, ratings: list[Rating]) -> None:
    for rating in ratings:
        text = "\n".join(label_text(written, rating.device_id))
        said = [rating.name, rating.edition, f"{rating.energy_index:.1f}", VERSION, "taken from a publication"]
        said += [rating.verification_hash(VERSION)]
        said += [entry.delegate for entry in rating.networks]
        if rating.pcs is not None and rating.iecs is not None:
            said += [f"{rating.pcs:.0f}", f"{rating.iecs:.1f}"]
        for figure in said:
            assert str(figure) in text
        assert text.count(" mJ") == len(rating.networks)


def test_label_prints_both_classes_where_the_interval_straddles_a_border(written: Path) -> None:
    text = label_text(written, "straddler")
    assert "D/E" in text
    assert any("90.00 to 110.00" in line for line in text)


def test_absent_network_is_said_to_be_absent(written: Path) -> None:
    assert "not measured" in label_text(written, "ACME-M4.rev_2")


def test_markup_in_a_name_stays_text(written: Path) -> None:
    assert NASTY in label_text(written, "nasty")


def test_verification_hash_follows_from_the_api(written: Path, ratings: list[Rating]) -> None:
    labels = json.loads((written / "api" / "v1" / "labels.json").read_text(encoding="utf-8"))["labels"]
    assert len(labels) == len(ratings)
    hashes = {(rating.device_id, rating.edition): rating.verification_hash(VERSION) for rating in ratings}
    for label in labels:
        canonical = json.dumps(label["signed"], sort_keys=True, separators=(",", ":"))
        recomputed = hashlib.sha256(canonical.encode()).hexdigest()[:12]
        signed = label["signed"]
        assert recomputed == label["verification_hash"] == hashes[signed["device_id"], signed["edition"]]


def test_text_is_readable_on_every_class_colour() -> None:
    assert set(CLASS_COLOURS) >= {letter for edition in editions() for letter in edition.classes}
    assert min(contrast(INK, colour) for colour in CLASS_COLOURS.values()) >= 4.5
    assert contrast(INK, PAPER) >= 7


def test_chart_text_is_readable_in_both_schemes() -> None:
    pages = {"light": "#ffffff", "dark": "#141d21"}
    for name, page in pages.items():
        assert contrast(THEMES[name]["text"], page) >= 7
        assert contrast(THEMES[name]["muted"], page) >= 4.5
