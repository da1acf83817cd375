"""Operators of an ONNX graph and of the bodies in it, with names that are unique over all of them.

A body reads tensors of the graphs around it by their names, and two bodies may use one name for two tensors.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import onnx

from harness.graphs.ordering import Step, running_order


class FileOperator(NamedTuple):
    """One operator of the file.

    Attributes:
        node: the operator, its operands by their unique names.
        name: its name in messages.
        captured: tensors that its bodies read from around it, by their unique names.
        bodies: its bodies by attribute, with the names that the file has.
        names: unique name of every tensor that is visible where it stands, by the file's name.
        reads: tensors that it reads, those of its bodies included.
        makes: tensors that it makes.
    """

    node: onnx.NodeProto
    name: str
    captured: tuple[str, ...]
    bodies: Mapping[str, onnx.GraphProto]
    names: Mapping[str, str]
    reads: tuple[str, ...]
    makes: tuple[str, ...]


def operators_of(
    nodes: Iterable[onnx.NodeProto], names: Mapping[str, str] | None = None, prefix: str = ""
) -> list[FileOperator]:
    """Operators of a graph or of a body, in the file's order.

    Args:
        nodes: operators of the file.
        names: unique name of every tensor that is visible to them; None where the file's names are unique.
        prefix: what the names of the operators begin with.
    """
    found = []
    visible: Mapping[str, str] = {} if names is None else names
    for place, node in enumerate(nodes):
        holders = [item for item in node.attribute if item.HasField("g") or item.graphs]
        bodies = {item.name: item.g for item in holders if item.HasField("g")}
        captured = tuple(dict.fromkeys(visible.get(name, name) for name in _captured(holders)))
        renamed = node if names is None and node.domain != "ai.onnx" else _renamed(node, visible)
        name = f"{prefix}{node.name or f'{node.op_type}_{place}'}"
        reads = (*filter(None, renamed.input), *captured)
        found.append(FileOperator(renamed, name, captured, bodies, visible, reads, tuple(filter(None, renamed.output))))
    return found


def _renamed(node: onnx.NodeProto, names: Mapping[str, str]) -> onnx.NodeProto:
    domain = "" if node.domain == "ai.onnx" else node.domain
    renamed = onnx.NodeProto(op_type=node.op_type, domain=domain, name=node.name)
    renamed.input.extend(names.get(name, name) for name in node.input)
    renamed.output.extend(names.get(name, name) for name in node.output)
    renamed.attribute.extend(item for item in node.attribute if not bodies_of(item))
    return renamed


def bodies_of(attribute: onnx.AttributeProto) -> tuple[onnx.GraphProto, ...]:
    """Bodies that an attribute holds."""
    return (attribute.g, *attribute.graphs) if attribute.HasField("g") else tuple(attribute.graphs)


def stored_in(graph: onnx.GraphProto) -> Iterator[str]:
    """Names of the constants that a graph or a body has with their values."""
    yield from (tensor.name for tensor in graph.initializer)
    yield from (tensor.values.name for tensor in graph.sparse_initializer)


def in_running_order(
    operators: list[FileOperator], given: set[str], outputs: tuple[str, ...], shown: str
) -> list[FileOperator]:
    """Operators in an order in which they can run.

    Args:
        operators: operators in the file's order.
        given: tensors that none of them makes.
        outputs: tensors that are taken from them.
        shown: file as messages show it.

    Raises:
        ModelFileError: a tensor with two origins or none, or operators that wait for each other.
    """
    steps = [Step(operator.name, operator.reads, operator.makes) for operator in operators]
    return [operators[place] for place in running_order(steps, given, outputs, shown)]


def _captured(attributes: Iterable[onnx.AttributeProto]) -> Iterator[str]:
    """Tensors that the bodies of an operator read from around it, by the file's names, from its attributes."""
    for attribute in attributes:
        for body in bodies_of(attribute):
            own = {info.name for info in body.input} | set(stored_in(body)) | {""}
            own |= {name for inner in body.node for name in inner.output}
            for inner in body.node:
                yield from (name for name in (*inner.input, *_captured(inner.attribute)) if name not in own)
            yield from (info.name for info in body.output if info.name not in own)
