"""Tensors of an ONNX network: type, extents, and the values of small constants, as far as they are known.

Shape inference is that of the onnx package, operator by operator, and so is arithmetic on shapes.
"""

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, TypeProto, helper
from onnx.defs import OpSchema, SchemaError
from onnx.shape_inference import InferenceError, infer_node_outputs

from harness.graphs.faults import ModelFileError, model_issue
from harness.graphs.input_extents import absurd
from harness.graphs.onnx_alike import ABSENT, BY_EXTENTS, Alike, Signature, alike
from harness.graphs.onnx_corrections import as_inferred, corrected
from harness.graphs.onnx_dtypes import STORED, bytes_of
from harness.graphs.onnx_evaluation import EVALUATED, evaluated
from harness.graphs.onnx_functions import made_by_body
from harness.graphs.onnx_operand_faults import contradiction_of, counted_fault
from harness.graphs.onnx_runtime_shapes import IN_STANDARD, TYPED_BY, made_by_runtime
from harness.graphs.onnx_twins import TWINS, twin_of
from harness.graphs.onnx_values import MOST_VALUES, SmallValues
from harness.issues import Issue
from harness.schema.vocabulary import StoredDtype

_STORED_ALIKE: Final = frozenset(
    {"DequantizeLinear", "Expand", "Identity", "Reshape", "Squeeze", "Tile", "Transpose", "Unsqueeze"}
)
"""Operators that do not change the elements of a constant, but may repeat them."""
_SHAPE_OPERANDS: Final[Mapping[str, int]] = {
    "ConstantOfShape": 0, "Expand": 1, "Reshape": 1, "Resize": 1, "Tile": 1, "Upsample": 1,
}  # fmt: skip
"""Operators that read a shape, and from which place; one of absurd length makes shape inference build as many extents.
"""
_MOST_RANK: Final = 64
_UNKNOWN: Final = TypeProto()
_Output = tuple[TypeProto | None, tuple[int, ...] | None]
_INFERENCE_FAULTS: Final = (InferenceError, onnx.checker.ValidationError, RuntimeError, ValueError)


def shape_of(kind: TypeProto | None) -> tuple[int, ...] | None:
    """Extents of a tensor type; None where one is open, or where it is not a tensor."""
    if kind is None or not kind.tensor_type.HasField("shape"):
        return None
    dims = kind.tensor_type.shape.dim
    shape = tuple([dim.dim_value for dim in dims])
    if min(shape, default=1) > 0:
        return shape
    # One that is not stated reads as 0.
    is_known = all(dim.HasField("dim_value") and dim.dim_value >= 0 for dim in dims)
    return shape if is_known else None


