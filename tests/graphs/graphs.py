"""Small graphs made in code: one method an operator, channels first, batch 1."""

from harness.graphs.fusion_rules import read_runtime
from harness.graphs.graph import Graph, Node, Tensor, Window
from harness.graphs.kernels import kernel_list

IMAGE = (1, 8, 16, 12)


class GraphMaker:
    """Adds operators one after the other; every method gives the name of the tensor that it makes."""

    def __init__(self, layout="channels-first", dtype="fp32", image=IMAGE):
        self.layout, self.dtype, self.image_shape = layout, dtype, image
        self.tensors, self.nodes, self.inputs = {}, [], []

    def tensor(self, shape, is_constant=False):
        name = f"{'w' if is_constant else 't'}{len(self.tensors)}"
        self.tensors[name] = Tensor(name, None if shape is None else tuple(shape), self.dtype, is_constant)
        return name

    def input(self, shape=None):
        self.inputs.append(self.tensor(shape or self.image_shape))
        return self.inputs[-1]

    def weight(self, *shape):
        return self.tensor(shape, is_constant=True)

    def shape(self, name):
        return self.tensors[name].shape

    def place(self, name):
        """Batch, channels, height and width of an image."""
        shape = self.shape(name)
        return shape if self.layout == "channels-first" else (shape[0], shape[3], *shape[1:3])

    def image(self, n, c, h, w):
        return (n, c, h, w) if self.layout == "channels-first" else (n, h, w, c)

    def add_node(self, op, inputs, shapes, window=None, **facts):
        outputs = [self.tensor(shape) for shape in shapes]
        self.nodes.append(Node(f"{op}_{len(self.nodes)}", op, tuple(inputs), tuple(outputs), window, **facts))
        return outputs[0] if len(outputs) == 1 else outputs

    def op(self, op, *inputs, shape=None):
        """An operator whose output has the extents of its first activation, or those given."""
        first = next(name for name in inputs if not self.tensors[name].is_constant)
        return self.add_node(op, inputs, [shape or self.shape(first)])

    def conv(self, x, cout=8, kernel=(3, 3), stride=(1, 1), groups=1, dilation=(1, 1), bias=False, rank=2):
        n, cin, h, w = self.place(x)
        weights = [self.weight(cout, cin // groups, *kernel), *([self.weight(cout)] if bias else [])]
        made = self.image(n, cout, -(-h // stride[0]), -(-w // stride[1]))
        return self.add_node("conv", [x, *weights], [made], Window(kernel, stride, dilation, groups, rank))

    def dwconv(self, x, **options):
        channels = self.place(x)[1]
        return self.conv(x, groups=channels, **{"cout": channels, **options})

    def pool(self, x, op="maxpool", kernel=(2, 2), stride=(2, 2)):
        n, c, h, w = self.place(x)
        return self.add_node(
            op, [x], [self.image(n, c, -(-h // stride[0]), -(-w // stride[1]))], Window(kernel, stride)
        )

    def global_pool(self, x):
        n, c, _, _ = self.place(x)
        return self.op("global-avgpool", x, shape=self.image(n, c, 1, 1))

    def bn(self, x):
        c = self.place(x)[1] if len(self.shape(x)) == 4 else self.shape(x)[-1]
        return self.op("bn", x, *(self.weight(c) for _ in range(4)))

    def vector(self, x):
        """A constant with one number a channel of an image."""
        c = self.place(x)[1]
        return self.weight(c, 1, 1) if self.layout == "channels-first" else self.weight(c)

    def fc(self, x, cout=4, bias=True):
        cin = self.shape(x)[-1]
        weights = [self.weight(cout, cin), *([self.weight(cout)] if bias else [])]
        return self.op("fc", x, *weights, shape=(*self.shape(x)[:-1], cout))

    def concat(self, *inputs):
        n, _, h, w = self.place(inputs[0])
        return self.op("concat", *inputs, shape=self.image(n, sum(self.place(x)[1] for x in inputs), h, w))

    def shuffle(self, x, groups=2):
        n, c, h, w = self.place(x)
        if self.layout == "channels-first":
            split, turned = (n, groups, c // groups, h, w), (n, c // groups, groups, h, w)
        else:
            split, turned = (n, h, w, groups, c // groups), (n, h, w, c // groups, groups)
        y = self.op("reshape", x, shape=split)
        return self.op("reshape", self.op("transpose", y, shape=turned), shape=self.shape(x))

    def split(self, x):
        """Two halves of the channels of an image."""
        n, c, h, w = self.place(x)
        return self.add_node("split", [x], [self.image(n, c // 2, h, w)] * 2)

    def squeeze(self, x, gate="sigmoid", has_reshape=True):
        """Squeeze-and-excitation by a quarter, with fully connected layers or with 1 x 1 convolutions."""
        n, c, _, _ = self.place(x)
        squeezed = max(c // 4, 1)
        y = self.global_pool(x)
        if has_reshape:
            y = self.fc(self.op("reshape", y, shape=(n, c)), squeezed)
            y = self.op(gate, self.fc(self.op("relu", y), c))
            y = self.op("reshape", y, shape=self.image(n, c, 1, 1))
        else:
            y = self.op("relu", self.conv(y, squeezed, (1, 1), bias=True))
            y = self.op(gate, self.conv(y, c, (1, 1), bias=True))
        return self.op("mul", x, y)

    def graph(self, *outputs, folded=None):
        return Graph(
            "made", self.layout, tuple(self.nodes), self.tensors, tuple(self.inputs), outputs, folded=folded or {}
        )

    def kernels(self, *outputs, runtime="tflite-cpu"):
        return kernel_list(self.graph(*outputs), read_runtime(runtime)).kernels

    def operators(self, *outputs, runtime="tflite-cpu"):
        return [kernel.operator for kernel in self.kernels(*outputs, runtime=runtime)]


def long_graph(n_nodes):
    """Residual blocks with squeeze-and-excitation, 20 operators each, one after the other."""
    maker = GraphMaker()
    x = maker.input()
    while len(maker.nodes) < n_nodes:
        y = maker.op("relu", maker.bn(maker.conv(x)))
        y = maker.squeeze(maker.op("relu6", maker.bn(maker.dwconv(y))))
        y = maker.op("add", maker.bn(maker.conv(y)), x)
        x = maker.op("identity", maker.shuffle(maker.op("relu", y)))
    return maker.graph(x)
