"""Networks that are each written as an ONNX file, channels first, and as a TFLite file, channels last."""

from typing import NamedTuple

from hypothesis import strategies as st

from tests.graphs.models import TfliteMaker, info, node, number, numbers, onnx_model, weight, write_tflite

CLAMPS = {"": 0, "Relu": 1, "Clip": 3}
"""Activations that TFLite has in an operator, by the operator of ONNX; a clip is one from 0 to 6."""
VALID = 1
"""Number of padding by nothing."""


class Tensor(NamedTuple):
    """A tensor of both files: its name, its place, and its extents without the batch, channels first."""

    name: str
    place: int
    extents: tuple[int, ...]


class TwoWriters:
    """Writes each layer into both files."""

    def __init__(self, plane):
        self.nodes, self.weights = [], [number("zero", 0), number("six", 6), numbers("plane", 2, 3)]
        self.tflite = TfliteMaker()
        self.input = Tensor("x", self.tflite.tensor((1, *_last(plane))), plane)

    def models(self, output):
        shown = [info("x", (1, *self.input.extents))]
        named = [info(output.name, None)]
        model = onnx_model(self.nodes, shown, named, self.weights, opset=18)
        return model, self.tflite.write([self.input.place], [output.place])

    def conv(self, x, cout, kernel, stride, clamp, multiplier=0):
        """A convolution; with a multiplier, that many of each channel by itself."""
        cin, *plane = x.extents
        is_depthwise = multiplier > 0
        of_each, groups, cout = (1, cin, cin * multiplier) if is_depthwise else (cin, 1, cout)
        names = self._weight(cout, of_each, kernel, kernel), self._weight(cout)
        placed = (1, kernel, kernel, cout) if is_depthwise else (cout, kernel, kernel, cin)
        op, table = ("DEPTHWISE_CONV_2D", "DepthwiseConv2D") if is_depthwise else ("CONV_2D", "Conv2D")
        settings, options = _window(plane, kernel, stride)
        options |= {"DilationHFactor": 1, "DilationWFactor": 1}
        options |= {"DepthMultiplier": multiplier} if is_depthwise else {}
        made = self._made((cout, *(-(-extent // stride) for extent in plane)))
        inputs = [x.place, self.tflite.weight(*placed), self.tflite.weight(cout)]
        self.tflite.op(op, inputs, [made.place], f"{table}Options", FusedActivationFunction=CLAMPS[clamp], **options)
        self._add("Conv", [x.name, *names], made, clamp, group=groups, **settings)
        return made

    def pool(self, x, is_mean, kernel, stride):
        plane = [(extent - kernel) // stride + 1 for extent in x.extents[1:]]
        made = self._made((x.extents[0], *plane))
        op, written = ("AVERAGE_POOL_2D", "AveragePool") if is_mean else ("MAX_POOL_2D", "MaxPool")
        options = {"StrideH": stride, "StrideW": stride, "FilterHeight": kernel, "FilterWidth": kernel}
        self.tflite.op(op, [x.place], [made.place], "Pool2DOptions", Padding=VALID, **options)
        self._add(written, [x.name], made, kernel_shape=[kernel] * 2, strides=[stride] * 2)
        return made

    def join(self, op, x, z, clamp=""):
        """Arithmetic of two images of the same extents."""
        made = self._made(x.extents)
        option = {"FusedActivationFunction": CLAMPS[clamp]}
        self.tflite.op(op.upper(), [x.place, z.place], [made.place], f"{op}Options", **option)
        self._add(op, [x.name, z.name], made, clamp)
        return made

    def concat(self, x, z):
        made = self._made((x.extents[0] + z.extents[0], *x.extents[1:]))
        self.tflite.op("CONCATENATION", [x.place, z.place], [made.place], "ConcatenationOptions", Axis=3)
        self._add("Concat", [x.name, z.name], made, axis=1)
        return made

    def activation(self, x, op, name):
        made = self._made(x.extents)
        self.tflite.op(name, [x.place], [made.place])
        self._add(op, [x.name], made)
        return made

    def classify(self, x, n_classes):
        """Mean of the plane, fully connected layer, softmax."""
        cin = x.extents[0]
        mean, scores, made = (self._made((n,)) for n in (cin, n_classes, n_classes))
        self.tflite.op("MEAN", [x.place, self.tflite.numbers(1, 2)], [mean.place], "ReducerOptions", KeepDims=False)
        layer = [mean.place, self.tflite.weight(n_classes, cin), self.tflite.weight(n_classes)]
        self.tflite.op("FULLY_CONNECTED", layer, [scores.place], "FullyConnectedOptions")
        self.tflite.op("SOFTMAX", [scores.place], [made.place], "SoftmaxOptions", Beta=1.0)
        self._add("ReduceMean", [x.name, "plane"], mean, keepdims=0)
        self._add("Gemm", [mean.name, self._weight(n_classes, cin), self._weight(n_classes)], scores, transB=1)
        self._add("Softmax", [scores.name], made, axis=-1)
        return made

    def _made(self, extents):
        place = self.tflite.tensor((1, *_last(extents)))
        return Tensor(f"t{place}", place, tuple(extents))

    def _weight(self, *shape):
        self.weights.append(weight(f"w{len(self.weights)}", shape))
        return self.weights[-1].name

    def _add(self, op, inputs, made, clamp="", **settings):
        read = " ".join(inputs)
        if not clamp:
            self.nodes.append(node(op, read, made.name, **settings))
            return
        limits = " zero six" if clamp == "Clip" else ""
        between = f"{made.name}-before"
        self.nodes += [node(op, read, between, **settings), node(clamp, f"{between}{limits}", made.name)]


def _last(extents):
    """Extents with the channels last."""
    return (*extents[1:], extents[0])


def _window(plane, kernel, stride):
    """Padding to "same", and steps, in both formats."""
    lacking = [max((-(-extent // stride) - 1) * stride + kernel - extent, 0) for extent in plane]
    pads = [n // 2 for n in lacking] + [n - n // 2 for n in lacking]
    return {"pads": pads, "strides": [stride] * 2}, {"StrideH": stride, "StrideW": stride, "Padding": 0}


@st.composite
def networks(draw, most_layers=8):
    """An ONNX model and the bytes of a TFLite file of the same network."""
    writers = TwoWriters(tuple(draw(st.integers(*ends)) for ends in ((2, 8), (6, 16), (6, 16))))
    x = writers.input
    images, clamps = [x], st.sampled_from(sorted(CLAMPS))
    for _ in range(draw(st.integers(1, most_layers))):
        alike = [z for z in images[:-1] if z.extents == x.extents]
        pairs = ["add", "mul", "concat"] if alike else []
        match draw(st.sampled_from(["conv", "depthwise", "pool", "activation", *pairs])):
            case "conv":
                kernel, stride = draw(st.sampled_from([1, 3, 5])), draw(st.integers(1, 2))
                x = writers.conv(x, draw(st.integers(2, 9)), kernel, stride, draw(clamps))
            case "depthwise":
                x = writers.conv(x, 0, 3, draw(st.integers(1, 2)), draw(clamps), draw(st.integers(1, 2)))
            case "pool" if min(x.extents[1:]) > 3:
                x = writers.pool(x, draw(st.booleans()), 2, draw(st.integers(1, 2)))
            case "add":
                x = writers.join("Add", x, draw(st.sampled_from(alike)), draw(clamps))
            case "mul":
                x = writers.join("Mul", x, draw(st.sampled_from(alike)))
            case "concat":
                x = writers.concat(x, draw(st.sampled_from(alike)))
            case _:
                names = draw(st.sampled_from([("Sigmoid", "LOGISTIC"), ("Tanh", "TANH"), ("HardSwish", "HARD_SWISH")]))
                x = writers.activation(x, *names)
        images.append(x)
    return writers.models(writers.classify(x, draw(st.integers(2, 9))) if draw(st.booleans()) else x)


@st.composite
def attentions(draw):
    """Attention of the standard of ONNX, heads before tokens, and the composite operator of LiteRT, heads after them.

    Heads of queries may share those of keys and values, and there may be a mask.
    """
    kv_heads, group, size = (draw(st.integers(1, most)) for most in (3, 3, 9))
    n, n_keys, has_mask = draw(st.integers(1, 9)), draw(st.integers(1, 9)), draw(st.booleans())
    shapes = [(n, kv_heads * group), (n_keys, kv_heads), (n_keys, kv_heads)]
    names = ["q", "k", "v", "mask"] if has_mask else ["q", "k", "v"]
    inputs = [info(name, (1, heads, length, size)) for name, (length, heads) in zip(names, shapes, strict=False)]
    inputs += [info("mask", (1, 1, n, n_keys))] * has_mask
    model = onnx_model([node("Attention", " ".join(names), "y")], inputs, opset=23)
    whole, parts = TfliteMaker(), TfliteMaker()
    ends = []
    for maker in (whole, parts):
        read = [maker.tensor((1, length, heads, size)) for length, heads in shapes]
        read += [maker.tensor((1, 1, n, n_keys))] * has_mask
        ends.append((read, maker.tensor((1, n, kv_heads * group, size))))
    (read, made), (given, inner) = ends
    whole.op("STABLEHLO_COMPOSITE", read, [made], "StableHLOCompositeOptions",
             Name="odml.scaled_dot_product_attention", DecompositionSubgraphIndex=1)  # fmt: skip
    parts.op("LOGISTIC", given[:1], [inner])
    return model, write_tflite([(whole, read, [made]), (parts, given, [inner])])
