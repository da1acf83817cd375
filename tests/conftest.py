"""Options of the test run, and which tests one process runs."""

import pytest

SHARING = ("packaging", "pages", "scoring")
"""Folders whose files share a built release or site."""
APART = "test_browser.py"
"""Reads a site of its own, and takes long."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write what the golden cases say now")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file in one process, and those of a folder that shares what it builds."""
    for item in items:
        is_shared = item.path.parent.name in SHARING and item.path.parent.parent.name == "tests"
        unit = item.path.parent if is_shared and item.path.name != APART else item.path
        item.add_marker(pytest.mark.xdist_group(unit.relative_to(item.config.rootpath).as_posix()))


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-golden"))
