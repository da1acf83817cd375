"""A network as the kernels that a runtime executes: entries of a kernel list, and its file."""

import json
from collections.abc import Mapping
from typing import Annotated, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from harness.schema import quantities as q
from harness.schema.configuration import Extents
from harness.schema.cost import DTYPE_BITS
from harness.schema.quantity import Display, Quantity
from harness.schema.vocabulary import CONFIGURATION_FIELDS, Dtype

Configuration = Mapping[str, str | int]
"""Kernel type and extents of a kernel, without the fields that are empty."""

MOST_KERNELS: Final = 10_000
"""Entries of a submitted kernel list; networks of edge devices have a few hundred."""


COUNTED: Final = ("flops", "bytes_moved")
"""Fields of an entry that are null where they are unknown, and stated otherwise."""


class _ListedOperator(BaseModel):
    operator: q.OperatorName
    kernel: q.KernelName | None = None
    function: q.FunctionName | None = None
    dtype: q.DtypeName
    weight_dtype: q.WeightDtypeName | None = None


class NetworkKernel(Extents, _ListedOperator):
    """One kernel of a network, in its order of execution.

    FLOPs are counted at the extents that the network itself has, so they differ from those of a kernel row
    where the network does not pad to "same"; they are null where an operator of the kernel has no rule for them.
    Bytes are those of each tensor as it is stored, and null where extents are unknown.
    """

    flops: q.Flops | None
    params: q.Params
    bytes_moved: q.BytesMoved | None


class ListedKernel(NetworkKernel):
    """One kernel of a model file, with the times that one inference runs it: its FLOPs and bytes are of all of them.

    A kernel list that is submitted has one entry for every run.
    """

    count: int = Field(default=1, ge=1, description="Times that one inference runs the kernel.")

    def of_one_run(self) -> NetworkKernel:
        """The entry of one of its runs."""
        counts = {name: getattr(self, name) for name in COUNTED}
        each = {name: None if count is None else count // self.count for name, count in counts.items()}
        return NetworkKernel(**(self.model_dump(exclude={"count"}) | each))


class PublishedKernel(NetworkKernel):
    """One kernel of a published kernel list, with the id that the same configuration has in the kernels dataset."""

    configuration_id: q.ConfigurationId | None = None


_Entry = TypeVar("_Entry", bound=NetworkKernel)


def count_of(kernel: NetworkKernel) -> int:
    """Times that one inference runs the kernel of an entry."""
    return kernel.count if isinstance(kernel, ListedKernel) else 1


NetworkKernels = Annotated[
    list[PublishedKernel],
    Quantity(
        "",
        "Kernels of the network in order of execution; null where no kernel list came with the row.",
        "derived",
        "Leave the column out; put the kernel list into graphs/.",
        group="cost",
        display=Display("Kernel list", q.NOWHERE),
    ),
]


class Network(BaseModel):
    """Contents of `graphs/<model>.json`: a model's kernel list under the fusion rules of one runtime.

    `params` are those of the network where kernels share weights, and null where they are the sum over the kernels.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    schema_version: Literal[1] = Field(description="Version of this file's layout.")
    model: q.ModelName
    runtime: q.FusionRuntime
    params: q.Params | None = None
    kernels: list[NetworkKernel] = Field(min_length=1, description="Kernels in order of execution.")


def configuration_of(kernel: NetworkKernel) -> dict[str, str | int]:
    """Kernel type and extents of an entry, without its empty fields: the configuration that a kernel row states.

    >>> cost = {"flops": 32, "params": 18, "bytes_moved": 112}
    >>> configuration_of(NetworkKernel(operator="fc", kernel="fc", dtype="fp32", cin=8, cout=2, **cost))
    {'kernel': 'fc', 'cin': 8, 'cout': 2}
    """
    return kernel.model_dump(include={"kernel", *CONFIGURATION_FIELDS}, exclude_none=True)


def input_in_words(kernel: Extents) -> str:
    """What a kernel reads, on a few characters: a plane or rows and their channels, or queries, keys and heads.

    >>> cost = {"flops": 1, "params": 0, "bytes_moved": 1}
    >>> input_in_words(NetworkKernel(operator="matmul", kernel="matmul", dtype="fp32", rows=128, cin=64, cout=128,
    ...     batch=12, **cost))
    '12x128x64'
    """
    if kernel.q_len is not None:
        return f"{kernel.q_len}x{kernel.kv_len}, {kernel.heads}/{kernel.kv_heads} heads of {kernel.head_size}"
    channels = (kernel.cin, kernel.cin2, kernel.cin3, kernel.cin4)
    joined = "+".join(str(count) for count in channels if count is not None)
    plane = (kernel.batch, kernel.rows, kernel.input_h, kernel.input_w, kernel.entries)
    return "x".join(part for part in (*(str(extent) for extent in plane if extent is not None), joined) if part)


def stated(kernel: NetworkKernel) -> dict[str, str | int | None]:
    """An entry without its empty fields, except FLOPs and bytes: null says that these are unknown."""
    known = kernel.model_dump(exclude_none=True)
    return {name: value for name, value in kernel.model_dump().items() if name in known or name in COUNTED}


def network_json(network: Network) -> str:
    """Contents of `graphs/<model>.json`: one line per kernel, without empty fields."""
    facts = network.model_dump(exclude={"kernels"}, exclude_none=True)
    head = [f"  {json.dumps(name)}: {json.dumps(value)}," for name, value in facts.items()]
    lines = ",\n".join(f"    {json.dumps(stated(kernel))}" for kernel in network.kernels)
    return "\n".join(["{", *head, '  "kernels": [', lines, "  ]", "}", ""])


def in_dtype(kernel: _Entry, dtype: Dtype) -> _Entry:
    """The same kernel in another data type; its weights and the bytes that it moves follow.

    >>> cost = {"flops": 32, "params": 18, "bytes_moved": 112}
    >>> in_dtype(NetworkKernel(operator="fc", kernel="fc", dtype="fp32", cin=8, cout=2, **cost), "int8").bytes_moved
    28
    """
    if kernel.bytes_moved is None:
        return kernel.model_copy(update={"dtype": dtype, "weight_dtype": None})
    bytes_moved = kernel.bytes_moved * DTYPE_BITS[dtype] // DTYPE_BITS[kernel.dtype]
    return kernel.model_copy(update={"dtype": dtype, "weight_dtype": None, "bytes_moved": bytes_moved})
