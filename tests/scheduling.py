"""Which tests of the whole run share a process, and which begin; a plugin of pytest that the Makefile names."""

from pathlib import PurePosixPath

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadGroupScheduling

SHARING = ("tests/packaging", "tests/pages", "tests/scoring")
"""Folders whose files share a built release or site."""
APART = "tests/pages/test_browser.py"
"""Reads a site of its own, and takes long."""
FIRST = (
    "tests/pages/test_browser.py",
    "tests/pages",
    "tests/sandbox",
    "tests/packaging",
    "tests/cli/test_evaluate.py",
    "tests/predictor",
    "tests/evaluation",
)
"""What takes longest begins, so that no process works alone at the end."""


def group_of(test: str) -> str:
    """File of a test, or the folder of its file where that shares what it builds."""
    file = PurePosixPath(test.partition("::")[0])
    is_shared = file.parent.as_posix() in SHARING and file.as_posix() != APART
    return (file.parent if is_shared else file).as_posix()


def place_of(test: str) -> int:
    return next((place for place, start in enumerate(FIRST) if test.startswith(start)), len(FIRST))


class Scheduling(LoadGroupScheduling):
    """Keeps each group in one process. The marks of xdist do not reach pytest 9.2, so the group follows the name."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    return Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: place_of(item.nodeid))
