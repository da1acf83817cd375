"""Costs that follow from what an operator states beside its extents: mode, axis, and the number of its operands."""

import pytest

from tests.graphs.models import IMAGE, number, weight
from tests.graphs.test_operator_costs import MICROSOFT, listed

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
