import csv
import json
import re
import statistics
from html import unescape
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin

import pytest

from harness.errors import UsageError
from harness.pages.build import SiteError, site_server
from harness.pages.rules import RuleDoc
from harness.pages.write import GENERATED
from harness.releases import Release, assemble
from harness.schema.export import json_schemas
from harness.scoring.ratings import rate
from tests.campaigns import kernel_campaign, simulated_campaign
from tests.pages.conftest import (
    NASTY,
    ROOT,
    VERSION,
    built_site,
    copy_of_site,
    rated_phone,
    straddling_board,
    write_site,
)


def test_site_builds_strictly_from_generated_pages(built: Path) -> None:
    assert (built / "index.html").is_file()
    assert (built / "devices" / "rated-phone" / "index.html").is_file()
    assert (built / "devices" / "index" / "index.html").is_file(), "a device called index keeps its own page"


def test_broken_link_stops_the_build(site: Path, unrated: Release, rules: list[RuleDoc]) -> None:
    write_site(unrated, site, rules)
    (site / "method.md").write_text("# Method\n\n[gone](nowhere.md)\n", encoding="utf-8")
    with pytest.raises(SiteError, match=r"nowhere\.md"):
        built_site(site)


def test_every_local_address_of_every_page_exists(built: Path) -> None:
    broken = []
    for page in built.rglob("*.html"):
        here = page.relative_to(built).as_posix().removesuffix("index.html")
        for address in re.findall(r'(?:href|src|data-chart)="([^"]+)"', page.read_text(encoding="utf-8")):
            target, fragment = urldefrag(unescape(address))
            if re.match(r"[a-z]+:", target) or page.name == "404.html":
                continue
            found = built / unquote(urljoin(f"/{here}", target)).lstrip("/") if target else page
            found = found / "index.html" if found.is_dir() else found
            ids = re.escape(fragment)
            if not found.is_file() or (
                fragment and found.suffix == ".html" and not re.search(f'id="?{ids}["\\s>]', found.read_text("utf-8"))
            ):
                broken.append(f"{here}: {address}")
    assert broken == []


def test_pages_load_nothing_from_elsewhere(built: Path) -> None:
    loading = re.compile(
        r'<(?:script|img|iframe|source)[^>]+src="(?:https?:)?//|<link[^>]+rel="?(?:stylesheet|preconnect|icon)"?'
        r'[^>]+href="(?:https?:)?//'
    )
    assert [page for page in built.rglob("*.html") if loading.search(page.read_text(encoding="utf-8"))] == []


def test_name_full_of_markup_stays_text(built: Path) -> None:
    page = (built / "devices" / "nasty" / "index.html").read_text(encoding="utf-8")
    heading = re.search(r"<h1[^>]*>(.*?)<a", page, re.DOTALL)
    assert heading is not None
    assert unescape(heading.group(1)) == NASTY
    assert "<em>em</em>" not in page
    assert "javascript:alert)" in unescape(page)
    assert 'href="javascript' not in page
    assert not re.search(r"<h1[^>]*>Heading", page)


def test_text_with_a_vertical_bar_keeps_its_table_cell(built: Path) -> None:
    page = (built / "errata" / "index.html").read_text(encoding="utf-8")
    assert "A phone draws no 50 W | see its maker." in unescape(page)


def test_pages_of_an_earlier_run_disappear_and_written_ones_stay(site: Path, rules: list[RuleDoc]) -> None:
    write_site(assemble([rated_phone(), straddling_board()]), site, rules)
    by_hand = (site / "method.md").read_bytes()
    write_site(assemble([rated_phone("other")]), site, rules)
    assert [path.name for path in (site / "devices").iterdir() if path.is_dir()] == ["other"]
    assert sorted(path.name for path in (site / "labels").iterdir()) == ["other.svg"]
    assert (site / "method.md").read_bytes() == by_hand


def test_writing_twice_gives_the_same_bytes(written: Path, release: Release, rules: list[RuleDoc], site: Path) -> None:
    again = write_site(release, site, rules)
    for path in again:
        assert path.read_bytes() == (written / path.relative_to(site)).read_bytes(), path


def test_order_of_submissions_changes_nothing(site: Path, tmp_path: Path, rules: list[RuleDoc]) -> None:
    campaigns = [rated_phone("one"), rated_phone("two", 0.7)]
    first = {path.relative_to(site): path.read_bytes() for path in write_site(assemble(campaigns), site, rules)}
    other = copy_of_site(tmp_path / "other")
    second = write_site(assemble(campaigns[::-1]), other, rules)
    assert {path.relative_to(other): path.read_bytes() for path in second} == first


def test_git_ignores_exactly_what_is_generated() -> None:
    lines = (ROOT / "site" / ".gitignore").read_text(encoding="utf-8").splitlines()
    ignored = {line.strip("/") for line in lines if not line.startswith("#")}
    assert ignored == set(GENERATED)


