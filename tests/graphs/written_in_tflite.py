"""Networks that are each written in several ways as TFLite files, by the way of writing."""

import numpy as np
import tflite
from hypothesis import strategies as st

from tests.graphs.models import TfliteMaker

CLAMPS = {"RELU": 1, "RELU6": 3}
"""Activations, by the number of the one that an operator has in itself."""
VALID = 1
SQUARE = {"StrideH": 1, "StrideW": 1}
DENSE = {"DilationHFactor": 1, "DilationWFactor": 1}


def written(ways, shape):
    """Files of ways, each of which adds its operators to a maker that reads one tensor, and gives what it makes."""
    files = {}
    for way, write in ways.items():
        maker = TfliteMaker()
        x = maker.tensor(shape)
        files[way] = maker.write([x], [write(maker, x)])
    return files


def images():
    """Extents of an image, batch first and channels last."""
    return st.tuples(st.just(1), st.integers(3, 9), st.integers(3, 9), st.integers(2, 8))


def _like(maker, x, *channels):
    return maker.tensor((*maker.tensors[x][1][: -1 if channels else None], *channels))


@st.composite
def clamped_operators(draw):
    """An operator with an activation in itself, or after it."""
    shape, name, n = draw(images()), draw(st.sampled_from(sorted(CLAMPS))), draw(st.integers(2, 8))
    op = draw(st.sampled_from(["CONV_2D", "DEPTHWISE_CONV_2D", "MAX_POOL_2D", "ADD", "FULLY_CONNECTED"]))

    def write(maker, x, activation=0):
        cin, fused = shape[-1], {"FusedActivationFunction": activation}
        y = _like(maker, x, n if op in ("CONV_2D", "FULLY_CONNECTED") else cin)
        match op:
            case "CONV_2D":
                read = [x, maker.weight(n, 3, 3, cin), maker.weight(n)]
                maker.op(op, read, [y], "Conv2DOptions", Padding=0, **SQUARE, **DENSE, **fused)
            case "DEPTHWISE_CONV_2D":
                read, more = [x, maker.weight(1, 3, 3, cin), maker.weight(cin)], {"DepthMultiplier": 1, **DENSE}
                maker.op(op, read, [y], "DepthwiseConv2DOptions", Padding=0, **SQUARE, **more, **fused)
            case "MAX_POOL_2D":
                window = {"FilterHeight": 3, "FilterWidth": 3}
                maker.op(op, [x], [y], "Pool2DOptions", Padding=0, **SQUARE, **window, **fused)
            case "ADD":
                z = _like(maker, x)
                maker.op("LOGISTIC", [x], [z])
                maker.op(op, [x, z], [y], "AddOptions", **fused)
            case _:
                read, more = [x, maker.weight(n, cin), maker.weight(n)], {"KeepNumDims": True}
                maker.op(op, read, [y], "FullyConnectedOptions", **more, **fused)
        return y

    def write_apart(maker, x):
        y = write(maker, x)
        z = _like(maker, y)
        maker.op(name, [y], [z])
        return z

    return written({"within": lambda maker, x: write(maker, x, CLAMPS[name]), "after it": write_apart}, shape)


@st.composite
def means(draw):
    shape = draw(images())
    channels = shape[-1]

    def mean(maker, x, *, keeps):
        y = maker.tensor((1, 1, 1, channels) if keeps else (1, channels))
        maker.op("MEAN", [x, maker.numbers(1, 2)], [y], "ReducerOptions", KeepDims=keeps)
        return y

    def pool(maker, x):
        y = maker.tensor((1, 1, 1, channels))
        window = {"FilterHeight": shape[1], "FilterWidth": shape[2]}
        maker.op("AVERAGE_POOL_2D", [x], [y], "Pool2DOptions", Padding=VALID, **SQUARE, **window)
        return y

    ways = {"MEAN": lambda maker, x: mean(maker, x, keeps=False), "AVERAGE_POOL_2D": pool}
    return written(ways | {"MEAN that keeps extents": lambda maker, x: mean(maker, x, keeps=True)}, shape)


@st.composite
def dense_layers(draw):
    rows, cin, cout = draw(st.integers(1, 6)), draw(st.integers(2, 9)), draw(st.integers(2, 9))

    def whole(maker, x):
        y = maker.tensor((rows, cout))
        maker.op("FULLY_CONNECTED", [x, maker.weight(cout, cin), maker.weight(cout)], [y], "FullyConnectedOptions")
        return y

    def product(maker, x):
        y, z = maker.tensor((rows, cout)), maker.tensor((rows, cout))
        maker.op("BATCH_MATMUL", [x, maker.weight(cin, cout)], [y], "BatchMatMulOptions")
        maker.op("ADD", [y, maker.weight(cout)], [z], "AddOptions")
        return z

    return written({"FULLY_CONNECTED": whole, "BATCH_MATMUL and ADD": product}, (rows, cin))


@st.composite
def hard_swishes(draw):
    shape = draw(images())

    def whole(maker, x):
        y = _like(maker, x)
        maker.op("HARD_SWISH", [x], [y])
        return y

    def parts(maker, x):
        a, b, y = (_like(maker, x) for _ in range(3))
        three, sixth = (maker.tensor((), np.array(value, np.float32)) for value in (3, 1 / 6))
        maker.op("ADD", [x, three], [a], "AddOptions", FusedActivationFunction=3)
        maker.op("MUL", [x, a], [b], "MulOptions")
        maker.op("MUL", [b, sixth], [y], "MulOptions")
        return y

    return written({"HARD_SWISH": whole, "three operators": parts}, shape)


@st.composite
def half_weights(draw):
    """Weights of a convolution in fp16, dequantised before it, as the converter writes them."""
    shape, n = draw(images()), draw(st.integers(2, 8))
    half = tflite.TensorType.FLOAT16

    def write(maker, x, *, is_apart):
        extents = [(n, 1, 1, shape[-1]), (n,)]
        stored = [maker.tensor(each, np.ones(each, np.float16), half) for each in extents]
        read = [maker.tensor(each) for each in extents] if is_apart else stored
        for held, made in zip(stored, read, strict=True) if is_apart else ():
            maker.op("DEQUANTIZE", [held], [made])
        y = _like(maker, x, n)
        maker.op("CONV_2D", [x, *read], [y], "Conv2DOptions", Padding=0, **SQUARE, **DENSE)
        return y

    ways = {"DEQUANTIZE": lambda maker, x: write(maker, x, is_apart=True)}
    return written(ways | {"within": lambda maker, x: write(maker, x, is_apart=False)}, shape)


SAME_IN_TFLITE = {
    "activation": clamped_operators(),
    "mean of a plane": means(),
    "dense layer": dense_layers(),
    "hard swish": hard_swishes(),
    "weights of half the bits": half_weights(),
}
"""What is the same kernels under the rules of TensorFlow Lite, however it is written."""
