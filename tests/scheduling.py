"""Which tests of the whole run share a process; a plugin of pytest that the Makefile names."""

import pytest

SHARING = ("tests/packaging", "tests/pages", "tests/scoring")
"""Folders whose files share a built release or site."""
APART = "tests/pages/test_browser.py"
"""Reads a site of its own, and takes long."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file in one process, and those of a folder that shares what it builds."""
    for item in items:
        file = item.path.relative_to(item.config.rootpath)
        is_shared = file.parent.as_posix() in SHARING and file.as_posix() != APART
        item.add_marker(pytest.mark.xdist_group((file.parent if is_shared else file).as_posix()))
