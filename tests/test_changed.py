import pytest

from tests.changed import EVERYTHING, affected_tests, changed_paths
from tests.test_layers import ROOT


@pytest.mark.parametrize(
    ("path", "tests"),
    [
        ("harness/traces/formats/monsoon.py", ["harness/traces/formats/monsoon.py", "tests/traces"]),
        ("harness/scoring/editions/phone-2023.yaml", ["tests/scoring"]),
        ("harness/splits.py", ["harness/splits.py", "tests/test_splits.py"]),
        ("predictors/constant/model.py", ["predictors/constant/model.py", "tests/predictors"]),
        ("submissions/acme-phone/device.yaml", ["tests/scoring"]),
        ("dataset_cards/base.md.j2", ["tests/packaging"]),
        ("site/method.md", ["tests/pages", "tests/test_docs.py"]),
        ("README.md", ["tests/test_docs.py"]),
        ("tests/golden/energy_zero/files/a/kernels.csv", ["tests/validation"]),
        ("tests/traces/test_clock.py", ["tests/traces/test_clock.py"]),
        ("tests/traces/synthetic.py", ["tests/traces"]),
        ("harness/code_version.py", ["harness/code_version.py", "tests/test_versions.py"]),
        ("mkdocs.yml", ["tests/pages"]),
        ("tests/test_splits.py", ["tests/test_splits.py"]),
        ("LICENSE", []),
    ],
)
def test_a_changed_file_asks_for_the_tests_of_its_room(path, tests):
    assert affected_tests([path]) == tests


@pytest.mark.parametrize("path", ["pyproject.toml", "conftest.py", "tests/strategies.py", "tests/campaigns.py"])
def test_a_file_that_every_test_rests_on_asks_for_all(path):
    assert affected_tests([path, "harness/splits.py"]) == list(EVERYTHING)


def test_what_is_chosen_for_a_module_exists():
    modules = [path.relative_to(ROOT).as_posix() for path in (ROOT / "harness").rglob("*.py")]
    missing = {chosen for path in modules for chosen in affected_tests([path]) if not (ROOT / chosen).exists()}
    assert missing == set()


def test_changed_paths_are_files_below_the_root():
    assert all(not path.startswith(("/", "..")) for path in changed_paths())
