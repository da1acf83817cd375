"""The built site in a real browser, reached over loopback only."""

import re
import shutil
import threading
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from harness.pages.build import site_server

CHROMIUM = shutil.which("chromium")
if CHROMIUM is None:
    pytest.skip("no chromium on the path", allow_module_level=True)
axe_playwright = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PAGES = {
    "home": "",
    "phone": "devices/huawei-p40-pro/",
    "microcontroller": "devices/NUCLEO-L4R5ZI/",
    "simulated": "devices/zigzag-edge-tpu-like/",
    "devices": "devices/",
    "datasets": "datasets/",
    "rules": "rules/",
    "schema": "schema/",
    "scale": "scale/",
    "method": "method/",
    "errata": "errata/",
    "submit": "submit/",
    "api": "api/",
    "reference": "reference/",
    "commands": "cli/",
    "traces": "trace-reference/",
    "predictors": "predictor-reference/",
    "notices": "third-party/",
}
DARK_PAGES = ("home", "phone", "simulated", "scale", "rules", "method", "reference")
NARROW, WIDE = 390, 1440
VIEWS = [*((name, "light") for name in PAGES), *((name, "dark") for name in DARK_PAGES)]
CHARTS_READY = "[...document.querySelectorAll('figure[data-chart]')].every(figure => figure.dataset.ready)"
FITS = "document.documentElement.scrollWidth <= window.innerWidth"
# Tabs fade in, and a colour half-way is no colour of the page.
SETTLED = "document.getAnimations().every(animation => animation.playState === 'finished')"


@pytest.fixture(scope="module")
def address(published: Path) -> Iterator[str]:
    with site_server(published) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator["playwright.Browser"]:
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def opened(browser: "playwright.Browser", width: int = WIDE, **options: object) -> "playwright.Page":
    context = browser.new_context(viewport={"width": width, "height": 900}, reduced_motion="reduce", **options)
    context.set_default_timeout(20_000)
    return context.new_page()


@pytest.fixture(scope="module")
def context_of(browser: "playwright.Browser") -> Callable[[str], "playwright.BrowserContext"]:
    """One context for each scheme, so that what pages have in common is loaded once."""
    return cache(lambda scheme: opened(browser, NARROW, color_scheme=scheme).context)


@pytest.mark.parametrize(("name", "scheme"), VIEWS)
def test_page_fits_phone_and_screen_passes_axe_speaks_no_error_and_asks_nobody_else(
    context_of: Callable[[str], "playwright.BrowserContext"], address: str, name: str, scheme: str
) -> None:
    page = context_of(scheme).new_page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("requestfailed", lambda request: faults.append(request.url))
    page.on("request", lambda request: None if request.url.startswith(address) else faults.append(request.url))
    page.goto(address + PAGES[name])
    page.wait_for_function(CHARTS_READY)
    page.wait_for_load_state("networkidle")
    assert page.evaluate(FITS)
    page.set_viewport_size({"width": WIDE, "height": 900})
    assert page.evaluate(FITS)
    page.wait_for_function(SETTLED)
    results = axe_playwright.Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    assert faults == []
    page.close()


@pytest.mark.parametrize("name", ["predictors", "notices", "schema"])
def test_names_in_tables_of_a_phone_break_at_hyphens_alone(
    context_of: Callable[[str], "playwright.BrowserContext"], address: str, name: str
) -> None:
    page = context_of("light").new_page()
    page.goto(address + PAGES[name])
    lines = page.locator("table :is(th, td):not(.prose) > code").evaluate_all(
        "codes => codes.map(code => [code.textContent, code.getClientRects().length])"
    )
    assert lines
    assert [each for each in lines if each[1] > 1 + each[0].count("-") + each[0].count(" ")] == []
    page.close()


def column(page: "playwright.Page", table: str, index: int) -> list[float]:
    cells = page.locator(f"{table} tbody tr").evaluate_all(f"rows => rows.map(row => row.cells[{index}].dataset.value)")
    return [float(cell) for cell in cells]


