"""What commands print as JSON, declared once: these models make the output, and their JSON Schemas are published."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.schema import quantities as q
from harness.schema import run_quantities as run
from harness.schema.networks import COUNTED, ListedKernel, NetworkKernel, count_of
from harness.schema.results import Sha256

Share = Annotated[float, Field(ge=0, le=1)]
Millijoules = Annotated[float, Field(ge=0, json_schema_extra={"unit": "mJ"})]
Count = Annotated[int, Field(ge=0)]


class Output(BaseModel):
    """Part of an output; null says that a value is unknown, or that there is none."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)

    def as_json(self) -> dict[str, Any]:
        """The output as JSON has it."""
        return self.model_dump(mode="json")


class Coverage(Output):
    """Share of a network, from 0 to 1, that has a kernel type or, in a prediction, an energy."""

    kernels: Share = Field(description="Share of the kernels.")
    flops: Share | None = Field(description="Share of the FLOPs; null where some are unknown.")
    bytes: Share | None = Field(description="Share of the bytes moved; null where some are unknown.")


class Missing(Output):
    """Kernels of one operator that are not covered."""

    operator: q.OperatorName
    n: int = Field(ge=1, description="Number of such kernels.")
    flops_share: Share | None = Field(description="Their share of the FLOPs; null where it is unknown.")
    bytes_share: Share | None = Field(description="Their share of the bytes moved; null where it is unknown.")


class MissingEnergy(Missing):
    """Kernels of one operator without a predicted energy."""

    reason: str = Field(description="Why there is none.")


class Total(Output):
    """Sums over the kernels of a network."""

    n_kernels: int = Field(ge=1, description="Number of kernels.")
    flops: Count | None = Field(description="FLOPs of one inference; null where some are unknown.")
    flops_at_least: Count = Field(description="FLOPs of the kernels whose FLOPs are known.")
    params: Count = Field(description="Parameters; one that several kernels read counts once.")
    bytes_moved: Count | None = Field(description="Bytes that all kernels move; null where some are unknown.")
    bytes_at_least: Count = Field(description="Bytes of the kernels whose bytes are known.")


class UnknownExtents(Output):
    """First operator of a network whose extents are unknown."""

    operator: str = Field(description="Name of the operator in the file.")
    tensor: str = Field(description="Tensor that it reads or makes.")


class KernelsOutput(Output):
    """What `deepen kernels MODEL --format json` prints: the kernels that a runtime executes for a model file."""

    schema_version: Literal[1] = Field(1, description="Version of this layout.")
    model: str = Field(description="Name of the file, without its ending.")
    runtime: str = Field(description="Fusion rules.")
    batch: int = Field(ge=1, description="Inferences that run together in the file; all counts are for one.")
    kernels: list[ListedKernel] = Field(min_length=1, description="Kernels in order of execution.")
    total: Total
    coverage: Coverage
    unknown: list[str] = Field(description="Operators whose FLOPs are unknown.")
    extents_unknown_from: UnknownExtents | None
    unsupported: list[Missing] = Field(description="Operators without a kernel type.")
    free: dict[str, int] = Field(description="Operators that run no kernel, with their number.")
    notes: list[str] = Field(description="What the counts rest on that the file does not settle.")

    def as_json(self) -> dict[str, Any]:
        """The output as JSON has it; fields that a kernel's type does not have are left out."""
        return super().as_json() | {"kernels": [_without_empty(kernel) for kernel in self.kernels]}


class PredictedKernel(ListedKernel):
    """One kernel of a network with its energy."""

    energy_mj: Millijoules | None = Field(description="Energy; null where the kernel is not covered.")
    low_mj: Millijoules | None = Field(description="Lower bound; null where there is no interval.")
    high_mj: Millijoules | None = Field(description="Upper bound; null where there is no interval.")
    share: Share | None = Field(description="Share of the predicted energy.")


