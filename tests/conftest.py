"""Options of the test run, and the one profile of the generated examples."""

import pytest
from hypothesis import settings

# The same examples in every run, and no limit on the time of one: a busy machine is not a fault of the code.
settings.register_profile("deepen", deadline=None, derandomize=True)
settings.load_profile("deepen")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the present reports into the golden cases")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-golden"))