def test_api_gives_the_figures_of_the_ratings(written: Path, release: Release) -> None:
    scores = json.loads((written / "api" / "v1" / "scores.json").read_text(encoding="utf-8"))
    assert scores["devices"] == [rating.as_json() for rating in rate(release)]
    assert scores["dataset_version"] == VERSION
    devices = json.loads((written / "api" / "v1" / "devices.json").read_text(encoding="utf-8"))["devices"]
    assert [device["device_id"] for device in devices] == sorted(release.devices.column("device_id").to_pylist())
    for device in devices:
        assert (written / device["page"] / "index.md").is_file()
        assert all((written / label).is_file() for label in device["labels"])


def test_downloads_hold_unrounded_figures(written: Path, release: Release) -> None:
    with (written / "downloads" / "rankings" / "phone-2023-published-unstated.csv").open(
        encoding="utf-8", newline=""
    ) as file:
        rows = list(csv.DictReader(file))
    indices = {rating.name: rating.energy_index for rating in rate(release) if rating.rank}
    assert {row["device"]: float(row["energy_index"]) for row in rows} == {
        row["device"]: pytest.approx(indices[row["device"]], abs=0) for row in rows
    }


def test_unrated_device_shows_its_reason_and_no_label(written: Path) -> None:
    page = (written / "devices" / "acme-phone" / "index.md").read_text(encoding="utf-8")
    assert "Not rated." in page
    assert "2 of 12 networks" in unescape(page)
    assert not (written / "labels" / "acme-phone.svg").exists()


def test_levels_without_rows_are_called_empty(site: Path, rules: list[RuleDoc]) -> None:
    write_site(assemble([rated_phone()]), site, rules)
    page = (site / "datasets.md").read_text(encoding="utf-8")
    assert page.count("No rows yet.") == 2
    assert 'load_dataset("deepen/applications")' in page


def test_every_rule_has_an_anchor_of_its_own_id(built: Path) -> None:
    page = (built / "rules" / "index.html").read_text(encoding="utf-8")
    assert re.search(r'<h3 id="?energy-positive', page)
    assert "a_b &lt; 0" in page or "a_b < 0" in unescape(page)


def test_rule_id_that_is_no_anchor_is_refused(site: Path, unrated: Release) -> None:
    with pytest.raises(ValueError, match="Not A Rule"):
        write_site(unrated, site, [RuleDoc("Not A Rule", "error", "", "")])


def test_release_without_devices_still_gives_a_site(site: Path) -> None:
    write_site(assemble([]), site, [])
    assert (built_site(site) / "index.html").is_file()


def test_serving_before_building_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="run `deepen site` first"), site_server(tmp_path):
        pass


def test_taken_port_is_named(built: Path) -> None:
    with site_server(built) as server:
        port = server.server_address[1]
        with pytest.raises(UsageError, match=str(port)), site_server(built, port=port):
            pass


def page_of(written: Path, *parts: str) -> str:
    return unescape((written.joinpath(*parts)).read_text(encoding="utf-8"))


def test_simulated_device_is_marked_and_neither_ranked_nor_labelled(written: Path) -> None:
    page = page_of(written, "devices", "acme-npu", "index.md")
    assert "A simulated accelerator with 90 rows from 2 submissions." in page
    assert '<span class="tier-mark">simulated</span> Every figure on this page was computed by an estimator.' in page
    assert 'href="../../method/#simulated"' in page
    assert "Not rated." not in page
    assert not (written / "labels" / "acme-npu.svg").exists()
    rankings = [
        page_of(written, "index.md"),
        *(path.read_text() for path in (written / "downloads/rankings").iterdir()),
    ]
    assert not any("acme-npu" in text for text in rankings)


def test_device_of_measured_figures_bears_no_such_mark(written: Path) -> None:
    for device in ("rated-phone", "acme-phone"):
        assert "tier-mark" not in page_of(written, "devices", device, "index.md")


def test_device_with_some_simulated_rows_says_how_many(site: Path, rules: list[RuleDoc]) -> None:
    write_site(assemble([kernel_campaign("acme-npu"), simulated_campaign("acme-npu", "models", 3)]), site, rules)
    page = page_of(site, "devices", "acme-npu", "index.md")
    assert "3 of 23 rows were computed by an estimator; no rank or label rests on them." in page
    assert "A simulated" not in page


def test_simulated_devices_are_listed_apart_and_after_the_others(written: Path) -> None:
    page = page_of(written, "devices", "index.md")
    before, after = page.split("## Simulated")
    assert "acme-npu" not in before
    assert "acme-npu" in after.split("## Not rated")[0]
    assert "acme-npu" not in after.split("## Not rated")[1]
    assert "an estimator 1.0" in after
    assert "acme-npu" not in (written / "downloads" / "devices.csv").read_text(encoding="utf-8")


