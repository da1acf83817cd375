"""Pictures of results as SVG; a module of its own, because only pictures need the charting library."""

from dataclasses import replace

from harness.api.traces import ReducedRun
from harness.issues import printable
from harness.prediction.energy_chart import energy_svg
from harness.prediction.prediction import Prediction
from harness.traces.formats import open_trace
from harness.traces.inferences import read_inferences
from harness.traces.plot import trace_svg
from harness.traces.trace import TraceFault


def draw_trace(reduced: ReducedRun) -> str:
    """SVG of the power trace of a run over time, with the windows of its inferences and its energy.

    Raises:
        UsageError: a file is no longer there.
        TraceFormatError: the trace cannot be read; `ReducedRun.reduction` is then the fault.

    Examples:
        >>> from harness import api
        >>> (run,) = api.reduce("run_power.csv", "run_inference_time.csv")
        >>> api.draw_trace(run).startswith("<svg")
        True
    """
    run = reduced.run
    reduction = None if isinstance(reduced.reduction, TraceFault) else reduced.reduction
    if reduction is not None and reduced.has_errors:
        reduction = replace(reduction, energy_mj=None)
    return trace_svg(open_trace(run.power, run.format, run.options), read_inferences(run.inferences), reduction)


def draw_energy(prediction: Prediction) -> str:
    """SVG of where the energy of a network goes, by kernel, or by kernel type for a deep network.

    The example of `predict` draws one.
    """
    return energy_svg(prediction.network, f"{printable(prediction.model)} on {prediction.subject.device_id}")
