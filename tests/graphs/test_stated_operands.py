"""Costs that follow from what an operator states beside the extents of its first operand, and contradictions in it."""

import numpy as np
import pytest

from harness.graphs.faults import ModelFileError
from harness.graphs.kernels import kernel_list
from harness.graphs.onnx_reader import graph_of_onnx
from tests.graphs.models import IMAGE, info, node, number, numbers, onnx_model, weight
from tests.graphs.test_operator_costs import MICROSOFT, ORT, listed

DOUBLED = (1, 4, 16, 12)


@pytest.mark.parametrize("mode", [{}, {"mode": "nearest"}], ids=["no mode", "nearest"])
@pytest.mark.parametrize(("op", "inputs", "opset"), [("Resize", "x - s", 18), ("Upsample", "x s", 9)])
def test_a_plane_of_nearest_elements_costs_bytes_alone(op, inputs, opset, mode):
    found = listed(op, inputs, {"x": IMAGE}, DOUBLED, [number("s", [1, 1, 2, 2])], opset=opset, **mode)
    assert [kernel.operator for kernel in found.kernels] == ["resize-nearest"]
    assert (found.flops, found.params, found.bytes_moved) == (0, 0, 4 * (192 + 768))


@pytest.mark.parametrize(("op", "opset", "mode"), [("Resize", 18, "linear"), ("Resize", 18, "cubic")])
def test_a_plane_that_is_interpolated_costs_each_element(op, opset, mode):
    found = listed(op, "x - s", {"x": IMAGE}, DOUBLED, [number("s", [1, 1, 2, 2])], opset=opset, mode=mode)
    assert [(kernel.operator, kernel.flops) for kernel in found.kernels] == [("resize", 768)]


@pytest.mark.parametrize(("axis", "rows", "cin"), [({}, 32, 6), ({"axis": -2}, 4, 48), ({"axis": 1}, 1, 192)])
@pytest.mark.parametrize(
    ("op", "domain"),
    [("LayerNormalization", ""), ("RMSNormalization", ""), ("SimplifiedLayerNormalization", MICROSOFT)],
)
def test_a_normalisation_takes_all_from_its_axis_on_together(op, domain, axis, rows, cin):
    gain = IMAGE[axis.get("axis", -1) :]
    (kernel,) = listed(op, "x g", {"x": IMAGE}, IMAGE, [weight("g", gain)], domain=domain, **axis).kernels
    assert (kernel.kernel, kernel.rows, kernel.cin) == ("norm", rows, cin)


@pytest.mark.parametrize(("op", "beside"), [("Sum", -1), ("Max", -1), ("Min", -1), ("Mean", 0)])
@pytest.mark.parametrize("n", [2, 3, 4])
@pytest.mark.parametrize("last", ["alike", "one a channel", "constant", "first again"])
def test_arithmetic_has_one_operation_less_than_operands_and_a_mean_divides_besides(op, beside, n, last):
    read = dict.fromkeys("abcd"[: n - 1], IMAGE)
    shapes = {"alike": {"d": IMAGE}, "one a channel": {"d": (1, 4, 1, 1)}}.get(last, {})
    weights = [weight("d", IMAGE)] if last == "constant" else []
    inputs = " ".join([*read, "a" if last == "first again" else "d"])
    found = listed(op, inputs, read | shapes, IMAGE, weights)
    assert found.flops == (n + beside) * 192
    # A row of the type states two operands at most.
    assert n == 2 or found.kernels[0].kernel is None


@pytest.mark.parametrize(
    ("shape", "n"), [((), 1), ((1,), 1), ((8,), 8), ((1, 8), 8), ((4, 1), 4), ((4, 8), 32)], ids=str
)
def test_a_bias_has_the_parameters_that_are_stored(shape, n):
    found = listed("Gemm", "x w c", {"x": (4, 16)}, (4, 8), [weight("w", (16, 8)), weight("c", shape)])
    assert (found.flops, found.params) == (2 * 4 * 16 * 8, 16 * 8 + n)
    assert found.bytes_moved == 4 * (4 * 16 + 4 * 8 + 16 * 8 + n)


