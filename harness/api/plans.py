"""Plans of what to measure on a device."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from harness.api.arguments import AnyPath, OnStep, Paths, as_names, as_paths, check_known, silent
from harness.api.submissions import read_release
from harness.defaults import PLANS, RUNTIME, SUBMISSIONS
from harness.errors import UsageError
from harness.files.swap import lay_down, replacing
from harness.intake.names import require_folder_names
from harness.issues import quoted
from harness.planning.network_files import read_networks
from harness.planning.plan import MeasuredKernels, make_plan
from harness.planning.targets import DTYPE, TargetNetwork, reference_networks
from harness.prediction.predictable import has_kernels
from harness.predictor.features import kernel_frame
from harness.schema.plans import FORMATS, Plan
from harness.validation.former import device_of
from harness.validation.tree import campaign_paths

PLAN_FILE: Final = "plan.json"
_OPTIONS: Final = {"system_id": "--system", "delegate": "--delegate"}


@dataclass(frozen=True, slots=True)
class WrittenPlan:
    """A plan that was written.

    Attributes:
        folder: where it lies: `plan.json`, and model files in `kernels/` and `networks/`.
        plan: contents of `plan.json`.
        n_bytes: bytes of the model files.
    """

    folder: Path
    plan: Plan
    n_bytes: int


def plan(
    device_id: str,
    n_rows: int = 20,
    *,
    networks: Sequence[AnyPath] = (),
    inputs: Sequence[str] = (),
    runtime: str | None = None,
    system: str | None = None,
    delegate: str | None = None,
    dtype: str = DTYPE,
    formats: Sequence[str] = (),
    seed: int = 0,
    out: AnyPath | None = None,
    data: Paths | None = None,
    on_step: OnStep = silent,
) -> WrittenPlan:
    """Choose kernels to measure on a device, and write them as small model files with a plan.

    Those are chosen that leave least variance of the energies of the networks' kernels. Kernels that the device was
    measured on before, in the submissions, count as known and are not chosen. The same arguments give the same bytes.

    Args:
        device_id: device; a new one has no submissions yet.
        n_rows: kernels to measure.
        networks: ONNX or TFLite files of the networks that predictions are wanted for; those with weights are measured
            as a whole too. The reference networks of all model families where none is given.
        inputs: extents of network inputs that these files leave open, each as `name=1x3x224x224`.
        runtime: fusion rules that make kernels of networks, one of `runtime_names()`; those of each file's format by
            default.
        system: system of the device, by its id; needed where kernels of several were measured.
        delegate: how the device runs; needed where it was measured with several.
        dtype: data type of the kernels; fp32 is the only one that is written.
        formats: formats of the files, `onnx` or `tflite`; both by default.
        seed: seed of the draw, of the weights and of the order.
        out: folder to write into, which must be empty or new; `dist/plans/<device>` by default.
        data: submissions, of which those of the device are read; `submissions`, if it is there, by default.
        on_step: called with each campaign's path before it is read, and with the number of campaigns.

    Raises:
        UsageError: a name is unknown, fewer kernels can be measured than are wanted, or the folder has files.
        ModelFileError: a file is no model, is broken, or leaves extents open.
        InvalidSubmissionsError: a submission of the device has an error.

    Examples:
        >>> from harness import api
        >>> written = api.plan("my-board", 2, networks=["net.onnx"], out="plan")
        >>> [(kernel.kernel, kernel.cin, kernel.cout) for kernel in written.plan.kernels][:1]
        [('fc', 20, 10)]
    """
    require_folder_names(device_id)
    check_known("format", chosen := as_names(formats), FORMATS)
    if dtype != DTYPE:
        raise UsageError(f"kernels cannot be written in {quoted(dtype)}; expected {DTYPE}, which the files are in")
    folder = PLANS / device_id if out is None else Path(out)
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise UsageError(f"{folder.as_posix()} is not an empty folder; name another with --out, or remove it")
    references = reference_networks(runtime or RUNTIME)
    read = read_networks([Path(path) for path in networks], runtime, as_names(inputs))
    asked = [TargetNetwork(each.model, 1.0, each.kernels.kernels, each.file) for each in read]
    measured = _measured(device_id, system, delegate, data, on_step)
    made = make_plan(
        device_id, asked or references, references, n_rows, seed=seed, delegate=delegate, measured=measured,
        formats=[form for form in FORMATS if form in chosen or not chosen],
    )  # fmt: skip
    text = json.dumps(made.plan.as_json(), indent=2, ensure_ascii=False) + "\n"
    with replacing(folder) as fresh:
        lay_down({PLAN_FILE: text.encode(), **made.contents}, fresh)
    return WrittenPlan(folder, made.plan, sum(map(len, made.contents.values())))


def _measured(
    device_id: str, system: str | None, delegate: str | None, data: Paths | None, on_step: OnStep
) -> MeasuredKernels | None:
    """Kernels that the device was measured on; None for a device without such rows.

    Raises:
        UsageError: it was measured in several ways, and none is chosen.
    """
    # Whoever measures a first device has no submissions yet.
    folders = [path for path in (SUBMISSIONS,) if path.exists()] if data is None else as_paths(data)
    campaigns = campaign_paths(folders)
    device_id = device_of(device_id, campaigns)
    own = [path for path in campaigns if path.parent.name == device_id]
    if not any(map(has_kernels, own)):
        return None
    rows = read_release(own, on_step=on_step).levels["kernels"]
    for name, value in {"dtype": DTYPE, "system_id": system, "delegate": delegate}.items():
        if value is not None:
            rows = rows.filter(pc.equal(rows.column(name), value))
    for name, option in _OPTIONS.items():
        there = sorted(set(rows.column(name).to_pylist()))
        if len(there) > 1:
            raise UsageError(f"{device_id} was measured as {', '.join(there)}; choose one with {option}")
    if not rows.num_rows:
        return None
    return measured_kernels(rows)


def measured_kernels(rows: pa.Table) -> MeasuredKernels:
    """Kernels of rows, each configuration once."""
    frame, ids = kernel_frame(rows), rows.column("configuration_id").to_pylist()
    is_first = ~frame.assign(configuration_id=ids).duplicated("configuration_id")
    return MeasuredKernels(frame[is_first].reset_index(drop=True), frozenset(ids))
