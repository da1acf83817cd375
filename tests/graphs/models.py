"""Small ONNX and TFLite models made in code."""

import flatbuffers
import numpy as np
import tflite
from onnx import TensorProto, helper, numpy_helper

OPSET = 18
IMAGE = (1, 4, 8, 6)


def info(name, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def weight(name, shape, kind=np.float32):
    return numpy_helper.from_array(np.ones(shape, kind), name)


def numbers(name, *values, kind=np.int64):
    return numpy_helper.from_array(np.array(values, kind), name)


def number(name, value, kind=np.float32):
    return numpy_helper.from_array(np.array(value, kind), name)


def node(op, inputs, outputs, **attributes):
    """An operator; `-` stands for an absent input."""
    read = ["" if name == "-" else name for name in inputs.split()]
    return helper.make_node(op, read, outputs.split(), **attributes)


def onnx_model(nodes, inputs=None, outputs=None, weights=(), opset=OPSET, between=(), functions=(), domains=()):
    """A model from operators; by default its input is the image `x`, and its output is what its last operator makes."""
    graph = helper.make_graph(
        list(nodes),
        "small",
        [info("x", IMAGE)] if inputs is None else list(inputs),
        [info(nodes[-1].output[0], None)] if outputs is None else list(outputs),
        list(weights),
        value_info=list(between),
    )
    opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9, functions=list(functions))