class FitFacts(Output):
    """What a predictor was fitted on."""

    file: str | None = Field(description="File that it was loaded from; null where it was fitted now, or kept since.")
    predictor_version: str = Field(description="Version of the predictor's code.")
    data_sha256: Sha256 = Field(description="Content of the rows.")
    n_rows: int = Field(ge=1, description="Number of rows.")
    harness_version: str = Field(description="Release of the program.")


class Outside(Output):
    """Kernels of one type with values in one field that the predictor was not fitted on."""

    kernel: q.KernelName
    field: str = Field(description="Field, or fields that go together.")
    found: str = Field(description="Values of the network.")
    learnt: str = Field(description="Values fitted on.")
    numbers: list[int] = Field(min_length=1, description="Numbers of the kernels, from 1.")
    energy_share: Share = Field(description="Their share of the predicted energy.")


class PredictionOutput(Output):
    """What `deepen predict MODEL --format json` prints: the energy of one inference on a device."""

    schema_version: Literal[1] = Field(1, description="Version of this layout.")
    model: str = Field(description="Name of the file, without its ending.")
    runtime: str = Field(description="Fusion rules that made the kernels.")
    rows_runtime: str | None = Field(description="Fusion rules that the device's rows go with; null where unknown.")
    batch: int = Field(ge=1, description="Inferences that run together in the file; the energy is of one.")
    device_id: q.DeviceId
    system_id: q.SystemId
    delegate: q.Delegate
    dtype: q.DtypeName
    energy_kind: q.EnergyKindName
    batch_size: q.BatchSize
    tier: q.TierName
    boundary: q.BoundaryName
    predictor: str = Field(description="Predictor, by its key.")
    fitted: FitFacts
    energy_mj: Millijoules = Field(description="Energy of the kernels that are covered.")
    low_mj: Millijoules | None = Field(description="Lower bound; null where there is no interval.")
    high_mj: Millijoules | None = Field(description="Upper bound; null where there is no interval.")
    interval_coverage: float = Field(gt=0, lt=1, description="Nominal coverage of the interval.")
    why_no_interval: str = Field(description="Why there is no interval; empty where there is one.")
    is_complete: bool = Field(description="Whether all kernels are covered; if not, the energy is a part.")
    is_extrapolated: bool = Field(
        description="Whether most of the energy is of kernels unlike all that the predictor was fitted on."
    )
    extrapolated_share: Share = Field(description="Share of the energy in such kernels.")
    coverage: Coverage
    kernels: list[PredictedKernel] = Field(min_length=1, description="Kernels in order of execution.")
    missing: list[MissingEnergy] = Field(description="Kernels that are not in the energy.")
    warnings: list[Outside] = Field(description="Kernels outside of what the predictor was fitted on.")
    notes: list[str] = Field(description="What else a reader of the figure should know.")

    def as_json(self) -> dict[str, Any]:
        """The output as JSON has it; fields that a kernel's type does not have are left out."""
        return super().as_json() | {"kernels": [_without_empty(kernel) for kernel in self.kernels]}


class RowsOfType(Output):
    """Kernel rows of one type."""

    kernel: q.KernelName
    n_rows: int = Field(ge=1, description="Number of rows.")


class Predictable(Output):
    """One way of running a device that `deepen predict` can be asked for."""

    device_id: q.DeviceId
    system_id: q.SystemId
    name: str = Field(description="Name of the device.")
    delegate: q.Delegate
    processor: q.ProcessorName
    dtype: q.DtypeName
    tier: q.TierName
    boundary: q.BoundaryName
    energy_kind: q.EnergyKindName
    runtime: str | None = Field(description="Fusion rules that its rows go with; null where unknown.")
    stated_runtime: str = Field(description="Runtime as its submissions state it.")
    n_rows: int = Field(ge=1, description="Number of kernel rows.")
    kernels: list[RowsOfType] = Field(min_length=1, description="Rows by kernel type.")