class Tensors:
    """Tensors of one network, inferred in the order of its operators.

    Attributes:
        constants: names of the tensors that are constants, with or without known values.
        opsets: version by operator domain.
        contradicted: extents of tensors for which the file declares others, and those that it declares, by name.
    """

    def __init__(self, opsets: Mapping[str, int], declared: Mapping[str, TypeProto], shown: str) -> None:
        """Begin without any tensor.

        Args:
            opsets: version by operator domain.
            declared: types that the file states for tensors in between.
            shown: file as messages show it.
        """
        self.constants: set[str] = set()
        self.contradicted: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {}
        self.opsets = dict(opsets)
        self._imports = [helper.make_opsetid(domain, version) for domain, version in opsets.items()]
        self._declared = dict(declared)
        self._shown = shown
        self._types: dict[str, TypeProto] = {}
        self._shapes: dict[str, tuple[int, ...] | None] = {}
        self._values = SmallValues()
        self._stored: dict[str, StoredDtype | None] = {}
        self._beside: dict[str, int] = {}
        self._origins: dict[str, str] = {}
        self._signatures: dict[str, Signature] = {"": ABSENT}
        self._kinds: dict[Signature, TypeProto] = {}
        self._learnt: dict[Alike, list[_Output]] = {}
        self._schemas: dict[tuple[str, str], OpSchema | None] = {}

    def shape(self, name: str) -> tuple[int, ...] | None:
        """Extents of a tensor; None where they are unknown."""
        return self._shapes.get(name)

    def _type(self, name: str, kind: TypeProto, shape: tuple[int, ...] | None) -> None:
        self._types[name] = kind
        self._shapes[name] = shape
        if shape is None:
            self._signatures.pop(name, None)
        else:
            self._signatures[name] = kind.tensor_type.elem_type, shape

    def has(self, name: str) -> bool:
        """Whether a tensor has been added, or learnt of."""
        return name in self._types

    def kind(self, name: str) -> TypeProto:
        """Type of a tensor; an empty one where nothing is known of it."""
        return self._types.get(name, _UNKNOWN)

    @property
    def version(self) -> int:
        """Version of the standard operators; 0 where the file states none."""
        return self.opsets.get("", 0)

    def value(self, name: str) -> NDArray[Any] | None:
        """Values of a small constant; None where they are unknown."""
        return self._values.array(name) if name in self._values else None

    def number(self, name: str) -> NDArray[Any] | None:
        """Value of a constant of one element; None for others, whose values are not read."""
        shape = self.shape(name)
        return self.value(name) if shape is not None and math.prod(shape) == 1 else None

    def stored(self, name: str) -> StoredDtype | None:
        """Data type of the elements of a tensor as stored; None where it is unknown, or none of a weight."""
        if name in self._stored:
            return self._stored[name]
        kind = self._types.get(name)
        return None if kind is None else STORED.get(kind.tensor_type.elem_type)

    def n_bytes_beside(self, name: str) -> int:
        """Bytes of the scales and zero points of a constant that is stored quantised; single numbers are none."""
        return self._beside.get(name, 0)

    def stored_as(self, name: str) -> str:
        """Name of the constant whose elements a constant has."""
        return self._origins.get(name, name)

    def add(self, name: str, kind: TypeProto, *, is_constant: bool = False) -> None:
        """Add an input or a constant without values."""
        self._type(name, kind, shape_of(kind))
        if is_constant:
            self.constants.add(name)

    def add_constant(self, name: str, tensor: TensorProto) -> None:
        """Add a constant; values outside the file are not read.

        Raises:
            ModelFileError: its extents or the amount of its data are impossible.
        """
        dims = tuple(tensor.dims)
        issues = list(absurd(name, dims, self._shown))
        if issues:
            raise ModelFileError(issues)
        key = (tensor.data_type, dims)
        if key not in self._kinds:
            self._kinds[key] = helper.make_tensor_type_proto(*key)
        self._type(name, self._kinds[key], dims)
        self.constants.add(name)
        try:
            self._values.keep_stored(name, tensor)
        except ValueError as error:
            raise ModelFileError([self._unreadable_values(name, dims)]) from error

    def add_constants_of(self, graph: onnx.GraphProto, names: Mapping[str, str] | None = None) -> None:
        """Add the constants that a graph or a body has with their values.

        Args:
            graph: graph.
            names: names to add them under; their own by default.

        Raises:
            ModelFileError: extents or the amount of the data of one are impossible.
        """
        named = names or {}
        for tensor in graph.initializer:
            self.add_constant(named.get(tensor.name, tensor.name), tensor)
        for sparse in graph.sparse_initializer:
            kind = helper.make_tensor_type_proto(sparse.values.data_type, tuple(sparse.dims))
            self.add(named.get(sparse.values.name, sparse.values.name), kind, is_constant=True)

    def declare(self, types: Mapping[str, TypeProto]) -> None:
        """Add types that the file states for tensors in between."""
        self._declared |= types

    def alias(self, name: str, of: str) -> None:
        """Add a tensor that is another one under a second name."""
        if of in self._types:
            self._type(name, self._types[of], self._shapes[of])
        self._stored[name] = self.stored(of)
        self._beside[name] = self.n_bytes_beside(of)
        if of in self.constants:
            self.constants.add(name)
            self._origins[name] = self.stored_as(of)
            self._values.alias(name, of)

    def _unreadable_values(self, name: str, dims: tuple[int, ...]) -> Issue:
        return model_issue(
            "model-format",
            self._shown,
            tensor=name,
            found="values that do not fill its extents",
            expected=f"{math.prod(dims)} values of its type",
            fix="Export the network again.",
        )

    def learn(self, node: onnx.NodeProto, captured: tuple[str, ...] = ()) -> None:
        """Infer types and extents of the outputs of an operator.

        Args:
            node: operator whose inputs are known.
            captured: tensors of the network that its bodies read.

        Raises:
            ModelFileError: its operands do not fit it, or its output is absurd.
        """
        outputs = [name for name in node.output if name]
        key = None if captured else alike(node, self._signatures.get, self._values)
        made = None if key is None else self._learnt.get(key)
        fault = contradiction = ""
        if made is None:
            contradiction = contradiction_of(node, self.shape)
            nothing: list[_Output] = [(None, None)] * len(outputs)
            made, fault = (nothing, contradiction) if contradiction else self._made(node, captured, outputs)
            if key is not None and not fault:
                self._learnt[key] = made
        for name, (kind, shape) in zip(outputs, made, strict=True):
            self._learn_type(name, kind, shape)
        issues = [issue for name in outputs for issue in absurd(name, self.shape(name) or (), self._shown)]
        if contradiction or (fault and any(self.shape(name) is None for name in outputs)):
            issues.append(
                model_issue(
                    "model-shape",
                    self._shown,
                    tensor=node.name or outputs[0],
                    found=f"{node.op_type} of operands that do not fit it; {fault}",
                    expected="operands as the operator defines them",
                    fix="Export the network again; check what is given with --input.",
                )
            )
        if issues:
            raise ModelFileError(issues)

    def _made(self, node: onnx.NodeProto, captured: tuple[str, ...], outputs: list[str]) -> tuple[list[_Output], str]:
        """Type and extents of each output of an operator, and what is wrong with operands that are all known."""
        found, fault = self._inferred(node, captured)
        made = [(found.get(name), shape_of(found.get(name))) for name in outputs]
        if not fault and any(shape is None for _, shape in made):
            found = {**found, **self._made_by_body(node, captured)}
            made = [(found.get(name), shape_of(found.get(name))) for name in outputs]
        return made, fault

    def _learn_type(self, name: str, found: TypeProto | None, made: tuple[int, ...] | None) -> None:
        """Take the type that was inferred, or declared where no extents were inferred, and note where they differ."""
        declared = self._declared.get(name)
        stated = shape_of(declared)
        if made is None and declared is not None and (found is None or stated is not None):
            found, made = declared, stated
        if found is None:
            return
        self._type(name, found, made)
        if made is not None and stated is not None and made != stated:
            self.contradicted[name] = made, stated

    def fold(self, node: onnx.NodeProto) -> None:
        """Add the outputs of an operator on constants or extents alone as constants, with their values where small."""
        outputs = [name for name in node.output if name]
        self.constants.update(outputs)
        if node.op_type in _STORED_ALIKE and node.input and outputs:
            self._stored[outputs[0]] = self.stored(node.input[0])
            self._origins[outputs[0]] = self.stored_as(node.input[0])
            self._beside[outputs[0]] = self.n_bytes_beside(node.input[0]) + self._n_bytes_of_scales(node)
        if node.op_type == "Constant" and len(node.attribute) == 1 and node.attribute[0].name == "value" and outputs:
            self.add_constant(outputs[0], node.attribute[0].t)
        elif node.op_type in ("Shape", "Size") and outputs:
            self._fold_shape(node, outputs[0])
        elif node.op_type in EVALUATED and all(name in self._values for name in node.input if name):
            shapes = [self.shape(name) for name in outputs]
            if all(shape is not None and math.prod(shape) <= MOST_VALUES for shape in shapes):
                given = {name: self._values.array(name) for name in node.input if name}
                for name, values in evaluated(node, given, self.opsets).items():
                    self._values.keep(name, values)

    def _n_bytes_of_scales(self, node: onnx.NodeProto) -> int:
        """Bytes of the scales and zero points of a dequantised constant; those of a bias follow from other scales."""
        if node.op_type != "DequantizeLinear" or self.stored(node.input[0]) == "int32":
            return 0
        return sum(bytes_of(self.shape(name), self.stored(name)) for name in node.input[1:] if name)

    def _fold_shape(self, node: onnx.NodeProto, output: str) -> None:
        shape = self.shape(node.input[0]) if node.input else None
        if shape is None:
            return
        if node.op_type == "Size":
            self._values.keep(output, np.array(math.prod(shape), np.int64))
            return
        ends = {attribute.name: attribute.i for attribute in node.attribute}
        self._values.keep(output, np.array(shape[ends.get("start", 0) : ends.get("end", len(shape))], np.int64))

    def _schema(self, domain: str, op: str) -> OpSchema | None:
        key = domain, op
        if key not in self._schemas:
            try:
                self._schemas[key] = onnx.defs.get_schema(op, self.opsets[domain], domain)
            except (KeyError, SchemaError):
                self._schemas[key] = None
        return self._schemas[key]

    def _inferred(self, node: onnx.NodeProto, captured: tuple[str, ...]) -> tuple[Mapping[str, TypeProto], str]:
        """Types of the outputs of an operator, and what is wrong with operands that are all known."""
        if node.domain and node.op_type in TWINS:
            return self._inferred_of_twin(node)
        schema = self._schema(node.domain, node.op_type)
        if schema is None or (schema.deprecated and node.op_type in IN_STANDARD):
            return self._inferred_of_runtime(node)
        fault = counted_fault(node)
        if fault:
            return {}, fault
        types, data = self._operands(node, captured)
        try:
            inferred = infer_node_outputs(schema, as_inferred(node), types, data, opset_imports=self._imports)
            return corrected(node, inferred, self.shape), ""
        except _INFERENCE_FAULTS as error:
            is_known = all(self.shape(name) is not None for name in types)
            return {}, _first_line(error) if is_known else ""

    def _operands(
        self, node: onnx.NodeProto, captured: tuple[str, ...]
    ) -> tuple[dict[str, TypeProto], dict[str, TensorProto]]:
        """Types of what an operator and its bodies read, and the values of the small constants among them."""
        types = {name: self._types.get(name, _UNKNOWN) for name in (*node.input, *captured) if name}
        read = () if node.op_type in BY_EXTENTS and not node.domain else types
        data = {name: self._values.tensor(name) for name in read if name in self._values}
        if node.op_type in _SHAPE_OPERANDS:
            for name in set(node.input[_SHAPE_OPERANDS[node.op_type] :]) & types.keys() - data.keys():
                shape = self.shape(name)
                if shape is not None and len(shape) == 1 and shape[0] > _MOST_RANK:
                    types[name] = _UNKNOWN
        return types, data

    def _made_by_body(self, node: onnx.NodeProto, captured: tuple[str, ...]) -> Mapping[str, TypeProto]:
        """Types of the outputs by the body that the standard defines the operator by; none where operands are open."""
        types, data = self._operands(node, captured)
        is_open = any(self.shape(name) is None for name in types)
        if captured or is_open or self._schema(node.domain, node.op_type) is None:
            return {}
        return made_by_body(node, types, data, self.opsets)

    def _inferred_of_runtime(self, node: onnx.NodeProto) -> tuple[Mapping[str, TypeProto], str]:
        """Type of the first output of an operator of ONNX Runtime: data type of its input, or of its scales."""
        is_of_runtime = node.op_type in IN_STANDARD if not node.domain else node.domain == "com.microsoft"
        if not is_of_runtime or not node.output:
            return {}, ""
        shapes = [self.shape(name) if name else () for name in node.input]
        is_table = node.op_type == "GatherBlockQuantized" and len(shapes) > 2
        if is_table and shapes[0] and self.stored(node.input[0]) == "uint8":
            bits = next((attribute.i for attribute in node.attribute if attribute.name == "bits"), 4)
            shapes[0] = (*shapes[0][:-1], shapes[0][-1] * 8 // max(bits, 1))
        try:
            shape = made_by_runtime(node, shapes)
        except ValueError as error:
            return {}, _first_line(error)
        if shape is None:
            return {}, ""
        place = TYPED_BY.get(node.op_type, 0)
        elements = self.kind(node.input[place if place < len(node.input) else 0]).tensor_type.elem_type
        return {node.output[0]: helper.make_tensor_type_proto(elements, shape)}, ""

    def _inferred_of_twin(self, node: onnx.NodeProto) -> tuple[Mapping[str, TypeProto], str]:
        """Types of the outputs of a quantised operator of ONNX Runtime; their data type is that of its input."""
        twin = twin_of(node)
        shapes = {name: self.shape(name) for name in twin.input}
        types = {name: helper.make_tensor_type_proto(TensorProto.FLOAT, shape) for name, shape in shapes.items()}
        try:
            found = infer_node_outputs(onnx.defs.get_schema(twin.op_type), twin, types)
        except _INFERENCE_FAULTS as error:
            return {}, _first_line(error) if None not in shapes.values() else ""
        elements = self.kind(node.input[0]).tensor_type.elem_type
        for kind in found.values():
            kind.tensor_type.elem_type = elements
        return found, ""


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0]
