"""Writes operators one after another as an ONNX model; it knows no layer and no network."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET: Final = 21
IR_VERSION: Final = 10


class OperatorWriter:
    """The operators and constants of one model; every operator and every constant has a name of its own."""

    def __init__(self) -> None:
        """Begin without operators."""
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}

    def node(self, op: str, inputs: list[str], **attributes: Any) -> str:
        """Append an operator with one output, and give the name of that."""
        name = f"{op.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def split(self, inputs: list[str], n_outputs: int, **attributes: Any) -> list[str]:
        """Append a split into equal parts, and give their names."""
        name = f"split_{len(self._nodes)}"
        outputs = [f"{name}_{part}" for part in range(n_outputs)]
        self._nodes.append(helper.make_node("Split", inputs, outputs, name=name, num_outputs=n_outputs, **attributes))
        return outputs

    def integers(self, *values: int) -> str:
        """Constant vector of integers, as extents and positions are."""
        return self._constant(f"integers_{'_'.join(map(str, values))}", TensorProto.INT64, [len(values)], values)

    def integer(self, value: int) -> str:
        """Constant integer without extents."""
        return self._constant(f"integer_{value}", TensorProto.INT64, [], [value])

    def number(self, value: float) -> str:
        """Constant number without extents."""
        return self._constant(f"number_{value:g}", TensorProto.FLOAT, [], [value])

    def array(self, values: npt.NDArray[np.float32]) -> str:
        """Constant of 32-bit floats, as weights are."""
        name = f"array_{len(self._constants)}"
        self._constants[name] = numpy_helper.from_array(values, name)
        return name

    def model(
        self,
        name: str,
        inputs: list[onnx.ValueInfoProto],
        outputs: list[onnx.ValueInfoProto],
        opset: int = OPSET,
        ir_version: int = IR_VERSION,
    ) -> onnx.ModelProto:
        """The finished model.

        Args:
            name: name of the network.
            inputs: inputs, and weights that have no values.
            outputs: outputs.
            opset: version of the operators.
            ir_version: version of the file's layout.
        """
        graph = helper.make_graph(self._nodes, name, inputs, outputs, list(self._constants.values()))
        opsets = [helper.make_opsetid("", opset)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=ir_version, producer_name="deepen")

    def _constant(self, name: str, kind: int, extents: list[int], values: Any) -> str:
        if name not in self._constants:
            self._constants[name] = helper.make_tensor(name, kind, extents, values)
        return name


def declared(name: str, extents: tuple[int, ...], kind: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    """Declaration of an input or output."""
    return helper.make_tensor_value_info(name, kind, extents)
