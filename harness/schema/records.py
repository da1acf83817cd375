"""The three record levels: what a contributor's row holds, and what a published record adds to it."""

from typing import Final

from pydantic import BaseModel, ConfigDict

from harness.schema import quantities as q
from harness.schema.networks import NetworkKernels
from harness.schema.vocabulary import Level


class Row(BaseModel):
    """What every row of a submission states, at any level."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    delegate: q.Delegate
    dtype: q.DtypeName
    is_idle_subtracted: q.IsIdleSubtracted
    energy_mj: q.EnergyMj
    batch_size: q.BatchSize = 1
    latency_ms: q.LatencyMs | None = None
    power_mw: q.PowerMw | None = None
    supply_mv: q.SupplyMv | None = None
    n_runs: q.NRuns | None = None
    energy_std_mj: q.EnergyStdMj | None = None
    energy_min_mj: q.EnergyMinMj | None = None
    energy_max_mj: q.EnergyMaxMj | None = None
    rounds: q.Rounds | None = None
    source_id: q.SourceId | None = None


class KernelRow(Row):
    """One kernel in one configuration, as a contributor writes it into `kernels.csv`."""

    kernel: q.KernelName
    input_h: q.InputH | None = None
    input_w: q.InputW | None = None
    cin: q.Cin | None = None
    cout: q.Cout | None = None
    kernel_h: q.KernelH | None = None
    kernel_w: q.KernelW | None = None
    stride_h: q.StrideH | None = None
    stride_w: q.StrideW | None = None
    groups: q.Groups | None = None
    cin2: q.Cin2 | None = None
    cin3: q.Cin3 | None = None
    cin4: q.Cin4 | None = None


class ModelRow(Row):
    """One network, as a contributor writes it into `models.csv`."""

    model: q.ModelName
    family: q.FamilyName
    variant: q.VariantName | None = None
    input_shape: q.InputShape | None = None
    flops: q.Flops | None = None
    params: q.Params | None = None


class ApplicationRow(Row):
    """One application with its reference network, as a contributor writes it into `applications.csv`."""

    application: q.ApplicationName
    dnn: q.Dnn
    reference_model: q.ReferenceModel
    input_shape: q.InputShape | None = None


class Provenance(BaseModel):
    """What a published record adds to a row: where it comes from and how good the evidence is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    record_id: q.RecordId
    device_id: q.DeviceId
    submission_id: q.SubmissionId
    processor: q.ProcessorName
    runtime: q.RuntimeName
    method: q.MethodName
    tier: q.TierName


class KernelRecord(KernelRow, Provenance):
    """One published kernel row, with its derived cost."""

    configuration_id: q.ConfigurationId
    flops: q.Flops
    params: q.Params
    bytes_moved: q.BytesMoved


class ModelRecord(ModelRow, Provenance):
    """One published model row, with its kernel list where the submission has one."""

    kernel_runtime: q.FusionRuntime | None = None
    kernels: NetworkKernels | None = None


class ApplicationRecord(ApplicationRow, Provenance):
    """One published application row."""


ROWS: Final[dict[Level, type[Row]]] = {
    "kernels": KernelRow,
    "models": ModelRow,
    "applications": ApplicationRow,
}
RECORDS: Final[dict[Level, type[BaseModel]]] = {
    "kernels": KernelRecord,
    "models": ModelRecord,
    "applications": ApplicationRecord,
}
KEYS: Final[dict[Level, tuple[str, ...]]] = {
    "kernels": (
        "kernel", "input_h", "input_w", "cin", "cout", "kernel_h", "kernel_w", "stride_h", "stride_w",
        "groups", "cin2", "cin3", "cin4",
    ),
    "models": ("model", "family", "variant", "input_shape"),
    "applications": ("application", "dnn", "reference_model", "input_shape"),
}  # fmt: skip
"""Fields that say what was run, per level; with the shared ones they identify a measurement."""
SHARED_KEY: Final[tuple[str, ...]] = ("delegate", "dtype", "batch_size", "is_idle_subtracted")
"""Fields that say how it was run."""
