"""Contents of plan.json: kernels to measure on a device, their files, and the order to measure them in."""

from typing import Annotated, Any, Final, Literal, get_args

from pydantic import Field

from harness.schema import quantities as q
from harness.schema.configuration import Extents
from harness.schema.outputs import Count, Output, Share
from harness.schema.results import Sha256
from harness.schema.vocabulary import StoredDtype

FileFormat = Literal["onnx", "tflite"]
FORMATS: Final[tuple[FileFormat, ...]] = get_args(FileFormat)
PlannedId = Annotated[
    str, Field(pattern=r"^[kn][0-9]{3}-[a-z0-9-]+$", description="Name of a kernel or network in the plan.")
]


class ModelInput(Output):
    """An input of a model file, and the values to fill it with."""

    name: str = Field(description="Name of the input in the file.")
    extents: list[int] = Field(description="Extents of the input.")
    dtype: StoredDtype = Field(description="Data type of its elements.")
    low: float = Field(description="Least value; values are uniform from here.")
    high: float = Field(description="Greatest value; whole numbers where the elements are.")


class PlannedFile(Output):
    """A model file: one kernel alone, or a whole network."""

    format: FileFormat = Field(description="Format of the file.")
    path: str = Field(pattern=r"^[a-z]+/[^/]+$", description="Path in the folder of the plan.")
    sha256: Sha256 = Field(description="SHA-256 of the file.")
    n_bytes: int = Field(ge=1, description="Bytes of the file.", json_schema_extra={"unit": "B"})
    opset: int | None = Field(description="Version of the operators of an ONNX file; null for TFLite.")
    fusion_rules: q.FusionRuntime
    inputs: list[ModelInput] = Field(description="Inputs of the file.")


class PlannedKernel(Extents, Output):
    """A kernel to measure; kernels stand in the order of how much each says."""

    id: PlannedId
    kernel: q.KernelName
    function: q.FunctionName | None = None
    configuration_id: q.ConfigurationId
    flops: q.Flops
    params: q.Params
    bytes_moved: q.BytesMoved
    weight: Share = Field(description="Share in what the networks run; 0 for a kernel of none of them.")
    variance_before: Share = Field(
        description="Share of the targets' variance that is left when the kernels before it are measured."
    )
    variance_left: Share = Field(description="Share that is left when it is measured as well.")
    reason: str = Field(description="Why it was chosen, a sentence.")
    files: list[PlannedFile] = Field(min_length=1, description="Files that hold it, one for each format.")


class Measurement(Output):
    """One measurement of the order."""

    id: PlannedId
    is_anchor: bool = Field(
        description="Whether it is measured first, in the middle and last, so that drift of the device shows."
    )


class PlannedNetwork(Output):
    """A network whose kernels are the targets."""

    id: PlannedId
    model: str = Field(description="Name of the network, or of its file.")
    dtype: q.DtypeName
    n_kernels: int = Field(ge=1, description="Number of its kernels.")
    weight: Share = Field(description="Its share in the targets.")
    file: PlannedFile | None = Field(
        description="Its file, to be measured as a whole; null where there is none with weights."
    )


class LeftOutKernel(Output):
    """Kernels of the networks that are in no file of the plan."""

    kernel: str = Field(description="Kernel type, or operator where there is no type.")
    n: int = Field(ge=1, description="Number of their configurations; of kernels, where there is no type.")
    weight: Share = Field(description="Their share in the targets.")
    reason: str = Field(description="Why they cannot be measured alone.")


class Plan(Output):
    """Contents of plan.json."""

    schema_version: Literal[1] = Field(1, description="Version of this layout.")
    device_id: q.DeviceId
    delegate: q.Delegate | None = Field(description="How the device runs; null where that was not named.")
    dtype: q.DtypeName
    seed: int = Field(description="Seed of the draw, of the weights and of the order.")
    networks: list[PlannedNetwork] = Field(min_length=1, description="Networks whose kernels are the targets.")
    n_candidates: int = Field(ge=1, description="Kernels that the choice was among.")
    n_measured: Count = Field(description="Kernels that the device was measured on before; none is planned again.")
    variance_measured: Share = Field(description="Share of the targets' variance that those leave.")
    kernels: list[PlannedKernel] = Field(min_length=1, description="Kernels to measure, by how much each says.")
    order: list[Measurement] = Field(min_length=1, description="Measurements in the order to make them.")
    left_out: list[LeftOutKernel] = Field(description="Kernels of the networks that cannot be measured alone.")

    def as_json(self) -> dict[str, Any]:
        """The plan as JSON has it; extents that a kernel's type does not have are left out."""
        return super().as_json() | {"kernels": [_without_empty(kernel) for kernel in self.kernels]}


def _without_empty(kernel: PlannedKernel) -> dict[str, Any]:
    """A kernel, its name and type first, without the fields that its type does not have."""
    shown = kernel.model_dump(mode="json", include={"id", "kernel"}) | kernel.model_dump(mode="json")
    empty = {"function", *Extents.model_fields}
    return {name: value for name, value in shown.items() if value is not None or name not in empty}
