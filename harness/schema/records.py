"""The three record levels: columns of a contributor's row, and those that a published record adds."""

from typing import Final, get_args

from pydantic import BaseModel, ConfigDict

from harness.schema import quantities as q
from harness.schema import run_quantities as run
from harness.schema.columns import columns_of
from harness.schema.configuration import Extents
from harness.schema.networks import NetworkKernels
from harness.schema.quantity import Group
from harness.schema.vocabulary import Level


class Row(BaseModel):
    """Columns of every row of a submission, at any level."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    delegate: q.Delegate
    dtype: q.DtypeName
    energy_kind: q.EnergyKindName
    energy_mj: q.EnergyMj
    energy_u_mj: q.EnergyUMj | None = None
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


class _TypedRow(Row):
    kernel: q.KernelName
    function: q.FunctionName | None = None


class KernelRow(Extents, _TypedRow):
    """One kernel in one configuration, as a contributor writes it into `kernels.csv`."""


class ModelRow(Row):
    """One network, as a contributor writes it into `models.csv`."""

    model: q.ModelName
    family: q.FamilyName
    variant: q.VariantName | None = None
    input_shape: q.InputShape | None = None
    flops: q.Flops | None = None
    params: q.Params | None = None
    accuracy_percent: run.AccuracyPercent | None = None
    accuracy_dataset: run.AccuracyDataset | None = None
    auc: run.Auc | None = None
    latency_p90_ms: run.LatencyP90Ms | None = None
    latency_unmetered_ms: run.LatencyUnmeteredMs | None = None
    idle_before_mw: run.IdleBeforeMw | None = None
    idle_after_mw: run.IdleAfterMw | None = None
    repeat_energy_mj: run.RepeatEnergyMj | None = None
    repeat_latency_ms: run.RepeatLatencyMs | None = None


class ApplicationRow(Row):
    """One application with its reference network, as a contributor writes it into `applications.csv`."""

    application: q.ApplicationName
    dnn: q.Dnn
    reference_model: q.ReferenceModel
    input_shape: q.InputShape | None = None


class Provenance(BaseModel):
    """Columns that a published record adds to a row: its source and its evidence."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    record_id: q.RecordId
    device_id: q.DeviceId
    system_id: q.SystemId
    submission_id: q.SubmissionId
    processor: q.ProcessorName
    runtime: q.RuntimeName
    method: q.MethodName
    tier: q.TierName
    boundary: q.BoundaryName
    rails: q.Rails


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


def in_groups(model: type[BaseModel], *groups: Group) -> tuple[str, ...]:
    """Columns of a row or record that belong to one of the groups, in order of declaration."""
    return tuple(name for name, column in columns_of(model).items() if column.quantity.group in groups)


KEYS: Final[dict[Level, tuple[str, ...]]] = {level: in_groups(row, "workload") for level, row in ROWS.items()}
"""Fields that state what was run, per level; with the shared ones they identify a measurement."""
SHARED_KEY: Final = ("delegate", "dtype", "batch_size", "energy_kind")
"""Fields that state how it was run, in the order in which a release sorts its rows."""


def require_complete(model: type[BaseModel]) -> None:
    """Refuse a record with a column that no page can show, or with a setting by which no release sorts.

    Raises:
        TypeError: a column declares no group or no display, or the settings are not those of the shared key.
    """
    for name, column in columns_of(model).items():
        # Type checkers do not look into `Annotated`.
        if column.quantity.group not in get_args(Group) or column.quantity.display is None:
            groups = ", ".join(get_args(Group))
            raise TypeError(f"{model.__name__}.{name}: declare its display, and its group as one of {groups}")
    if set(in_groups(model, "setting")) != set(SHARED_KEY):
        raise TypeError(f"{model.__name__}: its settings are not those of SHARED_KEY")


for _record in RECORDS.values():
    require_complete(_record)