def test_table_sorts_by_keyboard(browser: "playwright.Browser", address: str) -> None:
    page = opened(browser)
    page.goto(address)
    table = "#phone-2023-published-battery table"
    header = page.locator(f"{table} thead th").nth(5)
    assert "IECS" in header.inner_text()
    before = column(page, table, 5)
    header.locator("button").focus()
    page.keyboard.press("Enter")
    assert header.get_attribute("aria-sort") == "ascending"
    assert column(page, table, 5) == sorted(before) != before
    page.keyboard.press("Space")
    assert header.get_attribute("aria-sort") == "descending"
    assert column(page, table, 5) == sorted(before, reverse=True)
    page.locator(f"{table} thead th").nth(0).locator("button").click()
    assert header.get_attribute("aria-sort") is None
    assert column(page, table, 0) == sorted(column(page, table, 0))
    page.context.close()


def test_charts_become_interactive(browser: "playwright.Browser", address: str) -> None:
    page = opened(browser)
    page.goto(address)
    page.wait_for_function(CHARTS_READY)
    assert page.locator("figure.chart .chart-live svg").count() == page.locator("figure.chart").count() == 2
    assert not page.locator("figure.chart .chart-static").first.is_visible()
    page.locator("figure.chart").first.locator(".chart-live path[fill='#63b947']").last.hover()
    playwright.expect(page.locator("#vg-tooltip-element.visible")).to_contain_text("Huawei P40 Pro")
    page.context.close()


def test_static_chart_stays_where_the_bundle_fails(browser: "playwright.Browser", address: str) -> None:
    page = opened(browser)
    page.route(re.compile(r"vega\.js$"), lambda route: route.abort())
    page.goto(address, wait_until="networkidle")
    assert page.locator("figure.chart .chart-static").first.is_visible()
    page.context.close()


def test_static_chart_stays_where_its_specification_is_damaged(browser: "playwright.Browser", address: str) -> None:
    page = opened(browser)
    page.route(re.compile(r"charts/.*\.json$"), lambda route: route.fulfill(body='{"usermeta": {}}'))
    page.goto(address, wait_until="networkidle")
    assert page.locator("figure.chart .chart-static").first.is_visible()
    assert page.locator("figure.chart .chart-live").count() == 0
    page.context.close()


def test_everything_is_there_without_javascript(browser: "playwright.Browser", address: str) -> None:
    page = opened(browser, NARROW, java_script_enabled=False)
    page.goto(address)
    assert page.locator("#phone-2023-published-battery tbody tr").count() == 8
    chart = page.locator("figure.chart img.only-light").first
    chart.scroll_into_view_if_needed()
    assert chart.is_visible()
    assert not page.locator("figure.chart img.only-dark").first.is_visible()
    page.goto(address + PAGES["phone"])
    assert page.locator("figure.label img").is_visible()
    page.context.close()


def test_scheme_changes_the_colours_of_a_live_chart(browser: "playwright.Browser", address: str) -> None:
    page = opened(browser)
    page.goto(address)
    page.wait_for_function(CHARTS_READY)
    page.locator("label[for=__palette_1]").click()
    playwright.expect(page.locator(".chart-live text[fill='#e8eef0']").first).to_be_visible()
    page.context.close()


def test_search_finds_a_device(browser: "playwright.Browser", address: str) -> None:
    page = opened(browser)
    page.goto(address)
    page.locator(".md-search__input").click()
    page.locator(".md-search__input").press_sequentially("Redmi Note8")
    first = page.locator(".md-search-result__link").first
    playwright.expect(first).to_contain_text("Xiaomi Redmi Note8")
    page.context.close()


def test_paper_is_white_even_from_the_dark_scheme(browser: "playwright.Browser", address: str) -> None:
    page = opened(browser, color_scheme="dark")
    page.goto(address)
    scheme = "document.body.getAttribute('data-md-color-scheme')"
    assert page.evaluate(scheme) == "slate"
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(scheme) == "default"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(scheme) == "slate"