def small_onnx():
    """Convolution, batch normalisation, ReLU6, mean, arithmetic on shapes, fully connected layer."""
    return onnx_model(
        [
            node("Conv", "x w", "a", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
            node("BatchNormalization", "a s s s s", "b"),
            node("Clip", "b zero six", "c"),
            node("GlobalAveragePool", "c", "d"),
            node("Shape", "d", "e"),
            node("Gather", "e first", "f", axis=0),
            node("Concat", "f rest", "g", axis=0),
            node("Reshape", "d g", "h"),
            node("Gemm", "h v", "y", transB=1),
        ],
        inputs=[info("x", ("N", 4, 8, 6))],
        weights=[
            weight("w", (5, 4, 3, 3)),
            weight("s", (5,)),
            number("zero", 0),
            number("six", 6),
            numbers("first", 0),
            numbers("rest", -1),
            weight("v", (3, 5)),
        ],
    )


def small_qdq():
    """Two quantised convolutions with what exporters write around them."""
    return onnx_model(
        [
            node("QuantizeLinear", "x scale zero", "xq"),
            node("DequantizeLinear", "xq scale zero", "xd"),
            node("DequantizeLinear", "wq scale zero", "wd"),
            node("DequantizeLinear", "bq scale", "bd"),
            node("Conv", "xd wd bd", "a", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
            node("Relu", "a", "r"),
            node("QuantizeLinear", "r scale zero", "aq"),
            node("DequantizeLinear", "aq scale zero", "ad"),
            node("Conv", "ad wd bd", "b", kernel_shape=[3, 3]),
            node("QuantizeLinear", "b scale zero", "yq"),
            node("DequantizeLinear", "yq scale zero", "y"),
        ],
        weights=[
            number("scale", 0.5),
            number("zero", 0, np.int8),
            weight("wq", (4, 4, 3, 3), np.int8),
            weight("bq", (4,), np.int32),
        ],
    )


def float_twin():
    """The two convolutions of `small_qdq` in floats."""
    return onnx_model(
        [
            node("Conv", "x w b", "a", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
            node("Relu", "a", "r"),
            node("Conv", "r w b", "y", kernel_shape=[3, 3]),
        ],
        weights=[weight("w", (4, 4, 3, 3)), weight("b", (4,))],
    )


class TfliteMaker:
    """Collects tensors and operators of one subgraph and writes them as a file.

    `shared` has the number of a buffer by the place of a constant that is to have the buffer of another one.
    """

    def __init__(self):
        self.tensors, self.operators, self.shared = [], [], {}

    def tensor(self, shape, data=None, kind=tflite.TensorType.FLOAT32, signature=None, name=None, scales=0):
        """Place of a new tensor; it is a constant where data are given."""
        place = len(self.tensors)
        self.tensors.append((f"t{place}" if name is None else name, shape, data, kind, signature, scales))
        return place

    def weight(self, *shape):
        return self.tensor(shape, np.ones(shape, np.float32))

    def numbers(self, *values):
        return self.tensor((len(values),), np.array(values, np.int32), tflite.TensorType.INT32)

    def op(self, name, inputs, outputs, table=None, custom=None, **options):
        """Add an operator; options go by the names of their fields, those of a custom one as bytes."""
        self.operators.append((name, inputs, outputs, table, custom, options))

    def write(self, inputs, outputs):
        return write_tflite([(self, inputs, outputs)])

    def subgraph(self, builder, n_codes, n_buffers, inputs, outputs):
        """The subgraph in a file that has some operator codes and buffers before it."""
        tensors = [self._tensor(builder, place, n_buffers) for place in range(len(self.tensors))]
        operators = [self._operator(builder, place, n_codes) for place in range(len(self.operators))]
        parts = [
            _tables(builder, tensors),
            _integers(builder, inputs),
            _integers(builder, outputs),
            _tables(builder, operators),
        ]
        tflite.SubGraphStart(builder)
        for add, part in zip(("Tensors", "Inputs", "Outputs", "Operators"), parts, strict=True):
            getattr(tflite, f"SubGraphAdd{add}")(builder, part)
        return tflite.SubGraphEnd(builder)

    def codes(self, builder):
        return [self._code(builder, name, custom) for name, _, _, _, custom, _ in self.operators]

    def buffers(self, builder):
        return [_buffer(builder, data) for _, _, data, *_ in self.tensors]

    def _tensor(self, builder, place, n_buffers):
        name, shape, data, kind, signature, scales = self.tensors[place]
        shared = self.shared.get(place, n_buffers + place) if data is not None else n_buffers + place
        quantised = _scales(builder, scales) if scales else None
        text, extents = builder.CreateString(name), _integers(builder, shape)
        declared = None if signature is None else _integers(builder, signature)
        tflite.TensorStart(builder)
        tflite.TensorAddName(builder, text)
        tflite.TensorAddShape(builder, extents)
        tflite.TensorAddType(builder, kind)
        tflite.TensorAddBuffer(builder, shared)
        if quantised is not None:
            tflite.TensorAddQuantization(builder, quantised)
        if declared is not None:
            tflite.TensorAddShapeSignature(builder, declared)
        return tflite.TensorEnd(builder)

    def _code(self, builder, name, custom):
        text = None if custom is None else builder.CreateString(custom)
        number = getattr(tflite.BuiltinOperator, name)
        tflite.OperatorCodeStart(builder)
        tflite.OperatorCodeAddDeprecatedBuiltinCode(builder, min(number, 127))
        tflite.OperatorCodeAddBuiltinCode(builder, number)
        if text is not None:
            tflite.OperatorCodeAddCustomCode(builder, text)
        return tflite.OperatorCodeEnd(builder)

    def _operator(self, builder, place, n_codes):
        _, inputs, outputs, table, _, options = self.operators[place]
        options = {field: _option(builder, value) for field, value in options.items()}
        read, made, filled = _integers(builder, inputs), _integers(builder, outputs), None
        content = options.pop("custom_options", None)
        if table is not None:
            getattr(tflite, f"{table}Start")(builder)
            for field, value in options.items():
                getattr(tflite, f"{table}Add{field}")(builder, value)
            filled = getattr(tflite, f"{table}End")(builder)
        tflite.OperatorStart(builder)
        tflite.OperatorAddOpcodeIndex(builder, n_codes + place)
        tflite.OperatorAddInputs(builder, read)
        tflite.OperatorAddOutputs(builder, made)
        if content is not None:
            tflite.OperatorAddCustomOptions(builder, content)
        if filled is not None:
            number = "2" if table == "StableHLOCompositeOptions" else ""
            union = getattr(tflite, f"BuiltinOptions{number}")
            getattr(tflite, f"OperatorAddBuiltinOptions{number}Type")(builder, getattr(union, table))
            getattr(tflite, f"OperatorAddBuiltinOptions{number}")(builder, filled)
        return tflite.OperatorEnd(builder)


def write_tflite(subgraphs, signatures=()):
    """A file of several subgraphs.

    Args:
        subgraphs: maker, inputs and outputs of each.
        signatures: name, place of the subgraph, and place of the tensor by the name of each input.
    """
    builder = flatbuffers.Builder(1024)
    graphs, codes, buffers = [], [], [_buffer(builder, None)]
    for maker, inputs, outputs in subgraphs:
        new = maker.buffers(builder)
        graphs.append(maker.subgraph(builder, len(codes), len(buffers), inputs, outputs))
        buffers += new
        codes += maker.codes(builder)
    defined = [_signature(builder, *signature) for signature in signatures]
    parts = [_tables(builder, each) for each in (codes, graphs, buffers, defined)]
    tflite.ModelStart(builder)
    tflite.ModelAddVersion(builder, 3)
    for add, part in zip(("OperatorCodes", "Subgraphs", "Buffers", "SignatureDefs"), parts, strict=True):
        getattr(tflite, f"ModelAdd{add}")(builder, part)
    builder.Finish(tflite.ModelEnd(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _signature(builder, name, place, inputs):
    maps = []
    for key, tensor in inputs.items():
        text = builder.CreateString(key)
        tflite.TensorMapStart(builder)
        tflite.TensorMapAddName(builder, text)
        tflite.TensorMapAddTensorIndex(builder, tensor)
        maps.append(tflite.TensorMapEnd(builder))
    key, read = builder.CreateString(name), _tables(builder, maps)
    tflite.SignatureDefStart(builder)
    tflite.SignatureDefAddSignatureKey(builder, key)
    tflite.SignatureDefAddSubgraphIndex(builder, place)
    tflite.SignatureDefAddInputs(builder, read)
    return tflite.SignatureDefEnd(builder)


def _buffer(builder, data):
    content = None if data is None else builder.CreateByteVector(data.tobytes())
    tflite.BufferStart(builder)
    if content is not None:
        tflite.BufferAddData(builder, content)
    return tflite.BufferEnd(builder)


def _option(builder, value):
    """Value of an option as its table takes it."""
    if isinstance(value, str):
        return builder.CreateString(value)
    if isinstance(value, bytes):
        return builder.CreateByteVector(value)
    return _integers(builder, value) if isinstance(value, tuple) else value


def _scales(builder, n):
    scales = builder.CreateNumpyVector(np.ones(n, np.float32))
    tflite.QuantizationParametersStart(builder)
    tflite.QuantizationParametersAddScale(builder, scales)
    return tflite.QuantizationParametersEnd(builder)


def _integers(builder, values):
    return builder.CreateNumpyVector(np.array(values, np.int32))


def _tables(builder, places):
    builder.StartVector(4, len(places), 4)
    for place in reversed(places):
        builder.PrependUOffsetTRelative(place)
    return builder.EndVector()


def small_tflite(batch=-1, height=8):
    """Convolution with ReLU6, depthwise convolution, mean, arithmetic on shapes, fully connected layer.

    The batch is open; the height may be.
    """
    maker = TfliteMaker()
    stated = max(height, 1)

    def image(h, w, c):
        return maker.tensor((1, max(h, 1), w, c), signature=(batch, h, w, c))

    x, a = image(height, 6, 4), image(height, 6, 5)
    half = -(-stated // 2) if height > 0 else -1
    b, mean = image(half, 3, 5), maker.tensor((1, 5), signature=(-1, 5))
    window = {"StrideH": 1, "StrideW": 1, "DilationHFactor": 1, "DilationWFactor": 1, "Padding": 0}
    maker.op(
        "CONV_2D",
        [x, maker.weight(5, 3, 3, 4), maker.weight(5)],
        [a],
        "Conv2DOptions",
        **window,
        FusedActivationFunction=3,
    )
    strided = window | {"StrideH": 2, "StrideW": 2, "DepthMultiplier": 1}
    maker.op(
        "DEPTHWISE_CONV_2D", [a, maker.weight(1, 3, 3, 5), maker.weight(5)], [b], "DepthwiseConv2DOptions", **strided
    )
    maker.op("MEAN", [b, maker.numbers(1, 2)], [mean], "ReducerOptions", KeepDims=False)
    integers = tflite.TensorType.INT32
    shape = maker.tensor((2,), kind=integers)
    first, target = maker.tensor((), kind=integers), maker.tensor((2,), kind=integers)
    flat, y = maker.tensor((1, 1), signature=(-1, -1)), maker.tensor((1, 3), signature=(-1, 3))
    rest = maker.tensor((), np.array(5, np.int32), integers)
    maker.op("SHAPE", [mean], [shape], "ShapeOptions", OutType=integers)
    begin, end, step = maker.numbers(0), maker.numbers(1), maker.numbers(1)
    maker.op("STRIDED_SLICE", [shape, begin, end, step], [first], "StridedSliceOptions", ShrinkAxisMask=1)
    maker.op("PACK", [first, rest], [target], "PackOptions", ValuesCount=2, Axis=0)
    maker.op("RESHAPE", [mean, target], [flat])
    maker.op("FULLY_CONNECTED", [flat, maker.weight(3, 5), maker.weight(3)], [y], "FullyConnectedOptions")
    return maker.write([x], [y])
