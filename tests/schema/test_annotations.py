"""The one reading of annotations, which columns, field tables and messages share."""

from typing import Annotated, Literal, get_args

import pytest
from pydantic import BaseModel

from harness.schema.annotations import FieldType, field_types, read_annotation
from harness.schema.quantity import Quantity
from harness.schema.vocabulary import DEVICE_NOUNS, DeviceClass

LENGTH = Quantity("m", "Length.", "", "")
WIDTH = Quantity("m", "Width.", "", "")


class Section(BaseModel):
    width: Annotated[float, WIDTH] | None = None


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (int, FieldType(int)),
        (int | None, FieldType(int)),
        (Annotated[float, "a note", LENGTH] | None, FieldType(float, LENGTH)),
        (Annotated[Annotated[float, WIDTH] | None, "a note"], FieldType(float, WIDTH)),
        (Annotated[Annotated[float, WIDTH] | None, LENGTH], FieldType(float, LENGTH)),
        (Literal["a", "b"], FieldType(str, choices=("a", "b"))),
        (Annotated[Literal[1], LENGTH], FieldType(int, LENGTH, (1,))),
        (list[Annotated[float, LENGTH]], FieldType(list, inner=(FieldType(float, LENGTH),))),
        (
            Annotated[dict[str, list[Section]], LENGTH],
            FieldType(dict, LENGTH, inner=(FieldType(str), FieldType(list, inner=(FieldType(Section),)))),
        ),
    ],
)
def test_annotation_is_read_with_everything_that_it_declares(annotation, expected):
    assert read_annotation(annotation) == expected


def test_types_within_a_type_are_found_at_any_depth():
    parts = list(read_annotation(dict[str, list[Section]]).walk())
    assert [part.base for part in parts] == [dict, str, list, Section]
    assert [part.model for part in parts] == [None, None, None, Section]


def test_fields_of_a_model_keep_their_order_and_include_inherited_ones():
    class Wider(Section):
        length: Annotated[float, LENGTH]

    assert field_types(Wider) == {"width": FieldType(float, WIDTH), "length": FieldType(float, LENGTH)}


def test_every_device_class_has_a_noun():
    assert tuple(DEVICE_NOUNS) == get_args(DeviceClass)