@pytest.mark.parametrize("n", [1, 8])
@pytest.mark.parametrize("way", ["Expand", "Tile"])
def test_a_weight_that_the_batch_repeats_has_the_parameters_that_are_stored(way, n):
    made = {
        "Expand": [node("Concat", "s one", "t", axis=0), node("Expand", "c t", "e")],
        "Tile": [node("Concat", "s ones", "t", axis=0), node("Tile", "c t", "e")],
    }
    nodes = [node("Shape", "x", "s", end=1), *made[way], node("Concat", "e x", "y", axis=1)]
    weights = [weight("c", (1, 1, 6)), numbers("one", 1, 6), numbers("ones", 1, 1)]
    model = onnx_model(nodes, [info("x", (n, 4, 6))], [info("y", (n, 5, 6))], weights)
    found = kernel_list(graph_of_onnx(model, "token.onnx"), ORT)
    assert (found.params, found.flops) == (6, 0)


@pytest.mark.parametrize(("window", "keys"), [(-1, 48), (8, 8), (48, 48), (64, 48)])
def test_queries_meet_the_keys_of_their_window(window, keys):
    shapes = {
        "q": (1, 16, 512), "k": (1, 16, 128), "v": (1, 16, 128), "p": (1, 2, 32, 64), "s": (1, 2, 32, 64),
        "l": (1, 1), "t": (),
    }  # fmt: skip
    heads = {"num_heads": 8, "kv_num_heads": 2, "local_window_size": window}
    found = listed("GroupQueryAttention", "q k v p s l t", shapes, (1, 16, 512), domain=MICROSOFT, **heads)
    assert found.flops == 2 * 2 * 8 * 16 * keys * 64


CELL = [weight("w", (1, 256, 32)), weight("r", (1, 256, 64))]
PACKED = [weight("w", (8, 1, 32), np.uint8), weight("s", (8,))]
CONTRADICTIONS = {
    "labels": ("Einsum", "a b", {"a": (3, 4), "b": (5, 6)}, [], {"equation": "ij,jk->ik"}, "j of ij,jk->ik is 4 and 5"),
    "state": ("LSTM", "x w r", {"x": (9, 1, 32)}, CELL, {"hidden_size": 32}, "a state of 32"),
    "input of a cell": ("LSTM", "x w r", {"x": (9, 1, 16)}, CELL, {"hidden_size": 64}, "16 inputs of a step"),
    "gates": ("GRU", "x w r", {"x": (9, 1, 32)}, CELL, {"hidden_size": 64}, "a state of 64"),
    "window": ("Conv", "x v", {"x": IMAGE}, [weight("v", (5, 4, 3, 3))], {"kernel_shape": [5, 5]}, "kernel_shape 5x5"),
    "channels": ("Conv", "x v", {"x": IMAGE}, [weight("v", (5, 3, 3, 3))], {}, "4 channels, and weights for 3"),
    "channels of a transposed one": (
        "ConvTranspose", "x v", {"x": IMAGE}, [weight("v", (5, 4, 3, 3))], {}, "4 channels, and weights for 5",
    ),
    "packed matrix": (
        "MatMulNBits", "x w s", {"x": (4, 32)}, PACKED, {"domain": MICROSOFT, "K": 64, "N": 8, "block_size": 64},
        "K of 64, and rows of 32",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", CONTRADICTIONS)
def test_operands_that_contradict_each_other_are_refused_though_the_output_is_declared(what):
    op, inputs, shapes, weights, attributes, message = CONTRADICTIONS[what]
    with pytest.raises(ModelFileError, match=f"y: {op} of operands that do not fit it; {message}") as caught:
        listed(op, inputs, shapes, (1, 1), weights, opset=22, **attributes)
    assert [issue.rule for issue in caught.value.issues] == ["model-shape"]


@pytest.mark.parametrize(
    ("op", "inputs", "shapes", "made", "weights", "attributes"),
    [
        ("Einsum", "a b", {"a": (3, 4), "b": (1, 6)}, (3, 6), [], {"equation": "ij,jk->ik"}),
        ("LSTM", "x w r", {"x": (9, 1, 32)}, (9, 1, 1, 64), CELL, {}),
        ("Conv", "x v", {"x": IMAGE}, (1, 6, 6, 4), [weight("v", (6, 2, 3, 3))], {"group": 2, "kernel_shape": [3, 3]}),
        ("ConvTranspose", "x v", {"x": IMAGE}, (1, 6, 10, 8), [weight("v", (4, 3, 3, 3))], {"group": 2}),
    ],
)
def test_operands_that_fit_are_counted(op, inputs, shapes, made, weights, attributes):
    assert listed(op, inputs, shapes, made, weights, opset=22, **attributes).flops > 0
