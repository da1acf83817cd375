import hashlib
import json
import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from harness.pages.device_entries import device_entries
from harness.pages.label import draw_label, facts_of
from harness.pages.markup import environment
from harness.pages.palette import CLASS_COLOURS, INK, PAPER, THEMES, contrast
from harness.releases import Release, assemble
from harness.schema.campaign import Campaign
from harness.scoring.editions import editions
from harness.scoring.label_facts import LabelFacts, NetworkFact
from harness.scoring.ratings import Rating, rate
from harness.scoring.suite import suites
from tests.pages.conftest import NASTY, ROOT, VERSION, rated_phone, straddling_board

SVG = "{http://www.w3.org/2000/svg}"
CAPTIONS = {
    "", "DeepEn", "Energy of deep learning", "Energy of one inference, best delegate", "edition", "up to", "to",
    "above", "Energy index", "lowest to highest run to", "reference; lower is better", "Networks", "of",
    "at least needed", "PCS", "power score, of; published", "IECS", "inferences per J; published", "mJ",
    "not measured", "Method: and; tier:; meter: and.", "Dataset version edition verification", "Scale:",
    "What was measured:: ,.",
}  # fmt: skip
"""Every text of a label without its facts."""
NOT_DRAWN = {"device_id", "system_id", "tier", "boundary", "record_ids"}
"""Facts that a label is signed with and does not show."""


def texts_of(root: ElementTree.Element) -> list[str]:
    return ["".join(element.itertext()) for element in root.iter(f"{SVG}text")]


def label_text(site: Path, device_id: str) -> list[str]:
    return texts_of(ElementTree.parse(site / "labels" / f"{device_id}.svg").getroot())


def facts_from(*campaigns: Campaign) -> LabelFacts:
    """Facts of the one label of a release."""
    release = assemble(campaigns)
    places = suites(release)
    (device,) = device_entries(release, rate(release, places), places)
    return facts_of(device, device.labelled[0], VERSION)


def drawing(facts: LabelFacts) -> str:
    """The label without its verification hash."""
    svg = draw_label(environment(ROOT / "site" / "templates"), facts)
    assert facts.verification_hash in svg
    return svg.replace(facts.verification_hash, "")


def other(value: Any) -> Any:
    """A value of the same kind with other content all through."""
    match value:
        case bool():
            return not value
        case float() | int():
            return value + 7
        case str():
            return f"{value}~"
        case dict():
            return {key: other(inner) for key, inner in value.items()}
        case tuple():
            return tuple(map(other, value))
        case NetworkFact():
            return replace(value, **{each.name: other(getattr(value, each.name)) for each in fields(value)})
        case None:
            return None
    raise TypeError(f"no other value of {value!r}")


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
        shown = [rating.name, rating.edition, f"{rating.energy_index:.1f}", VERSION, "taken from a publication"]
        shown += [entry.delegate for entry in rating.networks]
        if rating.pcs is not None and rating.iecs is not None:
            shown += [f"{rating.pcs:.0f}", f"{rating.iecs:.1f}"]
        for figure in shown:
            assert str(figure) in text
        assert text.count(" mJ") == len(rating.networks)


def test_label_prints_both_classes_where_the_interval_straddles_a_border(written: Path) -> None:
    text = label_text(written, "straddler")
    assert "D/E" in text
    assert any("90.00 to 110.00" in line for line in text)


@pytest.fixture(scope="module")
def everything() -> list[LabelFacts]:
    """Labels that between them have every fact: a phone with both scores, a system with an interval and a meter."""
    device = {"soc": "Acme 1", "vendor": "Acme", "frequency_mhz": 2400}
    scores = {"published_scores": {"edition": "phone-2023", "pcs": 70, "iecs": 200}}
    meter = {"method": "measured", "meter": {"name": "Acme meter", "kind": "analyser"}}
    return [
        facts_from(rated_phone(device=device, manifest=scores)),
        facts_from(straddling_board(manifest=meter, device=device)),
    ]


def test_label_has_no_text_but_its_facts_and_fixed_captions(everything: list[LabelFacts]) -> None:
    for facts in everything:
        named = {
            name: f"@{name}@"
            for name in (
                "name",
                "note",
                "edition",
                "edition_title",
                "scale",
                "tier_title",
                "boundary_title",
                "dataset_version",
            )
        }
        networks = tuple(replace(network, title="@title@", delegate="@delegate@") for network in facts.networks)
        borders = {f"@{letter}@": border for letter, border in facts.borders.items()}
        svg = drawing(
            replace(
                facts,
                **named,
                label="@A@",
                methods=("@one@", "@two@"),
                meters=("@three@", "@four@"),
                rails=("@five@", "@six@"),
                networks=networks,
                borders=borders,
                last_class="@G@",
            )
        )
        # What is left of a text without its facts and figures.
        texts = [
            re.sub(r"@\w+@|DNN\d+|\d+(\.\d+)?|\N{MIDDLE DOT}", "", text)
            for text in texts_of(ElementTree.fromstring(svg))
        ]
        assert {re.sub(r"\s+(?=[;.:]|$)|^\s+|(?<=\s)\s+", "", text) for text in texts} <= CAPTIONS


def test_changed_fact_changes_the_drawing_and_the_hash(everything: list[LabelFacts]) -> None:
    drawn = set()
    for facts in everything:
        for each in fields(facts):
            value = getattr(facts, each.name)
            if value is None or value == ():
                continue
            changed = replace(facts, **{each.name: "A" if each.name == "label" else other(value)})
            assert changed.verification_hash != facts.verification_hash, each.name
            if drawing(changed) != drawing(facts):
                drawn.add(each.name)
    assert {each.name for each in fields(LabelFacts)} - drawn == NOT_DRAWN


