"""Editions: every file beside the code is one, and a faulty file gets a message that names file and field."""

import pytest
import yaml

from harness.errors import ReleaseError, UsageError
from harness.scoring.editions import edition_named, editions, read_edition

NAMES = [edition.edition for edition in editions()]
FIELDS = {
    "edition": "sbc-2026",
    "title": "Boards, 2026",
    "device_noun": "board",
    "device_classes": ["single-board-computer"],
    "suite": "two networks",
    "source": "Acme",
    "level": "models",
    "network_column": "model",
    "min_networks": 1,
    "has_pcs_and_iecs": False,
    "borders": {"A": 50, "B": 100},
    "last_class": "C",
    "networks": [
        {"id": "ResNet18", "title": "ResNet-18", "reference_mj": 1.5},
        {"id": "ResNet50", "title": "ResNet-50", "reference_mj": 4.5},
    ],
    "founding": ["acme-board/2026-10"],
}


def written(folder, name="sbc-2026.yaml", **fields):
    path = folder / name
    path.write_text(yaml.safe_dump(FIELDS | fields))
    return path


def test_editions_are_found_by_being_there_and_known_by_their_name():
    assert {"phone-2023", "mcu-2025"} <= set(NAMES)
    assert len(set(NAMES)) == len(NAMES)
    assert [edition_named(name).edition for name in NAMES] == NAMES


def test_unknown_edition_is_refused_with_every_edition():
    with pytest.raises(UsageError) as refused:
        edition_named("phone-2022")
    assert str(refused.value) == f"edition 'phone-2022' is not known; there are {', '.join(NAMES)}"


def test_file_of_an_edition_is_read(tmp_path):
    edition = read_edition(written(tmp_path))
    assert edition.classes == ("A", "B", "C")
    assert edition.references == {"ResNet18": 1.5, "ResNet50": 4.5}
    assert read_edition(written(tmp_path, founding=[])).founding == ()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"borders": {"A": 50, "B": 40}}, "class borders must rise."),
        ({"borders": {"A": 50, "B": 50}}, "class borders must rise."),
        ({"borders": {"A": 0, "B": 50}}, "borders.A = 0; Input should be greater than 0."),
        ({"borders": {}}, "borders = {}; Dictionary should have at least 1 item after validation, not 0."),
        ({"last_class": "B"}, "last_class B has a border already."),
        ({"min_networks": 3}, "min_networks is 3; the suite has 2 networks."),
        ({"network_column": "dnn"}, "network_column dnn is no column of models."),
        ({"networks": [FIELDS["networks"][0]] * 2}, "networks lists ResNet18 twice."),
        ({"founding": ["a/b", "a/b"]}, "founding lists a/b twice."),
        ({"founding": ["acme-board"]}, "founding.0 = 'acme-board'; String should match pattern"),
        ({"device_classes": ["board"]}, "device_classes.0 = 'board'; Input should be 'phone', 'tablet', "),
        ({"device_classes": []}, "device_classes = []; Tuple should have at least 1 item after validation, not 0."),
        ({"device_classes": ["phone", "phone"]}, "device_classes lists phone twice."),
        ({"level": "layers"}, "level = 'layers'; Input should be 'kernels', 'models' or 'applications'."),
        ({"colour": "red"}, "colour = 'red'; Extra inputs are not permitted."),
        ({"edition": "sbc-2027"}, "edition = sbc-2027; expected the name of the file without .yaml."),
    ],
)
def test_faulty_edition_is_refused_with_file_and_field(tmp_path, fields, message):
    with pytest.raises(ReleaseError) as refused:
        read_edition(written(tmp_path, **fields))
    assert f"sbc-2026.yaml: {message}" in str(refused.value)


def test_every_missing_field_of_an_edition_is_named(tmp_path):
    path = tmp_path / "empty.yaml"
    path.write_text("edition: empty\n")
    with pytest.raises(ReleaseError) as refused:
        read_edition(path)
    optional = {"edition", "founding"}
    assert str(refused.value).splitlines() == [
        f"empty.yaml: {name}: Field required." for name in type(editions()[0]).model_fields if name not in optional
    ]


@pytest.mark.parametrize("text", ["a: [", "just a word", "- a\n- b\n", ""])
def test_file_that_is_no_edition_is_refused_with_its_name(tmp_path, text):
    path = tmp_path / "odd.yaml"
    path.write_text(text)
    with pytest.raises(ReleaseError, match=r"^odd\.yaml: "):
        read_edition(path)
