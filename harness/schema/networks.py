"""A network as the kernels that a runtime executes: the entries of a model's kernel list, and the file that holds one."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.schema import quantities as q


class NetworkKernel(BaseModel):
    """One kernel of a network, in its order of execution.

    FLOPs are counted at the extents that the network itself has, so they differ from those of a kernel row
    where the network does not pad to "same".
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    operator: q.OperatorName
    kernel: q.KernelName | None = None
    dtype: q.DtypeName
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
    flops: q.Flops
    params: q.Params
    bytes_moved: q.BytesMoved


class Network(BaseModel):
    """Contents of `graphs/<model>.json`: a model's kernel list under the fusion rules of one runtime."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = Field(description="Version of this file's layout.")
    model: q.ModelName
    runtime: q.FusionRuntime
    kernels: list[NetworkKernel] = Field(min_length=1, description="Kernels in order of execution.")