@pytest.mark.parametrize(
    ("device", "manifest"),
    [
        ({"soc": "Acme 2"}, {}),
        ({"vendor": "Acme & Sons"}, {}),
        ({"frequency_mhz": 700}, {}),
        ({"name": "Straddler 2"}, {}),
        ({}, {"method": "measured", "meter": {"name": "Acme meter", "kind": "analyser"}}),
        ({}, {"runtime": "Other runtime"}),
    ],
)
def test_hash_covers_what_the_label_shows_of_device_and_method(
    device: dict[str, Any], manifest: dict[str, Any]
) -> None:
    before, after = facts_from(straddling_board()), facts_from(straddling_board(device=device, manifest=manifest))
    assert drawing(before) != drawing(after)
    assert before.verification_hash != after.verification_hash


def test_hash_covers_the_interval() -> None:
    narrow, wide = facts_from(straddling_board()), facts_from(straddling_board(lowest=0.8))
    assert narrow.energy_index == wide.energy_index
    assert (narrow.label, wide.label) == ("D/E", "D/E")
    assert narrow.verification_hash != wide.verification_hash


def test_label_names_only_the_meters_behind_its_figures() -> None:
    measured = {"method": "measured", "meter": {"name": "Acme meter", "kind": "analyser"}}
    unrated = rated_phone(name="eight-at-once", manifest=measured, batch_size=8)
    facts = facts_from(rated_phone(), unrated)
    assert (facts.methods, facts.meters) == (("published",), ())


def test_long_small_print_stays_inside_the_frame(everything: list[LabelFacts]) -> None:
    svg = drawing(replace(everything[0], meters=("A meter of many words " * 40,)))
    lines = [element for element in ElementTree.fromstring(svg).iter(f"{SVG}text") if float(element.attrib["y"]) > 1900]
    assert len(lines) > 5
    assert max(float(line.attrib["y"]) for line in lines) < 2088


def test_network_without_a_figure_is_not_measured(written: Path) -> None:
    assert "not measured" in label_text(written, "ACME-M4.rev_2")


def test_markup_in_a_name_stays_text(written: Path) -> None:
    assert NASTY in label_text(written, "nasty")


def test_verification_hash_follows_from_the_api(written: Path, ratings: list[Rating]) -> None:
    labels = json.loads((written / "api" / "v1" / "labels.json").read_text(encoding="utf-8"))["labels"]
    assert len(labels) == len(ratings)
    for label in labels:
        canonical = json.dumps(label["signed"], sort_keys=True, separators=(",", ":"))
        recomputed = hashlib.sha256(canonical.encode()).hexdigest()[:12]
        assert recomputed == label["verification_hash"]
        assert f"verification {recomputed}" in (written / label["svg"]).read_text(encoding="utf-8")


def test_text_is_readable_on_every_class_colour() -> None:
    assert set(CLASS_COLOURS) >= {letter for edition in editions() for letter in edition.classes}
    assert min(contrast(INK, colour) for colour in CLASS_COLOURS.values()) >= 4.5
    assert contrast(INK, PAPER) >= 7


def test_chart_text_is_readable_in_both_schemes() -> None:
    pages = {"light": "#ffffff", "dark": "#141d21"}
    for name, page in pages.items():
        assert contrast(THEMES[name]["text"], page) >= 7
        assert contrast(THEMES[name]["muted"], page) >= 4.5


def with_networks(facts: LabelFacts, n: int, energy_mj: float = 1.0) -> LabelFacts:
    """The label of a suite of n networks."""
    first = facts.networks[0]
    return replace(facts, networks=tuple(replace(first, title=f"Net {k}", energy_mj=energy_mj) for k in range(n)))


@pytest.mark.parametrize(
    ("energy_mj", "printed"),
    [(1234.56, "1234.6 mJ"), (100.0, "100.0 mJ"), (99.994, "99.99 mJ"), (0.5, "0.5000 mJ"), (1000.0, "1000.0 mJ")],
)
def test_energies_have_four_significant_digits_and_from_100_mj_one_decimal(
    everything: list[LabelFacts], energy_mj: float, printed: str
) -> None:
    assert printed in texts_of(ElementTree.fromstring(drawing(with_networks(everything[1], 1, energy_mj))))


@pytest.mark.parametrize(("n", "n_columns"), [(6, 1), (7, 2)])
def test_up_to_six_networks_stand_in_one_column(everything: list[LabelFacts], n: int, n_columns: int) -> None:
    root = ElementTree.fromstring(drawing(with_networks(everything[1], n)))
    cells = [element for element in root.iter(f"{SVG}text") if "Net " in "".join(element.itertext())]
    assert len(cells) == n
    assert len({cell.attrib["x"] for cell in cells}) == n_columns


@pytest.mark.parametrize(("label", "size"), [("C", "120"), ("C/D", "120"), ("C/D/E", "80")])
def test_three_classes_are_printed_smaller(everything: list[LabelFacts], label: str, size: str) -> None:
    root = ElementTree.fromstring(drawing(replace(everything[0], label=label)))
    (printed,) = [each for each in root.iter(f"{SVG}text") if each.text == label and each.get("text-anchor")]
    assert printed.attrib["font-size"] == size
