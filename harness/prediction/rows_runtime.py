"""Fusion rules that kernel rows of a device go with: those of the runtime that they were measured in."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from harness.graphs.fusion_rules import read_runtime
from harness.graphs.runtime_files import runtime_names

if TYPE_CHECKING:
    import pyarrow as pa

    from harness.releases import Release


class RowsRuntime(NamedTuple):
    """Runtime of the kernel rows of a device.

    Attributes:
        rules: name of its fusion rules; None where the rows go with none, or with several.
        stated: runtimes as the submissions state them, joined by commas.
    """

    rules: str | None
    stated: str


UNKNOWN: Final = RowsRuntime(None, "unstated")


def runtime_of_rows(
    release: "Release", device_id: str, delegate: str | None = None, system_id: str | None = None
) -> RowsRuntime:
    """Runtime of the kernel rows of a device: that of its kernel lists; without any, the one that its rows state.

    Args:
        release: release with the device.
        device_id: device.
        delegate: how it runs; None for any.
        system_id: one of the device's systems; None for any.
    """
    import pyarrow.compute as pc

    chosen = {"device_id": device_id, "delegate": delegate, "system_id": system_id}
    rows = _rows_of(release.levels["kernels"], chosen)
    stated = sorted(set(rows.column("runtime").to_pylist()))
    models = _rows_of(release.levels["models"], chosen)
    models = models.filter(pc.is_in(models.column("delegate"), value_set=pc.unique(rows.column("delegate"))))
    rules: set[str | None] = set(models.column("kernel_runtime").drop_null().to_pylist())
    if not rules:
        pairs = zip(rows.column("runtime").to_pylist(), rows.column("processor").to_pylist(), strict=True)
        rules = {_rules_as_stated(*pair) for pair in set(pairs)}
    return RowsRuntime(next(iter(rules)) if len(rules) == 1 else None, ", ".join(stated))


def _rows_of(table: "pa.Table", chosen: Mapping[str, str | None]) -> "pa.Table":
    import pyarrow.compute as pc

    for name, value in chosen.items():
        if value is not None:
            table = table.filter(pc.equal(table.column(name), value))
    return table


def _rules_as_stated(stated: str, processor: str) -> str | None:
    """Fusion rules of a runtime as a submission states it, with its version."""
    for name in runtime_names():
        runtime = read_runtime(name)
        if runtime.processor == processor and any(word in stated.lower() for word in runtime.stated_as):
            return name
    return None
