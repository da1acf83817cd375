import pytest

from tests.scheduling import FIRST, Scheduling, group_of


@pytest.mark.parametrize(
    ("test", "group"),
    [
        ("tests/pages/test_write.py::test_links[a::b]", "tests/pages"),
        ("tests/pages/test_browser.py::test_page_passes_axe[home-light]", "tests/pages/test_browser.py"),
        ("tests/schema/test_schema.py::test_units", "tests/schema/test_schema.py"),
        ("harness/splits.py::harness.splits.split_of", "harness/splits.py"),
    ],
)
def test_tests_of_a_file_or_of_a_sharing_folder_are_one_group(test, group):
    assert group_of(test) == Scheduling._split_scope(None, test) == group


def test_what_begins_is_there(request):
    assert [start for start in FIRST if not (request.config.rootpath / start).exists()] == []