def test_release_without_simulated_devices_has_no_section_for_them(site: Path, rules: list[RuleDoc]) -> None:
    write_site(assemble([rated_phone()]), site, rules)
    assert "Simulated" not in page_of(site, "devices", "index.md")
    assert "simulated figures" not in page_of(site, "index.md")
    assert not (site / "downloads" / "devices-simulated.csv").exists()


def test_simulated_figures_are_counted_apart(written: Path, release: Release) -> None:
    page = page_of(written, "index.md")
    n_rows = sum(table.num_rows for table in release.levels.values())
    assert "<strong>90</strong> simulated figures, never ranked" in page
    assert f"<strong>{n_rows - 90}</strong> figures with source and method" in page
    assert f"<strong>{release.devices.num_rows - 1}</strong> devices" in page
    datasets = page_of(written, "datasets.md")
    assert f"70 of {release.levels['models'].num_rows} rows were computed by an estimator" in datasets
    assert "20 of 40 rows were computed by an estimator" in datasets


def test_api_gives_the_tiers_of_every_device(written: Path) -> None:
    devices = json.loads((written / "api" / "v1" / "devices.json").read_text(encoding="utf-8"))["devices"]
    tiers = {device["device_id"]: device["tiers"] for device in devices}
    assert (tiers["acme-npu"], tiers["acme-phone"]) == (["simulated"], ["analyser", "published"])


def test_page_with_many_rows_sums_them_up_and_offers_the_files(written: Path, release: Release) -> None:
    page = page_of(written, "devices", "acme-npu", "index.md")
    assert "variant-000" not in page
    assert re.search(r'<th scope="row" data-value="ResNet18">ResNet18</th>', page)
    with (written / "downloads" / "devices" / "acme-npu-rows.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == 70
    with (written / "downloads" / "devices" / "acme-npu-kernels.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["record_id"]: row for row in csv.DictReader(file)}
    expected = {
        row["record_id"]: row for row in release.levels["kernels"].to_pylist() if row["device_id"] == "acme-npu"
    }
    assert {key: float(row["energy_mj"]) for key, row in rows.items()} == {
        key: row["energy_mj"] for key, row in expected.items()
    }
    assert {row["tier"] for row in rows.values()} == {"simulated"}


def test_summary_of_kernels_gives_range_and_energy_per_gflop_of_like_rows(written: Path, release: Release) -> None:
    with (written / "downloads" / "devices" / "acme-phone-kernels-summary.csv").open(newline="") as file:
        lines = {(row["kernel"], row["energy_kind"]): row for row in csv.DictReader(file)}
    kinds = ("absolute", "idle-subtracted")
    assert set(lines) == {(kernel, kind) for kernel in ("conv-bn-relu", "relu") for kind in kinds}
    rows = [
        row
        for row in release.levels["kernels"].to_pylist()
        if (row["device_id"], row["kernel"], row["energy_kind"]) == ("acme-phone", "relu", "idle-subtracted")
    ]
    line = lines["relu", "idle-subtracted"]
    assert int(line["n_rows"]) == len(rows)
    assert float(line["energy_lowest_mj"]) == min(row["energy_mj"] for row in rows)
    assert float(line["energy_highest_mj"]) == max(row["energy_mj"] for row in rows)
    assert float(line["energy_median_mj"]) == statistics.median(row["energy_mj"] for row in rows)
    per_gflop = statistics.median(1e9 * row["energy_mj"] / row["flops"] for row in rows)
    assert float(line["mj_per_gflop"]) == pytest.approx(per_gflop)


def test_json_schemas_are_published_and_linked_from_the_page_of_the_schema(written: Path) -> None:
    page, schemas = page_of(written, "schema.md"), json_schemas()
    assert {"kernels-output.schema.json", "prediction-output.schema.json"} <= set(schemas)
    for name, content in schemas.items():
        assert f'href="../downloads/schema/{name}"' in page
        assert json.loads((written / "downloads" / "schema" / name).read_text(encoding="utf-8")) == content
    for field in (
        "total.bytes_moved",
        "kernels.weight_dtype",
        "coverage.bytes",
        "missing.reason",
        "predictable.n_rows",
    ):
        assert field in page


def test_kernel_lists_are_described_and_not_downloaded(written: Path) -> None:
    schema = page_of(written, "schema.md")
    assert "kernels.bytes_moved" in schema
    assert "network-json" in schema
    assert "kernels.bytes_moved" in page_of(written, "datasets.md")
    for path in (written / "downloads" / "devices").glob("*-rows.csv"):
        assert "kernels" not in path.read_text(encoding="utf-8").split("\n", 1)[0].split(",")
