"""Extents of TFLite operators where the file leaves them open, as LiteRT computes them."""

import numpy as np
import pytest
import tflite

from harness.graphs.tflite_reader import graph_of_tflite
from harness.graphs.tflite_shapes import Operands, made_shape
from harness.graphs.tflite_values import made_values
from tests.graphs.models import TfliteMaker


def values(*numbers):
    return np.array(numbers, np.int32)


STRIDES = {"BeginMask": 0, "EndMask": 0, "EllipsisMask": 0, "NewAxisMask": 0, "ShrinkAxisMask": 0}


@pytest.mark.parametrize(("op", "shapes", "known", "options", "expected"), [
    ("STRIDED_SLICE", [(2, 10, 5)], [values(0, 2, 0), values(2, 8, 5), values(1, 2, 1)], STRIDES, (2, 3, 5)),
    ("STRIDED_SLICE", [(2, 10, 5)], [values(0, 0, 0), values(0, -1, 0), values(1, 1, 1)],
     STRIDES | {"BeginMask": 7, "EndMask": 5}, (2, 9, 5)),
    ("STRIDED_SLICE", [(2, 10, 5)], [values(1, 0), values(2, 4), values(1, 1)],
     STRIDES | {"ShrinkAxisMask": 1}, (4, 5)),
    ("STRIDED_SLICE", [(2, 10, 5)], [values(0, 0), values(0, 2), values(1, 1)],
     STRIDES | {"EllipsisMask": 1}, (2, 10, 2)),
    ("STRIDED_SLICE", [(2, 10)], [values(0, 0), values(0, 2), values(1, 1)], STRIDES | {"NewAxisMask": 1}, (1, 2, 10)),
    ("SLICE", [(2, 10, 5)], [values(0, 3, 0), values(-1, 4, -1)], {}, (2, 4, 5)),
    ("GATHER", [(2, 10, 5), (3, 4)], [], {"Axis": 1, "BatchDims": 0}, (2, 3, 4, 5)),
    ("GATHER", [(2, 10, 5), (2, 4)], [], {"Axis": 1, "BatchDims": 1}, (2, 4, 5)),
    ("GATHER_ND", [(2, 10, 5), (7, 2)], [], {}, (7, 5)),
    ("EXPAND_DIMS", [(2, 10)], [values(-1)], {}, (2, 10, 1)),
    ("EXPAND_DIMS", [(2, 10)], [values(1)], {}, (2, 1, 10)),
    ("RFFT2D", [(2, 3, 1, 2048)], [values(1, 2048)], {}, (2, 3, 1, 1025)),
    ("PACK", [(2, 3), (2, 3)], [], {"Axis": -1}, (2, 3, 2)),
    ("UNPACK", [(2, 3)], [], {"Axis": 0}, (3,)),
    ("BATCH_MATMUL", [(2, 5, 3), (2, 7, 3)], [], {"AdjX": 0, "AdjY": 1}, (2, 5, 7)),
    ("TILE", [(2, 3)], [values(1, 4)], {}, (2, 12)),
    ("TOPK_V2", [(2, 9)], [values(4)], {}, (2, 4)),
    ("ARG_MAX", [(2, 9, 3)], [values(1)], {}, (2, 3)),
    ("REDUCE_PROD", [(2, 9, 3)], [values(-1)], {"KeepDims": 0}, (2, 9)),
    ("SPACE_TO_DEPTH", [(1, 8, 6, 3)], [], {"BlockSize": 2}, (1, 4, 3, 12)),
    ("DEPTH_TO_SPACE", [(1, 4, 3, 12)], [], {"BlockSize": 2}, (1, 8, 6, 3)),
    ("SELECT_V2", [(2, 1), (1, 5), ()], [], {}, (2, 5)),
])  # fmt: skip
def test_extents_follow_from_the_operands(op, shapes, known, options, expected):
    operands = Operands((*shapes, *(value.shape for value in known)), (*(None for _ in shapes), *known), options)
    assert made_shape(op, operands, (-1,) * len(expected)) == expected


