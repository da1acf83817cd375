"""Errata against the data they correct: each must select something, and its used value must be the one in use."""

import math
from collections.abc import Mapping

import pyarrow as pa

from harness.schema.facts import Device, Manifest
from harness.schema.vocabulary import Level
from harness.validation.fact_faults import Path
from harness.validation.faults import Faults


def check_device_errata(device: Device, lines: Mapping[Path, int], shown: str, faults: Faults) -> None:
    """Report errata of a device that do not fit its facts."""
    for number, erratum in enumerate(device.errata):
        value = getattr(device, erratum.field, None)
        if erratum.where or not isinstance(value, (int, float)) or not math.isclose(value, erratum.used):
            faults.add(
                "erratum-unmatched",
                shown,
                line=lines["errata", str(number)],
                column=f"errata.{number}",
                found=f"{erratum.field} used as {erratum.used:g}",
                is_value=False,
                expected=f"the value in use, {value!r}" if isinstance(value, (int, float)) else "a numeric field",
                fix="Name a numeric field of device.yaml, leave out where, and give the value used.",
            )


def check_manifest_errata(
    manifest: Manifest, tables: Mapping[Level, pa.Table], lines: Mapping[Path, int], shown: str, faults: Faults
) -> None:
    """Report errata of a submission that do not select one row with the used value."""
    for number, erratum in enumerate(manifest.errata):
        values = [
            row.get(erratum.field)
            for table in tables.values()
            if erratum.field in table.column_names and set(erratum.where) <= set(table.column_names)
            for row in table.select([*dict.fromkeys([erratum.field, *erratum.where])]).to_pylist()
            if all(str(row[name]) == wanted for name, wanted in erratum.where.items())
        ]
        selected = ", ".join(f"{name} {value}" for name, value in erratum.where.items()) or "every row"
        is_matched = len(values) == 1 and isinstance(values[0], (int, float)) and math.isclose(values[0], erratum.used)
        if not is_matched:
            found = f"{len(values)} rows" if len(values) != 1 else f"{erratum.field} = {values[0]!r}"
            faults.add(
                "erratum-unmatched",
                shown,
                line=lines["errata", str(number)],
                column=f"errata.{number}",
                found=f"{found} for {selected}",
                is_value=False,
                expected=f"one row with {erratum.field} = {erratum.used:g}",
                fix="Correct where or used, so that the erratum selects the corrected row.",
            )