class Unpredictable(Output):
    """A device without kernel rows, and what submissions have of it instead."""

    device_id: q.DeviceId
    levels: list[Literal["models", "applications"]] = Field(description="Tables that hold its energies.")


class PredictableOutput(Output):
    """What `deepen predict --list --format json` prints: what can be predicted."""

    schema_version: Literal[1] = Field(1, description="Version of this layout.")
    predictable: list[Predictable] = Field(description="Ways of running devices, by device.")
    others: list[Unpredictable] = Field(description="Devices without kernel rows.")


class ChosenNetwork(Output):
    """One network that ran on a system."""

    record_id: q.RecordId
    model: q.ModelName
    family: q.FamilyName
    variant: q.VariantName | None
    input_shape: q.InputShape | None
    dtype: q.DtypeName
    accuracy_percent: run.AccuracyPercent
    energy_mj: q.EnergyMj
    energy_u_mj: q.EnergyUMj | None
    latency_ms: q.LatencyMs | None
    idle_share: Share | None = Field(description="Share of the idle board in the energy; null where it is unknown.")


class FrontNetwork(ChosenNetwork):
    """A network on the front of accuracy and energy, or tied with one on it."""

    is_on_front: bool = Field(description="Whether no network is as accurate for as little energy.")
    is_tied: bool | None = Field(
        description="Whether it is off the front only by energies within their uncertainty; null where it is unknown."
    )


class SystemChoice(Output):
    """What to run on one system, by the networks that ran on it in one round."""

    system_id: q.SystemId
    system: str = Field(description="Name of the system.")
    runtime: q.RuntimeName
    delegate: q.Delegate
    round: str | None = Field(description="Publication round; null where the rows state none.")
    tier: q.TierName
    boundary: q.BoundaryName
    accuracy_dataset: str = Field(description="Data set that the accuracies are on.")
    n_networks: Count = Field(description="Networks that the choice is among.")
    n_accurate: Count = Field(description="Those of them that are accurate enough.")
    cheapest: ChosenNetwork | None = Field(description="Cheapest network that is accurate enough; null for none.")
    runner_up: ChosenNetwork | None = Field(description="Next one in energy that is accurate enough; null for none.")
    is_tied: bool | None = Field(
        description="Whether the two differ by no more than the uncertainty; null where it is unknown."
    )
    most_accurate: ChosenNetwork = Field(description="Most accurate network, of equally accurate ones the cheapest.")
    front: list[FrontNetwork] = Field(description="Front of accuracy and energy, most accurate first.")


class LeftOut(Output):
    """Rows of the device that no choice is among."""

    reason: str = Field(description="Why they are left out.")
    n_rows: int = Field(ge=1, description="Number of rows.")


class ChoiceOutput(Output):
    """What `deepen choose --format json` prints: the cheapest network at an accuracy, on every system of a device."""

    schema_version: Literal[1] = Field(1, description="Version of this layout.")
    device_id: q.DeviceId
    min_accuracy_percent: float = Field(ge=0, le=100, description="Least accuracy.")
    max_latency_ms: float | None = Field(gt=0, description="Longest latency; null for any.")
    dtype: q.DtypeName | None = Field(description="Data type; null for any.")
    family: q.FamilyName | None = Field(description="Family; null for any.")
    systems: list[SystemChoice] = Field(description="Systems, those with a network that is accurate enough first.")
    left_out: list[LeftOut] = Field(description="Rows of networks that the choice is not among.")
    attributions: list[str] = Field(description="Sentences that owners of the figures ask for.")


def _without_empty(kernel: NetworkKernel) -> dict[str, Any]:
    """A kernel without the fields that its type does not have, and without a count of one.

    What is null otherwise says that it is unknown.
    """
    empty = set(NetworkKernel.model_fields) - {"kernel", *COUNTED}
    shown = kernel.model_dump(exclude={"count"} if count_of(kernel) == 1 else None)
    return {name: value for name, value in shown.items() if value is not None or name not in empty}