@pytest.mark.parametrize(("axes", "expected"), [((2,), (1, 3, 9)), ((-2,), (1, 3, 9)), ((), (3, 9)), ((0, 2), (3, 9))])
def test_a_squeeze_leaves_out_the_axes_that_it_states(axes, expected):
    operands = Operands(((1, 3, 1, 9),), (None,), {}, axes)
    assert made_shape("SQUEEZE", operands, (-1,) * len(expected)) == expected


def test_every_output_of_a_split_has_its_extents():
    operands = Operands(((9, 2), (3,), ()), (None, values(2, -1, 3), np.array(0, np.int32)), {})
    assert [made_shape("SPLIT_V", operands, (-1, 2), place) for place in range(3)] == [(2, 2), (4, 2), (3, 2)]
    operands = Operands(((), (8, 3)), (np.array(0, np.int32), None), {"NumSplits": 4})
    assert [made_shape("SPLIT", operands, (-1, 3), place) for place in (0, 3)] == [(2, 3), (2, 3)]


@pytest.mark.parametrize(("op", "given", "options", "expected"), [
    ("FLOOR_DIV", [values(7), values(2)], {}, [[3]]),
    ("MAXIMUM", [values(7), values(9)], {}, [[9]]),
    ("REDUCE_PROD", [values(7, 2), values(0)], {"KeepDims": 0}, [14]),
    ("RANGE", [np.array(1), np.array(7), np.array(3)], {}, [[1, 4]]),
    ("SPLIT_V", [values(1, 2, 3), values(1, 2), np.array(0)], {}, [[1], [2, 3]]),
    ("UNPACK", [values(4, 5)], {"Axis": 0}, [4, 5]),
    ("LESS", [values(1), values(2)], {}, [[True]]),
    ("SLICE", [values(1, 2, 3), values(1), values(-1)], {}, [[2, 3]]),
    ("RANGE", [np.array(0), np.array(10**9), np.array(1)], {}, []),
    ("ADD", [values(1), None], {}, []),
])  # fmt: skip
def test_arithmetic_on_extents_is_done(op, given, options, expected):
    operands = Operands(tuple(None if value is None else value.shape for value in given), tuple(given), options)
    assert [value.tolist() for value in made_values(op, operands)] == expected


def framed(shape, signature):
    """Frames of a sound: as many of 4 samples as there are, then their spectra."""
    maker = TfliteMaker()
    integers = tflite.TensorType.INT32
    x = maker.tensor(shape, signature=signature)
    cut, frames = maker.tensor((1, 1), signature=(-1, -1)), maker.tensor((1, 1, 4), signature=(-1, -1, 4))
    wide, spectra = (
        maker.tensor((1, 1, 1, 4), signature=(-1, -1, 1, 4)),
        maker.tensor((1, 1, 1, 3), signature=(-1, -1, 1, 3)),
    )
    extents = maker.tensor((2,), kind=integers)
    maker.op("SHAPE", [x], [extents], "ShapeOptions", OutType=integers)
    begin, step, target = maker.numbers(0, 0), maker.numbers(1, 1), maker.numbers(1, -1, 4)
    maker.op("STRIDED_SLICE", [x, begin, extents, step], [cut], "StridedSliceOptions")
    maker.op("RESHAPE", [cut, target], [frames])
    maker.op("EXPAND_DIMS", [frames, maker.numbers(2)], [wide])
    maker.op("RFFT2D", [wide, maker.numbers(1, 4)], [spectra])
    return maker.write([x], [spectra]), f"t{spectra}"


def test_a_file_is_read_at_the_extents_that_it_states_though_they_may_be_changed():
    data, spectra = framed((1, 144), (-1, -1))
    assert graph_of_tflite(data, "small.tflite").tensors[spectra].shape == (1, 36, 1, 3)
    assert graph_of_tflite(data, "small.tflite", {"t0": (1, 16)}).tensors[spectra].shape == (1, 4, 1, 3)
