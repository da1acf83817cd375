import pytest

from tests.changed import affected_tests, changed_paths
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
        ("tests/test_splits.py", ["tests/test_splits.py"]),
        ("LICENSE", []),
    ],
)
def test_a_changed_file_asks_for_the_tests_of_its_room(path, tests):
    assert affected_tests([path]) == tests


def test_every_room_has_tests_of_its_name():
    rooms = [path for path in (ROOT / "harness").iterdir() if (path / "__init__.py").exists()]
    assert [room.name for room in rooms if not (ROOT / "tests" / room.name).is_dir()] == []


def test_changed_paths_are_files_below_the_root():
    assert all(not path.startswith(("/", "..")) for path in changed_paths())
